/**
 * Changes leads by a rule over locked rows, with the messages of their present touch. Locks leads in id order, then their
 * messages, then contacts, campaigns and paces: the order of everyone who waits.
 */
import type { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { LeadChange, LeadSelector } from "@overture/core/campaign/LeadChange"
import { type Lead, isFollowUp } from "@overture/core/campaign/Lead"
import { type Message, requeued } from "@overture/core/chat/Message"
import type { LeadId, MessageId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import * as Budgets from "../Budgets.ts"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import { lookup, matches } from "../outbox/Lookup.ts"
import * as Columns from "../rows/Columns.ts"
import * as LeadRow from "../rows/LeadRow.ts"
import * as MessageRow from "../rows/MessageRow.ts"
import * as Counters from "./Counters.ts"
import * as Forgetting from "./Forgetting.ts"
import * as LeadSelection from "./LeadSelection.ts"

const messageColumns = Columns.pick(MessageRow.columns, "status", "reason", "due_at", "claim_id", "stop", "reserved")
/** A row that is tried again is as if it never had been, but for its content and its tries. */
const requeueColumns = {
  ...messageColumns,
  ...Columns.pick(
    MessageRow.columns,
    "error_code",
    "error_detail",
    "attempts",
    "tries",
    "not_before",
    "begun_at",
    "failed_at"
  )
}
const { id: _lead, ...leadColumns } = LeadRow.stateColumns

/** All that a settled touch changes of nearly every lead. */
const settledColumns = Columns.pick(
  LeadRow.columns,
  "id",
  "status",
  "ended",
  "step_id",
  "due_at",
  "claim_id",
  "touches",
  "first_sent_at",
  "last_sent_at",
  "follow_up"
)
const settledFields: ReadonlySet<string> = new Set<keyof Lead>([
  "status",
  "ended",
  "step",
  "dueAt",
  "claim",
  "touches",
  "firstSentAt",
  "lastSentAt"
])
const encodeSettled = (lead: Lead) => ({
  id: lead.id,
  status: lead.status,
  ended: lead.ended,
  step_id: lead.step,
  due_at: lead.dueAt,
  claim_id: lead.claim,
  touches: lead.touches,
  first_sent_at: lead.firstSentAt,
  last_sent_at: lead.lastSentAt,
  follow_up: isFollowUp(lead) ? 1 : 0
})

const statements = defineStatements("CampaignChange", (sql) => {
  const { t } = sql
  return {
    hold: `select l.id from ${sql.rows("x", 1, { id: "id" })} ${lookup(sql, "lead", "l", "l.id = x.id", "wait")}`,
    touching: `select m.id from ${sql.rows("x", 1, { id: "id" })} ${lookup(sql, "lead", "l", "l.id = x.id")}
      ${lookup(sql, "message", "m", "m.lead_id = l.id and m.step_id = l.step_id")}`,
    siblings: `select m.id from ${sql.rows("x", 1, { id: "id" })}
      ${lookup(sql, "message", "m", "m.lead_id = x.id and m.parts > 1")}`,
    counted: `select l.campaign_id, l.account_id from ${sql.rows("x", 1, { id: "id" })}
      ${lookup(sql, "lead", "l", "l.id = x.id")}`,
    holdCampaigns: `select g.id from ${sql.rows("x", 1, { id: "id" })} ${lookup(sql, "campaign", "g", "g.id = x.id", "wait")}`,
    holdPaces: `select p.campaign_id from ${sql.rows("x", 1, { campaign: "id", account: "id" })}
      ${lookup(sql, "pace", "p", "p.campaign_id = x.campaign and p.account_id = x.account", "wait")}`,
    lock: `select ${Columns.select(LeadRow.columns, "l")}, g.version as campaign_version from ${sql.rows("x", 1, { id: "id" })}
      ${lookup(sql, "lead", "l", "l.id = x.id", "wait")} ${lookup(sql, "campaign", "g", "g.id = l.campaign_id")}`,
    messages: `select ${Columns.select(MessageRow.columns, "m")} from ${sql.rows("x", 1, { lead: "id", step: "id" })}
      ${lookup(sql, "message", "m", "m.lead_id = x.lead and m.step_id = x.step", "wait")}`,
    leads: `update ${t("lead")} as l set ${Columns.assign(leadColumns, "x")}
      from ${sql.rows("x", 1, LeadRow.stateColumns)} where ${matches(sql, "l.id", "x.id")}`,
    requeue: `update ${t("message")} as m set ${Columns.assign(requeueColumns, "x")}
      from ${sql.rows("x", 1, { message: "id", ...requeueColumns })} where ${matches(sql, "m.id", "x.message")}`,
    settled: `update ${t("lead")} as l set ${Columns.assign(settledColumns, "x", "id")}
      from ${sql.rows("x", 1, settledColumns)} where ${matches(sql, "l.id", "x.id")}`,
    write: `update ${t("message")} as m set ${Columns.assign(messageColumns, "x")}
      from ${sql.rows("x", 1, { message: "id", ...messageColumns })} where ${matches(sql, "m.id", "x.message")}`
  }
})

/** Messages after a change, with those that give their reservation back. */
const changed = (messages: ReadonlyMap<MessageId, Message>, change: LeadChange) => {
  const rows = new Map<MessageId, Message>()
  const at = (id: MessageId) => rows.get(id) ?? messages.get(id)
  const released: Array<Message> = []
  for (const { id, reason } of change.cancel) {
    const message = at(id)
    if (message?.status !== "queued") continue
    released.push(message)
    rows.set(id, { ...message, status: "cancelled", reason, claim: null, dueAt: null, reserved: null })
  }
  for (const { id, reason } of change.stop) {
    const message = at(id)
    if (message !== undefined) rows.set(id, { ...message, stop: reason })
  }
  for (const { dueAt, id } of change.queue) {
    const message = at(id)
    if (message?.status === "queued") rows.set(id, { ...message, dueAt })
  }
  const again = change.requeue.flatMap(({ id, tries }): ReadonlyArray<Message> => {
    const message = at(id)
    return message?.status === "failed" || message?.status === "cancelled" ? [requeued(message, tries)] : []
  })
  return { rows: [...rows.values()], released, again }
}

type LockedRow = LeadRow.LeadRow & { readonly campaign_version: number }

const encode = ({ claim, dueAt, id, reason, reserved, status, stop }: Message) => ({
  message: id,
  status,
  reason,
  due_at: dueAt,
  claim_id: claim,
  stop,
  reserved
})

const encodeAgain = (message: Message) => ({
  ...encode(message),
  error_code: message.errorCode,
  error_detail: message.errorDetail,
  attempts: message.attempts,
  tries: message.tries,
  not_before: message.notBefore,
  begun_at: message.begunAt,
  failed_at: message.failedAt
})

export const make = (
  database: Database["Service"]
): Pick<CampaignStore["Service"], "changeLeads" | "hold" | "holdCounts"> => {
  const sql = database.statements(statements)
  const { execute, hotTransaction, write } = database
  const append = EventSqlStore.appender(database)
  const budgets = Budgets.make(database)
  const count = Counters.make(database)
  const forget = Forgetting.make(database)
  const select = LeadSelection.make(database)

  /** The messages of the present touch of each lead, locked. */
  const touches = Effect.fnUntraced(function* (leads: ReadonlyArray<Lead>, selector: LeadSelector) {
    const stepOf = selector.type === "ids" ? selector.step : undefined
    const known = selector.type === "ids" ? (selector.known ?? []) : []
    const found = new Map<LeadId | null, Array<Message>>()
    const whole = new Map(known.flatMap((message) => (message.parts === 1 ? [[message.lead, message] as const] : [])))
    const keys: Array<{ readonly lead: LeadId; readonly step: string }> = []
    for (const lead of leads) {
      const step = stepOf === undefined ? lead.step : stepOf(lead)
      const message = whole.get(lead.id)
      if (message !== undefined && message.step === step) found.set(lead.id, [message])
      else if (step !== null) keys.push({ lead: lead.id, step })
    }
    if (keys.length === 0) return found
    for (const row of yield* execute<MessageRow.MessageRow>(sql.messages, [keys])) {
      const rows = found.get(row.lead_id)
      if (rows === undefined) found.set(row.lead_id, [MessageRow.decode(row)])
      else rows.push(MessageRow.decode(row))
    }
    for (const rows of found.values()) rows.sort((a, b) => a.part - b.part)
    return found
  })

  const writeLeads = Effect.fnUntraced(function* (
    changes: ReadonlyArray<{ readonly before: Lead; readonly change: LeadChange }>
  ) {
    const settled: Array<Lead> = []
    const others: Array<Lead> = []
    for (const { before, change } of changes) {
      const isSettled = Columns.differsOnlyIn(settledFields, before, change.lead)
      ;(isSettled ? settled : others).push(change.lead)
    }
    if (settled.length > 0) yield* write(sql.settled, [settled.map(encodeSettled)])
    if (others.length > 0) yield* write(sql.leads, [others.map(LeadRow.encodeState)])
  })

  const hold: CampaignStore["Service"]["hold"] = Effect.fnUntraced(function* (workspace, contacts, leads) {
    const ids = new Set([...leads, ...(yield* select({ type: "contacts", workspace, contacts }))])
    if (ids.size === 0) return { leads: [], messages: [] }
    const held = Array.from(ids)
      .sort()
      .map((id) => ({ id }))
    const named = Array.from(new Set(leads), (id) => ({ id }))
    // Sent together, and answered one after the other: the messages are those of the locked rows.
    const [, touching, siblings] = yield* Effect.all(
      [
        execute(sql.hold, [held]),
        execute<{ readonly id: MessageId }>(sql.touching, [held]),
        named.length === 0 ? Effect.succeed([]) : execute<{ readonly id: MessageId }>(sql.siblings, [named])
      ],
      { concurrency: "unbounded" }
    )
    return {
      leads: held.map(({ id }) => id),
      messages: [...new Set([...touching, ...siblings].map(({ id }) => id))]
    }
  })

  const holdCounts: CampaignStore["Service"]["holdCounts"] = Effect.fnUntraced(function* (leads) {
    if (leads.length === 0) return
    const rows = yield* execute<{ readonly campaign_id: string; readonly account_id: string | null }>(sql.counted, [
      Array.from(new Set(leads), (id) => ({ id }))
    ])
    const keys = [
      ...new Map(
        rows.map(({ account_id, campaign_id }) => [
          `${campaign_id}|${account_id}`,
          { campaign: campaign_id, account: account_id ?? "" }
        ])
      ).values()
    ]
    const order = (one: (typeof keys)[number]) => `${one.campaign}|${one.account}`
    keys.sort((a, b) => (order(a) < order(b) ? -1 : 1))
    const campaigns = keys.flatMap(({ account, campaign }) => (account === "" ? [{ id: campaign }] : []))
    const paces = keys.filter(({ account }) => account !== "")
    if (campaigns.length > 0) yield* execute(sql.holdCampaigns, [campaigns])
    if (paces.length > 0) yield* execute(sql.holdPaces, [paces])
  })

  const changeLeads: CampaignStore["Service"]["changeLeads"] = (selector, _now, change) =>
    hotTransaction(
      Effect.gen(function* () {
        const ids = Array.from(new Set(yield* select(selector))).sort()
        if (ids.length === 0) return []
        const rows = yield* execute<LockedRow>(sql.lock, [ids.map((id) => ({ id }))])
        const versions = new Map(rows.map((row) => [row.campaign_id, row.campaign_version]))
        const leads = rows.map(LeadRow.decode).filter((lead) => LeadSelection.isMeant(selector, lead))
        const messages = yield* touches(leads, selector)
        const changes: Array<{ readonly before: Lead; readonly change: LeadChange }> = []
        const written: Array<Message> = []
        const released: Array<Message> = []
        const again: Array<Message> = []
        for (const before of leads) {
          const own = messages.get(before.id) ?? []
          const answer = change(before, own, versions.get(before.campaign) ?? 0)
          if (answer === null) continue
          changes.push({ before, change: answer })
          const after = changed(new Map(own.map((message) => [message.id, message])), answer)
          written.push(...after.rows)
          released.push(...after.released)
          again.push(...after.again)
        }
        if (changes.length === 0) return []
        yield* writeLeads(changes)
        if (written.length > 0) yield* write(sql.write, [written.map(encode)])
        if (again.length > 0) yield* write(sql.requeue, [again.map(encodeAgain)])
        yield* forget(changes.flatMap(({ before, change }) => (change.forget ? [before] : [])))
        yield* append(changes.flatMap(({ change }) => change.events))
        // After what has no answer to wait for.
        yield* count(
          changes.map(({ before, change }) => ({
            campaign: before.campaign,
            account: before.account,
            counts: change.counts,
            wentOut:
              change.wentOutOn === null
                ? null
                : { account: before.account ?? change.lead.account, on: change.wentOutOn }
          }))
        )
        yield* budgets.giveBack(released)
        return changes.map(({ change }) => change.lead)
      })
    )

  return { changeLeads, hold, holdCounts }
}
