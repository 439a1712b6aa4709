/**
 * Which touches a campaign made, and what else became of its leads, as the feed tells it: followed event by event, so a
 * forecast and what really happened are read by the same rule and differ only in what they say.
 *
 * A touch counts once its first part went out, on the campaign's date of that instant.
 */
import type { Campaign } from "../campaign/Campaign.ts"
import * as SendWindow from "../campaign/SendWindow.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { AccountId, LeadId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"

/** A touch whose first part went out. */
export interface LoggedTouch {
  readonly lead: LeadId
  /** The place of its step, 0 = first touch. */
  readonly step: number
  readonly account: AccountId
  readonly date: LocalDate
  readonly at: Instant
  /** Messages of it that went out. */
  readonly messages: number
  /** Whether an earlier try of it had to be repeated. */
  readonly retried: boolean
}

/** A step that did not go out. */
export interface LoggedMiss {
  readonly step: number
  readonly status: "failed" | "skipped"
  readonly reason: string
}

/** What is known of one lead beside its touches. */
export interface LeadStory {
  readonly misses: ReadonlyArray<LoggedMiss>
  /** Why nothing follows: `replied`, `optedOut`, … */
  readonly ended: string | null
  readonly repliedAt: Instant | null
  /** Whether a try has to be repeated and has not been yet. */
  readonly retrying: boolean
}

export interface TouchLog {
  readonly touches: ReadonlyArray<LoggedTouch>
  readonly stories: ReadonlyMap<LeadId, LeadStory>
  readonly finishedAt: Instant | null
}

interface Open {
  misses: Array<LoggedMiss>
  ended: string | null
  repliedAt: Instant | null
  retrying: boolean
  /** The step that comes next. */
  next: number
  /** The touch of it, once its first part went out. */
  touch: { -readonly [K in keyof LoggedTouch]: LoggedTouch[K] } | null
}

const text = (value: unknown): string | null => (typeof value === "string" ? value : null)

/** Follows the feed of a workspace for one campaign. */
export const follow = (campaign: Campaign) => {
  const zone = Zone.make(campaign.settings.timezone)
  const window = campaign.settings.sendWindow
  const places = new Map<string, number>(campaign.settings.steps.map((step, index) => [step.id, index]))
  const touches: Array<LoggedTouch> = []
  const leads = new Map<LeadId, Open>()
  let finishedAt: Instant | null = null

  const openOf = (lead: LeadId): Open => {
    const known = leads.get(lead)
    if (known !== undefined) return known
    const open: Open = { misses: [], ended: null, repliedAt: null, retrying: false, next: 0, touch: null }
    leads.set(lead, open)
    return open
  }

  /** The step that a lead's event is about; what went out of it meanwhile is known as it. */
  const concluded = (open: Open, event: DomainEvent): number => {
    const step = places.get(text(event.data["step"]) ?? "") ?? open.next
    if (open.touch !== null) open.touch.step = step
    open.next = step + 1
    open.touch = null
    open.retrying = false
    return step
  }

  const ofMessage = (event: DomainEvent): void => {
    const lead = text(event.data["lead"])
    if (lead === null) return
    const open = openOf(lead as LeadId)
    if (event.type === "message.retrying") {
      if (event.data["part"] === 0) open.retrying = true
      return
    }
    if (event.type !== "message.sent") return
    if (event.data["part"] !== 0) {
      if (open.touch !== null) open.touch.messages += 1
      return
    }
    open.touch = {
      lead: lead as LeadId,
      step: open.next,
      account: event.data["account"] as AccountId,
      date: SendWindow.dateOf(window, zone, event.at),
      at: event.at,
      messages: 1,
      retried: open.retrying
    }
    open.retrying = false
    touches.push(open.touch)
  }

  const ofLead = (event: DomainEvent): void => {
    const open = openOf(event.subject as LeadId)
    if (event.type === "lead.retried") {
      open.ended = null
      open.retrying = true
      open.next = places.get(text(event.data["touch"]) ?? "") ?? open.next
      return
    }
    if (event.type === "lead.resumed") {
      open.ended = null
      return
    }
    const ended = text(event.data["ended"])
    if (event.type === "lead.replied") open.repliedAt ??= event.at
    if (ended !== null && open.ended === null) open.ended = ended
    if (text(event.data["step"]) === null) {
      // Ended from outside: what is being sent of it is told by an event of its own.
      if (event.type === "lead.skipped") {
        open.misses.push({
          step: open.next,
          status: "skipped",
          reason: text(event.data["reason"]) ?? ended ?? "cancelled"
        })
      }
      return
    }
    const wentOut = open.touch !== null
    const step = concluded(open, event)
    if (event.type === "lead.failed" && !wentOut) {
      open.misses.push({ step, status: "failed", reason: text(event.data["reason"]) ?? "failed" })
    } else if (event.type === "lead.skipped") {
      open.misses.push({ step, status: "skipped", reason: text(event.data["reason"]) ?? "skipped" })
    }
  }

  const take = (event: DomainEvent): void => {
    if (event.subject === campaign.id) {
      if (event.type === "campaign.finished") finishedAt = event.at
      else if (event.type === "campaign.started") finishedAt = null
    }
    if (event.data["campaign"] !== campaign.id) return
    if (event.type.startsWith("message.")) ofMessage(event)
    else if (event.type.startsWith("lead.")) ofLead(event)
  }

  return { take, result: (): TouchLog => ({ touches, stories: leads, finishedAt }) }
}
