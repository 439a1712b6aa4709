/** Lists and their members. What concerns all members of a list is one statement, however many they are. */
import type { ContactList } from "@overture/core/contact/Contact"
import type { ListVerbs } from "@overture/core/contact/ContactStore"
import { Effect, Option } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import * as Paging from "../Paging.ts"
import * as Columns from "../rows/Columns.ts"
import * as ContactRow from "../rows/ContactRow.ts"

const statements = defineStatements("ContactStore.lists", (sql) => {
  const { t } = sql
  const list = t("contact_list")
  const columns = Columns.select(ContactRow.listColumns, "l")
  const sources = sql.rows("x", 2, { id: "id", i: "ordinal" })
  return {
    number: `insert into ${t("numbering")} as n (workspace_id, chats, lists) values ($1, 0, 1)
      on conflict (workspace_id) do update set lists = n.lists + 1 returning lists as number`,
    insert: `insert into ${list}(${Columns.names(ContactRow.listColumns)}) values ($1, $2, $3, $4, $5, $6)`,
    get: `select ${columns} from ${list} as l where l.workspace_id = $1 and l.id = $2`,
    byName: `select ${columns} from ${list} as l where l.workspace_id = $1 and l.name = $2 order by l.number limit 1`,
    byNumber: `select ${columns} from ${list} as l where l.workspace_id = $1 and l.number = ${sql.p(2, "int")}`,
    lockContact: `select c.id from ${t("contact")} as c where c.workspace_id = $1 and c.id = $2 ${sql.lock("c")}`,
    lockList: `select l.members from ${list} as l where l.workspace_id = $1 and l.id = $2 ${sql.lock("l")}`,
    join: `insert into ${t("list_member")}(list_id, position, contact_id)
      select l.id, l.members + 1, $2 from ${list} as l where l.id = $1 on conflict do nothing`,
    joined: `update ${list} set members = members + 1 where id = $1`,
    leave: `delete from ${t("list_member")} where contact_id = $3
      and list_id in (select l.id from ${list} as l where l.workspace_id = $1 and l.id = $2)`,
    page: `select ${columns} from ${list} as l where l.workspace_id = $1 and l.number > $2
      order by l.number limit $3 offset $4`,
    count: `select count(*) as total from ${list} where workspace_id = $1`,
    of: `select ${columns} from ${list} as l where l.workspace_id = $1
      and exists (select 1 from ${t("list_member")} as m where m.list_id = l.id and m.contact_id = $2) order by l.number`,
    rename: `update ${list} set name = $3 where workspace_id = $1 and id = $2`,
    remove: `delete from ${list} where workspace_id = $1 and id = $2`,
    removeMembers: `delete from ${t("list_member")} where list_id = $1`,
    // Held until the merge is done, so that none of them gains or loses members meanwhile.
    lock: `select l.id from ${list} as l where l.workspace_id = $1 and l.id in (select x.id from ${sources})
      order by l.id ${sql.lock("l")}`,
    merge: `insert into ${t("list_member")}(list_id, position, contact_id)
      select $1, ${sql.cast("row_number() over (order by q.i, q.position)", "int")}, q.contact_id from (
        select x.i, m.position, m.contact_id,
          row_number() over (partition by m.contact_id order by x.i, m.position) as seen
        from ${sources} join ${t("list_member")} as m on m.list_id = x.id) as q
      where q.seen = 1 order by q.i, q.position`,
    setMembers: `update ${list} set members = $2 where id = $1`,
    gather: `update ${list} set status = 'gathering' where workspace_id = $1 and id = $2`,
    setReady: `update ${list} set status = 'ready' where workspace_id = $1 and id = $2 and status <> 'ready'`,
    members: `select ${Columns.select(ContactRow.columns, "c")}, m.position from ${list} as l
      join ${t("list_member")} as m on m.list_id = l.id join ${t("contact")} as c on c.id = m.contact_id
      where l.workspace_id = $1 and l.id = $2 and m.position > $3 order by m.position limit $4`,
    countMembers: `select (select count(*) from ${list} as l join ${t("list_member")} as m on m.list_id = l.id
        where l.workspace_id = $1 and l.id = x.id) as total from ${sources} order by x.i`,
    attributes: sql.pick({
      postgres: `select distinct a.name collate "C" as name from ${list} as l
        join ${t("list_member")} as m on m.list_id = l.id join ${t("contact")} as c on c.id = m.contact_id
        cross join lateral jsonb_object_keys(c.attributes) as a(name)
        where l.workspace_id = $1 and l.id = $2 order by name`,
      sqlite: `select distinct a.key as name from ${list} as l
        join ${t("list_member")} as m on m.list_id = l.id join ${t("contact")} as c on c.id = m.contact_id
        join json_each(c.attributes) as a where l.workspace_id = $1 and l.id = $2 order by name`
    })
  }
})

