/** Decision functions of the suite: as simple as rules can be, so that a case says in one line what a claim shall do. */
import { stepAt } from "../../campaign/Campaign.ts"
import type { ClaimRules, DuePace, LeadCandidate, LeadDecision } from "../../campaign/CampaignStore.ts"
import type { LeadChange } from "../../campaign/LeadChange.ts"
import type { Lead } from "../../campaign/Lead.ts"
import * as LeadRules from "../../campaign/Lead.ts"
import type { Message } from "../../chat/Message.ts"
import * as Chat from "../../chat/Chat.ts"
import type { DomainEvent } from "../../event/DomainEvent.ts"
import type { QueuedCandidate, QueuedDecision, SettleWrites } from "../../outbox/OutboxStore.ts"
import type { Result } from "../../outbox/Settling.ts"
import * as Settling from "../../outbox/Settling.ts"
import * as Budget from "../../workspace/Budget.ts"
import type { ClaimId, IdGenerator, MessageId } from "../../workspace/Id.ts"
import { hour, type Instant } from "../../workspace/Instant.ts"
import * as Seed from "../../workspace/Seed.ts"
import * as Builders from "../Builders.ts"

/** What the fake claim does with a lead. */
export type Verdict = "take" | "skip" | "leave" | { readonly deferTo: Instant }

export interface Choice {
  /** Leads wanted of a pace; null leaves it as it is. Default 1. */
  readonly want?: (due: DuePace) => number | null
  /** Default "take". */
  readonly verdict?: (candidate: LeadCandidate) => Verdict
  /** Parts of every touch, default those of its step. */
  readonly parts?: number
  /** The next alarm of every pace that is written, default an hour later. */
  readonly nextAt?: (due: DuePace) => Instant | null
  /** The day of every budget, default that of `Builders.start`. */
  readonly day?: string
  readonly events?: ReadonlyArray<DomainEvent>
}

/** What a claim showed to its rules. */
export interface Look {
  readonly due: DuePace
  readonly first: ReadonlyArray<LeadCandidate>
  readonly followUps: ReadonlyArray<LeadCandidate>
  readonly dryness: { readonly nextDueAt: Instant | null; readonly held: boolean } | null
}

/** What a message reserves of the group of its account. */
const ofGroup = (group: DuePace["group"] | undefined, day: string) =>
  group === null || group === undefined ? {} : { group: { id: group.group.id, day } }

/** What groups hold after a decision; of those with a cap, as only these are locked. */
class GroupUses {
  readonly #uses = new Map<string, NonNullable<LeadDecision["groups"]>[number]>()

  take(group: DuePace["group"] | undefined, day: string, count: number): void {
    if (group === null || group === undefined || group.group.dailyCap === null || count === 0) return
    const { id } = group.group
    this.#uses.set(id, { id, use: Budget.take(this.#uses.get(id)?.use ?? group.use, day, count) })
  }

