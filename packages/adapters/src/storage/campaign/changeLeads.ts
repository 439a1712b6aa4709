/**
 * Changes leads by a rule over locked rows, with the messages of their present touch. Locks leads in id order, then their
 * messages, then contacts, campaigns and paces: the order of everyone who waits.
 */
import type { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { LeadChange, LeadSelector } from "@overture/core/campaign/LeadChange"
import { type Lead, isFollowUp, isOpen } from "@overture/core/campaign/Lead"
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
import * as Look from "./look.ts"
import * as Forgetting from "./Forgetting.ts"

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
  // One text for each index that has leads of a campaign in some state.
  const inState = (where: string) => `select l.id from ${t("lead")} as l where l.campaign_id = $1
    and (${sql.p(2, "id")} is null or l.account_id = $2) and l.claim_id is null and ${where} limit $3`
  const unstopped = (where: string) =>
    `select l.id from ${t("lead")} as l where l.campaign_id = $1 and l.stop is null and ${where} limit $2`
  const active = {
    activePending: unstopped("l.status = 'pending'"),
    activeReady: unstopped("l.status = 'assigned' and l.due_at is null"),
    activeDue: unstopped("l.due_at is not null"),
    activeParts: unstopped(Look.isBetweenParts)
  }
  return {
    ofContacts: `select l.id from ${sql.rows("x", 1, { contact: "id" })}
      ${lookup(sql, "lead", "l", "l.workspace_id = $2 and l.contact_id = x.contact")}`,
    pending: inState("l.status = 'pending'"),
    ready: inState("l.status = 'assigned' and l.due_at is null"),
    deferred: inState("l.status = 'assigned' and l.due_at is not null"),
    others: inState(`l.status in (select s.status from ${sql.rows("s", 4, { status: "text" })})`),
    ...active,
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

/** Whether anything of the lead is open, claimed or to come. */
const isActive = (lead: Lead): boolean => isOpen(lead) || lead.step !== null || lead.claim !== null

/** Whether a locked lead is still one that was asked for. */
const isMeant = (selector: LeadSelector, lead: Lead): boolean => {
  switch (selector.type) {
    case "ids":
      return true
    case "contacts":
      return isActive(lead)
    case "active":
      return isActive(lead) && lead.stop === null
    case "campaign":
      return (
        lead.claim === null &&
        selector.statuses.includes(lead.status) &&
        (selector.account === undefined || lead.account === selector.account)
      )
  }
}

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

export const make = (database: Database["Service"]): CampaignStore["Service"]["changeLeads"] => {
  const sql = database.statements(statements)
  const { execute, hotTransaction, write } = database
  const append = EventSqlStore.appender(database)
  const budgets = Budgets.make(database)
  const count = Counters.make(database)
  const forget = Forgetting.make(database)

  const select = Effect.fnUntraced(function* (selector: LeadSelector) {
    if (selector.type === "ids") return selector.ids
    const found: Array<LeadId> = []
    if (selector.type === "contacts") {
      if (selector.contacts.length === 0) return found
      const contacts = Array.from(new Set(selector.contacts), (contact) => ({ contact }))
      const rows = yield* execute<{ readonly id: LeadId }>(sql.ofContacts, [contacts, selector.workspace])
      return rows.map(({ id }) => id)
    }
    if (selector.type === "active") {
      const seen = new Set<LeadId>()
      for (const text of [sql.activePending, sql.activeReady, sql.activeDue, sql.activeParts]) {
        if (seen.size >= selector.limit) break
        const rows = yield* execute<{ readonly id: LeadId }>(text, [selector.campaign, selector.limit - seen.size])
        for (const { id } of rows) seen.add(id)
      }
      return [...seen]
    }
    const { account = null, campaign, limit, statuses } = selector
    const others = statuses.filter((status) => status !== "pending" && status !== "assigned")
    const texts = [
      ...(statuses.includes("pending") ? [sql.pending] : []),
      ...(statuses.includes("assigned") ? [sql.ready, sql.deferred] : []),
      ...(others.length > 0 ? [sql.others] : [])
    ]
    for (const text of texts) {
      if (found.length >= limit) break
      const more = text === sql.others ? [others.map((status) => ({ status }))] : []
      const rows = yield* execute<{ readonly id: LeadId }>(text, [campaign, account, limit - found.length, ...more])
      found.push(...rows.map(({ id }) => id))
    }
    return found
  })

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

  return (selector, _now, change) =>
    hotTransaction(
      Effect.gen(function* () {
        const ids = Array.from(new Set(yield* select(selector))).sort()
        if (ids.length === 0) return []
        const rows = yield* execute<LockedRow>(sql.lock, [ids.map((id) => ({ id }))])
        const versions = new Map(rows.map((row) => [row.campaign_id, row.campaign_version]))
        const leads = rows.map(LeadRow.decode).filter((lead) => isMeant(selector, lead))
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
}
