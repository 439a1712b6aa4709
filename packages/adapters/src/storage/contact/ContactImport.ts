/**
 * Imports a batch of contacts by a dozen statements, however many rows it has. Two imports of the same people at once
 * come out as one after the other: an address goes to whoever inserts it first, and who comes second waits, takes back
 * what it had inserted and looks again.
 */
import * as Address from "@overture/core/channel/Address"
import type { Contact } from "@overture/core/contact/Contact"
import type { Imported } from "@overture/core/contact/ContactStore"
import type { ContactId, ContactListId, WorkspaceId } from "@overture/core/workspace/Id"
import { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements, type Statement } from "../Dialect.ts"
import * as Columns from "../rows/Columns.ts"
import * as ContactRow from "../rows/ContactRow.ts"
import { type ImportPlan, type Known, plan } from "./ImportPlan.ts"

const statements = defineStatements("ContactStore.import", (sql) => {
  const { t } = sql
  const columns = { ...ContactRow.columns, touches: "json" } as const
  return {
    // Scalar subqueries: one look-up per row, whatever a plan made over empty tables thought.
    addresses: `select x.address as name, (select a.contact_id from ${t("contact_address")} as a
        where a.workspace_id = $1 and a.address = x.address) as contact_id
      from ${sql.rows("x", 2, { address: "text" })}`,
    refs: `select x.ref as name, (select c.id from ${t("contact")} as c where c.workspace_id = $1
        and c.external_ref = x.ref and c.external_ref is not null) as contact_id
      from ${sql.rows("x", 2, { ref: "text" })}`,
    lock: `select ${Columns.select(ContactRow.columns, "c")} from ${t("contact")} as c
      where c.id in (select x.id from ${sql.rows("x", 1, { id: "id" })}) order by c.id ${sql.lock("c")}`,
    take: `insert into ${t("contact_address")}(workspace_id, address, contact_id)
      select $1, x.address, x.contact_id from ${sql.rows("x", 2, { address: "text", contact_id: "id" })} where true
      order by x.address on conflict (workspace_id, address) do nothing returning address`,
    giveBack: `delete from ${t("contact_address")}
      where workspace_id = $1 and address in (select x.address from ${sql.rows("x", 2, { address: "text" })})`,
    insert: `insert into ${t("contact")}(${Columns.names(columns)})
      select ${Columns.select(columns, "x")} from ${sql.rows("x", 1, columns)} where true order by x.id
      on conflict (workspace_id, external_ref) where external_ref is not null do nothing returning id`,
    remove: `delete from ${t("contact")} where id in (select x.id from ${sql.rows("x", 1, { id: "id" })})`,
    write: `update ${t("contact")} as c
      set ${Columns.assign(ContactRow.columns, "x", "id", "workspace_id", "created_at")}
      from ${sql.rows("x", 1, ContactRow.columns)} where c.id = x.id`,
    lockList: `select members from ${t("contact_list")} as l where l.workspace_id = $1 and l.id = $2 ${sql.lock("l")}`,
    isMember: `select x.id, (select 1 from ${t("list_member")} as m
        where m.list_id = $1 and m.contact_id = x.id) as found
      from ${sql.rows("x", 2, { id: "id" })}`,
    join: `insert into ${t("list_member")}(list_id, position, contact_id)
      select $1, x.position, x.contact_id from ${sql.rows("x", 2, { position: "int", contact_id: "id" })} where true
      order by x.position`,
    countMembers: `update ${t("contact_list")} set members = $2 where id = $1`
  }
})

const attempts = 5

/** An address or externalRef of the batch, and who has it. */
interface Found {
  readonly name: string
  readonly contact_id: ContactId | null
}

export const make = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  const { affected, execute } = database

  /** Who has an address or externalRef of the batch, locked. */
  const look = Effect.fnUntraced(function* (workspace: WorkspaceId, rows: ReadonlyArray<Contact>) {
    const find = <Row>(statement: Statement, found: ReadonlyArray<Row>) =>
      found.length === 0
        ? Effect.succeed([])
        : Effect.map(execute<Found>(statement, [workspace, found]), (owned) =>
            owned.flatMap((row) => (row.contact_id === null ? [] : [[row.name, row.contact_id] as const]))
          )
    const addresses = new Set(rows.flatMap((row) => row.addresses.map(Address.key)))
    const refs = new Set(rows.flatMap((row) => row.externalRef ?? []))
    const byAddress = new Map(
      yield* find(
        sql.addresses,
        Array.from(addresses, (address) => ({ address }))
      )
    )
    const byRef = new Map(
      yield* find(
        sql.refs,
        Array.from(refs, (ref) => ({ ref }))
      )
    )
    const ids = new Set([...byAddress.values(), ...byRef.values()])
    const contacts =
      ids.size === 0 ? [] : yield* execute<ContactRow.ContactRow>(sql.lock, [Array.from(ids, (id) => ({ id }))])
    const known: Known = {
      byAddress,
      byRef,
      contacts: new Map(contacts.map((row) => [row.id, ContactRow.decode(row)]))
    }
    return known
  })

  /** Writes the addresses and the new contacts, or nothing when another import was first. */
  const take = Effect.fnUntraced(function* (workspace: WorkspaceId, { addresses, created }: ImportPlan) {
    const taken = addresses.length === 0 ? [] : yield* execute<object>(sql.take, [workspace, addresses])
    const added =
      taken.length < addresses.length || created.length === 0
        ? []
        : yield* execute<object>(sql.insert, [created.map((row) => ({ ...ContactRow.encode(row), touches: [] }))])
    if (taken.length === addresses.length && added.length === created.length) return true
    if (added.length > 0) yield* affected(sql.remove, [added])
    if (taken.length > 0) yield* affected(sql.giveBack, [workspace, taken])
    return false
  })

  const join = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    list: ContactListId,
    contacts: ReadonlyArray<ContactId>
  ) {
    const [row] = yield* execute<{ readonly members: number }>(sql.lockList, [workspace, list])
    if (row === undefined || contacts.length === 0) return
    const asked = yield* execute<{ readonly id: ContactId; readonly found: number | null }>(sql.isMember, [
      list,
      contacts.map((id) => ({ id }))
    ])
    const members = new Set(asked.flatMap(({ found, id }) => (found === null ? [] : [id])))
    const joining = contacts.filter((id) => !members.has(id))
    if (joining.length === 0) return
    yield* affected(sql.join, [list, joining.map((contact_id, i) => ({ contact_id, position: row.members + i + 1 }))])
    yield* affected(sql.countMembers, [list, row.members + joining.length])
  })

  return (workspace: WorkspaceId, rows: ReadonlyArray<Contact>, list: ContactListId | null) =>
    database.hotTransaction(
      Effect.gen(function* (): Effect.fn.Return<Imported, StorageError> {
        const contacts = rows.map((row) => (row.workspace === workspace ? row : { ...row, workspace }))
        for (let attempt = 1; attempt <= attempts; attempt++) {
          const planned = plan(contacts, yield* look(workspace, contacts))
          if (!(yield* take(workspace, planned))) continue
          if (planned.changed.length > 0) yield* affected(sql.write, [planned.changed.map(ContactRow.encode)])
          if (list !== null) yield* join(workspace, list, planned.members)
          return planned.imported
        }
        return yield* new StorageError({
          operation: "ContactStore.import",
          retryable: true,
          cause: new Error(`other imports of the same people went on during ${attempts} attempts`)
        })
      })
    )
}
