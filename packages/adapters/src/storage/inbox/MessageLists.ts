/**
 * The messages of a workspace, newest first by their ids, which sort by when they came to us: what people wrote by an index
 * of its own, all of them by the primary key, at most `messagesLookedAt` a page.
 */
import { type InboxStore, messagesLookedAt } from "@overture/core/chat/InboxStore"
import * as MessageFilter from "@overture/core/chat/MessageFilter"
import * as SearchText from "@overture/core/chat/SearchText"
import { cursorOf, placeOf } from "@overture/core/workspace/Page"
import { Effect, Option } from "effect"
import * as Composed from "../Composed.ts"
import type { Database } from "../Database.ts"
import type { Parameter } from "../Dialect.ts"
import * as Columns from "../rows/Columns.ts"
import * as MessageRow from "../rows/MessageRow.ts"
import * as Said from "./Said.ts"

/** Sorts after every id. */
const afterAll = "~"

export const make = (
  database: Database["Service"]
): Pick<InboxStore["Service"], "messages" | "message" | "byExternalId"> => {
  const { execute, sql } = database
  const composed = Composed.make(database, "MessageLists")
  const message = sql.t("message")
  const columns = Columns.select(MessageRow.columns, "m")
  const byId = composed.statement(
    "message",
    `select ${columns} from ${message} as m where m.workspace_id = $1 and m.id = $2`
  )
  const externalId = (condition: string) =>
    composed.statement(
      "externalId",
      `select ${columns} from ${sql.t("chat")} as c join ${message} as m on m.chat_id = c.id and m.external_id = $2
      where c.workspace_id = $1 ${condition} order by m.id limit $3`
    )

  const conditions = (filter: MessageFilter.MessageFilter, to: Composed.Arguments): ReadonlyArray<string> => {
    const is = (column: string, value: Parameter) => (value === undefined ? [] : [`m.${column} = ${to.add(value)}`])
    const words = SearchText.variants(filter.search ?? "").map((text) => to.add(text))
    return [
      ...is("account_id", filter.account),
      ...is("chat_id", filter.chat),
      ...is("direction", filter.direction),
      ...is("status", filter.status),
      ...is("author_type", filter.author),
      ...is("author_id", filter.authorId),
      ...is("campaign_id", filter.campaign),
      ...(filter.since === undefined ? [] : [`m.created_at >= ${to.add(filter.since)}`]),
      ...(filter.until === undefined ? [] : [`m.created_at < ${to.add(filter.until)}`]),
      ...(words.length === 0 ? [] : [Said.contains(sql, Said.textOf(sql, "m"), words)])
    ]
  }

  const messages: InboxStore["Service"]["messages"] = Effect.fnUntraced(function* (workspace, filter, request) {
    const { after, limit } = placeOf(request, [""])
    const from = after === null ? afterAll : String(after[0])
    const index = MessageFilter.isTalk(filter) ? Said.talk : "true"
    const to = Composed.begin(workspace)
    const before = `${index} and m.id < ${to.add(from)}`
    const ahead = `select m.id from ${message} as m where ${index.replace("$1", "$3")} and m.id < $1
      order by m.id desc limit 1 offset $2`
    const [end] = yield* execute<{ readonly id: string }>(composed.statement("ahead", ahead), [
      from,
      messagesLookedAt - 1,
      ...(index === Said.talk ? [workspace] : [])
    ])
    const where = ["m.workspace_id = $1", before, `m.id >= ${to.add(end?.id ?? "")}`, ...conditions(filter, to)]
    const text = `select ${columns} from ${message} as m
      where ${where.join(" and ")} order by m.id desc limit ${to.add(limit + 1)}`
    const rows = yield* execute<MessageRow.MessageRow>(composed.statement("messages", text), to.values)
    const data = rows.slice(0, limit).map(MessageRow.decode)
    const next = rows.length > limit ? data.at(-1)?.id : end?.id
    return { data, nextCursor: next === undefined ? null : cursorOf([next]) }
  })

  return {
    messages,
    message: (workspace, id) =>
      Effect.map(execute<MessageRow.MessageRow>(byId, [workspace, id]), ([row]) =>
        Option.map(Option.fromUndefinedOr(row), MessageRow.decode)
      ),
    byExternalId: (workspace, id, account, limit) =>
      Effect.map(
        account === null
          ? execute<MessageRow.MessageRow>(externalId(""), [workspace, id, limit])
          : execute<MessageRow.MessageRow>(externalId("and c.account_id = $4"), [workspace, id, limit, account]),
        (rows) => rows.map(MessageRow.decode)
      )
  }
}
