/** What the sandbox pushes, through the engine and into a database: all of a request, or nothing. */
import { assert, describe, it } from "@effect/vitest"
import { Accounts } from "@overture/core/account/Accounts"
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import type { InboundRequest } from "@overture/core/channel/InboundRequest"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { Ingress, type IngressSource } from "@overture/core/chat/Ingress"
import { system } from "@overture/core/event/DomainEvent"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Clock, Effect, Layer, Redacted } from "effect"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Sandbox from "../../../src/channels/sandbox/Sandbox.ts"
import * as Signature from "../../../src/channels/sandbox/Signature.ts"
import * as Wire from "../../../src/channels/sandbox/Wire.ts"
import * as SqliteStorage from "../../../src/storage/SqliteStorage.ts"
import { logPath } from "./fixtures.ts"

const { start } = Builders
const secret = Redacted.make("a secret of the platform")

const wrote = (id: "1" | "2", text: string): ChannelEvent => ({
  type: "messageReceived",
  dedupeKey: id,
  at: start + Number(id),
  participant: { scope: "", externalId: "ann", name: "Ann" },
  externalId: id,
  content: { type: "text", text }
})

const request = (body: Uint8Array, by = secret): Effect.Effect<InboundRequest> =>
  Effect.map(Clock.currentTimeMillis, (at) => ({ headers: Signature.sign(by, at, body), body, url: "/ingress" }))

/** Two workspaces that connected the page, a third that did not; and every row of the database. */
const world = Effect.gen(function* () {
  const path = join(dirname(yield* logPath), "test.sqlite")
  const storage = SqliteStorage.layer({ path })
  const sandbox = yield* Sandbox.make()
  const time = PacingTime.layerVirtual(start)
  const context = yield* Layer.build(Overture.layer({ storage, channels: [sandbox], time }))
  const build = Builders.make("ingress")
  const [mine, other] = [build.workspace(), build.workspace()]
  return yield* Effect.gen(function* () {
    const workspaces = yield* WorkspaceStore
    const accounts = yield* Accounts
    const chats = yield* ChatStore
    const { receive } = yield* Ingress
    for (const workspace of [mine, other]) {
      yield* workspaces.create(workspace)
      yield* accounts.connect({ workspace: workspace.id, channel: "sandbox", externalId: "page" }, system)
    }
    const database = yield* Effect.acquireRelease(
      Effect.sync(() => new DatabaseSync(path, { readOnly: true })),
      (opened) => Effect.sync(() => opened.close())
    )
    const tables = database.prepare("select name from sqlite_master where type = 'table' order by name").all()
    return {
      mine,
      other,
      receive: (asked: InboundRequest, source: Partial<IngressSource> = {}) =>
        receive({ channel: "sandbox", secret, ...source }, asked),
      said: Effect.fnUntraced(function* (workspace: typeof mine) {
        const { data } = yield* chats.list(workspace.id, {})
        const pages = yield* Effect.forEach(data, ({ id }) => chats.messages(workspace.id, id, {}))
        return pages.flatMap((page) =>
          page.data.map(({ content }) => (content.type === "text" ? content.text : content.type))
        )
      }),
      rows: () => tables.map(({ name }) => [name, database.prepare(`select * from "${String(name)}"`).all()])
    }
  }).pipe(Effect.provide(context))
})

describe("the ingress", () => {
  it.effect("takes what the platform pushes into every workspace that has the account, once", () =>
    Effect.gen(function* () {
      const { mine, other, receive, said } = yield* world
      const body = Wire.encode({ account: "page", events: [wrote("1", "Hello"), wrote("2", "Anyone there?")] })
      const first = yield* receive(yield* request(body))
      assert.sameMembers(
        first.accounts.map(({ account }) => account.workspace),
        [mine.id, other.id]
      )
      assert.deepStrictEqual(
        first.accounts.map(({ handled, repeated }) => [handled, repeated]),
        [
          [2, 0],
          [2, 0]
        ]
      )
      const again = yield* receive(yield* request(body))
      assert.deepStrictEqual(
        again.accounts.map(({ handled, repeated }) => [handled, repeated]),
        [
          [0, 2],
          [0, 2]
        ]
      )
      for (const workspace of [mine, other]) {
        assert.deepStrictEqual(yield* said(workspace), ["Hello", "Anyone there?"])
      }
    })
  )

  it.effect("tells only the workspace whose secret it is", () =>
    Effect.gen(function* () {
      const { mine, other, receive, said } = yield* world
      const asked = yield* request(Wire.encode({ account: "page", events: [wrote("1", "Hello")] }))
      const { accounts } = yield* receive(asked, { workspace: other.id })
      assert.lengthOf(accounts, 1)
      assert.deepStrictEqual([yield* said(mine), yield* said(other)], [[], ["Hello"]])
    })
  )

  it.effect("reports accounts that nobody connected, and keeps nothing of them", () =>
    Effect.gen(function* () {
      const { mine, receive, rows } = yield* world
      const before = rows()
      const asked = yield* request(Wire.encode({ account: "elsewhere", events: [wrote("1", "Hello")] }))
      assert.deepStrictEqual(yield* receive(asked), { accounts: [], unknown: ["elsewhere"] })
      const strangers = yield* request(Wire.encode({ account: "page", events: [wrote("1", "Hello")] }))
      const nobody = Builders.make("nobody").workspace()
      assert.deepStrictEqual(yield* receive(strangers, { workspace: nobody.id }), { accounts: [], unknown: ["page"] })
      assert.deepStrictEqual(rows(), before)
      assert.isNotEmpty(mine.id)
    })
  )

  const good = Wire.encode({ account: "page", events: [wrote("1", "Hello")] })
  const half = new TextEncoder().encode(
    new TextDecoder().decode(good).replace("]}", `,{"id":"2","time":1,"kind":"wave","person":{"id":"ann"}}]}`)
  )
  it.effect.each<readonly [string, string, Effect.Effect<InboundRequest>, Partial<IngressSource>]>([
    ["BadSignature", "a bad signature", request(good, Redacted.make("another secret")), {}],
    ["BadSignature", "no signature", Effect.succeed({ headers: {}, body: good, url: "/" }), {}],
    ["Undecodable", "a body that is good in its first half only", request(half), {}],
    ["ChannelNotFound", "a channel that is not here", request(good), { channel: "elsewhere" }]
  ])("answers %s to %s, and no row is another than before", ([tag, , asked, source]) =>
    Effect.gen(function* () {
      const { receive, rows } = yield* world
      const before = rows()
      assert.strictEqual((yield* Effect.flip(receive(yield* asked, source)))._tag, tag)
      assert.deepStrictEqual(rows(), before)
    })
  )
})
