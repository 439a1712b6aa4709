/** The claim of campaigns in memory: due paces, their ready leads, and what the rules decided about them. */
import type { ClaimRules, Dryness, LeadCandidate, LeadDecision, PaceWant } from "../campaign/CampaignStore.ts"
import * as Lead from "../campaign/Lead.ts"
import { mayWait, type OpenSequence } from "../campaign/OpenSequence.ts"
import type { Pace } from "../campaign/Pace.ts"
import * as Address from "../channel/Address.ts"
import * as Chat from "../chat/Chat.ts"
import type { Claimed, Message } from "../chat/Message.ts"
import type { AddressHash } from "../contact/Suppression.ts"
import type { Claim, Lease } from "../outbox/Claim.ts"
import type { ContactId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as ClaimRows from "./ClaimRows.ts"
import { append } from "./MemoryEventStore.ts"
import { writeBudgets } from "./MemoryOutboxStore.ts"
import * as Paces from "./Paces.ts"
import { by, firstOf } from "./Paging.ts"
import { cancel } from "./Reservations.ts"
import { activeKey, paceKey, type State, suppressionsOf, touchMessages, within } from "./State.ts"

/** The paces that ring first. */
const byAlarm = by<Pace>(
  (pace) => pace.nextAt ?? Infinity,
  (pace) => pace.campaign,
  (pace) => pace.account
)

/** Those whose dueAt has come first, by it; the others by priority and import number. */
const byTurn = by<Lead.Lead>(
  (lead) => lead.dueAt ?? Infinity,
  (lead) => -lead.priority,
  (lead) => lead.position,
  (lead) => lead.id
)
const byDue = by<Lead.Lead>(
  (lead) => lead.dueAt ?? Infinity,
  (lead) => lead.id
)

const isFree = (lead: Lead.Lead): boolean => lead.claim === null && lead.stop === null

const isReadyFirst = (lead: Lead.Lead, now: Instant): boolean =>
  lead.status === "assigned" && isFree(lead) && (lead.dueAt === null || lead.dueAt <= now)

const isReadyFollowUp = (lead: Lead.Lead, now: Instant): boolean =>
  Lead.isFollowUp(lead) && isFree(lead) && lead.step !== null && lead.dueAt !== null && lead.dueAt <= now

/** The sequences that the contact is in by other campaigns. */
const sequences = (state: State, { campaign, contact }: Lead.Lead): ReadonlyArray<OpenSequence> =>
  [...state.leadsByContact.get(contact).values()].flatMap((lead) => {
    const isOpen = Lead.isUnderWay(lead) || (Lead.isFollowUp(lead) && lead.step !== null)
    const isElsewhere = lead.campaign !== campaign && state.campaigns.need(lead.campaign).campaign.status === "running"
    return isOpen && isElsewhere
      ? [{ campaign: lead.campaign, lead: lead.id, dueAt: Lead.isUnderWay(lead) ? null : lead.dueAt }]
      : []
  })

/** A lead with everything that can forbid or shape its next touch. */
export const candidate = (state: State, lead: Lead.Lead, hash: AddressHash | null): LeadCandidate => {
  const { contact, touches, unreachable = [] } = state.contacts.need(lead.contact)
  const addresses = contact.addresses.map(Address.key)
  return {
    lead,
    contact,
    touches,
    unreachable,
    suppressions: suppressionsOf(state, lead.workspace, addresses, lead.account, hash),
    sequences: mayWait(lead, touches) ? sequences(state, lead) : [],
    chat: lead.account === null ? null : (state.chats.get(Chat.idOf(lead.account, lead.address)) ?? null),
    takenOver: Lead.heedsTakeovers(lead)
      ? addresses.flatMap((address) => [...state.chatsTakenOver.get(within(lead.workspace, address)).values()])
      : [],
    messages: touchMessages(state, lead.id, lead.step)
  }
}

/**
 * What the leads of a pace wait for that got none. Those whose touch is under way count as held, and so do ready ones
 * whose contact another candidate has: the pace must look again.
 */
const dryness = (leads: ReadonlyArray<Lead.Lead>, now: Instant): Dryness => {
  const dueAts = leads.flatMap((lead) => (isFree(lead) && lead.dueAt !== null ? [lead.dueAt] : []))
  return {
    nextDueAt: dueAts.length === 0 ? null : dueAts.reduce((a, b) => Math.min(a, b)),
    held: leads.some((lead) => Lead.isUnderWay(lead) || isReadyFirst(lead, now) || isReadyFollowUp(lead, now))
  }
}

/** The candidates of one want. A contact in `taken` is another candidate's; its lead is passed over. */
const select = (state: State, want: PaceWant, now: Instant, taken: Set<ContactId>, hash: AddressHash | null) => {
  if (want.want <= 0) return { want, first: [], followUps: [], dryness: null }
  const { account, campaign } = want.due.pace
  const leads = [...state.activeLeads.get(activeKey(campaign, account)).values()]
  const free = leads.filter((lead) => !taken.has(lead.contact))
  const first = firstOf(
    free.filter((lead) => isReadyFirst(lead, now)),
    want.want,
    byTurn
  )
  const followUps = firstOf(
    free.filter((lead) => isReadyFollowUp(lead, now)),
    want.want,
    byDue
  )
  for (const lead of [...first, ...followUps]) taken.add(lead.contact)
  const isDry = first.length === 0 && followUps.length === 0
  return {
    want,
    first: first.map((lead) => candidate(state, lead, hash)),
    followUps: followUps.map((lead) => candidate(state, lead, hash)),
    dryness: isDry ? dryness(leads, now) : null
  }
}

const broken = (message: string): never => {
  throw new Error(`the claim would break an invariant: ${message}`)
}

/** Writes a lead that the claim decided about; returns it as it was. */
const writeLead = (state: State, lead: Lead.Lead): Lead.Lead => {
  const before = state.leads.need(lead.id)
  if (before.claim !== null) broken(`lead ${lead.id} is in claim ${before.claim}`)
  state.leads.set(lead.id, lead)
  return before
}

/** A touch exists once: only a row that waits to be tried again, or was cancelled before it began, may be replaced. */
const writeMessage = (state: State, message: Message): void => {
  const existing =
    message.lead === null
      ? undefined
      : touchMessages(state, message.lead, message.step).find((row) => row.part === message.part)
  const mayGo = existing?.status === "cancelled" || (existing?.status === "queued" && existing.claim === null)
  if (existing !== undefined && !mayGo) {
    broken(`part ${message.part} of lead ${message.lead} is ${existing.status} as ${existing.id}`)
  }
  if (existing !== undefined && existing.id !== message.id) state.messages.delete(existing.id)
  state.messages.set(message.id, message)
}

/** Ends the rows of an earlier try of a step that will not be tried again; those of a deferred one wait with it. */
const cancelEarlierTry = (state: State, before: Lead.Lead, lead: Lead.Lead): void => {
  if (lead.status !== "skipped" && lead.step === before.step) return
  const touch = lead.touches.findLast((row) => row.step === before.step)
  for (const row of touchMessages(state, before.id, before.step)) {
    if (row.status === "queued" && row.claim === null) cancel(state, row, touch?.reason ?? lead.reason)
  }
}

const write = (state: State, decision: LeadDecision, lease: Lease, clock: Instant): Claim | null => {
  writeBudgets(state, decision)
  for (const pace of decision.paces) state.paces.set(paceKey(pace), pace)
  const messages: Array<Claimed> = []
  for (const touch of decision.touches) {
    writeLead(state, touch.lead)
    for (const message of touch.messages) {
      writeMessage(state, message)
      if (message.claim === lease.claim) messages.push(ClaimRows.claimed(state, message))
    }
    const contact = state.contacts.need(touch.lead.contact)
    state.contacts.set(touch.lead.contact, { ...contact, touches: touch.contactTouches })
  }
  for (const lead of decision.leads) cancelEarlierTry(state, writeLead(state, lead), lead)
  append(state, decision.events)
  if (messages.length === 0) return null
  ClaimRows.start(state, lease, clock)
  return { id: lease.claim, messages }
}

interface Request {
  readonly now: Instant
  readonly limit: number
  readonly lease: Lease
  readonly rules: ClaimRules
  readonly addressHash?: AddressHash | null | undefined
}

type Looked = ReturnType<typeof select>

/** The paces whose alarm has rung with their candidates; null when none has. */
export const look = (
  state: State,
  { addressHash = null, limit, now, rules }: Request
): ReadonlyArray<Looked> | null => {
  const rung = [...state.paces.values()].filter((pace) => pace.nextAt !== null && pace.nextAt <= now)
  const due = firstOf(rung, limit, byAlarm).map((pace) => Paces.due(state, pace))
  if (due.length === 0) return null
  const taken = new Set<ContactId>()
  return rules.plan(due).map((want) => select(state, want, now, taken, addressHash))
}

/** Writes what the rules decide about them. */
export const decide = (state: State, clock: Instant, { lease, rules }: Request, looked: ReadonlyArray<Looked>) => ({
  claim: write(state, rules.decide(looked), lease, clock),
  planned: looked.map(({ want }) => want)
})
