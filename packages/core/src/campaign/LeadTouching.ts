/**
 * What a claim does with the paces that rang: which slots are due, which ready lead takes which slot, what the gates say,
 * what is rendered and which budgets it takes. Pure over the rows that the claim has locked.
 */
import { Result } from "effect"
import * as Account from "../account/Account.ts"
import * as Address from "../channel/Address.ts"
import type { Channel } from "../channel/Channel.ts"
import type { ChannelName } from "../channel/Address.ts"
import { touchesKept } from "../contact/Contact.ts"
import { type DomainEvent, type Fact, stamped } from "../event/DomainEvent.ts"
import * as Gate from "../outbox/Gate.ts"
import * as SendBudget from "../outbox/SendBudget.ts"
import type { ClaimId, IdGenerator } from "../workspace/Id.ts"
import { earliest, format, type Instant, minute } from "../workspace/Instant.ts"
import { type Campaign, isOver, stepAt } from "./Campaign.ts"
import type { ClaimRules, DuePace, LeadCandidate, LeadDecision, PaceWant } from "./CampaignStore.ts"
import * as DayPlan from "./DayPlan.ts"
import type { AnyHostGate, LoadedGates } from "./HostGate.ts"
import * as Lead from "./Lead.ts"
import * as LeadJudgement from "./LeadJudgement.ts"
import type { Watch } from "./Pace.ts"
import { channelMissing, paceGates } from "./PaceGates.ts"
import * as PacePlan from "./PacePlan.ts"
import * as Sequence from "./Sequence.ts"
import type { Step } from "./Step.ts"
import * as TouchConclusion from "./TouchConclusion.ts"
import { messagesOf, missingParts } from "./TouchMessages.ts"
import type * as TouchRendering from "./TouchRendering.ts"

export interface Input {
  readonly now: Instant
  readonly claim: ClaimId
  readonly ids: IdGenerator
  readonly channels: ReadonlyMap<ChannelName, Channel>
  readonly templates: TouchRendering.TemplateCache
  /** The gates of the host, and what they loaded when `decide` is called. */
  readonly gates: ReadonlyArray<AnyHostGate>
  readonly loaded: () => LoadedGates
  /** When a pace rings again whose channel this process does not have; null = not before someone acts. */
  readonly elsewhere: Instant | null
}

export interface Rules extends Pick<ClaimRules, "plan" | "decide"> {
  /** Campaigns of which a pace began a day or found no lead: their pool is to be drawn from. */
  readonly hungry: ReadonlySet<DuePace["campaign"]["id"]>
  /**
   * Paces whose account cannot be counted on, or whose caps no first touch passes any more: what it holds untouched goes
   * back to the pool.
   */
  readonly lost: ReadonlyArray<DuePace>
  /** Of these, the paces that ring again until that is done, as it happens after the claim's transaction. */
  readonly watches: ReadonlyArray<Watch>
  /** Campaigns whose `endAt` has come. */
  readonly over: ReadonlySet<Campaign>
  /** Paces and leads that could not be judged, and wait. */
  readonly broken: ReadonlyArray<Gate.Broken>
}

/** The most leads that one pace looks at in one claim. */
const maxCandidates = 20
/** When a pace rings again whose account was lost, should the process die that is to give back what it held (milliseconds). */
const lostMs = 2 * minute
/** When a pace looks again whose ready leads were held by someone else. */
const heldMs = 1_000

/** No pace sleeps past the end of its campaign, whatever it sleeps for: then its leads end. */
const alarm = ({ settings: { endAt } }: Campaign, nextAt: Instant | null): Instant | null => earliest(nextAt, endAt)

/** Why a pace sleeps, and until when: null = until someone acts. */
interface Sleep {
  readonly until: Instant | null
  /** Whether only the account's gap made it wait: that extends the life of its slot. */
  readonly isGap: boolean
}

const sleepOf = (verdict: Gate.Verdict): Sleep | null =>
  verdict.type === "block"
    ? { until: null, isGap: false }
    : verdict.type === "defer" && verdict.of === "pace"
      ? { until: verdict.until, isGap: verdict.reason === SendBudget.gapGate.name }
      : null

