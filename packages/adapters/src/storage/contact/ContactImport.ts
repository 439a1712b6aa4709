/**
 * Imports a batch of contacts by a dozen statements, however many rows it has. Two imports of the same people at once
 * come out as one after the other: an address goes to whoever inserts it first, and who comes second waits, goes back to
 * its savepoint and looks again.
 *
 * A batch may be large: the dedupe is done in memory by the rule itself, what goes into an index goes in its order, and a
 * statement carries some thousand rows. So an import is staged by its caller and needs no second copy in the database.
 */
import * as Address from "@overture/core/channel/Address"
import type { Contact, MergeMode } from "@overture/core/contact/Contact"
import type { Imported } from "@overture/core/contact/ContactStore"
import type { ContactId, ContactListId, WorkspaceId } from "@overture/core/workspace/Id"
import { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements, type Statement } from "../Dialect.ts"
import * as Columns from "../rows/Columns.ts"
import * as ContactRow from "../rows/ContactRow.ts"
import { type ImportPlan, type Known, plan } from "./ImportPlan.ts"
import { tuple, tuples } from "./Tuples.ts"

/** What a row of a file gives; the other columns of a new contact are the same for all. */
const plain = Columns.pick(
  ContactRow.columns,
  "id",
  "name",
  "first",
  "last",
  "addresses",
  "tags",
  "attributes",
  "timezone"
)
const owned = { a: "text", c: "id" } as const
const place = { p: "int", c: "id" } as const

const statements = defineStatements("ContactStore.import", (sql) => {
  const { t } = sql
  // PostgreSQL walks its index once along a sorted array. SQLite's scalar subquery is one look-up per row, whatever a
  // plan made over empty tables thought; the limit keeps it single.
  const names = "any (array(select jsonb_array_elements_text($2::jsonb)))"
  const each = (select: string) => `select q.name, q.contact_id from (select n.value as name, (${select}) as contact_id
    from json_each($2) as n limit -1) as q where q.contact_id is not null`
  return {
    addresses: sql.pick({
      postgres: `select a.address as name, a.contact_id from ${t("contact_address")} as a
        where a.workspace_id = $1 and a.address = ${names}`,
      sqlite: each(`select a.contact_id from ${t("contact_address")} as a
        where a.workspace_id = $1 and a.address = n.value`)
    }),
    refs: sql.pick({
      postgres: `select c.external_ref as name, c.id as contact_id from ${t("contact")} as c
        where c.workspace_id = $1 and c.external_ref = ${names} and c.external_ref is not null`,
      sqlite: each(`select c.id from ${t("contact")} as c
        where c.workspace_id = $1 and c.external_ref = n.value and c.external_ref is not null`)
    }),
    lock: `select ${Columns.select(ContactRow.columns, "c")} from ${t("contact")} as c
      where c.id in (select x.id from ${sql.rows("x", 1, { id: "id" })}) order by c.id ${sql.lock("c")}`,
    take: `insert into ${t("contact_address")}(workspace_id, address, contact_id)
      select $1, x.a, x.c from ${tuples(sql, "x", 2, owned)}`,
    insert: `insert into ${t("contact")}(${Columns.names(plain)}, workspace_id, created_at, consents, metadata, touches)
      select ${Columns.select(plain, "x")}, ${sql.p(2, "id")}, ${sql.p(3, "bigint")}, ${sql.cast("'[]'", "json")},
        ${sql.cast("'{}'", "json")}, ${sql.cast("'[]'", "json")} from ${tuples(sql, "x", 1, plain)}`,
    insertWhole: `insert into ${t("contact")}(${Columns.names(ContactRow.columns)}, touches)
      select ${Columns.select(ContactRow.columns, "x")}, ${sql.cast("'[]'", "json")}
      from ${tuples(sql, "x", 1, ContactRow.columns)}`,
    write: `update ${t("contact")} as c
      set ${Columns.assign(ContactRow.columns, "x", "id", "workspace_id", "created_at")}
      from ${tuples(sql, "x", 1, ContactRow.columns)} where c.id = x.id`,
    lockList: `select members from ${t("contact_list")} as l where l.workspace_id = $1 and l.id = $2 ${sql.lock("l")}`,
    isMember: `select x.id, (select 1 from ${t("list_member")} as m
        where m.list_id = $1 and m.contact_id = x.id) as found
      from ${sql.rows("x", 2, { id: "id" })}`,
    join: `insert into ${t("list_member")}(list_id, position, contact_id)
      select $1, x.p, x.c from ${tuples(sql, "x", 2, place)}`,
    countMembers: `update ${t("contact_list")} set members = $2 where id = $1`
  }
})

const attempts = 5
/** Rows in one statement: more gain nothing, and their text is held several times over on both sides. */
const slice = 2_000

/** An address or externalRef of the batch, and who has it. */
interface Found {
  readonly name: string
  readonly contact_id: ContactId
}

