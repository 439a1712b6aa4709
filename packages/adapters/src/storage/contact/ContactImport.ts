/**
 * Imports a batch of contacts by a dozen statements, however many rows it has. Two imports of the same people at once
 * come out as one after the other: an address goes to whoever inserts it first, and who comes second waits, goes back to
 * its savepoint and looks again.
 *
 * A batch may be large: the dedupe is done in memory by the rule itself, what goes into an index goes in its order, and a
 * statement carries some thousand rows. So an import is staged by its caller and needs no second copy in the database.
 */
import type { Contact, MergeMode } from "@overture/core/contact/Contact"
import type { Imported } from "@overture/core/contact/ContactStore"
import type { ContactId, ContactListId, WorkspaceId } from "@overture/core/workspace/Id"
import { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements, type Parameter, type Statement } from "../Dialect.ts"
import * as Columns from "../rows/Columns.ts"
import * as ContactRow from "../rows/ContactRow.ts"
import { batchOf, type ImportBatch, type ImportPlan, type Known, plan } from "./ImportPlan.ts"
import { blockSize, placeholders, tuple, tuples } from "./Tuples.ts"
import * as Wishes from "./Wishes.ts"

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
const owned = { address: "text", contact_id: "id" } as const

const statements = defineStatements("ContactStore.import", (sql) => {
  const { t } = sql
  // To be able to undo one statement alone, SQLite first writes the pages it changes to a file of their own: as many bytes
  // as all the rest. Here a statement that fails takes its transaction with it.
  const into = sql.pick({ postgres: "insert into", sqlite: "insert or fail into" })
  const take = `${into} ${t("contact_address")}(workspace_id, ${Columns.names(owned)})`
  const insert = `${into} ${t("contact")}(workspace_id, created_at, consents, metadata, touches, ${Columns.names(plain)})`
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
    take: `${take} select ${sql.p(1, "id")}, ${Columns.select(owned, "x")} from ${tuples(sql, "x", 2, owned)}`,
    takeBlock: `${take} values ${placeholders(owned, ["$1"], 2)}`,
    insert: `${insert} select ${sql.p(1, "id")}, ${sql.p(2, "bigint")}, ${sql.cast("'[]'", "json")},
        ${sql.cast("'{}'", "json")}, ${sql.cast("'[]'", "json")}, ${Columns.select(plain, "x")}
      from ${tuples(sql, "x", 3, plain)}`,
    insertBlock: `${insert} values ${placeholders(plain, ["$1", "$2", "'[]'", "'{}'", "'[]'"], 3)}`,
    insertWhole: `${into} ${t("contact")}(${Columns.names(ContactRow.columns)}, touches)
      select ${Columns.select(ContactRow.columns, "x")}, ${sql.cast("'[]'", "json")}
      from ${tuples(sql, "x", 1, ContactRow.columns)}`,
    write: `update ${t("contact")} as c
      set ${Columns.assign(ContactRow.columns, "x", "id", "workspace_id", "created_at")}
      from ${tuples(sql, "x", 1, ContactRow.columns)} where c.id = x.id`,
    lockList: `select members from ${t("contact_list")} as l where l.workspace_id = $1 and l.id = $2 ${sql.lock("l")}`,
    isMember: `select x.id, (select 1 from ${t("list_member")} as m
        where m.list_id = $1 and m.contact_id = x.id) as found
      from ${sql.rows("x", 2, { id: "id" })}`,
    join: sql.pick({
      postgres: `insert into ${t("list_member")}(list_id, position, contact_id)
        select $1, ($2::int + x.n)::int, x.id from jsonb_array_elements_text($3::jsonb) with ordinality as x(id, n)`,
      sqlite: `insert into ${t("list_member")}(list_id, position, contact_id)
        select $1, $2 + x.key + 1, x.value from json_each($3) as x`
    }),
    countMembers: `update ${t("contact_list")} set members = $2 where id = $1`
  }
})

const attempts = 5
/** Rows in one statement: with fewer the server waits for us too often, and the text of more is held several times over. */
const slice = 5_000

/** An address or externalRef of the batch, and who has it. */
interface Found {
  readonly name: string
  readonly contact_id: ContactId
}

const slices = <A>(rows: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => rows.slice(i * size, (i + 1) * size))

/** A unique key of PostgreSQL was taken meanwhile. */
const isTaken = ({ cause }: StorageError): boolean =>
  typeof cause === "object" && cause !== null && "code" in cause && cause.code === "23505"

const isPlain = (row: Contact) =>
  row.externalRef === null && row.consents.length === 0 && Object.keys(row.metadata).length === 0

