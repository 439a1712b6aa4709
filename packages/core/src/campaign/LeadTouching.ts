/**
 * What a claim does with the paces that rang: which slots are due, which ready lead takes which slot, what the gates say,
 * what is rendered and which budgets it takes. Pure over the rows that the claim has locked.
 */
import type { Account } from "../account/Account.ts"
import * as Address from "../channel/Address.ts"
import type { Channel } from "../channel/Channel.ts"
import type { ChannelName } from "../channel/Address.ts"
import * as Chat from "../chat/Chat.ts"
import type { Message } from "../chat/Message.ts"
import { touchesKept } from "../contact/Contact.ts"
import type { DomainEvent, Fact } from "../event/DomainEvent.ts"
import * as Gate from "../outbox/Gate.ts"
import * as Budget from "../workspace/Budget.ts"
import type { ClaimId, IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import * as Dates from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import { seedKey, stepAt } from "./Campaign.ts"
import type { ClaimRules, DuePace, LeadCandidate, LeadDecision, PaceWant } from "./CampaignStore.ts"
import * as DayPlan from "./DayPlan.ts"
import * as Lead from "./Lead.ts"
import { chooseAddress, leadGates, paceGates } from "./LeadGates.ts"
import * as PacePlan from "./PacePlan.ts"
import type { Step } from "./Step.ts"
import * as TouchRendering from "./TouchRendering.ts"

export interface Input {
  readonly now: Instant
  readonly claim: ClaimId
  readonly ids: IdGenerator
  readonly channels: ReadonlyMap<ChannelName, Channel>
  readonly templates: TouchRendering.TemplateCache
}

export interface Rules extends ClaimRules {
  /** Campaigns of which a pace began a day or found no lead: their pool is to be drawn from. */
  readonly hungry: ReadonlySet<DuePace["campaign"]["id"]>
  /** Paces whose account can no longer be counted on: what it holds untouched goes back to the pool. */
  readonly lost: ReadonlyArray<DuePace>
}

/** The most leads that one pace looks at in one claim. */
export const maxCandidates = 20
/** When a pace looks again whose ready leads were held by someone else. */
const heldMs = 1_000

const earliest = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null ? b : b === null ? a : Math.min(a, b)

/** The calendar day of an account's budgets. */
export const accountDay = (account: Account, workspaceZone: string, now: Instant): LocalDate =>
  Zone.localDate(Zone.make(account.timezone ?? workspaceZone), now)

const dayAfter = (zone: string, date: LocalDate): Instant =>
  Zone.toInstant(Zone.make(zone), Dates.addDays(date, 1), 0, "first")

export interface LeadVerdict {
  readonly verdict: Gate.Verdict
  readonly step: Step
  readonly address: Address.Address | null
  readonly contents: TouchRendering.RenderedTouch | null
}

/** What the gates say of one lead: the same for a claim and for an explanation. */
export const judge = (
  input: Pick<Input, "now" | "channels" | "templates">,
  due: DuePace,
  candidate: LeadCandidate,
  step: Step
): LeadVerdict => {
  const channel = input.channels.get(due.account.account.channel)
  const { address, isSuppressed } = chooseAddress(
    candidate.lead,
    candidate.contact,
    due.account.account,
    candidate.suppressions
  )
  const context = { ...due, ...candidate, now: input.now, channel, address, isSuppressed }
  const verdict = Gate.decide(leadGates, context)
  if (verdict.type !== "allow" || channel === undefined || address === null) {
    return { verdict, step, address, contents: null }
  }
  const contents = TouchRendering.render(
    input.templates,
    due.campaign,
    step,
    candidate.contact,
    channel,
    `${seedKey(due.campaign)}|${Address.key(address)}`
  )
  return { verdict: TouchRendering.contentGate.decide(contents), step, address, contents }
}

/** The rules of one claim, with what it found out beside its decision. */
export const rules = (input: Input): Rules => {
  const { now } = input
  const hungry = new Set<DuePace["campaign"]["id"]>()
  const lost: Array<DuePace> = []
  const plans = new Map<DuePace, PacePlan.PacePlan>()

  const plan = (due: ReadonlyArray<DuePace>): ReadonlyArray<PaceWant> =>
    due.map((one): PaceWant => {
      const channel = input.channels.get(one.account.account.channel)
      const planned = PacePlan.plan(one.pace, one.campaign, one.account, now)
      const verdict = Gate.decide(paceGates, { ...one, now, channel })
      if (verdict.type !== "allow") {
        const nextAt = verdict.type === "defer" ? verdict.until : null
        plans.set(one, { ...planned, due: 0, pace: { ...planned.pace, nextAt } })
        if (verdict.type === "block" && (verdict.reason === "accountDisabled" || verdict.reason === "needsAttention" ||
          verdict.reason === "banned")) lost.push(one)
        return { due: one, want: 0 }
      }
      if (planned.isNewDay) hungry.add(one.campaign.id)
      plans.set(one, planned)
      return { due: one, want: Math.min(maxCandidates, planned.due) }
    })

  const decide: ClaimRules["decide"] = (wants) => {
    const touches: Array<LeadDecision["touches"][number]> = []
    const leads: Array<Lead.Lead> = []
    const paces: Array<LeadDecision["paces"][number]> = []
    const events: Array<DomainEvent> = []
    const accounts = new Map<string, { id: Account["id"]; use: Budget.DayUse; lastTouchAt: Instant | null }>()
    const workspaces = new Map<string, LeadDecision["workspaces"][number]>()
    const tell = (fact: Fact) => void events.push({ ...fact, id: input.ids.next("evt"), at: now })

    for (const { dryness, first, followUps, want: { due } } of wants) {
      const planned = plans.get(due)
      if (planned === undefined) continue
      const { campaign, workspace: { workspace } } = due
      const { account } = due.account
      let { pace } = planned
      if (planned.due === 0) {
        paces.push(pace)
        continue
      }
      const zone = account.timezone ?? workspace.timezone
      const accountDate = accountDay(account, workspace.timezone, now)
      const workspaceDate = Zone.localDate(Zone.make(workspace.timezone), now)
      let state = accounts.get(account.id) ?? { id: account.id, use: due.account.use, lastTouchAt: due.account.lastTouchAt }
      let tenant = workspaces.get(workspace.id) ?? { id: workspace.id, use: due.workspace.use }
      const queues = { first: [...first], followUps: [...followUps] }
      const asked = Math.min(maxCandidates, planned.due)
      // Fewer than asked for means that nothing else is ready; as many means that more may be.
      const exhausted = first.length < asked && followUps.length < asked
      const start = pace.slot
      let sleepUntil: Instant | null | undefined

      for (let slot = start; slot < start + planned.due && sleepUntil === undefined;) {
        const wantsFirst = DayPlan.isFirstTouch(slot, campaign.settings.pacing.newShare)
        const queue = wantsFirst
          ? queues.first.length > 0 ? queues.first : queues.followUps
          : queues.followUps.length > 0 ? queues.followUps : queues.first
        const candidate = queue.shift()
        if (candidate === undefined) break
        const { lead } = candidate
        const found = stepAt(campaign.settings, lead.step)
        if (found === null) {
          // An edit took its step away: nothing is left to say to it.
          leads.push(Lead.end(lead, "completed"))
          continue
        }
        const k = found.step.parts.length
        const cap = Math.min(account.dailyCap ?? Infinity, workspace.dailyCap ?? Infinity)
        if (k > cap) {
          sleepUntil = null
          break
        }
        if (pace.used > 0 && pace.used + k > pace.quota) {
          sleepUntil = PacePlan.nextDayOf(planned, campaign)
          break
        }
        if (Budget.left(state.use, accountDate, account.dailyCap) < k) {
          sleepUntil = dayAfter(zone, accountDate)
          break
        }
        if (Budget.left(tenant.use, workspaceDate, workspace.dailyCap) < k) {
          sleepUntil = dayAfter(workspace.timezone, workspaceDate)
          break
        }
        const { address, contents, verdict } = judge(input, due, candidate, found.step)
        if (verdict.type === "block") {
          sleepUntil = null
          break
        }
        if (verdict.type === "defer") {
          if (verdict.of === "pace") {
            sleepUntil = verdict.until
            break
          }
          leads.push({ ...lead, dueAt: verdict.until })
          continue
        }
        if (verdict.type === "skip") {
          const skipped = skip(lead, campaign.settings, found, verdict.reason, now)
          leads.push(skipped)
          tell({
            workspace: lead.workspace,
            type: "lead.skipped",
            subject: lead.id,
            actor: { type: "campaign", id: campaign.id },
            cause: null,
            data: {
              campaign: campaign.id,
              step: found.step.id,
              reason: verdict.reason,
              ...(contents?.type === "refused" && { detail: contents.detail })
            }
          })
          if (found.index === 0) pace = { ...pace, counts: { ...pace.counts, skipped: pace.counts.skipped + 1 } }
          continue
        }
        if (address === null || contents === null || contents.type !== "rendered" || pace.date === null) continue
        const reserved = { pace: pace.date, account: accountDate, workspace: workspaceDate }
        const addressKey = Address.key(address)
        const earlier = new Map(candidate.messages.map((message) => [message.part, message]))
        const messages = contents.contents.map((content, part): Message => {
          const former = earlier.get(part)
          return {
            id: former?.id ?? input.ids.next("msg"),
            workspace: lead.workspace,
            account: account.id,
            chat: Chat.idOf(account.id, addressKey),
            contact: lead.contact,
            address: addressKey,
            direction: "outbound",
            author: { type: "campaign", id: campaign.id },
            campaign: campaign.id,
            campaignVersion: campaign.version,
            lead: lead.id,
            step: found.step.id,
            part,
            parts: k,
            content,
            status: "queued",
            reason: null,
            errorCode: null,
            errorDetail: null,
            attempts: former?.attempts ?? 0,
            tries: former?.tries ?? 0,
            externalId: null,
            replyTo: null,
            notBefore: null,
            dueAt: null,
            claim: part === 0 ? input.claim : null,
            stop: null,
            reserved,
            createdAt: former?.createdAt ?? now,
            begunAt: null,
            sentAt: null,
            deliveredAt: null,
            readAt: null,
            failedAt: null,
            externalRef: null,
            metadata: {}
          }
        })
        const known = candidate.touches.filter((touch) => touch.lead !== lead.id || touch.step !== found.step.id)
        touches.push({
          lead: { ...lead, claim: input.claim, address: addressKey },
          messages,
          contactTouches: [
            ...known.slice(-(touchesKept - 1)),
            { at: now, campaign: campaign.id, lead: lead.id, step: found.step.id }
          ]
        })
        pace = { ...pace, used: pace.used + k, slot: slot + 1 }
        state = { id: account.id, use: Budget.take(state.use, accountDate, k), lastTouchAt: now }
        tenant = { id: workspace.id, use: Budget.take(tenant.use, workspaceDate, k) }
        slot += 1
      }

      accounts.set(account.id, state)
      if (workspace.dailyCap !== null) workspaces.set(workspace.id, tenant)
      const usedAll = pace.slot === start + planned.due
      if (sleepUntil === undefined && !usedAll && exhausted && queues.first.length + queues.followUps.length === 0) {
        hungry.add(campaign.id)
      }
      const nextAt = sleepUntil !== undefined
        ? sleepUntil
        : usedAll
        ? PacePlan.afterSlots(planned, campaign)
        : dryness === null
        ? now
        : earliest(dryness.nextDueAt, dryness.held ? now + heldMs : null)
      const deferredTo = sleepUntil !== undefined ? null : usedAll ? planned.pace.deferredTo : planned.deferredTo
      paces.push({ ...pace, nextAt, deferredTo })
    }
    return { touches, leads, paces, accounts: [...accounts.values()], workspaces: [...workspaces.values()], events }
  }

  return { plan, decide, hungry, lost }
}

/** A lead whose present touch is skipped: step 0 ends it, a later step is passed over and the next counts from its day. */
const skip = (
  lead: Lead.Lead,
  settings: DuePace["campaign"]["settings"],
  found: { readonly step: Step; readonly index: number },
  reason: string,
  now: Instant
): Lead.Lead => {
  const touched = { ...lead, touches: [...lead.touches, { step: found.step.id, status: "skipped" as const, reason, at: now }] }
  if (found.index === 0) return { ...touched, status: "skipped", reason, step: null, dueAt: null }
  const next = settings.steps[found.index + 1]
  if (reason === "suppressed") return Lead.end(touched, "optedOut")
  return next === undefined ? Lead.end(touched, "completed") : {
    ...touched,
    step: next.id,
    attempts: 0,
    dueAt: Zone.sameLocalTimeAfterDays(Zone.make(settings.timezone), lead.dueAt ?? now, next.sendAfterDays)
  }
}

