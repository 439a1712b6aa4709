/** The parts of a verdict that the database answers alone: leads, events, opt-outs and budgets. */
import type { Ledger, MessageRow } from "./Ledger.ts"
import type { Setting } from "./Setting.ts"
import { sentence } from "./sentence.ts"

/** Every lead has come to its end. */
export const leadsOf = async (ledger: Ledger): Promise<ReadonlyArray<string>> => {
  const open = await ledger.rows<{ readonly id: string; readonly status: string }>(
    `select id, status from overture_lead
      where status not in ('sent', 'partial', 'failed', 'skipped') or step_id is not null or claim_id is not null`
  )
  return sentence(
    "leads without an end",
    open.map(({ id, status }) => `${id} ${status}`)
  )
}

const ends = ["lead.sent", "lead.partial", "lead.failed", "lead.skipped"]

/** One end of step 0 for each lead, at most one of a later step, and one event for each fate of a message. */
export const eventsOf = async (ledger: Ledger): Promise<ReadonlyArray<string>> => {
  const leads = await ledger.rows<{ readonly id: string; readonly settings: string }>(
    "select l.id, cast(c.settings as text) as settings from overture_lead l join overture_campaign c on c.id = l.campaign_id"
  )
  const events = await ledger.rows<{ readonly type: string; readonly subject: string; readonly data: string }>(
    "select type, subject, cast(data as text) as data from overture_event where type like 'lead.%' or type like 'message.%'"
  )
  const count = new Map<string, number>()
  const add = (key: string) => count.set(key, (count.get(key) ?? 0) + 1)
  for (const { data, subject, type } of events) {
    if (type === "message.sent" || type === "message.failed") add(`${type} ${subject}`)
    if (!ends.includes(type)) continue
    // What a person's own doing ends names no step: then it is the first.
    add(`${subject} ${(JSON.parse(data) as { readonly step?: string }).step ?? "first"}`)
  }
  const firstOf = new Map<string, string>()
  const first = (settings: string) => {
    const known = firstOf.get(settings)
    if (known !== undefined) return known
    const id = (JSON.parse(settings) as { readonly steps: ReadonlyArray<{ readonly id: string }> }).steps[0]?.id ?? ""
    firstOf.set(settings, id)
    return id
  }
  const wrong = leads.flatMap(({ id, settings }) => {
    const n = (count.get(`${id} ${first(settings)}`) ?? 0) + (count.get(`${id} first`) ?? 0)
    return n === 1 ? [] : [`${id} ${n}`]
  })
  const repeated = [...count].filter(([, n]) => n > 1).map(([key, n]) => `${key} ${n}`)
  const messages = await ledger.messages()
  const untold = messages.flatMap(({ id, status }) => {
    const type = status === "failed" ? "message.failed" : status === "sent" ? "message.sent" : null
    return type === null || count.has(`${type} ${id}`) ? [] : [`${id} ${status}`]
  })
  return [
    ...sentence("leads whose first touch has not exactly one event", wrong),
    ...sentence("events told twice", repeated),
    ...sentence("messages whose fate no event tells", untold)
  ]
}

/** When a UUIDv7 was made, in epoch milliseconds. */
const madeAt = (id: string) => Number.parseInt(id.slice(id.indexOf("_") + 1, id.indexOf("_") + 13), 16)

/** How long the transaction of an opt-out may have taken from its ids to its commit (milliseconds). */
const commitMs = 2_000

/** Nothing is begun for a person who has opted out. */
export const optOutsOf = async (ledger: Ledger, rows: ReadonlyArray<MessageRow>): Promise<ReadonlyArray<string>> => {
  const events = await ledger.rows<{ readonly id: string; readonly subject: string }>(
    "select id, subject from overture_event where type = 'contact.opted_out'"
  )
  const since = new Map<string, number>()
  for (const { id, subject } of events) since.set(subject, Math.min(since.get(subject) ?? Infinity, madeAt(id)))
  const late = rows.filter(
    ({ begun_at, contact_id }) => begun_at !== null && begun_at > (since.get(contact_id) ?? Infinity) + commitMs
  )
  return sentence(
    "begun although the person had opted out",
    late.map(({ id, status }) => `${id} ${status}`)
  )
}

interface Reserved {
  readonly pace: string | null
  readonly account: string
}

/** Quotas and caps by their days, as far as messages went out or may have, and no row reserves what it gave back. */
export const budgetsOf = async (
  setting: Setting,
  ledger: Ledger,
  rows: ReadonlyArray<MessageRow>
): Promise<ReadonlyArray<string>> => {
  const caps = new Map(
    (
      await ledger.rows<{ readonly id: string; readonly daily_cap: number | null }>(
        "select id, daily_cap from overture_account"
      )
    ).map(({ daily_cap, id }) => [id, daily_cap])
  )
  const ofPace = new Map<string, number>()
  const ofAccount = new Map<string, number>()
  const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
  const idle: Array<string> = []
  for (const { account_id, campaign_id, id, reason, reserved, status } of rows) {
    const used =
      status === "sent" ||
      status === "delivered" ||
      status === "read" ||
      (status === "failed" && reason === "outcomeUnknown")
    if (used !== (reserved !== null)) idle.push(`${id} ${status} ${reason ?? ""}`)
    if (!used || reserved === null) continue
    const days = JSON.parse(reserved) as Reserved
    add(ofPace, `${campaign_id} ${account_id} ${days.pace}`)
    add(ofAccount, `${account_id} ${days.account}`)
  }
  // A day's first touch may pass the quota; none here has more parts than it.
  const overQuota = [...ofPace].filter(([, n]) => n > setting.quota).map(([key, n]) => `${key} ${n}`)
  const overCap = [...ofAccount]
    .filter(([key, n]) => n > (caps.get(key.slice(0, key.indexOf(" "))) ?? Infinity))
    .map(([key, n]) => `${key} ${n}`)
  const paces = await ledger.rows<{
    readonly campaign_id: string
    readonly account_id: string
    readonly date: string | null
    readonly used: number
  }>("select campaign_id, account_id, date, used from overture_pace")
  const uses = await ledger.rows<{ readonly id: string; readonly use_day: string | null; readonly use_count: number }>(
    "select id, use_day, use_count from overture_account"
  )
  return [
    ...sentence("messages that hold a budget without using it, or the reverse", idle),
    ...sentence("over the quota", overQuota),
    ...sentence("over the account's cap", overCap),
    ...sentence(
      "paces whose used is not what went out on their day",
      paces.flatMap(({ account_id, campaign_id, date, used }) => {
        const n = ofPace.get(`${campaign_id} ${account_id} ${date}`) ?? 0
        return n === used ? [] : [`${campaign_id} ${account_id} ${date} says ${used}, ${n} went out`]
      })
    ),
    ...sentence(
      "accounts whose use is not what went out on their day",
      uses.flatMap(({ id, use_count, use_day }) => {
        const n = ofAccount.get(`${id} ${use_day}`) ?? 0
        return n === use_count ? [] : [`${id} ${use_day} says ${use_count}, ${n} went out`]
      })
    )
  ]
}
