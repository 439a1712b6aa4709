import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import { Contacts } from "@overture/core/contact/Contacts"
import * as Overture from "@overture/core/Overture"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { Effect, Option } from "effect"
import { createHmac } from "node:crypto"
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

const key = "a key of sixteen letters and more"
const environment = (value: string) => vi.stubEnv("OVERTURE_ADDRESS_KEY", value)
const database = () => ["--database", here.path("people.sqlite")]
const importing = () => inProcess("import", here.path("people.csv"), "--list", "people", ...database(), "--json")
const testing = () => inProcess("test-send", "ann", ...database())
const working = () => inProcess("worker", "--exit-when-idle", ...database())

/** What a host that embeds the engine does with the same secret. */
const eraseAnn = () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const store = yield* ContactStore
      const ann = Option.getOrThrow(yield* store.byAddress(workspace, "sandbox//ann"))
      yield* (yield* Contacts).erase(workspace, ann.id, { type: "system", id: null })
    }).pipe(
      Effect.provide(
        Overture.layer({
          storage: SqliteStorage.layer({ path: here.path("people.sqlite"), durable: false }),
          channels: [],
          addressHash: (address) => createHmac("sha256", key).update(address).digest("hex")
        })
      )
    )
  )

describe("people who were erased", { timeout: 60_000 }, () => {
  it("are recognised with their key, and nothing is imported, queued or sent without it", async () => {
    environment("")
    here.write("people.csv", "id,name\nann,Ann\nben,Ben\n")
    expect((await importing()).code).toBe(0)
    await eraseAnn()
    for (const command of [importing, testing, working]) {
      environment("")
      const without = await command()
      expect(without.code).toBe(1)
      expect(without.stderr).toContain("without OVERTURE_ADDRESS_KEY")
      environment("another key of sixteen letters")
      const wrong = await command()
      expect(wrong.code).toBe(1)
      expect(wrong.stderr).toContain("with another key than OVERTURE_ADDRESS_KEY")
      expect(wrong.stderr).not.toContain("sixteen")
    }
    environment("short")
    const short = await importing()
    expect(short.stderr).toContain("OVERTURE_ADDRESS_KEY: expected at least 16 characters, got 5")
    environment("")
    expect((await inProcess("export", "--list", "people", ...database())).code).toBe(0)
    environment(key)
    expect((await working()).code).toBe(0)
    const known = await importing()
    expect(known.code).toBe(0)
    expect(known.stderr).toContain("this person was erased")
  })
})
