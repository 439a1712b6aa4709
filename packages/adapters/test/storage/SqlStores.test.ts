import { AccountStore } from "@overture/core/account/AccountStore"
import * as Address from "@overture/core/channel/Address"
import type { Chat } from "@overture/core/chat/Chat"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { ContactStore } from "@overture/core/contact/ContactStore"
import * as Builders from "@overture/core/testing/Builders"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import * as AccountSqlStore from "../../src/storage/AccountSqlStore.ts"
import * as ChatSqlStore from "../../src/storage/ChatSqlStore.ts"
import type { DatabaseUnavailable } from "../../src/storage/Connection.ts"
import * as ContactSqlStore from "../../src/storage/ContactSqlStore.ts"
import { Database } from "../../src/storage/Database.ts"
import * as Migrator from "../../src/storage/Migrator.ts"
import * as Postgres from "../../src/storage/postgres/Postgres.ts"
import * as Chats from "../../src/storage/outbox/Chats.ts"
import * as CampaignRow from "../../src/storage/rows/CampaignRow.ts"
import * as Columns from "../../src/storage/rows/Columns.ts"
import * as LeadRow from "../../src/storage/rows/LeadRow.ts"
import * as PaceRow from "../../src/storage/rows/PaceRow.ts"
import { defineStatements } from "../../src/storage/Dialect.ts"
import * as Sqlite from "../../src/storage/sqlite/Sqlite.ts"
import * as WorkspaceSqlStore from "../../src/storage/WorkspaceSqlStore.ts"
import { freshDatabase } from "./TestPostgres.ts"

const databases: ReadonlyArray<readonly [string, () => Promise<Layer.Layer<Database, DatabaseUnavailable>>]> = [
  ["SQLite", async () => Sqlite.layer({ path: ":memory:" })],
  ["PostgreSQL", async () => Postgres.layer({ url: await freshDatabase(), connections: 4 })]
]

const rowSet = defineStatements("test", (sql) => {
  const put = (table: string, columns: Columns.Columns) => `insert into ${sql.t(table)}(${Columns.names(columns)})
    select ${Columns.select(columns, "x")} from ${sql.rows("x", 1, columns)}`
  return {
    putCampaign: put("campaign", CampaignRow.columns),
    putLead: put("lead", LeadRow.columns),
    putPace: put("pace", PaceRow.columns),
    told: `select e.id from ${sql.t("event")} as e order by e.n`,
    all: `select ${Columns.select(CampaignRow.columns, "c", "c_")}, ${Columns.select(LeadRow.columns, "l", "l_")},
      ${Columns.select(PaceRow.columns, "p", "p_")} from ${sql.t("campaign")} as c
      join ${sql.t("lead")} as l on l.campaign_id = c.id join ${sql.t("pace")} as p on p.campaign_id = c.id`
  }
})

