/** Accounts. What claims count in their rows (use, last touch) is written by the outbox and the campaigns. */
import { AccountStore } from "@overture/core/account/AccountStore"
import { type Account, availabilities, availability, isHeard } from "@overture/core/account/Account"
import type { DomainEvent } from "@overture/core/event/DomainEvent"
import { Effect, Layer, Option } from "effect"
import { Database } from "./Database.ts"
import { type ColumnType, defineStatements } from "./Dialect.ts"
import * as EventSqlStore from "./EventSqlStore.ts"
import * as Paging from "./Paging.ts"
import * as AccountRow from "./rows/AccountRow.ts"
import * as Columns from "./rows/Columns.ts"

const statements = defineStatements("AccountStore", (sql) => {
  const account = sql.t("account")
  const columns = Columns.select(AccountRow.columns, "a")
  const rows = sql.rows("x", 1, AccountRow.columns)
  // In the order of `availabilities`.
  const rank = `(case when a.banned then 4 when not a.enabled then 3
    when ${sql.pick({ postgres: "jsonb_array_length(a.attention)", sqlite: "json_array_length(a.attention)" })} > 0 then 2
    when coalesce(a.resting_until, 0) > ${sql.p(2, "bigint")} then 1 else 0 end)`
  const holds = (column: string) => `instr(lower(${column}), ${sql.p(8, "text")}) > 0`
  const found = sql.pick({
    postgres: ["name", "external_id", "external_ref"]
      .map((name) => `strpos(lower(a.${name}), ${sql.p(8, "text")}) > 0`)
      .join(" or "),
    sqlite: ["a.name", "a.external_id", "a.external_ref"].map(holds).join(" or ")
  })
  const optional = (n: number, type: ColumnType, condition: string) => `(${sql.p(n, type)} is null or ${condition})`
  const matches = [
    "a.workspace_id = $1",
    `(a.removed_at is not null) = ${sql.p(9, "boolean")}`,
    optional(3, "text", `a.channel = ${sql.p(3, "text")}`),
    // An empty id stands for those in no group.
    optional(4, "id", `coalesce(a.group_id, '') = ${sql.p(4, "id")}`),
    optional(5, "boolean", `a.enabled = ${sql.p(5, "boolean")}`),
    `(${sql.p(6, "boolean")} or ${rank} in (select x.rank from ${sql.rows("x", 7, { rank: "int" })}))`,
    `(${sql.p(8, "text")} = '' or ${found})`
  ].join(" and ")
  return {
    insert: `insert into ${account}(${Columns.names(AccountRow.columns)})
      select ${Columns.select(AccountRow.columns, "x")} from ${rows} where true
      on conflict (workspace_id, channel, external_id) do nothing`,
    known: `select ${columns} from ${account} as a where a.workspace_id = $1 and a.channel = $2 and a.external_id = $3`,
    get: `select ${columns} from ${account} as a where a.workspace_id = $1 and a.id = $2`,
    among: `select ${columns} from ${account} as a
      where a.workspace_id = $1 and a.id in (select x.id from ${sql.rows("x", 2, { id: "id" })}) order by a.id`,
    byRef: `select ${columns} from ${account} as a where a.workspace_id = $1 and a.external_ref = $2`,
    list: `select ${columns} from ${account} as a where a.workspace_id = $1 and a.id > $2
      order by a.id limit $3 offset $4`,
    count: `select count(*) as total from ${account} where workspace_id = $1`,
    search: `select ${columns} from ${account} as a where ${matches}
      and (${rank}, a.id) > (${sql.p(10, "int")}, ${sql.p(11, "id")}) order by ${rank}, a.id limit $12 offset $13`,
    searchCount: `select count(*) as total from ${account} as a where ${matches}`,
    lock: `select ${columns} from ${account} as a where a.id in (select x.id from ${sql.rows("x", 1, { id: "id" })})
      order by a.id ${sql.lock("a")}`,
    write: `update ${account} as a set ${Columns.assign(AccountRow.columns, "x", "id")} from ${rows} where a.id = x.id`,
    byExternalId: `select ${columns} from ${account} as a
      where a.channel = $1 and a.external_id in (select x.id from ${sql.rows("x", 2, { id: "text" })}) order by a.id`,
    polled: `select ${columns}, a.poll_cursor from ${account} as a
      where a.channel in (select x.channel from ${sql.rows("x", 1, { channel: "text" })}) and a.enabled and not a.banned
      order by a.id`,
    setPollCursor: `update ${account} set poll_cursor = $2 where id = $1`
  }
})

