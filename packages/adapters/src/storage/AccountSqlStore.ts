/** Accounts. What claims count in their rows (use, last touch) is written by the outbox and the campaigns. */
import { AccountStore } from "@overture/core/account/AccountStore"
import type { Account } from "@overture/core/account/Account"
import type { DomainEvent } from "@overture/core/event/DomainEvent"
import { Effect, Layer, Option } from "effect"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as EventSqlStore from "./EventSqlStore.ts"
import * as Paging from "./Paging.ts"
import * as AccountRow from "./rows/AccountRow.ts"
import * as Columns from "./rows/Columns.ts"

const statements = defineStatements("AccountStore", (sql) => {
  const account = sql.t("account")
  const columns = Columns.select(AccountRow.columns, "a")
  const rows = sql.rows("x", 1, AccountRow.columns)
  return {
    insert: `insert into ${account}(${Columns.names(AccountRow.columns)})
      select ${Columns.select(AccountRow.columns, "x")} from ${rows} where true
      on conflict (workspace_id, channel, external_id) do nothing`,
    known: `select ${columns} from ${account} as a where a.workspace_id = $1 and a.channel = $2 and a.external_id = $3`,
    get: `select ${columns} from ${account} as a where a.workspace_id = $1 and a.id = $2`,
    byRef: `select ${columns} from ${account} as a where a.workspace_id = $1 and a.external_ref = $2`,
    list: `select ${columns} from ${account} as a where a.workspace_id = $1 and a.id > $2
      order by a.id limit $3 offset $4`,
    count: `select count(*) as total from ${account} where workspace_id = $1`,
    lock: `select ${columns} from ${account} as a where a.id in (select x.id from ${sql.rows("x", 1, { id: "id" })})
      order by a.id ${sql.lock("a")}`,
    write: `update ${account} as a set ${Columns.assign(AccountRow.columns, "x", "id")} from ${rows} where a.id = x.id`,
    polled: `select ${columns}, a.poll_cursor from ${account} as a
      where a.channel in (select x.channel from ${sql.rows("x", 1, { channel: "text" })}) order by a.id`,
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
    byExternalRef: (workspace, ref) => Effect.map(execute<AccountRow.AccountRow>(sql.byRef, [workspace, ref]), one),
    list: (workspace, request) =>
      Paging.page(
        database,
        {
          select: sql.list,
          count: sql.count,
          of: [workspace],
          start: [""],
          decode: AccountRow.decode,
          keyOf: (account) => [account.id]
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
    polled: (channels) =>
      Effect.map(
        execute<AccountRow.AccountRow & { readonly poll_cursor: string | null }>(sql.polled, [
          channels.map((channel) => ({ channel }))
        ]),
        (rows) => rows.map((row) => ({ account: AccountRow.decode(row), cursor: row.poll_cursor }))
      ),
    setPollCursor: (id, cursor) => Effect.asVoid(affected(sql.setPollCursor, [id, cursor]))
  })
}

export const layer: Layer.Layer<AccountStore, never, Database> = Layer.effect(AccountStore, Effect.map(Database, make))
