/** Leads in memory: which ones a change is about, what it writes, and how they are enrolled, drawn and counted. */
import type { LeadCounts } from "../campaign/CampaignStore.ts"
import type { LeadChange, LeadSelector } from "../campaign/LeadChange.ts"
import * as Lead from "../campaign/Lead.ts"
import { type Message, requeued } from "../chat/Message.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { CampaignId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { append } from "./MemoryEventStore.ts"
import * as Paces from "./Paces.ts"
import { byId, firstOf } from "./Paging.ts"
import { cancel } from "./Reservations.ts"
import { type State, touchMessages } from "./State.ts"

const select = (state: State, selector: LeadSelector): ReadonlyArray<Lead.Lead> => {
  switch (selector.type) {
    case "ids":
      return [...new Set(selector.ids)].flatMap((id) => state.leads.get(id) ?? []).sort(byId)
    case "contacts":
      return [...new Set(selector.contacts)]
        .flatMap((contact) => [...state.leadsByContact.get(contact).values()])
        .filter((lead) => lead.workspace === selector.workspace && (selector.ended === true || Lead.isActive(lead)))
        .sort(byId)
    case "active":
      return firstOf(
        [...state.activeLeads.get(selector.campaign).values()].filter((lead) => lead.stop === null),
        selector.limit,
        byId
      )
    case "campaign": {
      const { account, campaign, limit, statuses } = selector
      const leads = [...state.leadsByCampaign.get(campaign).values()].filter(
        (lead) =>
          lead.claim === null && statuses.includes(lead.status) && (account === undefined || lead.account === account)
      )
      return firstOf(leads, limit, byId)
    }
  }
}

/** Takes the touch of the lead's step out of what its contact remembers. */
const forget = (state: State, { contact, id, step }: Lead.Lead): void => {
  const row = state.contacts.get(contact)
  const touches = row?.touches.filter((touch) => touch.lead !== id || touch.step !== step)
  if (row !== undefined && touches !== undefined) state.contacts.set(contact, { ...row, touches })
}

const write = (state: State, before: Lead.Lead, change: LeadChange): Lead.Lead => {
  const { lead } = change
  state.leads.set(lead.id, lead)
  for (const { id, reason } of change.cancel) {
    const message = state.messages.get(id)
    if (message?.status === "queued") cancel(state, message, reason)
  }
  for (const { id, reason } of change.stop) state.messages.set(id, { ...state.messages.need(id), stop: reason })
  for (const { dueAt, id } of change.queue) {
    const message = state.messages.get(id)
    if (message?.status === "queued") state.messages.set(id, { ...message, dueAt })
  }
  for (const { id, tries } of change.requeue) {
    const message = state.messages.get(id)
    if (message?.status === "failed" || message?.status === "cancelled") {
      state.messages.set(id, requeued(message, tries))
    }
  }
  Paces.count(state, before, change.counts)
  const account = before.account ?? lead.account
  if (change.forget) forget(state, before)
  if (change.wentOutOn !== null && account !== null) Paces.wentOut(state, lead.campaign, account, change.wentOutOn)
  append(state, change.events)
  return lead
}

/** Applies a rule to leads and the messages of their present touch; returns the leads that it changed. */
export const changeLeads = (
  state: State,
  selector: LeadSelector,
  change: (lead: Lead.Lead, messages: ReadonlyArray<Message>, version: number) => LeadChange | null
): ReadonlyArray<Lead.Lead> =>
  select(state, selector).flatMap((lead) => {
    const step = selector.type === "ids" && selector.step !== undefined ? selector.step(lead) : lead.step
    const answer = change(
      lead,
      touchMessages(state, lead.id, step),
      state.campaigns.need(lead.campaign).campaign.version
    )
    return answer === null ? [] : [write(state, lead, answer)]
  })