  get writes(): NonNullable<LeadDecision["groups"]> {
    return [...this.#uses.values()]
  }
}

/** The messages of a touch as a claim writes them: part 0 leased, the others waiting for it. */
export const touchMessages = (
  claim: ClaimId,
  due: DuePace,
  candidate: LeadCandidate,
  parts: number,
  day: string,
  now: Instant
): ReadonlyArray<Message> => {
  const builders = Builders.make("touch messages")
  const { lead } = candidate
  return Array.from({ length: parts }, (_, part): Message => {
    const former = candidate.messages.find((message) => message.part === part)
    return {
      ...builders.message(due.account.account, candidate.contact),
      id: former?.id ?? (`msg_${Seed.digest(`${claim}|${lead.id}|${lead.step}|${part}`)}` as MessageId),
      chat: Chat.idOf(due.account.account.id, lead.address),
      address: lead.address,
      author: { type: "campaign", id: due.campaign.id },
      campaign: due.campaign.id,
      campaignVersion: due.campaign.version,
      lead: lead.id,
      step: lead.step,
      part,
      parts,
      content: Builders.text(`${lead.id} part ${part}`),
      attempts: former?.attempts ?? 0,
      tries: former?.tries ?? 0,
      dueAt: null,
      claim: part === 0 ? claim : null,
      reserved: { pace: day, account: day, workspace: day, ...ofGroup(due.group, day) },
      createdAt: former?.createdAt ?? now
    }
  })
}

const byPace = (a: DuePace, b: DuePace) =>
  `${a.pace.campaign}|${a.pace.account}` < `${b.pace.campaign}|${b.pace.account}` ? -1 : 1

/** Rules that take, skip or defer as told; what they were shown is kept in `looks`. */
export const claimRules = (
  ids: IdGenerator,
  claim: ClaimId,
  now: Instant,
  choice: Choice = {}
): ClaimRules & { readonly looks: Array<Look> } => {
  const { day = Builders.startDate, nextAt = () => now + hour, verdict = () => "take" } = choice
  const looks: Array<Look> = []
  return {
    looks,
    plan: (all) =>
      all.toSorted(byPace).flatMap((due) => {
        const want = choice.want === undefined ? 1 : choice.want(due)
        return want === null ? [] : [{ due, want }]
      }),
    decide: (wants) => {
      const touches: Array<LeadDecision["touches"][number]> = []
      const leads: Array<Lead> = []
      const paces: Array<LeadDecision["paces"][number]> = []
      const accounts = new Map<string, LeadDecision["accounts"][number]>()
      const workspaces = new Map<string, LeadDecision["workspaces"][number]>()
      const groups = new GroupUses()
      for (const {
        dryness,
        first,
        followUps,
        want: { due, want }
      } of wants) {
        looks.push({ due, first, followUps, dryness })
        const { account, workspace } = due
        let left = want
        let used = 0
        let skipped = 0
        for (const candidate of [...first, ...followUps]) {
          const answer = left > 0 ? verdict(candidate) : "leave"
          if (answer === "leave") continue
          if (answer === "skip") {
            const isFirst = LeadRules.isOpen(candidate.lead)
            const ended = { ...candidate.lead, step: null, dueAt: null }
            leads.push(isFirst ? { ...ended, status: "skipped", reason: "policy" } : { ...ended, ended: "completed" })
            if (isFirst) skipped += 1
          } else if (answer === "take") {
            const found = stepAt(due.campaign.settings, candidate.lead.step)
            const parts = choice.parts ?? found?.step.parts.length ?? 1
            left -= 1
            used += parts
            touches.push({
              lead: { ...candidate.lead, claim },
              messages: touchMessages(claim, due, candidate, parts, day, now),
              contactTouches: [
                ...candidate.touches,
                {
                  at: now,
                  campaign: due.campaign.id,
                  lead: candidate.lead.id,
                  step: candidate.lead.step ?? ids.next("stp")
                }
              ]
            })
          } else leads.push({ ...candidate.lead, dueAt: answer.deferTo })
        }
        const counts = { ...due.pace.counts, skipped: due.pace.counts.skipped + skipped }
        const fresh = due.pace.date !== day
        paces.push({
          ...due.pace,
          date: day,
          quota: 10,
          used: (fresh ? 0 : due.pace.used) + used,
          slot: (fresh ? 0 : due.pace.slot) + (want - left),
          nextAt: nextAt(due),
          counts
        })
        const held = accounts.get(account.account.id)?.use ?? account.use
        const tenant = workspaces.get(workspace.workspace.id)?.use ?? workspace.use
        accounts.set(account.account.id, {
          id: account.account.id,
          use: used > 0 ? Budget.take(held, day, used) : held,
          lastTouchAt: used > 0 ? now : account.lastTouchAt
        })
        workspaces.set(workspace.workspace.id, {
          id: workspace.workspace.id,
          use: used > 0 ? Budget.take(tenant, day, used) : tenant
        })
        groups.take(due.group, day, used)
      }
      return {
        touches,
        leads,
        paces,
        accounts: [...accounts.values()],
        workspaces: [...workspaces.values()],
        groups: groups.writes,
        events: choice.events ?? []
      }
    }
  }
}

/** What the queue's fake rule does with a message. */
export type QueuedVerdict = "take" | "cancel" | { readonly deferTo: Instant }

/** Takes queued messages, or what `verdict` says, and reserves one of each budget on `day` for those that hold none. */
export const queuedRule =
  (verdict: (candidate: QueuedCandidate) => QueuedVerdict = () => "take", day: string = Builders.startDate) =>
  (candidates: ReadonlyArray<QueuedCandidate>): QueuedDecision => {
    const accounts = new Map<string, QueuedDecision["accounts"][number]>()
    const workspaces = new Map<string, QueuedDecision["workspaces"][number]>()
    const groups = new GroupUses()
    const take: Array<QueuedDecision["take"][number]> = []
    const defer: Array<QueuedDecision["defer"][number]> = []
    const cancel: Array<QueuedDecision["cancel"][number]> = []
    for (const candidate of candidates) {
      const { account, group, message, workspace } = candidate
      const answer = verdict(candidate)
      if (answer === "cancel") cancel.push({ id: message.id, reason: "suppressed" })
      else if (answer !== "take") defer.push({ id: message.id, until: answer.deferTo, reason: "later" })
      else if (message.reserved !== null) take.push({ id: message.id, reserved: message.reserved })
      else {
        take.push({
          id: message.id,
          reserved: { pace: null, account: day, workspace: day, ...ofGroup(group, day) }
        })
        const held = accounts.get(account.account.id)?.use ?? account.use
        const tenant = workspaces.get(workspace.workspace.id)?.use ?? workspace.use
        accounts.set(account.account.id, {
          id: account.account.id,
          use: Budget.take(held, day, 1),
          lastTouchAt: Builders.start
        })
        workspaces.set(workspace.workspace.id, { id: workspace.workspace.id, use: Budget.take(tenant, day, 1) })
        groups.take(group, day, 1)
      }
    }
    return {
      take,
      defer,
      cancel,
      accounts: [...accounts.values()],
      workspaces: [...workspaces.values()],
      groups: groups.writes,
      events: []
    }
  }

/** Judges results by the outcome table and writes nothing beside them. */
export const concluding =
  (writes: Partial<Omit<SettleWrites, "settled">> = {}) =>
  (held: ReadonlyArray<{ readonly result: Result; readonly message: Message }>): SettleWrites => ({
    settled: held.map(({ message, result }) => Settling.settle(result, message)),
    openings: [],
    touches: [],
    suppressions: [],
    events: [],
    ...writes
  })

/** A change of a lead that touches nothing else. */
export const changed = (lead: Lead, rest: Partial<Omit<LeadChange, "lead">> = {}): LeadChange => ({
  lead,
  cancel: [],
  stop: [],
  queue: [],
  requeue: [],
  counts: {},
  wentOutOn: null,
  forget: false,
  events: [],
  ...rest
})