/** The rules of one claim, with what it found out beside its decision. */
export const rules = (input: Input): Rules => {
  const { now } = input
  const hungry = new Set<DuePace["campaign"]["id"]>()
  const lost: Array<DuePace> = []
  const watches: Array<Watch> = []
  const over = new Set<Campaign>()
  const plans = new Map<DuePace, PacePlan.PacePlan>()
  const broken: Array<Gate.Broken> = []
  const asleep = new Map<DuePace, DuePace["pace"]>()

  const planOne = (one: DuePace): PaceWant => {
    const planned = PacePlan.plan(one.pace, one.campaign, one.account, now)
    if (isOver(one.campaign, now)) {
      over.add(one.campaign)
      plans.set(one, { ...planned, due: 0, pace: { ...one.pace, nextAt: now + heldMs } })
      return { due: one, want: 0 }
    }
    const verdict = Gate.decide(paceGates, LeadJudgement.paceContext(input, one, planned))
    const isLost = one.pace.leftAt !== null || !Account.isAble(one.account.account)
    if (isLost) lost.push(one)
    if (verdict.type === "allow") {
      if (planned.isNewDay) hungry.add(one.campaign.id)
      plans.set(one, planned)
      return { due: one, want: Math.min(maxCandidates, planned.due) }
    }
    if (planned.isNewDay && verdict.type === "defer") hungry.add(one.campaign.id)
    const isElsewhere = verdict.type === "block" && verdict.reason === channelMissing
    const until = isElsewhere ? input.elsewhere : verdict.type === "defer" ? verdict.until : null
    const asleepUntil = alarm(one.campaign, until)
    const nextAt = isLost ? earliest(asleepUntil, now + lostMs) : asleepUntil
    if (nextAt !== null && nextAt !== asleepUntil) {
      const { account, campaign } = one.pace
      watches.push({ campaign, account, alarm: nextAt, until: asleepUntil })
    }
    // A slot that is due waits for another reason than the gap: its life is not extended.
    const deferredTo = planned.due > 0 ? null : planned.pace.deferredTo
    plans.set(one, { ...planned, due: 0, pace: { ...planned.pace, nextAt, deferredTo } })
    return { due: one, want: 0 }
  }

  const plan = (due: ReadonlyArray<DuePace>): ReadonlyArray<PaceWant> =>
    due.map((one) =>
      Result.getOrElse(
        Result.try(() => planOne(one)),
        (error) => {
          broken.push({ subject: one.campaign.id, error })
          plans.delete(one)
          asleep.set(one, { ...one.pace, nextAt: sleepOf(Gate.failed("pace", now))?.until ?? null })
          return { due: one, want: 0 }
        }
      )
    )

  const decide: ClaimRules["decide"] = (wants) => {
    const bench: LeadJudgement.Bench = { ...input, loaded: input.loaded() }
    const touches: Array<LeadDecision["touches"][number]> = []
    const leads: Array<Lead.Lead> = []
    const paces: Array<LeadDecision["paces"][number]> = []
    const events: Array<DomainEvent> = []
    const purse = SendBudget.purse()
    const tell = (due: DuePace, lead: Lead.Lead, fact: Pick<Fact, "type" | "data">) =>
      void events.push(
        stamped(input.ids, now, {
          workspace: lead.workspace,
          subject: lead.id,
          actor: { type: "campaign", id: due.campaign.id },
          type: fact.type,
          data: { campaign: due.campaign.id, ...fact.data }
        })
      )

    for (const {
      dryness,
      first,
      followUps,
      want: { due }
    } of wants) {
      const planned = plans.get(due)
      if (planned === undefined) {
        const pace = asleep.get(due)
        if (pace !== undefined) paces.push(pace)
        continue
      }
      const { campaign } = due
      let { pace } = planned
      if (planned.due === 0) {
        paces.push(pace)
        continue
      }
      const context = LeadJudgement.paceContext(input, due, planned)
      const queues = { first: [...first], followUps: [...followUps] }
      const asked = Math.min(maxCandidates, planned.due)
      // Fewer than asked for means that nothing else is ready; as many means that more may be.
      const exhausted = first.length < asked && followUps.length < asked
      const start = pace.slot
      let sleep: Sleep | null = null

      for (let slot = start; slot < start + planned.due && sleep === null; ) {
        const wantsFirst = DayPlan.isFirstTouch(slot, campaign.settings.pacing.newShare)
        const queue = wantsFirst
          ? queues.first.length > 0
            ? queues.first
            : queues.followUps
          : queues.followUps.length > 0
            ? queues.followUps
            : queues.first
        const candidate = queue.shift()
        if (candidate === undefined) break
        const { lead } = candidate
        const found = stepAt(campaign.settings, lead.step)
        if (found === null) {
          // An edit took its step away: it takes the next in the turn that is due for that.
          leads.push(Sequence.relocate(lead, campaign.settings, now) ?? Lead.end(lead, "completed"))
          continue
        }
        const { step } = found
        const { address, contents, verdict } = Result.getOrElse(
          Result.try(() => LeadJudgement.judge(bench, { ...context, pace }, purse.of(due), candidate, step)),
          (error) => {
            broken.push({ subject: lead.id, error })
            return { address: null, contents: null, verdict: Gate.failed("lead", now) }
          }
        )
        if (verdict.type === "block" && verdict.reason === SendBudget.partsOverCap && isUntouched(lead)) {
          // It goes back to the pool, for an account that has room for it; what does fit goes on.
          if (!lost.includes(due)) lost.push(due)
          continue
        }
        sleep = sleepOf(verdict)
        if (sleep !== null) break
        if (verdict.type === "defer") {
          const deferred = Lead.deferTo(lead, verdict.until, verdict.reason, now)
          leads.push(deferred)
          if (deferred.touches !== lead.touches) {
            tell(due, lead, { type: "lead.deferred", data: { reason: verdict.reason, until: format(verdict.until) } })
          }
          continue
        }
        if (verdict.type === "skip") {
          const detail =
            contents?.type === "refused" && contents.reason === verdict.reason ? { detail: contents.detail } : {}
          leads.push(skip(lead, campaign.settings, found, verdict.reason, now))
          tell(due, lead, { type: "lead.skipped", data: { step: step.id, reason: verdict.reason, ...detail } })
          if (found.index === 0) pace = { ...pace, counts: { ...pace.counts, skipped: pace.counts.skipped + 1 } }
          continue
        }
        if (address === null || contents === null || contents.type !== "rendered" || pace.date === null) continue
        const missing = missingParts(step, candidate.messages)
        if (missing.length === 0) {
          // Proof came while it waited to be tried again: all of it went out.
          leads.push(TouchConclusion.finish(lead, campaign, "sent", null, now))
          if (found.index === 0) pace = { ...pace, counts: { ...pace.counts, sent: pace.counts.sent + 1 } }
          continue
        }
        const parts = missing.length
        const reserved = purse.take(due, parts, now, pace.date, true)
        const draft = { due, candidate, step, address, contents: contents.contents, reserved }
        touches.push({
          lead: {
            ...lead,
            claim: input.claim,
            address: Address.key(address),
            touches: Lead.made(lead),
            // It goes on where it stopped, so it is between two parts until its next one is settled.
            ...(missing[0]! > 0 && { dueAt: null, ...(found.index === 0 && { status: "sending" as const }) })
          },
          messages: messagesOf(draft, input.claim, input.ids, now),
          contactTouches: remembered(candidate, campaign.id, step, now)
        })
        pace = { ...pace, used: pace.used + parts, slot: slot + 1 }
        slot += 1
      }

      const usedAll = pace.slot === start + planned.due
      if (sleep === null && !usedAll && exhausted && queues.first.length + queues.followUps.length === 0) {
        hungry.add(campaign.id)
      }
      const nextAt =
        sleep !== null
          ? sleep.until
          : usedAll
            ? PacePlan.afterSlots(planned, campaign)
            : dryness === null
              ? now
              : earliest(dryness.nextDueAt, dryness.held ? now + heldMs : null)
      const isDone = nextAt === null && sleep === null && !usedAll
      const deferredTo =
        sleep !== null ? (sleep.isGap ? sleep.until : null) : usedAll ? planned.pace.deferredTo : planned.deferredTo
      paces.push({ ...pace, nextAt: isDone ? null : alarm(campaign, nextAt), deferredTo })
    }
    return { touches, leads, paces, events, ...purse.writes() }
  }

  return { plan, decide, hungry, lost, watches, over, broken }
}

