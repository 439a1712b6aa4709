/** Notices that came before their message. They wait under the platform's id of it, and go when it comes. */
import type { ChatStore, ExternalRef } from "@overture/core/chat/ChatStore"
import type { EarlyNotice, Notice } from "@overture/core/chat/Notice"
import type { ChatId, WorkspaceId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import { lookup } from "./outbox/Lookup.ts"
import * as Columns from "./rows/Columns.ts"

const columns = {
  chat_id: "id",
  external_id: "text",
  key: "text",
  workspace_id: "id",
  notice: "json",
  told_at: "bigint"
} as const satisfies Columns.Columns

const place = Columns.pick(columns, "chat_id", "external_id")

interface NoticeRow {
  readonly chat_id: ChatId
  readonly external_id: string
  readonly key: string
  readonly workspace_id: WorkspaceId
  readonly notice: string
  readonly told_at: number
}

const statements = defineStatements("ChatNotices", (sql) => ({
  keep: `insert into ${sql.t("notice")}(${Columns.names(columns)})
    select ${Columns.select(columns, "x")} from ${sql.rows("x", 1, columns)} where true
    order by x.chat_id, x.external_id, x.key on conflict (chat_id, external_id, key) do nothing`,
  waiting: `select ${Columns.select(columns, "n")} from ${sql.rows("x", 1, place)}
    ${lookup(sql, "notice", "n", "n.chat_id = x.chat_id and n.external_id = x.external_id")}
    order by n.chat_id, n.external_id, n.key`,
  remove: `delete from ${sql.t("notice")} where (chat_id, external_id, key) in
    (select n.chat_id, n.external_id, n.key from ${sql.rows("x", 1, place)}
      ${lookup(sql, "notice", "n", "n.chat_id = x.chat_id and n.external_id = x.external_id")})`,
  purge: `delete from ${sql.t("notice")} where (chat_id, external_id, key) in
    (select n.chat_id, n.external_id, n.key from ${sql.t("notice")} as n
      where n.workspace_id = $1 and n.told_at < $2 order by n.told_at limit $3)`,
  inChats: `select ${Columns.select(columns, "n")} from ${sql.t("notice")} as n where n.workspace_id = $1
    and n.chat_id in (select x.id from ${sql.rows("x", 2, { id: "id" })}) order by n.chat_id, n.external_id, n.key`,
  forget: `delete from ${sql.t("notice")} where workspace_id = $1
    and chat_id in (select x.id from ${sql.rows("x", 2, { id: "id" })})`
}))

const decode = (row: NoticeRow): EarlyNotice => ({
  key: row.key,
  workspace: row.workspace_id,
  chat: row.chat_id,
  externalId: row.external_id,
  notice: Columns.json<Notice>(row.notice),
  toldAt: row.told_at
})

const placesOf = (refs: ReadonlyArray<ExternalRef>) =>
  Array.from(new Map(refs.map((ref) => [`${ref.chat}|${ref.externalId}`, ref])).values(), ({ chat, externalId }) => ({
    chat_id: chat,
    external_id: externalId
  }))

/** The notices of chats, for whoever reads or erases a person. */
export const ofChats = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  const rowsOf = (chats: ReadonlyArray<ChatId>) => chats.map((id) => ({ id }))
  return {
    held: (
      workspace: WorkspaceId,
      chats: ReadonlyArray<ChatId>
    ): Effect.Effect<ReadonlyArray<EarlyNotice>, StorageError> =>
      Effect.map(database.execute<NoticeRow>(sql.inChats, [workspace, rowsOf(chats)]), (rows) => rows.map(decode)),
    forget: (workspace: WorkspaceId, chats: ReadonlyArray<ChatId>): Effect.Effect<void, StorageError> =>
      database.write(sql.forget, [workspace, rowsOf(chats)])
  }
}

/** The notices that wait for messages. */
export const ofMessages = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  return {
    waiting: (refs: ReadonlyArray<ExternalRef>): Effect.Effect<ReadonlyArray<EarlyNotice>, StorageError> =>
      refs.length === 0
        ? Effect.succeed([])
        : Effect.map(database.execute<NoticeRow>(sql.waiting, [placesOf(refs)]), (rows) => rows.map(decode)),
    remove: (refs: ReadonlyArray<ExternalRef>): Effect.Effect<void, StorageError> =>
      refs.length === 0 ? Effect.void : database.write(sql.remove, [placesOf(refs)])
  }
}

type Verbs = Pick<ChatStore["Service"], "keepNotices" | "takeNotices" | "purgeNotices">

export const make = (database: Database["Service"]): Verbs => {
  const sql = database.statements(statements)
  const messages = ofMessages(database)
  return {
    keepNotices: (notices) =>
      notices.length === 0
        ? Effect.void
        : database.write(sql.keep, [
            notices.map(({ chat, externalId, key, notice, toldAt, workspace }) => ({
              chat_id: chat,
              external_id: externalId,
              key,
              workspace_id: workspace,
              notice,
              told_at: toldAt
            }))
          ]),
    purgeNotices: (workspace, before, limit) => database.affected(sql.purge, [workspace, before, limit]),
    takeNotices: Effect.fnUntraced(function* (refs) {
      const found = yield* messages.waiting(refs)
      yield* messages.remove(found)
      return found
    })
  }
}