const plainRow = (row: Contact): ReadonlyArray<Parameter> => [
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
  const { share } = Wishes.make(database)

  /** Does one after the other; the text of the next one is written while the database works on the one before. */
  const inTurn = <A>(steps: ReadonlyArray<Effect.Effect<A, StorageError>>) => Effect.all(steps, { concurrency: 2 })

  /** The statements that write rows, `shared` before them: SQLite reads parameters faster than JSON. */
  const steps = <A>(
    rows: ReadonlyArray<A>,
    values: (row: A) => ReadonlyArray<Parameter>,
    shared: ReadonlyArray<Parameter>,
    statement: Statement,
    block: Statement
  ): ReadonlyArray<Effect.Effect<number, StorageError>> => {
    const inBlocks = database.sql.name === "sqlite" ? rows.length - (rows.length % blockSize) : 0
    const blocks = slices(rows.slice(0, inBlocks), blockSize).map((some) =>
      Effect.suspend(() => affected(block, [...shared, ...some.flatMap(values)]))
    )
    const rest = slices(rows.slice(inBlocks), slice).map((some) =>
      Effect.suspend(() => affected(statement, [...shared, JSON.stringify(some.map(values))]))
    )
    return [...blocks, ...rest]
  }

  const find = Effect.fnUntraced(function* (
    statement: Statement,
    workspace: WorkspaceId,
    names: ReadonlyArray<string>
  ) {
    const found = new Map<string, ContactId>()
    const pages = slices(names, slice).map((some) =>
      Effect.suspend(() => execute<Found>(statement, [workspace, JSON.stringify(some)]))
    )
    for (const rows of yield* inTurn(pages)) for (const row of rows) found.set(row.name, row.contact_id)
    return found
  })

  /** Who has an address or externalRef of the batch, locked; undefined when someone of them went meanwhile. */
  const look = Effect.fnUntraced(function* (workspace: WorkspaceId, { addresses, rows }: ImportBatch) {
    const refs = new Set<string>()
    for (const { externalRef } of rows) if (externalRef !== null) refs.add(externalRef)
    const byAddress = yield* find(sql.addresses, workspace, addresses)
    const byRef = yield* find(sql.refs, workspace, [...refs].sort())
    const ids = new Set([...byAddress.values(), ...byRef.values()])
    const contacts = new Map<ContactId, Contact>()
    for (const some of slices([...ids].sort(), slice)) {
      for (const row of yield* execute<ContactRow.ContactRow>(sql.lock, [some.map((id) => ({ id }))]))
        contacts.set(row.id, ContactRow.decode(row))
    }
    const known: Known = { byAddress, byRef, contacts }
    return contacts.size === ids.size ? known : undefined
  })

  const write = (workspace: WorkspaceId, { addresses, created }: ImportPlan) => {
    const taking = steps(addresses, (pair) => pair, [workspace], sql.take, sql.takeBlock)
    const inserting = Array.from(
      Map.groupBy(created.filter(isPlain), (row) => row.createdAt),
      ([at, rows]) => steps(rows, plainRow, [workspace, at], sql.insert, sql.insertBlock)
    )
    return inTurn([
      ...taking,
      ...inserting.flat(),
      ...wholly(
        sql.insertWhole,
        created.filter((row) => !isPlain(row))
      )
    ])
  }

  const wholly = (statement: Statement, rows: ReadonlyArray<Contact>) =>
    slices(rows, slice).map((some) =>
      Effect.suspend(() => affected(statement, [some.map((row) => wholeRow(ContactRow.encode(row)))]))
    )

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
    for (const some of slices(contacts.filter((id) => !created.has(id)).sort(), slice)) {
      const asked = yield* execute<{ readonly id: ContactId; readonly found: number | null }>(sql.isMember, [
        list,
        some.map((id) => ({ id }))
      ])
      for (const { found, id } of asked) if (found !== null) members.add(id)
    }
    const joining = contacts.filter((id) => !members.has(id))
    if (joining.length === 0) return
    yield* inTurn(
      slices(joining, slice).map((some, i) =>
        Effect.suspend(() => affected(sql.join, [list, row.members + i * slice, JSON.stringify(some)]))
      )
    )
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
        const batch = batchOf(rows.map((row) => (row.workspace === workspace ? row : { ...row, workspace })))
        for (let attempt = 1; attempt <= attempts; attempt++) {
          const known = yield* look(workspace, batch)
          if (known === undefined) continue
          const planned = plan(batch, known, mode)
          if (!(yield* take(workspace, planned))) continue
          yield* inTurn(wholly(sql.write, planned.changed))
          for (const some of slices(planned.joined, slice)) yield* share(workspace, some)
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