const listOf = (rows: ReadonlyArray<ContactRow.ContactListRow>): Option.Option<ContactList> =>
  Option.map(Option.fromUndefinedOr(rows[0]), ContactRow.decodeList)

export const make = (database: Database["Service"]): ListVerbs => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const append = EventSqlStore.appender(database)
  const rows = (ids: ReadonlyArray<string>) => ids.map((id) => ({ id }))

  const create = Effect.fnUntraced(function* (list: Omit<ContactList, "number">) {
    const [row] = yield* execute<{ readonly number: number }>(sql.number, [list.workspace])
    const created: ContactList = { ...list, number: row!.number }
    const { createdAt, id, name, number, status, workspace } = created
    yield* affected(sql.insert, [id, workspace, number, name, status, createdAt])
    return created
  })

  return {
    createList: (list) => transaction(create(list)),
    getList: (workspace, id) => Effect.map(execute<ContactRow.ContactListRow>(sql.get, [workspace, id]), listOf),
    listByName: (workspace, name) =>
      Effect.map(execute<ContactRow.ContactListRow>(sql.byName, [workspace, name]), listOf),
    listByNumber: (workspace, number) =>
      Effect.map(execute<ContactRow.ContactListRow>(sql.byNumber, [workspace, number]), listOf),
    joinList: (workspace, id, contact) =>
      transaction(
        Effect.gen(function* () {
          // As imports and erasures do: the person before the list.
          if ((yield* execute<object>(sql.lockContact, [workspace, contact])).length === 0) return false
          if ((yield* execute<object>(sql.lockList, [workspace, id])).length === 0) return false
          if ((yield* affected(sql.join, [id, contact])) === 0) return false
          yield* affected(sql.joined, [id])
          return true
        })
      ),
    leaveList: (workspace, id, contact) =>
      Effect.map(affected(sql.leave, [workspace, id, contact]), (count) => count > 0),
    lists: (workspace, request) =>
      Paging.page(
        database,
        {
          select: sql.page,
          count: sql.count,
          of: [workspace],
          start: [0],
          decode: ContactRow.decodeList,
          keyOf: (list) => [list.number]
        },
        request
      ),
    listsOf: (workspace, contact) =>
      Effect.map(execute<ContactRow.ContactListRow>(sql.of, [workspace, contact]), (found) =>
        found.map(ContactRow.decodeList)
      ),
    renameList: (workspace, id, name) =>
      transaction(
        Effect.gen(function* () {
          yield* affected(sql.rename, [workspace, id, name])
          return listOf(yield* execute<ContactRow.ContactListRow>(sql.get, [workspace, id]))
        })
      ),
    deleteList: (workspace, id) =>
      transaction(
        Effect.gen(function* () {
          if ((yield* affected(sql.remove, [workspace, id])) === 0) return false
          yield* affected(sql.removeMembers, [id])
          return true
        })
      ),
    mergeLists: (list, sources, events) =>
      transaction(
        Effect.gen(function* () {
          const distinct = [...new Set(sources)]
          const locked = yield* execute<object>(sql.lock, [list.workspace, rows(distinct)])
          if (locked.length < distinct.length) return Option.none()
          const created = yield* create(list)
          yield* affected(sql.setMembers, [list.id, yield* affected(sql.merge, [list.id, rows(distinct)])])
          yield* append(events)
          return Option.some(created)
        })
      ),
    gatherList: (workspace, id, empty) =>
      transaction(
        Effect.gen(function* () {
          if ((yield* affected(sql.gather, [workspace, id])) === 0) return false
          if (empty) yield* affected(sql.removeMembers, [id])
          return true
        })
      ),
    setListReady: (workspace, id, events) =>
      transaction(
        Effect.gen(function* () {
          if ((yield* affected(sql.setReady, [workspace, id])) > 0) yield* append(events)
        })
      ),
    members: (workspace, list, after, limit) =>
      Effect.map(
        execute<ContactRow.ContactRow & { readonly position: number }>(sql.members, [workspace, list, after, limit]),
        (found) => found.map((row) => ({ position: row.position, contact: ContactRow.decode(row) }))
      ),
    countMembers: (workspace, lists) =>
      lists.length === 0
        ? Effect.succeed([])
        : Effect.map(execute<{ readonly total: number }>(sql.countMembers, [workspace, rows(lists)]), (found) =>
            found.map(({ total }) => total)
          ),
    attributeNames: (workspace, list) =>
      Effect.map(execute<{ readonly name: string }>(sql.attributes, [workspace, list]), (found) =>
        found.map(({ name }) => name)
      )
  }
}
