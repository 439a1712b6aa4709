/** The keys of a command line: what it needs to send for accounts with credentials, and what it says of keys it cannot use. */
import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import * as KeyVault from "@overture/adapters/vault/KeyVault"
import { Accounts } from "@overture/core/account/Accounts"
import * as Overture from "@overture/core/Overture"
import { system } from "@overture/core/event/DomainEvent"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, Layer, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { workspace } from "../../src/cli/Engine.ts"
import { inProcess } from "./inProcess.ts"
import { type Desk, desk } from "./spawn.ts"

let here: Desk
beforeEach(() => {
  here = desk()
})
afterEach(() => {
  vi.unstubAllEnvs()
  here.remove()
})

const key = randomBytes(32).toString("base64")
const environment = (value: string) => vi.stubEnv("OVERTURE_SECRET_KEYS", value)
const working = () => inProcess("worker", "--exit-when-idle", "--database", here.path("accounts.sqlite"))

/** What a host that embeds the engine does with the same key. */
const connect = () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const workspaces = yield* WorkspaceStore
      const home = { timezone: "UTC", paused: false, dailyCap: null, optOutScope: "contact" as const }
      yield* workspaces.create({ ...home, id: workspace, name: "home", createdAt: 0, metadata: {} })
      yield* (yield* Accounts).connect(
        { workspace, channel: "sandbox", externalId: "page", credentials: Redacted.make("EAAG-token") },
        system
      )
    }).pipe(
      Effect.provide(
        Layer.unwrap(
          Effect.map(KeyVault.make(Redacted.make(`a:${key}`)), (vault) =>
            Overture.layer({
              storage: SqliteStorage.layer({ path: here.path("accounts.sqlite"), durable: false }),
              channels: [],
              vault
            })
          )
        )
      )
    )
  )

describe("secrets of accounts", { timeout: 60_000 }, () => {
  it("are opened with their key; without it the account is left alone, and the key is named", async () => {
    await connect()
    environment(`a:${key}`)
    const right = await working()
    expect(right.code).toBe(0)
    expect(right.stderr).not.toContain("OVERTURE_SECRET_KEYS")
    for (const [keys, problem] of [
      ["", "encrypted with the key a, which OVERTURE_SECRET_KEYS does not have"],
      [`b:${randomBytes(32).toString("base64")}`, "encrypted with the key a, which OVERTURE_SECRET_KEYS does not have"]
    ] as const) {
      environment(keys)
      const { code, stderr, stdout } = await working()
      expect(code).toBe(0)
      expect(stderr + stdout).toContain(problem)
      expect(stderr + stdout).not.toContain("EAAG")
    }
  })

  it("need keys that can be used, refused without a word of them", async () => {
    await connect()
    environment(key)
    const { code, stderr } = await working()
    expect(code).toBe(1)
    expect(stderr).toContain("OVERTURE_SECRET_KEYS: key 1: expected ID:BASE64")
    expect(stderr).not.toContain(key)
  })
})