export const make = (database: Database["Service"]): AccountStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const append = EventSqlStore.appender(database)
  const one = (rows: ReadonlyArray<AccountRow.AccountRow>): Option.Option<Account> =>
    Option.map(Option.fromUndefinedOr(rows[0]), AccountRow.decode)
  return AccountStore.of({
    connect: (account, events) =>
      transaction(
        Effect.gen(function* () {
          const created = (yield* affected(sql.insert, [[AccountRow.encode(account)]])) > 0
          if (created) {
            yield* append(events)
            return { account, created }
          }
          const known = one(
            yield* execute<AccountRow.AccountRow>(sql.known, [account.workspace, account.channel, account.externalId])
          )
          return { account: Option.getOrElse(known, () => account), created }
        })
      ),
    get: (workspace, id) => Effect.map(execute<AccountRow.AccountRow>(sql.get, [workspace, id]), one),
    among: (workspace, ids) =>
      Effect.map(execute<AccountRow.AccountRow>(sql.among, [workspace, ids.map((id) => ({ id }))]), (rows) =>
        rows.map(AccountRow.decode)
      ),
    byExternalRef: (workspace, ref) => Effect.map(execute<AccountRow.AccountRow>(sql.byRef, [workspace, ref]), one),
    list: Paging.byId(database, sql, AccountRow.decode),
    search: (workspace, filter, now, request) =>
      Paging.page(
        database,
        {
          select: sql.search,
          count: sql.searchCount,
          of: [
            workspace,
            now,
            filter.channel ?? null,
            filter.group === undefined ? null : (filter.group ?? ""),
            filter.enabled ?? null,
            filter.availability === undefined,
            (filter.availability ?? []).map((one) => ({ rank: availabilities.indexOf(one) })),
            (filter.text ?? "").toLowerCase(),
            filter.removed ?? false
          ],
          start: [-1, ""],
          decode: AccountRow.decode,
          keyOf: (account) => [availabilities.indexOf(availability(account, now)), account.id]
        },
        request
      ),
    modify: (ids, change) =>
      transaction(
        Effect.gen(function* () {
          if (ids.length === 0) return []
          const rows = yield* execute<AccountRow.AccountRow>(sql.lock, [ids.map((id) => ({ id }))])
          const changed: Array<Account> = []
          const events: Array<DomainEvent> = []
          const accounts = rows.map((row) => {
            const before = AccountRow.decode(row)
            const after = change(before)
            if (after.account !== before) {
              changed.push(after.account)
              events.push(...after.events)
            }
            return after.account
          })
          if (changed.length > 0) yield* affected(sql.write, [changed.map(AccountRow.encode)])
          yield* append(events)
          return accounts
        })
      ),
    byExternalId: (channel, externalIds) =>
      Effect.map(
        execute<AccountRow.AccountRow>(sql.byExternalId, [channel, externalIds.map((id) => ({ id }))]),
        (rows) => rows.map(AccountRow.decode)
      ),
    polled: (channels) =>
      Effect.map(
        execute<AccountRow.AccountRow & { readonly poll_cursor: string | null }>(sql.polled, [
          channels.map((channel) => ({ channel }))
        ]),
        (rows) =>
          rows.flatMap((row) => {
            const account = AccountRow.decode(row)
            return isHeard(account) ? [{ account, cursor: row.poll_cursor }] : []
          })
      ),
    setPollCursor: (id, cursor) => Effect.asVoid(affected(sql.setPollCursor, [id, cursor]))
  })
}

export const layer: Layer.Layer<AccountStore, never, Database> = Layer.effect(AccountStore, Effect.map(Database, make))
