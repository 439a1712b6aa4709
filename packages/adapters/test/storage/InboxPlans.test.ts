/**
 * The lists of an inbox on full tables: no statement of them scans a table or sorts what it finds, whichever filters are
 * combined. What is counted on request, and what looks an id up in every chat, is left out: it reads what it counts.
 */
import type { ChatFilter } from "@overture/core/chat/ChatFilter"
import { InboxStore } from "@overture/core/chat/InboxStore"
import type { MessageFilter } from "@overture/core/chat/MessageFilter"
import type { AccountId, ChatId, MemberId, WorkspaceId } from "@overture/core/workspace/Id"
import type { Page, PageRequest } from "@overture/core/workspace/Page"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../src/storage/Database.ts"
import type { Sql } from "../../src/storage/Dialect.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import * as FullTables from "./FullTables.ts"
import { type Plan, refused, says, scans } from "./Plans.ts"
import { freshDatabase } from "./TestPostgres.ts"

const workspace = "wsp_0199aa00000070008000000000000000" as WorkspaceId
const ann = "mbr_0199aa00000070008000000000000000" as MemberId
const account = "acc_0199aa00000070008000000000000000" as AccountId

/** Some people answered, and members did something with their chats. */
const conversations = ({ pick, t }: Sql): ReadonlyArray<string> => {
  const every = (n: number) => pick({ postgres: `(hashtext(id) & 65535) % ${n} = 0`, sqlite: `abs(rowid) % ${n} = 0` })
  return [
    `update ${t("chat")} set tended = 1, responded_at = last_at, last_inbound_at = last_at, last_direction = 'inbound'
      where ${every(10)}`,
    `update ${t("chat")} set unread = 1 where tended is not null and ${every(20)}`,
    `update ${t("chat")} set assignee_id = '${ann}', tags = '["vip"]' where tended is not null and ${every(30)}`,
    `insert into ${t("message")}(id, workspace_id, account_id, chat_id, contact_id, address, direction, author_type, part,
        parts, content, status, attempts, tries, external_id, created_at, metadata)
      select 'msg_i' || substr(c.id, 5), c.workspace_id, c.account_id, c.id, c.contact_id, c.address, 'inbound', 'contact', 0,
        1, '{"type":"text","text":"When is the delivery?"}', 'received', 0, 0, 'in-' || c.id, c.last_at, '{}'
      from ${t("chat")} as c where c.tended is not null`,
    `insert into ${t("chat_read")}(member_id, chat_id, workspace_id, read_at)
      select '${ann}', c.id, c.workspace_id, 1 from ${t("chat")} as c where ${every(5)}`
  ]
}

const chatFilters: ReadonlyArray<ChatFilter> = [
  {},
  { account },
  { unread: true },
  { unread: true, assignee: null, archived: false },
  { assignee: ann, open: true },
  { assignee: ann },
  { tag: "vip" },
  { waiting: true },
  { responded: false, archived: false },
  { unreadBy: ann, after: 1 },
  { search: "delivery" },
  { search: "nothing like it", channel: "sandbox" }
]

const messageFilters: ReadonlyArray<MessageFilter> = [
  {},
  { direction: "inbound" },
  { status: "failed", since: 1 },
  { author: "member", account },
  { search: "delivery" }
]

/** The ids of all pages, which may be short; each once. */
const whole = <A extends { readonly id: string }>(read: (page: PageRequest) => Effect.Effect<Page<A>, StorageError>) =>
  Effect.gen(function* () {
    const ids: Array<string> = []
    let cursor: string | null | undefined
    for (let pages = 0; cursor !== null && pages < 500; pages++) {
      const page: Page<A> = yield* read({ limit: 300, ...(cursor !== undefined && { cursor }) })
      ids.push(...page.data.map(({ id }) => id))
      cursor = page.nextCursor
    }
    assert.strictEqual(cursor, null)
    assert.strictEqual(new Set(ids).size, ids.length)
    return ids
  })

/** Asks for all of it, by cursors and by offset. */
const asked = Effect.gen(function* () {
  const inbox = yield* InboxStore
  const chats: Array<ChatId> = []
  for (const filter of chatFilters) {
    const { data, total = -1 } = yield* inbox.chats(workspace, filter, { limit: 5, count: true })
    const all = yield* whole((page) => inbox.chats(workspace, filter, page))
    assert.strictEqual(all.length, total, JSON.stringify(filter))
    assert.deepStrictEqual(
      data.map(({ id }) => id),
      all.slice(0, 5)
    )
    yield* inbox.chats(workspace, filter, { limit: 5, offset: 7 })
    chats.push(...data.map(({ id }) => id))
  }
  for (const filter of messageFilters) {
    const all = yield* whole((page) => inbox.messages(workspace, filter, page))
    assert.deepStrictEqual(all, all.toSorted().toReversed(), JSON.stringify(filter))
  }
  const parts = chats.slice(0, 3).map((chat) => ({ chat, after: null }))
  for (const order of ["oldest", "newest"] as const) yield* inbox.thread(workspace, parts, order, { limit: 5 })
  yield* inbox.unreadAfter(workspace, parts)
  yield* inbox.markRead(
    workspace,
    ann,
    chats.slice(0, 3).map((chat) => ({ chat, at: 1 }))
  )
  yield* inbox.readBy(workspace, ann, chats)
  yield* inbox.find(workspace, chats)
  return chats.length
})

const lists = /^(ChatLists|Said|MessageLists|Threads|InboxStore)\./
const counting = /\.(count\d*|loads\d*|externalId\d*)$/

const plans = Effect.gen(function* () {
  const database = yield* Database
  const statements = (yield* database.registered).filter(({ name }) => lists.test(name) && !counting.test(name))
  assert.isAbove(statements.length, 40)
  return yield* Effect.forEach(statements, (statement) =>
    Effect.map(database.explain(statement), (lines): Plan => ({ name: statement.name, lines }))
  )
})

const filled = Effect.gen(function* () {
  const { script, sql } = yield* Database
  yield* FullTables.first
  yield* FullTables.fill
  yield* script("conversations", conversations(sql).join(";\n"))
  yield* script("analyze", "analyze")
})

const walksTables = says(/Seq Scan/)
/** A set of ids that was handed over may be put into order, before or after it is looked up. */
const ofSets = /^(InboxStore\.find|Threads\.(readBy|markRead|unreadAfter))$/
const sorts = (plan: Plan) => !ofSets.test(plan.name) && says(/\bSort\b/)(plan)

describe("the lists of an inbox, on full tables", () => {
  it.live(
    "scan and sort nothing on PostgreSQL",
    () =>
      Effect.gen(function* () {
        const url = yield* Effect.promise(freshDatabase)
        yield* Effect.provide(
          Effect.gen(function* () {
            yield* filled
            assert.isAbove(yield* asked, 30)
            assert.deepStrictEqual(
              refused(yield* plans, (plan) => walksTables(plan) || sorts(plan)),
              []
            )
          }),
          PostgresStorage.layer({ url, connections: 1 })
        )
      }),
    240_000
  )

  it.live(
    "scan and sort nothing on SQLite",
    () =>
      Effect.provide(
        Effect.gen(function* () {
          yield* filled
          assert.isAbove(yield* asked, 30)
          assert.deepStrictEqual(refused(yield* plans, scans), [])
        }),
        SqliteStorage.layer({ path: ":memory:" })
      ),
    240_000
  )
})
