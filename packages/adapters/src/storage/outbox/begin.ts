/**
 * The mark before a message is handed to its channel, and the lease it needs. Begin is one statement of its own
 * transaction, so it sees everything that was committed before it: a pause, a stop, a ban, a reply that cancelled, an
 * address that was suppressed. The answer to a begin may be lost with its connection, so what the claim has begun already
 * is told again, or taken back where it may not be sent any more.
 */
import { repeatableMs } from "@overture/core/outbox/Claim"
import type { OutboxStore, Repeat } from "@overture/core/outbox/OutboxStore"
import type { MessageId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { lookup, matches } from "./Lookup.ts"

const statements = defineStatements("OutboxBegin", (sql) => {
  const { t } = sql
  const one = (column: string, table: string, where: string) =>
    `(select ${column} from ${t(table)} as o where ${where} limit 1)`
  const may = `coalesce(${one("o.value", "meta", "o.key = 'stopped'")}, 'false') = 'false'
    and (m.author_type in ('member', 'api') or not ${one("o.paused", "workspace", "o.id = m.workspace_id")})
    and ${one("(o.enabled and not o.banned and o.attention = '[]')", "account", "o.id = m.account_id")}
    and (m.campaign_id is null or ${one("o.status", "campaign", "o.id = m.campaign_id")} = 'running')`
  const suppressed = `(select count(*) from ${t("suppression")} as o
    where o.workspace_id = m.workspace_id and o.address = m.address and (o.account_id = '' or o.account_id = m.account_id))`
  const mayBegin = `${may} and ${suppressed} = x.despite`
  const held = `${one("o.until", "claim", "o.id = $2")} > ${sql.now}`
  return {
    // What was stopped after its begin is settled, not returned: nothing else ends its lead.
    begin: `update ${t("message")} as m set
        status = case when m.status = 'queued' or m.stop is not null or (${mayBegin}) then 'sending' else 'queued' end,
        begun_at = case when m.status = 'queued' then ${sql.now} else m.begun_at end
      from ${sql.rows("x", 1, { message_id: "id", despite: "int" })}
      where ${matches(sql, "m.id", "x.message_id")} and m.claim_id = $2 and ${held}
        and (m.status = 'sending' or m.status = 'queued' and ${mayBegin})
      returning id, status`,
    mayRepeat: `select m.id, case when m.stop = 'erased' then 'erased'
        when m.stop is not null or m.begun_at + ${repeatableMs} <= ${sql.now} or ${suppressed} > 0 then 'never'
        when ${may} then 'now' else 'later' end as answer
      from ${sql.rows("x", 1, { message_id: "id" })}
      ${lookup(sql, "message", "m", "m.id = x.message_id and m.claim_id = $2 and m.status = 'sending'")} where ${held}`,
    renew: `update ${t("claim")} set until = ${sql.now} + ${sql.p(2, "bigint")} where id = $1`,
    clock: `select ${sql.now} as at`,
    claims: `select count(*) as total, coalesce(sum(case when until <= ${sql.now} then 1 else 0 end), 0) as expired
      from ${t("claim")}`
  }
})

/** The verbs around a lease: `begin`, `mayRepeat`, `renew`, `claims`, `clock`. */
export const make = (
  database: Database["Service"]
): Pick<OutboxStore["Service"], "begin" | "mayRepeat" | "renew" | "claims" | "clock"> => {
  const sql = database.statements(statements)
  const { affected, execute, executeAlone } = database
  return {
    begin: (claim, ids, despite) =>
      ids.length === 0
        ? Effect.succeed([])
        : Effect.map(
            // Rows are locked in the order given: by id, so that two begins never wait for each other.
            executeAlone<{ readonly id: MessageId; readonly status: string }>(sql.begin, [
              ids.toSorted().map((id) => ({ message_id: id, despite: despite?.get(id) ?? 0 })),
              claim
            ]),
            (rows) => {
              const begun = new Set(rows.flatMap(({ id, status }) => (status === "sending" ? [id] : [])))
              return ids.filter((id) => begun.has(id))
            }
          ),
    mayRepeat: (claim, ids) =>
      ids.length === 0
        ? Effect.succeed(new Map())
        : Effect.map(
            executeAlone<{ readonly id: MessageId; readonly answer: Repeat }>(sql.mayRepeat, [
              ids.map((id) => ({ message_id: id })),
              claim
            ]),
            (rows) => new Map(rows.map(({ answer, id }) => [id, answer]))
          ),
    renew: (claim, durationMs) => Effect.map(affected(sql.renew, [claim, durationMs]), (changed) => changed > 0),
    claims: Effect.map(execute<{ readonly total: number; readonly expired: number }>(sql.claims), ([row]) => ({
      held: (row?.total ?? 0) - (row?.expired ?? 0),
      expired: row?.expired ?? 0
    })),
    clock: Effect.map(execute<{ readonly at: number }>(sql.clock), (rows) => rows[0]!.at)
  }
}