describe.each(databases)("SQL stores on %s", (_, open) => {
  const within = <A, E>(
    body: Effect.Effect<A, E, Database | WorkspaceStore | AccountStore | ContactStore | ChatStore>
  ): Effect.Effect<A, unknown> =>
    Effect.gen(function* () {
      const database = yield* Effect.promise(open)
      const stores = Layer.mergeAll(
        Migrator.layer,
        WorkspaceSqlStore.layer,
        AccountSqlStore.layer,
        ContactSqlStore.layer,
        ChatSqlStore.layer
      )
      return yield* Effect.provide(body, Layer.provideMerge(stores, database))
    })

  it.live("workspaces, idempotency keys, the switch and the clock", () =>
    within(
      Effect.gen(function* () {
        const store = yield* WorkspaceStore
        const build = Builders.make("workspaces")
        const workspace = build.workspace({ metadata: { plan: "a", n: null } })
        assert.isTrue(yield* store.create(workspace))
        assert.isFalse(yield* store.create(workspace))
        yield* store.modify(workspace.id, (self) => ({ ...self, paused: true, dailyCap: 5 }))
        assert.deepStrictEqual(yield* store.get(workspace.id), Option.some({ ...workspace, paused: true, dailyCap: 5 }))
        const ask = (fingerprint: string, now: number) => store.idempotent(workspace.id, "k", fingerprint, now)
        assert.deepStrictEqual(yield* ask("f", 1), { type: "new" })
        yield* store.remember(workspace.id, "k", "answer")
        assert.deepStrictEqual(yield* ask("f", 2), { type: "replay", response: "answer" })
        assert.deepStrictEqual(yield* ask("g", 2), { type: "mismatch" })
        assert.deepStrictEqual(yield* ask("g", 86_400_001), { type: "new" })
        yield* store.stop(true)
        assert.isTrue(yield* store.stopped)
        yield* store.setPacingClock({ type: "virtual", at: 20 })
        yield* store.setPacingClock({ type: "virtual", at: 10 })
        assert.deepStrictEqual(yield* store.pacingClock, { type: "virtual", at: 20 })
      })
    )
  )

  it.live("accounts", () =>
    within(
      Effect.gen(function* () {
        const store = yield* AccountStore
        const build = Builders.make("accounts")
        const workspace = build.workspace().id
        const account = build.account(workspace, { externalRef: "ref", attention: ["restricted"] })
        assert.isTrue((yield* store.connect(account, [])).created)
        const again = yield* store.connect({ ...build.account(workspace), externalId: account.externalId }, [])
        assert.deepStrictEqual(again, { account, created: false })
        const [changed] = yield* store.modify([account.id], (self) => ({
          account: { ...self, name: "Another" },
          events: []
        }))
        assert.deepStrictEqual(yield* store.byExternalRef(workspace, "ref"), Option.fromUndefinedOr(changed))
        yield* store.setPollCursor(account.id, "c")
        assert.deepStrictEqual(yield* store.polled([account.channel, "other"]), [{ account: changed!, cursor: "c" }])
        yield* store.connect(build.account(workspace), [])
        const first = yield* store.list(workspace, { limit: 1, count: true })
        assert.strictEqual(first.total, 2)
        const second = yield* store.list(workspace, { limit: 1, cursor: first.nextCursor! })
        assert.isNull(second.nextCursor)
        assert.notStrictEqual(second.data[0]!.id, first.data[0]!.id)
      })
    )
  )

  it.live("imports: new, merged, ambiguous, in order, and twice at the same time", () =>
    within(
      Effect.gen(function* () {
        const store = yield* ContactStore
        const build = Builders.make("contacts")
        const workspace = build.workspace().id
        const list = yield* store.createList(build.contactList(workspace))
        const [a, b, c] = [
          build.contact(workspace),
          build.contact(workspace, { externalRef: "b" }),
          build.contact(workspace)
        ]
        const address = a.addresses[0]!
        assert.strictEqual(list.number, 1)
        assert.deepStrictEqual(
          yield* store.import(workspace, [b, a, { ...c, addresses: a.addresses, tags: ["x"] }], list.id),
          { created: 2, merged: 1, changed: [], ambiguous: [] }
        )
        const both = { ...build.contact(workspace), addresses: [address], externalRef: "b" }
        const result = yield* store.import(workspace, [both, build.contact(workspace), { ...a, name: "New" }], list.id)
        assert.deepStrictEqual(result, {
          created: 1,
          merged: 1,
          changed: [a.id],
          ambiguous: [{ index: 0, contacts: [a.id, b.id].sort() }]
        })
        const members = yield* store.members(workspace, list.id, 0, 10)
        assert.deepStrictEqual(
          members.map((member) => member.position),
          [1, 2, 3]
        )
        assert.deepStrictEqual(
          members.slice(0, 2).map((member) => member.contact.id),
          [b.id, a.id]
        )
        const found = yield* store.byAddress(workspace, Address.key(address))
        assert.deepStrictEqual(found, Option.some({ ...a, tags: [...a.tags, "x"], name: "New" }))
        const batch = Array.from({ length: 300 }, () => build.contact(workspace))
        const copies = batch.map((contact) => ({ ...contact, id: build.ids.next("con") })).reverse()
        const counts = yield* Effect.all(
          [store.import(workspace, batch, list.id), store.import(workspace, copies, list.id)],
          { concurrency: 2 }
        )
        assert.strictEqual(counts[0].created + counts[1].created, 300)
        assert.strictEqual(counts[0].merged + counts[1].merged, 300)
        assert.strictEqual((yield* store.list(workspace, { limit: 1, count: true })).total, 303)
        assert.strictEqual((yield* store.members(workspace, list.id, 0, 1000)).length, 303)
        const suppression = { workspace, address: "k", account: null, reason: "optedOut", at: 1 } as const
        assert.strictEqual(yield* store.suppress([suppression, { ...suppression, at: 2 }], []), 1)
        assert.deepStrictEqual(yield* store.suppressions(workspace, ["k", "z"]), [suppression])
        yield* store.heed([{ workspace, address: "k", type: "start", at: 1 }])
        assert.deepStrictEqual(yield* store.suppressions(workspace, ["k"]), [])
      })
    )
  )

  it.live("chats and messages", () =>
    within(
      Effect.gen(function* () {
        const store = yield* ChatStore
        const build = Builders.make("chats")
        const workspace = build.workspace().id
        const account = build.account(workspace)
        const [ann, bob] = [build.contact(workspace), build.contact(workspace)]
        const openings = [build.opening(account, ann), build.opening(account, bob), build.opening(account, ann)]
        const { chats: opened } = yield* store.open(openings)
        assert.deepStrictEqual(
          opened.map((chat) => chat.number),
          [1, 2, 1]
        )
        const [chat, other] = opened
        const at = chat!.lastAt
        yield* store.touch([
          { chat: chat!.id, at: at + 9, text: "late", direction: "inbound", unread: 1 },
          { chat: chat!.id, at: at + 5, text: "early", direction: "outbound", unread: 1 },
          { chat: other!.id, at: at - 5, text: "old", direction: "inbound", unread: 0 }
        ])
        yield* store.setTakenOver([chat!.id], 7)
        const listed = yield* store.list(workspace, { limit: 1 })
        assert.deepStrictEqual(listed.data[0], {
          ...chat!,
          lastAt: at + 9,
          lastText: "late",
          lastDirection: "inbound",
          lastInboundAt: at + 9,
          unread: 2,
          takenOverAt: 7
        })
        const next = yield* store.list(workspace, { limit: 1, cursor: listed.nextCursor! })
        assert.deepStrictEqual(next.data, [{ ...other!, lastInboundAt: at - 5 }])
        const message = build.message(account, ann, {
          externalId: "x1",
          reserved: { pace: null, account: "2026-03-09", workspace: "2026-03-09" }
        })
        assert.deepStrictEqual(yield* store.record([message, { ...message, id: build.ids.next("msg") }]), [message.id])
        const results = yield* store.advance(
          [{ id: message.id }, { id: build.ids.next("msg") }, { chat: message.chat, externalId: "x1" }],
          (self, index) => ({ ...self, attempts: self.attempts + 1, reason: `r${index}` })
        )
        assert.deepStrictEqual(
          results.map(({ after, before, index }) => [index, before.attempts, after.attempts]),
          [
            [0, 0, 1],
            [2, 1, 2]
          ]
        )
        const page = yield* store.messages(workspace, message.chat, {})
        assert.deepStrictEqual(page.data, [{ ...message, attempts: 2, reason: "r2" }])
        const key = { account: account.id, dedupeKey: "d", at: 1 }
        assert.deepStrictEqual(yield* store.admit([key, { ...key, dedupeKey: "e" }, key]), [0, 1])
        assert.deepStrictEqual(yield* store.admit([key, { ...key, dedupeKey: "f" }]), [1])
      })
    )
  )

  it.live("rows of campaigns, leads and paces come back as they were written", () =>
    within(
      Effect.gen(function* () {
        const database = yield* Database
        const sql = database.statements(rowSet)
        const build = Builders.make("rows")
        const workspace = build.workspace().id
        const campaign = build.campaign(workspace, { metadata: { 'a"b': [1, null] } })
        const lead = build.lead(campaign, build.contact(workspace), { dueAt: 5, claim: build.ids.next("clm") })
        const pace = PaceRow.decode({
          campaign_id: campaign.id,
          account_id: build.account(workspace).id,
          workspace_id: workspace,
          version: 1,
          paused: 1,
          date: "2026-03-09",
          quota: 3,
          used: 1,
          slot: 2,
          from_at: null,
          used_before: 0,
          next_at: 1_773_050_400_000,
          deferred_to: null,
          ramp_day: 1,
          ramp_date: null,
          left_at: null,
          sent: 1,
          partial: 2,
          failed: 3,
          skipped: 4,
          touched: 5,
          replied: 6
        })
        yield* database.affected(sql.putCampaign, [[CampaignRow.encode(campaign)]])
        yield* database.affected(sql.putLead, [[LeadRow.encode(lead)]])
        yield* database.affected(sql.putPace, [[PaceRow.encode(pace)]])
        const [row] = yield* database.execute<object>(sql.all)
        assert.deepStrictEqual(
          CampaignRow.decode(Columns.unprefix<CampaignRow.CampaignRow>(CampaignRow.columns, "c_")(row!)),
          campaign
        )
        assert.deepStrictEqual(LeadRow.decode(Columns.unprefix<LeadRow.LeadRow>(LeadRow.columns, "l_")(row!)), lead)
        assert.deepStrictEqual(PaceRow.decode(Columns.unprefix<PaceRow.PaceRow>(PaceRow.columns, "p_")(row!)), pace)
      })
    )
  )

  it("of campaigns, only those that are not deleted are looked for as following their lists", () => {
    const build = Builders.make("following")
    const settings = build.settings({ followList: true })
    const follows = (status: "finished" | "deleted") =>
      CampaignRow.encode(build.campaign(build.workspace().id, { settings, status })).follows
    assert.deepStrictEqual([follows("finished"), follows("deleted")], [true, false])
  })

  it.live("a chat that another made meanwhile is touched and not told of again, also by a message without a text", () =>
    within(
      Effect.gen(function* () {
        const store = yield* ChatStore
        const build = Builders.make("race for a chat")
        const workspace = build.workspace()
        yield* (yield* WorkspaceStore).create(workspace)
        const account = build.account(workspace.id)
        yield* (yield* AccountStore).connect(account, [])
        const [wordless, untouched, early] = ["wordless", "untouched", "early"].map(() =>
          build.opening(account, build.contact(workspace.id))
        )
        const openings = [wordless!, untouched!, early!]
        yield* store.open(openings)
        const at = wordless!.at
        yield* store.touch(
          openings.map(({ id }) => ({ chat: id, at, text: "before", direction: "inbound", unread: 1 }))
        )
        const said = (chat: Chat["id"], sentAt: number) =>
          ({ chat, at: sentAt, text: "", direction: "outbound", unread: 2 }) as const
        const late = [wordless!, { ...untouched!, at: at + 9 }, { ...early!, at: at + 9 }]
        const touches = [said(wordless!.id, at + 5), said(early!.id, at - 5)]
        const database = yield* Database
        const outbox = Chats.make(database)
        const made = build.opening(account, build.contact(workspace.id))
        const event = build.event(workspace.id, "x")
        yield* database.transaction(
          Effect.flatMap(outbox.write([...late, made], touches, new Set()), (making) => outbox.tell(making, [event]))
        )
        const told = yield* database.execute<{ readonly id: string }>(database.statements(rowSet).told)
        assert.deepStrictEqual(
          told.slice(openings.length).map(({ id }) => id),
          [made.created.id, event.id]
        )
        const seen = yield* Effect.forEach(openings, ({ id }) =>
          Effect.map(store.get(workspace.id, id), (found) => {
            const { lastAt, lastDirection, lastText, unread } = Option.getOrThrow(found)
            return [lastAt - at, lastText, lastDirection, unread]
          })
        )
        assert.deepStrictEqual(seen, [
          [5, "", "outbound", 3],
          [0, "before", "inbound", 1],
          [0, "before", "inbound", 3]
        ])
      })
    )
  )
})