const slices = <A>(rows: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  rows.length <= slice
    ? rows.length === 0
      ? []
      : [rows]
    : Array.from({ length: Math.ceil(rows.length / slice) }, (_, i) => rows.slice(i * slice, (i + 1) * slice))

/** A unique key of PostgreSQL was taken meanwhile. */
const isTaken = ({ cause }: StorageError): boolean =>
  typeof cause === "object" && cause !== null && "code" in cause && cause.code === "23505"

const isPlain = (row: Contact) =>
  row.externalRef === null && row.consents.length === 0 && Object.keys(row.metadata).length === 0

const plainRow = (row: Contact): ReadonlyArray<unknown> => [
  row.id,
  row.name,
  row.first,
  row.last,
  row.addresses,
  row.tags,
  row.attributes,
  row.timezone
]
const wholeRow = tuple(ContactRow.columns)

export const make = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  const { affected, execute } = database

  /** Sends rows slice by slice: the next one is written as text while the database works on the one before. */
  const send = <A>(
    rows: ReadonlyArray<unknown>,
    use: (text: string) => Effect.Effect<A, StorageError>
  ): Effect.Effect<ReadonlyArray<A>, StorageError> =>
    Effect.forEach(slices(rows), (some) => Effect.suspend(() => use(JSON.stringify(some))), { concurrency: 2 })

  const find = Effect.fnUntraced(function* (statement: Statement, workspace: WorkspaceId, names: ReadonlySet<string>) {
    const found = new Map<string, ContactId>()
    // In the order of the index, so that a page is read once.
    const pages = yield* send([...names].sort(), (text) => execute<Found>(statement, [workspace, text]))
    for (const rows of pages) for (const row of rows) found.set(row.name, row.contact_id)
    return found
  })

  /** Who has an address or externalRef of the batch, locked; undefined when someone of them went meanwhile. */
  const look = Effect.fnUntraced(function* (workspace: WorkspaceId, rows: ReadonlyArray<Contact>) {
    const addresses = new Set<string>()
    const refs = new Set<string>()
    for (const row of rows) {
      for (const address of row.addresses) addresses.add(Address.key(address))
      if (row.externalRef !== null) refs.add(row.externalRef)
    }
    const byAddress = yield* find(sql.addresses, workspace, addresses)
    const byRef = yield* find(sql.refs, workspace, refs)
    const ids = new Set([...byAddress.values(), ...byRef.values()])
    const contacts = new Map<ContactId, Contact>()
    for (const some of slices([...ids].sort())) {
      for (const row of yield* execute<ContactRow.ContactRow>(sql.lock, [some.map((id) => ({ id }))]))
        contacts.set(row.id, ContactRow.decode(row))
    }
    const known: Known = { byAddress, byRef, contacts }
    return contacts.size === ids.size ? known : undefined
  })

  const write = Effect.fnUntraced(function* (workspace: WorkspaceId, { addresses, created }: ImportPlan) {
    yield* send(
      addresses.map(({ address, contact_id }) => [address, contact_id]),
      (text) => affected(sql.take, [workspace, text])
    )
    for (const [at, rows] of Map.groupBy(created.filter(isPlain), (row) => row.createdAt))
      yield* send(rows.map(plainRow), (text) => affected(sql.insert, [text, workspace, at]))
    yield* send(
      created.filter((row) => !isPlain(row)).map((row) => wholeRow(ContactRow.encode(row))),
      (text) => affected(sql.insertWhole, [text])
    )
  })

  /** Writes the addresses and the new contacts, or nothing when another import was first. */
  const take = (workspace: WorkspaceId, planned: ImportPlan): Effect.Effect<boolean, StorageError> => {
    if (planned.addresses.length === 0 && planned.created.length === 0) return Effect.succeed(true)
    const written = Effect.as(write(workspace, planned), true)
    // SQLite has one writer, who has looked already.
    if (database.sql.name === "sqlite") return written
    const takeBack = database.script("ContactStore.import.takeBack", "rollback to savepoint overture_import")
    return Effect.andThen(
      database.script("ContactStore.import.savepoint", "savepoint overture_import"),
      Effect.catchIf(written, isTaken, () => Effect.as(takeBack, false))
    )
  }

  const join = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    list: ContactListId,
    contacts: ReadonlyArray<ContactId>,
    created: ReadonlySet<ContactId>
  ) {
    const [row] = yield* execute<{ readonly members: number }>(sql.lockList, [workspace, list])
    if (row === undefined || contacts.length === 0) return
    const members = new Set<ContactId>()
    for (const some of slices(contacts.filter((id) => !created.has(id)).sort())) {
      const asked = yield* execute<{ readonly id: ContactId; readonly found: number | null }>(sql.isMember, [
        list,
        some.map((id) => ({ id }))
      ])
      for (const { found, id } of asked) if (found !== null) members.add(id)
    }
    const joining = contacts.filter((id) => !members.has(id))
    if (joining.length === 0) return
    const placed = joining.map((id, i) => [row.members + i + 1, id])
    yield* send(placed, (text) => affected(sql.join, [list, text]))
    yield* affected(sql.countMembers, [list, row.members + joining.length])
  })

  return (
    workspace: WorkspaceId,
    rows: ReadonlyArray<Contact>,
    list: ContactListId | null,
    mode: MergeMode = "update"
  ): Effect.Effect<Imported, StorageError> =>
    database.hotTransaction(
      Effect.gen(function* (): Effect.fn.Return<Imported, StorageError> {
        const contacts = rows.map((row) => (row.workspace === workspace ? row : { ...row, workspace }))
        for (let attempt = 1; attempt <= attempts; attempt++) {
          const known = yield* look(workspace, contacts)
          if (known === undefined) continue
          const planned = plan(contacts, known, mode)
          if (!(yield* take(workspace, planned))) continue
          yield* send(
            planned.changed.map((row) => wholeRow(ContactRow.encode(row))),
            (text) => affected(sql.write, [text])
          )
          if (list !== null) yield* join(workspace, list, planned.members, new Set(planned.created.map(({ id }) => id)))
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