/** Whether its first touch is to come and nothing of it was ever sent. */
const isUntouched = (lead: Lead.Lead): boolean => Lead.isOpen(lead) && !Lead.isTouched(lead)

/** What the contact remembers after the touch: the latest ones, this one in place of an earlier try of it. */
const remembered = (
  { lead, touches }: LeadCandidate,
  campaign: DuePace["campaign"]["id"],
  step: Step,
  now: Instant
): LeadDecision["touches"][number]["contactTouches"] => [
  ...touches.filter((touch) => touch.lead !== lead.id || touch.step !== step.id).slice(-(touchesKept - 1)),
  { at: now, campaign, lead: lead.id, step: step.id }
]

/** A lead whose present touch is skipped: step 0 ends it, a later step is passed over and the next counts from its day. */
const skip = (
  lead: Lead.Lead,
  settings: DuePace["campaign"]["settings"],
  found: { readonly step: Step; readonly index: number },
  reason: string,
  now: Instant
): Lead.Lead => {
  const touches = [...Lead.made(lead), { step: found.step.id, status: "skipped" as const, reason, at: now }]
  const touched = { ...lead, touches }
  if (found.index === 0) return { ...touched, status: "skipped", reason, step: null, dueAt: null }
  return reason === "suppressed"
    ? Lead.end(touched, "optedOut")
    : Sequence.proceed(touched, settings, found.index, lead.dueAt ?? now)
}
