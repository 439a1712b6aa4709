/** What is known of media. Rows are locked in the order of their ids, and after the messages and chats they belong to. */
import type { Media } from "@overture/core/chat/Media"
import { type MediaChange, MediaRecordStore } from "@overture/core/chat/MediaRecordStore"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect, Layer, Option } from "effect"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as Paging from "./Paging.ts"
import * as Columns from "./rows/Columns.ts"
import * as MediaRow from "./rows/MediaRow.ts"

/** What `Media.isUnused` says; an index has no other files. */
export const unused = (of: string): string =>
  `${of}used = false and ${of}source <> 'inbound' and ${of}expires_at is null and ${of}status in ('stored', 'failed')`

const statements = defineStatements("MediaRecordStore", (sql) => {
  const media = sql.t("media")
  const columns = Columns.select(MediaRow.columns, "m")
  const rows = sql.rows("x", 1, MediaRow.columns)
  const ofChats = `select ${columns} from ${media} as m
    where m.chat_id in (select x.id from ${sql.rows("x", 2, { id: "id" })}) and m.workspace_id = $1`
  return {
    add: `insert into ${media}(${Columns.names(MediaRow.columns)})
      select ${Columns.select(MediaRow.columns, "x")} from ${rows} where true order by x.id on conflict (id) do nothing`,
    get: `select ${columns} from ${media} as m where m.workspace_id = $1 and m.id = $2`,
    list: `select ${columns} from ${media} as m where m.workspace_id = $1 and m.id > $2 and m.status <> 'deleted'
      order by m.id limit $3 offset $4`,
    count: `select count(*) as total from ${media} where workspace_id = $1 and status <> 'deleted'`,
    ofChats: `${ofChats} and m.status <> 'deleted' order by m.id`,
    nextDue: `select min(due_at) as at from ${media} where due_at is not null`,
    due: `select ${columns} from ${media} as m where m.due_at <= $1 order by m.due_at, m.id limit 1 ${sql.skipLocked("m")}`,
    lock: `select ${columns} from ${media} as m where m.id in (select x.id from ${sql.rows("x", 1, { id: "id" })})
      order by m.id ${sql.lock("m")}`,
    lockOfChats: `${ofChats} order by m.id ${sql.lock("m")}`,
    write: `update ${media} as m set ${Columns.assign(MediaRow.columns, "x", "id", "workspace_id", "created_at")}
      from ${rows} where m.id = x.id`,
    remove: `delete from ${media} where id in (select x.id from ${sql.rows("x", 1, { id: "id" })})`,
    unused: `select ${columns} from ${media} as m where m.workspace_id = $1 and m.created_at < $2
      and ${unused("m.")} order by m.created_at, m.id limit $3`,
    older: `select ${columns} from ${media} as m where m.workspace_id = $1 and m.created_at < $2
      and m.status in ('stored', 'failed') and m.chat_id is not null order by m.created_at, m.id limit $3`
  }
})

export const make = (database: Database["Service"]): MediaRecordStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database

  const change = Effect.fnUntraced(function* (
    locked: Effect.Effect<ReadonlyArray<MediaRow.MediaRow>, StorageError>,
    rule: (media: Media) => Media | null
  ) {
    const changes = (yield* locked).map((row): MediaChange => {
      const before = MediaRow.decode(row)
      return { before, after: rule(before) }
    })
    const written = changes.flatMap(({ after, before }) => (after === null || after === before ? [] : [after]))
    const removed = changes.flatMap(({ after, before: { id } }) => (after === null ? [{ id }] : []))
    if (written.length > 0) yield* affected(sql.write, [written.map(MediaRow.encode)])
    if (removed.length > 0) yield* affected(sql.remove, [removed])
    return changes
  })

  return MediaRecordStore.of({
    add: (media) => (media.length === 0 ? Effect.void : Effect.asVoid(affected(sql.add, [media.map(MediaRow.encode)]))),
    get: (workspace, id) =>
      Effect.map(execute<MediaRow.MediaRow>(sql.get, [workspace, id]), ([row]) =>
        Option.map(Option.fromUndefinedOr(row), MediaRow.decode)
      ),
    list: Paging.byId(database, sql, MediaRow.decode),
    ofChats: (workspace, chats) =>
      Effect.map(execute<MediaRow.MediaRow>(sql.ofChats, [workspace, chats.map((id) => ({ id }))]), (rows) =>
        rows.map(MediaRow.decode)
      ),
    nextDue: Effect.map(execute<{ readonly at: number | null }>(sql.nextDue), ([row]) => row?.at ?? null),
    claim: (now, until) =>
      transaction(
        Effect.gen(function* () {
          const [row] = yield* execute<MediaRow.MediaRow>(sql.due, [now])
          if (row === undefined) return Option.none()
          const media = MediaRow.decode(row)
          const claimed: Media = { ...media, attempts: media.attempts + 1, dueAt: until }
          yield* affected(sql.write, [[MediaRow.encode(claimed)]])
          return Option.some(claimed)
        })
      ),
    modify: (ids, rule) =>
      ids.length === 0
        ? Effect.succeed([])
        : transaction(change(execute<MediaRow.MediaRow>(sql.lock, [ids.map((id) => ({ id }))]), rule)),
    modifyOfChats: (workspace, chats, rule) =>
      chats.length === 0
        ? Effect.succeed([])
        : transaction(
            change(execute<MediaRow.MediaRow>(sql.lockOfChats, [workspace, chats.map((id) => ({ id }))]), rule)
          ),
    unused: (workspace, before, limit) =>
      Effect.map(execute<MediaRow.MediaRow>(sql.unused, [workspace, before, limit]), (rows) =>
        rows.map(MediaRow.decode)
      ),
    older: (workspace, before, limit) =>
      Effect.map(execute<MediaRow.MediaRow>(sql.older, [workspace, before, limit]), (rows) => rows.map(MediaRow.decode))
  })
}

export const layer: Layer.Layer<MediaRecordStore, never, Database> = Layer.effect(
  MediaRecordStore,
  Effect.map(Database, make)
)