/** Adds leads whose contact is still there and the campaign has not yet, with the events that are not about others. */
export const enroll = (
  state: State,
  campaign: CampaignId,
  leads: ReadonlyArray<Lead.Lead>,
  events: ReadonlyArray<DomainEvent>,
  now: Instant
): ReadonlyArray<Lead.Lead["id"]> => {
  const leftOut = new Set<string>()
  for (const lead of leads) {
    const isGone = state.contacts.get(lead.contact)?.contact.workspace !== lead.workspace
    const isKnown =
      state.leads.get(lead.id) !== undefined ||
      [...state.leadsByContact.get(lead.contact).values()].some((other) => other.campaign === campaign)
    if (isGone || isKnown) leftOut.add(lead.id)
    else {
      state.leads.set(lead.id, lead)
      if (lead.status === "skipped") Paces.count(state, { campaign, account: null }, { skipped: 1 })
    }
  }
  append(
    state,
    events.filter((event) => !leftOut.has(event.subject))
  )
  const added = leads.flatMap(({ id }) => (leftOut.has(id) ? [] : [id]))
  if (added.length > 0) {
    for (const pace of Paces.of(state, campaign)) Paces.ring(state, pace, now)
  }
  return added
}

/** How a lead is counted: a claimed one whose message is being sent is sending. */
export const standing = (state: State, lead: Lead.Lead): Lead.LeadStatus => {
  const status = Lead.shown(lead)
  if (status !== "claimed") return status
  return touchMessages(state, lead.id, lead.step).some((row) => row.status === "sending") ? "sending" : "claimed"
}

type Terms = Omit<LeadCounts, "total">

const withTotal = (terms: Terms): LeadCounts => ({ ...terms, total: Lead.total(terms) })

const tally = (state: State, leads: Iterable<Lead.Lead>): Terms => {
  const terms: { -readonly [K in keyof Terms]: number } = { ...Lead.nobody, replied: 0 }
  for (const lead of leads) {
    terms[standing(state, lead)]++
    if (lead.repliedAt !== null) terms.replied++
  }
  return terms
}

/** Open leads from their rows, the others from the counters. */
export const counts = (state: State, campaign: CampaignId): LeadCounts => {
  const open = [...state.activeLeads.get(campaign).values()].filter(Lead.isOpen)
  const row = state.campaigns.get(campaign)
  const counted = [...Paces.of(state, campaign), ...(row === undefined ? [] : [row])].map((holder) => holder.counts)
  const sum = (name: "sent" | "partial" | "failed" | "skipped" | "replied"): number =>
    counted.reduce((total, one) => total + one[name], 0)
  return withTotal({
    ...tally(state, open),
    sent: sum("sent"),
    partial: sum("partial"),
    failed: sum("failed"),
    skipped: sum("skipped"),
    replied: sum("replied")
  })
}

/** Everything from the rows of the leads. */
export const recount = (state: State, campaign: CampaignId): LeadCounts =>
  withTotal(tally(state, state.leadsByCampaign.get(campaign).values()))

/** Leads by status, reason and end, the most frequent first. */
export const breakdown = (state: State, campaign: CampaignId) => {
  const groups = new Map<
    string,
    { status: Lead.LeadStatus; reason: string | null; ended: string | null; count: number }
  >()
  for (const lead of state.leadsByCampaign.get(campaign).values()) {
    const { ended, reason } = lead
    const status = Lead.shown(lead)
    const key = `${status}|${reason}|${ended}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { status, reason, ended, count: 1 })
    else group.count += 1
  }
  return [...groups.values()].sort((a, b) => b.count - a.count)
}

/** How many leads with a step to come are of contacts of each zone. */
export const zones = (state: State, campaign: CampaignId) => {
  const people = new Map<string | null, number>()
  for (const lead of state.leadsByCampaign.get(campaign).values()) {
    if (lead.step === null) continue
    const { timezone } = state.contacts.need(lead.contact).contact
    people.set(timezone, (people.get(timezone) ?? 0) + 1)
  }
  return Array.from(people, ([timezone, count]) => ({ timezone, people: count }))
}
