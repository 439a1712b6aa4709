/** One person says stop to several accounts at the same moment: each hears it in a transaction of its own. */
import { Accounts } from "@overture/core/account/Accounts"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { Inbox } from "@overture/core/chat/Inbox"
import { Contacts } from "@overture/core/contact/Contacts"
import { system } from "@overture/core/event/DomainEvent"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import * as Overture from "@overture/core/Overture"
import { Outbox } from "@overture/core/outbox/Outbox"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "../storage/TestPostgres.ts"

type Storage = Layer.Layer<Overture.StoragePorts, unknown>

const storages: ReadonlyArray<readonly [string, () => Promise<Storage>]> = [
  ["memory", async () => MemoryStorage.layer],
  ["SQLite", async () => SqliteStorage.layer({ path: ":memory:" })],
  ["PostgreSQL", async () => PostgresStorage.layer({ url: await freshDatabase() })]
]

const { start } = Builders
const text = "You will not hear from us again."

describe.each(storages)("a stop to all accounts at once, on %s", (_, open) => {
  it.live("suppresses the person and is answered by one", () => {
    const channel = TestChannel.make()
    const body = Effect.gen(function* () {
      const workspace = Builders.make("stops").workspace({ optOutReply: text })
      yield* (yield* WorkspaceStore).create(workspace)
      const { connect } = yield* Accounts
      const accounts = yield* Effect.forEach(["a", "b", "c", "d"], (externalId) =>
        Effect.map(
          connect({ workspace: workspace.id, channel: channel.name, externalId, minGapMs: 0 }, system),
          ({ account }) => account
        )
      )
      // Whom the workspace knows is one person to all accounts.
      const contacts = yield* Contacts
      const list = yield* contacts.listNamed(workspace.id, "everyone")
      const rows = [{ line: 1, externalId: "ann", tags: [], attributes: {} }]
      yield* contacts.importRows(workspace.id, list.id, rows, { channel: channel.name, accounts })

      const inbox = yield* Inbox
      const stop = {
        type: "messageReceived",
        dedupeKey: "stop",
        at: start,
        participant: { scope: "", externalId: "ann" },
        externalId: "stop",
        content: { type: "text", text: "STOP" }
      } as const
      const heard = yield* Effect.all(
        accounts.map((account) => inbox.receive(account, [stop])),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        heard.map(({ handled }) => handled),
        [1, 1, 1, 1]
      )
      while ((yield* (yield* Outbox).tick).worked);
      assert.deepStrictEqual(
        channel.asked.map((asked) => [asked.to, asked.text]),
        [["ann", text]]
      )
      assert.lengthOf((yield* (yield* ChatStore).list(workspace.id, {})).data, 4)
    })
    return Effect.gen(function* () {
      const storage = yield* Effect.promise(open)
      const time = PacingTime.layerVirtual(start)
      yield* Effect.provide(body, Overture.layer({ storage, channels: [channel], time }))
    })
  })
})
