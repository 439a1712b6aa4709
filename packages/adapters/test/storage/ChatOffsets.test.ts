/** A page of chats at an offset, where those that pass a filter lie further apart than a page by cursor looks. */
import { InboxStore, chatsLookedAt } from "@overture/core/chat/InboxStore"
import type { AccountId, WorkspaceId } from "@overture/core/workspace/Id"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../src/storage/Database.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "./TestPostgres.ts"

const workspace = "wsp_0199aa00000070008000000000000000" as WorkspaceId
const common = "acc_0199aa00000070008000000000000000" as AccountId
const rare = "acc_0199aa00000070008000000000000001" as AccountId
const all = chatsLookedAt + 20

/** Chats of one account, but for the three latest and the four earliest. */
const filled = Effect.gen(function* () {
  const { script, sql } = yield* Database
  const series = sql.pick({
    postgres: `generate_series(1, ${all}) as s(i)`,
    sqlite: `(with recursive s(i) as (select 1 union all select i + 1 from s where i < ${all}) select i from s) as s`
  })
  const digits = sql.pick({ postgres: "lpad(s.i::text, 8, '0')", sqlite: "printf('%08d', s.i)" })
  const account = `case when s.i <= 4 or s.i > ${all - 3} then '${rare}' else '${common}' end`
  yield* script(
    "chats",
    `insert into ${sql.t("chat")}(id, workspace_id, number, account_id, address, name, last_at, last_text, last_direction,
      unread, created_at)
     select 'cht_0199aa000000700080000000' || ${digits}, '${workspace}', s.i, ${account}, 'sandbox//' || s.i, '', s.i, '',
      'outbound', 0, s.i from ${series}`
  )
})

const offsets = Effect.gen(function* () {
  yield* filled
  const inbox = yield* InboxStore
  const at = (offset: number) =>
    Effect.map(inbox.chats(workspace, { account: rare }, { limit: 3, offset }), ({ data, nextCursor }) => [
      data.map(({ lastAt }) => all - lastAt),
      nextCursor === null
    ])
  assert.deepStrictEqual(yield* at(1), [[1, 2, all - 4], false])
  assert.deepStrictEqual(yield* at(4), [[all - 3, all - 2, all - 1], true])
  assert.deepStrictEqual(yield* at(6), [[all - 1], true])
  assert.deepStrictEqual(yield* at(9), [[], true])
})

describe("a page of chats at an offset passes over as many of those that match as it says", () => {
  it.live("on SQLite", () => Effect.provide(offsets, SqliteStorage.layer({ path: ":memory:" })), 120_000)

  it.live(
    "on PostgreSQL",
    () =>
      Effect.flatMap(Effect.promise(freshDatabase), (url) => Effect.provide(offsets, PostgresStorage.layer({ url }))),
    120_000
  )
})
