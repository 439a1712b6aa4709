/** What accounts did by day. The row of a workspace is the lock of whoever counts its feed. */
import type { AccountCounts, TallyRow } from "@overture/core/account/AccountTally"
import { AccountTallyStore, type TallyPlace } from "@overture/core/account/AccountTallyStore"
import type { AccountId, EventId } from "@overture/core/workspace/Id"
import { Effect, Layer } from "effect"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as Columns from "./rows/Columns.ts"

const counts = {
  sent: "int",
  delivered: "int",
  read: "int",
  failed: "int",
  replies: "int"
} as const satisfies Columns.Columns
const columns = { account_id: "id", date: "id", workspace_id: "id", ...counts } as const satisfies Columns.Columns

interface Row extends AccountCounts {
  readonly account_id: AccountId
  readonly date: string
}

const names = Object.keys(counts) as ReadonlyArray<keyof typeof counts>

const statements = defineStatements("AccountTallyStore", (sql) => {
  const day = sql.t("account_day")
  const tally = sql.t("account_tally")
  const totals = names.flatMap((name) => [
    `cast(coalesce(sum(d.${name}), 0) as bigint) as all_${name}`,
    `cast(coalesce(sum(case when d.date >= $3 then d.${name} else 0 end), 0) as bigint) as recent_${name}`
  ])
  return {
    place: `select position, event_id from ${tally} where workspace_id = $1`,
    begin: `insert into ${tally}(workspace_id, position, event_id) values ($1, $2, $3)
      on conflict (workspace_id) do nothing`,
    advance: `update ${tally} set position = $2, event_id = $3 where workspace_id = $1 and position = $4`,
    add: `insert into ${day}(${Columns.names(columns)})
      select ${Columns.select(columns, "x")} from ${sql.rows("x", 1, columns)} where true
      on conflict (account_id, date) do update set ${names.map((name) => `${name} = ${day}.${name} + excluded.${name}`).join(", ")}`,
    totals: `select ${totals.join(", ")} from ${day} as d where d.workspace_id = $1 and d.account_id = $2`,
    days: `select d.account_id, d.date, ${Columns.select(counts, "d")} from ${day} as d
      where d.workspace_id = $1 and d.account_id = $2 and d.date >= $3 order by d.date`
  }
})

const pickCounts = (row: Readonly<Record<string, number>>, prefix: string): AccountCounts => {
  const count = (name: keyof typeof counts) => row[`${prefix}_${name}`] ?? 0
  return {
    sent: count("sent"),
    delivered: count("delivered"),
    read: count("read"),
    failed: count("failed"),
    replies: count("replies")
  }
}

export const make = (database: Database["Service"]): AccountTallyStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  return AccountTallyStore.of({
    place: (workspace) =>
      Effect.map(
        execute<{ readonly position: string; readonly event_id: EventId | null }>(sql.place, [workspace]),
        ([row]): TallyPlace | null => (row === undefined ? null : { position: row.position, event: row.event_id })
      ),
    add: (workspace, from, to, rows) =>
      transaction(
        Effect.gen(function* () {
          const place = [workspace, to.position, to.event]
          const moved = yield* from === null
            ? affected(sql.begin, place)
            : affected(sql.advance, [...place, from.position])
          if (moved === 0) return false
          const written = rows.map(({ account, ...row }) => ({ ...row, account_id: account, workspace_id: workspace }))
          if (written.length > 0) yield* affected(sql.add, [written])
          return true
        })
      ),
    totals: (workspace, account, since) =>
      Effect.map(execute<Readonly<Record<string, number>>>(sql.totals, [workspace, account, since]), ([row = {}]) => ({
        allTime: pickCounts(row, "all"),
        recent: pickCounts(row, "recent")
      })),
    days: (workspace, account, since) =>
      Effect.map(execute<Row>(sql.days, [workspace, account, since]), (rows) =>
        rows.map(({ account_id, ...row }): TallyRow => ({ ...row, account: account_id }))
      )
  })
}

export const layer: Layer.Layer<AccountTallyStore, never, Database> = Layer.effect(
  AccountTallyStore,
  Effect.map(Database, make)
)
