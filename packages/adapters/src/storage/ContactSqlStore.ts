/** People, their lists, and the addresses that must not be written to. */
import type { Contact, ContactList } from "@overture/core/contact/Contact"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { Effect, Layer, Option } from "effect"
import * as ContactImport from "./contact/ContactImport.ts"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as EventSqlStore from "./EventSqlStore.ts"
import * as Paging from "./Paging.ts"
import * as Columns from "./rows/Columns.ts"
import * as ContactRow from "./rows/ContactRow.ts"

const statements = defineStatements("ContactStore", (sql) => {
  const { t } = sql
  const columns = Columns.select(ContactRow.columns, "c")
  const listColumns = Columns.select(ContactRow.listColumns, "l")
  const suppressionColumns = Columns.select(ContactRow.suppressionColumns, "s")
  const addresses = `(select x.address from ${sql.rows("x", 2, { address: "text" })})`
  return {
    get: `select ${columns} from ${t("contact")} as c where c.workspace_id = $1 and c.id = $2`,
    byAddress: `select ${columns} from ${t("contact_address")} as a join ${t("contact")} as c on c.id = a.contact_id
      where a.workspace_id = $1 and a.address = $2`,
    list: `select ${columns} from ${t("contact")} as c where c.workspace_id = $1 and c.id > $2
      order by c.id limit $3 offset $4`,
    count: `select count(*) as total from ${t("contact")} where workspace_id = $1`,
    number: `insert into ${t("numbering")} as n (workspace_id, chats, lists) values ($1, 0, 1)
      on conflict (workspace_id) do update set lists = n.lists + 1 returning lists as number`,
    insertList: `insert into ${t("contact_list")}(${Columns.names(ContactRow.listColumns)})
      values ($1, $2, $3, $4, $5, $6)`,
    getList: `select ${listColumns} from ${t("contact_list")} as l where l.workspace_id = $1 and l.id = $2`,
    listByName: `select ${listColumns} from ${t("contact_list")} as l where l.workspace_id = $1 and l.name = $2
      order by l.number limit 1`,
    setListReady: `update ${t("contact_list")} set status = 'ready'
      where workspace_id = $1 and id = $2 and status <> 'ready'`,
    members: `select ${columns}, m.position from ${t("contact_list")} as l
      join ${t("list_member")} as m on m.list_id = l.id join ${t("contact")} as c on c.id = m.contact_id
      where l.workspace_id = $1 and l.id = $2 and m.position > $3 order by m.position limit $4`,
    suppress: `insert into ${t("suppression")}(${Columns.names(ContactRow.suppressionColumns)})
      select ${Columns.select(ContactRow.suppressionColumns, "x")}
      from ${sql.rows("x", 1, { ...ContactRow.suppressionColumns, i: "ordinal" })} where true
      order by x.workspace_id, x.address, x.account_id, x.i on conflict (workspace_id, address, account_id) do nothing`,
    lift: `delete from ${t("suppression")} where workspace_id = $1 and address in ${addresses} and account_id = ''`,
    suppressions: sql.pick({
      postgres: `select ${suppressionColumns} from ${sql.rows("x", 2, { address: "text" })}
        cross join lateral (select * from ${t("suppression")} as o
          where o.workspace_id = $1 and o.address = x.address offset 0) as s
        order by s.address, s.account_id`,
      sqlite: `select ${suppressionColumns} from ${t("suppression")} as s
        where s.workspace_id = $1 and s.address in ${addresses} order by s.address, s.account_id`
    })
  }
})

const rowsOf = (addresses: ReadonlyArray<string>) => addresses.map((address) => ({ address }))

const contactOf = (rows: ReadonlyArray<ContactRow.ContactRow>): Option.Option<Contact> =>
  Option.map(Option.fromUndefinedOr(rows[0]), ContactRow.decode)

const listOf = (rows: ReadonlyArray<ContactRow.ContactListRow>): Option.Option<ContactList> =>
  Option.map(Option.fromUndefinedOr(rows[0]), ContactRow.decodeList)

export const make = (database: Database["Service"]): ContactStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const append = EventSqlStore.appender(database)
  return ContactStore.of({
    import: ContactImport.make(database),
    get: (workspace, id) => Effect.map(execute<ContactRow.ContactRow>(sql.get, [workspace, id]), contactOf),
    byAddress: (workspace, address) =>
      Effect.map(execute<ContactRow.ContactRow>(sql.byAddress, [workspace, address]), contactOf),
    list: (workspace, request) =>
      Paging.page(
        database,
        {
          select: sql.list,
          count: sql.count,
          of: [workspace],
          start: [""],
          decode: ContactRow.decode,
          keyOf: (contact) => [contact.id]
        },
        request
      ),
    createList: (list) =>
      transaction(
        Effect.gen(function* () {
          const [row] = yield* execute<{ readonly number: number }>(sql.number, [list.workspace])
          const created: ContactList = { ...list, number: row!.number }
          const { createdAt, id, name, number, status, workspace } = created
          yield* affected(sql.insertList, [id, workspace, number, name, status, createdAt])
          return created
        })
      ),
    getList: (workspace, id) => Effect.map(execute<ContactRow.ContactListRow>(sql.getList, [workspace, id]), listOf),
    listByName: (workspace, name) =>
      Effect.map(execute<ContactRow.ContactListRow>(sql.listByName, [workspace, name]), listOf),
    setListReady: (workspace, id, events) =>
      transaction(
        Effect.gen(function* () {
          if ((yield* affected(sql.setListReady, [workspace, id])) > 0) yield* append(events)
        })
      ),
    members: (workspace, list, after, limit) =>
      Effect.map(
        execute<ContactRow.ContactRow & { readonly position: number }>(sql.members, [workspace, list, after, limit]),
        (rows) => rows.map((row) => ({ position: row.position, contact: ContactRow.decode(row) }))
      ),
    suppress: (suppressions, events) =>
      transaction(
        Effect.gen(function* () {
          const added =
            suppressions.length === 0
              ? 0
              : yield* affected(sql.suppress, [suppressions.map(ContactRow.encodeSuppression)])
          yield* append(events)
          return added
        })
      ),
    lift: (workspace, addresses) =>
      addresses.length === 0 ? Effect.succeed(0) : affected(sql.lift, [workspace, rowsOf(addresses)]),
    suppressions: (workspace, addresses) =>
      addresses.length === 0
        ? Effect.succeed([])
        : Effect.map(
            execute<ContactRow.SuppressionRow>(sql.suppressions, [workspace, rowsOf([...new Set(addresses)])]),
            (rows) => rows.map(ContactRow.decodeSuppression)
          )
  })
}

export const layer: Layer.Layer<ContactStore, never, Database> = Layer.effect(ContactStore, Effect.map(Database, make))
