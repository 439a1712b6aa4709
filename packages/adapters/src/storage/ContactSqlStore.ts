/** People, and the addresses that must not be written to. */
import * as Address from "@overture/core/channel/Address"
import type { Contact } from "@overture/core/contact/Contact"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { tombstoneRange } from "@overture/core/contact/Suppression"
import type { ContactId } from "@overture/core/workspace/Id"
import { Effect, Layer, Option } from "effect"
import * as ContactSqlImports from "./contact/ContactSqlImports.ts"
import * as ContactSqlLists from "./contact/ContactSqlLists.ts"
import * as ContactTurns from "./contact/ContactTurns.ts"
import * as Wishes from "./contact/Wishes.ts"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as EventSqlStore from "./EventSqlStore.ts"
import { lookup, matches } from "./outbox/Lookup.ts"
import * as Paging from "./Paging.ts"
import * as Columns from "./rows/Columns.ts"
import * as ContactRow from "./rows/ContactRow.ts"

const statements = defineStatements("ContactStore", (sql) => {
  const { t } = sql
  const columns = Columns.select(ContactRow.columns, "c")
  const suppressionColumns = Columns.select(ContactRow.suppressionColumns, "s")
  const addresses = `(select x.address from ${sql.rows("x", 2, { address: "text" })})`
  return {
    get: `select ${columns} from ${t("contact")} as c where c.workspace_id = $1 and c.id = $2`,
    among: `select ${columns} from ${sql.rows("x", 2, { id: "id" })}
      ${lookup(sql, "contact", "c", "c.workspace_id = $1 and c.id = x.id")}`,
    byAddress: `select ${columns} from ${t("contact_address")} as a join ${t("contact")} as c on c.id = a.contact_id
      where a.workspace_id = $1 and a.address = $2`,
    byAddresses: `select x.address as found, ${columns} from ${sql.rows("x", 2, { address: "text" })}
      ${lookup(sql, "contact_address", "a", "a.workspace_id = $1 and a.address = x.address")}
      ${lookup(sql, "contact", "c", "c.id = a.contact_id")}`,
    // Locked against going alone: whoever changes them need not wait.
    hold: sql.pick({
      postgres: `select c.id from ${sql.rows("x", 2, { id: "id" })}
        cross join lateral (select o.id from ${t("contact")} as o where o.workspace_id = $1 and o.id = x.id for key share) as c`,
      sqlite: `select c.id from ${sql.rows("x", 2, { id: "id" })}
        cross join ${t("contact")} as c on c.workspace_id = $1 and c.id = x.id`
    }),
    holdAddresses: `select c.id from ${t("contact")} as c where c.id in (
        select a.contact_id from ${sql.rows("x", 2, { address: "text" })}
        ${lookup(sql, "contact_address", "a", "a.workspace_id = $1 and a.address = x.address")})
      order by c.id ${sql.lock("c")}`,
    list: `select ${columns} from ${t("contact")} as c where c.workspace_id = $1 and c.id > $2
      order by c.id limit $3 offset $4`,
    count: `select count(*) as total from ${t("contact")} where workspace_id = $1`,
    lock: `select ${columns} from ${t("contact")} as c where c.workspace_id = $1 and c.id = $2 ${sql.lock("c")}`,
    write: `update ${t("contact")} as c
      set ${Columns.assign(ContactRow.columns, "x", "id", "workspace_id", "created_at", "addresses", "external_ref")}
      from ${sql.rows("x", 1, ContactRow.columns)} where c.id = x.id`,
    forgetAddresses: `delete from ${t("contact_address")}
      where workspace_id = $1 and address in ${addresses} and contact_id = $3`,
    forgetWishes: `delete from ${t("wish")} where workspace_id = $1 and address in ${addresses}`,
    forgetSuppressions: `delete from ${t("suppression")} where workspace_id = $1 and address in ${addresses}`,
    leaveLists: `delete from ${t("list_member")} where contact_id = $2
      and list_id in (select l.id from ${t("contact_list")} as l where l.workspace_id = $1)`,
    remove: `delete from ${t("contact")} where workspace_id = $1 and id = $2`,
    suppress: `insert into ${t("suppression")}(${Columns.names(ContactRow.suppressionColumns)})
      select ${Columns.select(ContactRow.suppressionColumns, "x")}
      from ${sql.rows("x", 1, { ...ContactRow.suppressionColumns, i: "ordinal" })} where true
      order by x.workspace_id, x.address, x.account_id, x.i on conflict (workspace_id, address, account_id) do nothing`,
    lockReached: `select c.id, c.addresses, c.unreachable from ${sql.rows("x", 1, { id: "id", workspace_id: "id" })}
      ${lookup(sql, "contact", "c", "c.id = x.id and c.workspace_id = x.workspace_id", "wait")}`,
    noteUnreachable: `update ${t("contact")} as c set unreachable = x.found
      from ${sql.rows("x", 1, { contact_id: "id", found: "json" })} where ${matches(sql, "c.id", "x.contact_id")}`,
    allSuppressions: `select ${suppressionColumns} from ${t("suppression")} as s
      where s.workspace_id = $1 and (s.address, s.account_id) > (${sql.p(2, "text")}, ${sql.p(3, "id")})
      order by s.address, s.account_id limit $4 offset $5`,
    // In two ranges, before and after those of the hash, as an index knows them.
    unrecognised: `select 1 as found from ${t("workspace")} as w
      where (select 1 from ${t("suppression")} as s where s.workspace_id = w.id
          and s.address >= ${sql.p(1, "text")} and s.address < ${sql.p(2, "text")} limit 1) is not null
        or (select 1 from ${t("suppression")} as s where s.workspace_id = w.id
          and s.address >= ${sql.p(3, "text")} and s.address < ${sql.p(4, "text")} limit 1) is not null
      limit 1`,
    countSuppressions: `select count(*) as total from ${t("suppression")} where workspace_id = $1`,
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

type Reached = Pick<ContactRow.ContactStateRow, "id" | "addresses" | "unreachable">

const rowsOf = (addresses: ReadonlyArray<string>) => addresses.map((address) => ({ address }))

const contactOf = (rows: ReadonlyArray<ContactRow.ContactRow>): Option.Option<Contact> =>
  Option.map(Option.fromUndefinedOr(rows[0]), ContactRow.decode)

export const make = (database: Database["Service"]): ContactStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const append = EventSqlStore.appender(database)
  const { heed, wishes } = Wishes.make(database)
  return ContactStore.of({
    ...ContactSqlImports.make(database),
    ...ContactSqlLists.make(database),
    ...ContactTurns.make(database),
    get: (workspace, id) => Effect.map(execute<ContactRow.ContactRow>(sql.get, [workspace, id]), contactOf),
    among: (workspace, ids) =>
      ids.length === 0
        ? Effect.succeed([])
        : Effect.map(
            execute<ContactRow.ContactRow>(sql.among, [workspace, Array.from(new Set(ids), (id) => ({ id }))]),
            (rows) => rows.map(ContactRow.decode)
          ),
    byAddress: (workspace, address) =>
      Effect.map(execute<ContactRow.ContactRow>(sql.byAddress, [workspace, address]), contactOf),
    byAddresses: (workspace, addresses) =>
      addresses.length === 0
        ? Effect.succeed(new Map())
        : Effect.map(
            execute<ContactRow.ContactRow & { readonly found: string }>(sql.byAddresses, [
              workspace,
              rowsOf([...new Set(addresses)])
            ]),
            (rows) => new Map(rows.map((row) => [row.found, ContactRow.decode(row)]))
          ),
    hold: (workspace, ids) =>
      ids.length === 0
        ? Effect.succeed(new Set())
        : Effect.map(
            execute<{ readonly id: ContactId }>(sql.hold, [workspace, [...new Set(ids)].sort().map((id) => ({ id }))]),
            (rows) => new Set(rows.map(({ id }) => id))
          ),
    holdAddresses: (workspace, keys) =>
      keys.length === 0
        ? Effect.void
        : Effect.asVoid(execute<object>(sql.holdAddresses, [workspace, keys.map((address) => ({ address }))])),
    heed,
    wishes,
    list: Paging.byId(database, sql, ContactRow.decode),
    modify: (workspace, id, change) =>
      transaction(
        Effect.gen(function* () {
          const before = contactOf(yield* execute<ContactRow.ContactRow>(sql.lock, [workspace, id]))
          if (Option.isNone(before)) return before
          const { contact, events } = change(before.value)
          const { addresses, externalRef } = before.value
          const after = { ...contact, id, workspace, addresses, externalRef }
          if (contact !== before.value) yield* affected(sql.write, [[ContactRow.encode(after)]])
          yield* append(events)
          return Option.some(after)
        })
      ),
    erase: (workspace, id, erasure) =>
      transaction(
        Effect.gen(function* () {
          const before = contactOf(yield* execute<ContactRow.ContactRow>(sql.lock, [workspace, id]))
          if (Option.isNone(before)) return before
          const { events, suppressions } = erasure(before.value)
          const addresses = rowsOf(before.value.addresses.map(Address.key))
          if (addresses.length > 0) {
            if (suppressions !== null) yield* affected(sql.forgetSuppressions, [workspace, addresses])
            yield* affected(sql.forgetWishes, [workspace, addresses])
            yield* affected(sql.forgetAddresses, [workspace, addresses, id])
          }
          yield* affected(sql.leaveLists, [workspace, id])
          yield* affected(sql.remove, [workspace, id])
          if (suppressions !== null && suppressions.length > 0) {
            yield* affected(sql.suppress, [suppressions.map(ContactRow.encodeSuppression)])
          }
          yield* append(events)
          return before
        })
      ),
    noteUnreachable: (found) =>
      found.length === 0
        ? Effect.void
        : transaction(
            Effect.gen(function* () {
              const byContact = Map.groupBy(found, ({ contact }) => contact)
              const ids = [...byContact.keys()].sort()
              const rows = yield* execute<Reached>(sql.lockReached, [
                ids.map((id) => ({ id, workspace_id: byContact.get(id)![0]!.workspace }))
              ])
              const written = rows.flatMap((row) => {
                const known = ContactRow.unreachable(row)
                const own = new Set(Columns.array<Address.Address>(row.addresses).map(Address.key))
                const told = byContact.get(row.id)!.map(({ address }) => address)
                const added = [...new Set(told)].filter((address) => own.has(address) && !known.includes(address))
                return added.length === 0 ? [] : [{ contact_id: row.id, found: [...known, ...added] }]
              })
              if (written.length > 0) yield* affected(sql.noteUnreachable, [written])
            })
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
    suppressions: (workspace, addresses) =>
      addresses.length === 0
        ? Effect.succeed([])
        : Effect.map(
            execute<ContactRow.SuppressionRow>(sql.suppressions, [workspace, rowsOf([...new Set(addresses)])]),
            (rows) => rows.map(ContactRow.decodeSuppression)
          ),
    hasUnrecognised: (hash) => {
      const all = tombstoneRange(null)
      const own = hash === null ? { from: all.to, to: all.to } : tombstoneRange(hash)
      return Effect.map(execute(sql.unrecognised, [all.from, own.from, own.to, all.to]), (rows) => rows.length > 0)
    },
    allSuppressions: (workspace, request) =>
      Paging.page(
        database,
        {
          select: sql.allSuppressions,
          count: sql.countSuppressions,
          of: [workspace],
          start: ["", ""],
          decode: ContactRow.decodeSuppression,
          keyOf: (row) => [row.address, row.account ?? ""]
        },
        request
      )
  })
}

export const layer: Layer.Layer<ContactStore, never, Database> = Layer.effect(ContactStore, Effect.map(Database, make))
