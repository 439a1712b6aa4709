/**
 * What was said, looked through as it stands: messages that no campaign sent, the newest `textsLookedAt` of the workspace.
 * A look takes some tenths of a second at most, and costs whoever writes messages nothing.
 */
import { textsLookedAt } from "@overture/core/chat/InboxStore"
import * as SearchText from "@overture/core/chat/SearchText"
import type { ChatId, WorkspaceId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import * as Composed from "../Composed.ts"
import type { Database } from "../Database.ts"
import type { Sql } from "../Dialect.ts"

/** Whether a text has one of the words, which stand at these places. */
export const contains = (sql: Sql, text: string, words: ReadonlyArray<string>): string => {
  const lowered = sql.pick({ postgres: `lower(${text} collate "C")`, sqlite: `lower(${text})` })
  const found = (word: string) =>
    sql.pick({ postgres: `strpos(${lowered}, ${word}) > 0`, sqlite: `instr(${lowered}, ${word}) > 0` })
  return `(${words.map(found).join(" or ")})`
}

/** The words of a message's content: those of `Content.words`. */
export const textOf = (sql: Sql, message: string): string => {
  const fields = ["text", "caption", "note"].map((name) => sql.jsonField(`${message}.content`, name, "text"))
  return `coalesce(${fields.join(", ")}, '')`
}

/** The messages that are looked through, without an end and without a look. */
export const talk = "m.workspace_id = $1 and m.lead_id is null"

export const make = (database: Database["Service"]) => {
  const { execute, sql } = database
  const composed = Composed.make(database, "Said")
  const oldest = composed.statement(
    "oldest",
    `select m.id from ${sql.t("message")} as m where ${talk} order by m.id desc limit 1 offset $2`
  )
  return {
    /** The chats of the newest messages with these words, at most `limit` messages of them. */
    chats: Effect.fnUntraced(function* (workspace: WorkspaceId, search: string, limit: number) {
      const [from] = yield* execute<{ readonly id: string }>(oldest, [workspace, textsLookedAt - 1])
      const to = Composed.begin(workspace, from?.id ?? "")
      const words = SearchText.variants(search).map((text) => to.add(text))
      const text = `select m.chat_id from ${sql.t("message")} as m
        where ${talk} and m.id >= $2 and ${contains(sql, textOf(sql, "m"), words)}
        order by m.id desc limit ${to.add(limit)}`
      const rows = yield* execute<{ readonly chat_id: ChatId }>(composed.statement("saying", text), to.values)
      return [...new Set(rows.map((row) => row.chat_id))]
    })
  }
}
