/**
 * The mark before a message is handed to its channel, and the lease it needs. Begin is one statement of its own
 * transaction, so it sees everything that was committed before it: a pause, a stop, a ban, a rest, a reply that cancelled,
 * an address that was suppressed, a consent taken back. The answer to a begin may be lost with its connection, so what the
 * claim has begun already is told again, or taken back where it may not be sent any more.
 */
import { repeatableMs } from "@overture/core/outbox/Claim"
import type { OutboxStore, Repeat, Terms } from "@overture/core/outbox/OutboxStore"
import type { MessageId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { type ColumnType, defineStatements } from "../Dialect.ts"
import { lookup, matches } from "./Lookup.ts"

const statements = defineStatements("OutboxBegin", (sql) => {
  const { t } = sql
  const one = (column: string, table: string, where: string) =>
    `(select ${column} from ${t(table)} as o where ${where} limit 1)`
  const now = sql.p(3, "bigint")
  const may = `coalesce(${one("o.value", "meta", "o.key = 'stopped'")}, 'false') = 'false'
    and (m.author_type = 'member' or not ${one("o.paused", "workspace", "o.id = m.workspace_id")})
    and ${one(
      `(o.enabled and not o.banned and o.attention = '[]' and coalesce(o.resting_until, 0) <= ${now})`,
      "account",
      "o.id = m.account_id"
    )}
    and (m.campaign_id is null or ${one("o.status", "campaign", "o.id = m.campaign_id")} = 'running')`
  const suppressed = `(select count(*) from ${t("suppression")} as o
    where o.workspace_id = m.workspace_id and o.address = m.address and (o.account_id = '' or o.account_id = m.account_id))`
  const consents = one("o.consents", "contact", "o.id = m.contact_id")
  const consent = (field: string, type: ColumnType) => sql.jsonField("i.value", field, type)
  const withdrawnAt = sql.jsonField(consent("withdrawn", "json"), "at", "real")
  // Looked at only where someone's consent is wanted.
  const consented = `(x.consent_for is null
    or ${one("o.last_inbound_at", "chat", "o.id = m.chat_id")} is not null
    or exists (select 1 from ${sql.pick({
      postgres: `jsonb_array_elements(${consents})`,
      sqlite: `json_each(${consents})`
    })} as i
      where ${consent("channel", "text")} in (x.consent_for, '*') and ${consent("at", "real")} <= ${now}
        and coalesce(${consent("expiresAt", "real")} > ${now}, true) and coalesce(${withdrawnAt} > ${now}, true)))`
  const mayBegin = `${may} and ${suppressed} = x.despite and ${consented}`
  const held = `${one("o.until", "claim", "o.id = $2")} > ${sql.now}`
  return {
    // What was stopped after its begin is settled, not returned: nothing else ends its lead. A case, as PostgreSQL would ask
    // twice what is said of the message alone in an "or": while it looks the message up, and with the row beside it.
    begin: `update ${t("message")} as m set
        status = case when m.status = 'queued' or m.stop is not null or (${mayBegin}) then 'sending' else 'queued' end,
        begun_at = case when m.status = 'queued' then ${sql.now} else m.begun_at end
      from ${sql.rows("x", 1, { message_id: "id", despite: "int", consent_for: "text" })}
      where ${matches(sql, "m.id", "x.message_id")} and m.claim_id = $2 and ${held}
        and case m.status when 'sending' then true when 'queued' then ${mayBegin} else false end
      returning id, status`,
    mayRepeat: `select m.id, case when m.stop = 'erased' then 'erased'
        when m.stop is not null or m.begun_at + ${repeatableMs} <= ${sql.now} or ${suppressed} > 0 or not ${consented} then 'never'
        when ${may} then 'now' else 'later' end as answer
      from ${sql.rows("x", 1, { message_id: "id", consent_for: "text" })}
      ${lookup(sql, "message", "m", "m.id = x.message_id and m.claim_id = $2 and m.status = 'sending'")} where ${held}`,
    renew: `update ${t("claim")} set until = ${sql.now} + ${sql.p(2, "bigint")} where id = $1`,
    clock: `select ${sql.now} as at`,
    claims: `select count(*) as total, coalesce(sum(case when until <= ${sql.now} then 1 else 0 end), 0) as expired
      from ${t("claim")}`
  }
})

/** Whose channel wants the consent of its person. */
const wanted = (terms: ReadonlyMap<MessageId, Terms> | undefined, id: MessageId) => ({
  consent_for: terms?.get(id)?.consentFor ?? null
})

/** The verbs around a lease: `begin`, `mayRepeat`, `renew`, `claims`, `clock`. */
export const make = (
  database: Database["Service"]
): Pick<OutboxStore["Service"], "begin" | "mayRepeat" | "renew" | "claims" | "clock"> => {
  const sql = database.statements(statements)
  const { affected, execute, executeAlone } = database
  return {
    begin: (claim, ids, now, terms) =>
      ids.length === 0
        ? Effect.succeed([])
        : Effect.map(
            // Rows are locked in the order given: by id, so that two begins never wait for each other.
            executeAlone<{ readonly id: MessageId; readonly status: string }>(sql.begin, [
              ids
                .toSorted()
                .map((id) => ({ message_id: id, despite: terms?.get(id)?.despite ?? 0, ...wanted(terms, id) })),
              claim,
              now
            ]),
            (rows) => {
              const begun = new Set(rows.flatMap(({ id, status }) => (status === "sending" ? [id] : [])))
              return ids.filter((id) => begun.has(id))
            }
          ),
    mayRepeat: (claim, ids, now, terms) =>
      ids.length === 0
        ? Effect.succeed(new Map())
        : Effect.map(
            executeAlone<{ readonly id: MessageId; readonly answer: Repeat }>(sql.mayRepeat, [
              ids.map((id) => ({ message_id: id, ...wanted(terms, id) })),
              claim,
              now
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
