/**
 * Brings campaigns to the outbox: it claims for paces that ring, gives leads to accounts, and works out what a settled
 * message makes of its lead. It also ends sequences when a person answers or wants no more.
 */
import { Context, Effect, Layer } from "effect"
import * as Account from "../account/Account.ts"
import { Channels } from "../channel/Channel.ts"
import { isAccountTrouble } from "../channel/Outcome.ts"
import type { InboundReaction } from "../chat/InboundReaction.ts"
import { InboundReactions } from "../chat/InboundReaction.ts"
import type { Message } from "../chat/Message.ts"
import type { DomainEvent, Fact } from "../event/DomainEvent.ts"
import type { ClaimSource, OutboundReaction } from "../outbox/ClaimSource.ts"
import { OutboundParties } from "../outbox/ClaimSource.ts"
import type { Lease } from "../outbox/Claim.ts"
import { isRemoved, type Settled } from "../outbox/Settling.ts"
import type { CampaignId, ContactId, IdGenerator, LeadId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import * as Breaker from "./Breaker.ts"
import type { Campaign } from "./Campaign.ts"
import type { LeadCandidate, LeadChange } from "./CampaignStore.ts"
import { CampaignStore } from "./CampaignStore.ts"
import * as Draw from "./Draw.ts"
import * as Drawing from "./Drawing.ts"
import * as HostGate from "./HostGate.ts"
import type { LeadEnded } from "./Lead.ts"
import * as LeadTouching from "./LeadTouching.ts"
import * as TouchConclusion from "./TouchConclusion.ts"
import * as TouchRendering from "./TouchRendering.ts"

/** For a lead that changes by itself. */
const nothingElse = { cancel: [], stop: [], queue: [], counts: {}, wentOutOn: null, events: [] } as const

/** Leads that change hands in one transaction. */
const batch = 1_000

export class Outreach extends Context.Service<
  Outreach,
  {
    readonly source: ClaimSource
    readonly reaction: OutboundReaction
    /** Gives leads of the pool to the accounts of a campaign that want some. Returns how many. */
    draw(workspace: WorkspaceId, campaign: CampaignId, now: Instant): Effect.Effect<number, StorageError>
    readonly inbound: InboundReaction
  }
>()("@overture/core/Outreach") {
  static readonly layer = Layer.effect(
    Outreach,
    Effect.suspend(() => make)
  )

  /** Registers it with the outbox. */
  static readonly layerParties = Layer.effect(
    OutboundParties,
    Effect.map(Outreach, (outreach) =>
      OutboundParties.of({ sources: [outreach.source], reactions: [outreach.reaction] })
    )
  )

  /** Registers it with the inbox. */
  static readonly layerInbound = Layer.effect(
    InboundReactions,
    Effect.map(Outreach, (outreach) => InboundReactions.of([outreach.inbound]))
  )
}

const make = Effect.gen(function* () {
  const store = yield* CampaignStore
  const channels = yield* Channels
  const transaction = yield* Transaction
  const gates = yield* HostGate.HostGates
  const makeIds = (yield* Ids).generator
  const templates = TouchRendering.templateCache()
  const known = new Map<CampaignId, Campaign>()

  const eventOf =
    (ids: IdGenerator, at: Instant) =>
    (fact: Fact): DomainEvent => ({ ...fact, id: ids.next("evt"), at })

  const change = (ids: IdGenerator, now: Instant, conclusion: TouchConclusion.Conclusion | null): LeadChange | null => {
    if (conclusion === null) return null
    const { facts, ...rest } = conclusion
    return { ...rest, events: facts.map(eventOf(ids, now)) }
  }

  /** Settings of the campaigns of a batch. A version is looked up once; an edit is seen by its own version. */
  const campaignsOf = (settled: ReadonlyArray<Settled>) =>
    Effect.gen(function* () {
      const found = new Map<CampaignId, Campaign>()
      for (const {
        claimed: { message }
      } of settled) {
        if (message.campaign === null || found.has(message.campaign)) continue
        const cached = known.get(message.campaign)
        if (cached !== undefined && cached.version >= (message.campaignVersion ?? 0)) {
          found.set(message.campaign, cached)
          continue
        }
        const fresh = yield* store.get(message.workspace, message.campaign)
        if (fresh._tag === "Some") {
          known.set(message.campaign, fresh.value)
          found.set(message.campaign, fresh.value)
        }
      }
      return found
    })

  const draw = Effect.fn("Outreach.draw")(function* (_workspace: WorkspaceId, id: CampaignId, now: Instant) {
    const drawn = yield* store.draw(id, now, (campaign, unordered, pool) =>
      Effect.gen(function* () {
        const accounts = Drawing.ordered(unordered)
        const drawers = Drawing.drawers(campaign, accounts, channels.all, now)
        const atMost = Draw.enough(drawers)
        if (atMost === 0) return []
        const shares = Draw.shares(drawers, yield* pool(atMost))
        return shares.map(({ account, take }) => ({
          account,
          take,
          reaches: accounts.flatMap((one) => (one.account.id === account ? Account.reachesOf(one.account) : []))
        }))
      })
    )
    return drawn.reduce((sum, one) => sum + one.drawn, 0)
  })

  /** What an account held untouched goes back to the pool, in batches of its own. */
  const putBack = (due: LeadTouching.Rules["lost"][number], now: Instant): Effect.Effect<void, StorageError> =>
    Effect.gen(function* () {
      const changed = yield* store.changeLeads(
        {
          type: "campaign",
          campaign: due.campaign.id,
          account: due.account.account.id,
          statuses: ["assigned"],
          limit: batch
        },
        now,
        (lead) => ({
          lead: { ...lead, status: "pending", account: null, dueAt: null, attempts: 0 },
          ...nothingElse
        })
      )
      if (changed.length === batch) yield* putBack(due, now)
    })

  const finish = Effect.fnUntraced(function* (now: Instant) {
    const campaigns = yield* store.finishable(100)
    const ids = yield* makeIds
    yield* Effect.forEach(
      campaigns,
      (campaign) =>
        store.modify(campaign.workspace, campaign.id, now, (current) =>
          current.status !== "running" || current.settings.evergreen
            ? { campaign: current, events: [] }
            : {
                campaign: { ...current, status: "finished" },
                events: [
                  {
                    id: ids.next("evt"),
                    at: now,
                    workspace: current.workspace,
                    type: "campaign.finished",
                    subject: current.id,
                    actor: { type: "system", id: null },
                    cause: null,
                    data: {}
                  }
                ]
              }
        ),
      { discard: true }
    )
    return campaigns.some((campaign) => !campaign.settings.evergreen)
  })

  const claim: ClaimSource["claim"] = Effect.fn("Outreach.claim")(function* (
    now: Instant,
    limit: number,
    lease: Lease
  ) {
    const ids = yield* makeIds
    let loaded: HostGate.LoadedGates = new Map()
    const rules = LeadTouching.rules({
      now,
      claim: lease.claim,
      ids,
      channels: channels.all,
      templates,
      gates,
      loaded: () => loaded
    })
    const load = (candidates: ReadonlyArray<LeadCandidate>) =>
      Effect.map(HostGate.load(gates, candidates), (all) => {
        loaded = all
      })
    const { decide, plan } = rules
    const loads = gates.some((gate) => gate.load !== null)
    const found = yield* store.claim({ now, limit, lease, rules: { plan, decide, ...(loads && { load }) } })
    if (found === null) return { claim: null, worked: yield* finish(now) }
    yield* Effect.forEach(rules.lost, (due) => putBack(due, now), { discard: true })
    const hungry = new Map(
      found.planned.flatMap(({ due }) =>
        rules.hungry.has(due.campaign.id) || rules.lost.some((lost) => lost.campaign.id === due.campaign.id)
          ? [[due.campaign.id, due.campaign.workspace] as const]
          : []
      )
    )
    yield* Effect.forEach(hungry, ([campaign, workspace]) => draw(workspace, campaign, now), { discard: true })
    return { claim: found.claim, worked: true }
  })

  /** Counts failures against the campaign, and pauses it when there are too many. */
  const breakAt = Effect.fnUntraced(function* (campaign: Campaign, failed: number, now: Instant) {
    const paces = yield* store.paces(campaign.id)
    const touched = paces.reduce((sum, { pace }) => sum + pace.counts.touched, 0)
    const ids = yield* makeIds
    yield* store.modify(campaign.workspace, campaign.id, now, (current) => {
      const { breaker, open } = Breaker.record(current.breaker, touched, failed)
      if (!open || current.status !== "running") return { campaign: { ...current, breaker }, events: [] }
      return {
        campaign: { ...current, breaker, status: "paused", pauseReason: "tooManyFailures" },
        events: [
          {
            id: ids.next("evt"),
            at: now,
            workspace: current.workspace,
            type: "campaign.paused",
            subject: current.id,
            actor: { type: "system", id: null },
            cause: null,
            data: { reason: "tooManyFailures", failures: breaker.failures.length }
          }
        ]
      }
    })
  })

  const settled = Effect.fn("Outreach.settled")(function* (all: ReadonlyArray<Settled>, now: Instant) {
    const ofLeads = all.filter(({ claimed }) => claimed.message.lead !== null)
    if (ofLeads.length > 0) {
      const campaigns = yield* campaignsOf(ofLeads)
      const byLead = new Map(ofLeads.map((one) => [one.claimed.message.lead as LeadId, one]))
      const ids = yield* makeIds
      const known = ofLeads.flatMap((one) => (isRemoved(one) ? [] : [one.message]))
      yield* store.changeLeads({ type: "ids", ids: [...byLead.keys()], known }, now, (lead, messages) => {
        const one = byLead.get(lead.id)
        const campaign = campaigns.get(lead.campaign)
        return one === undefined || campaign === undefined
          ? null
          : change(ids, now, TouchConclusion.conclude(lead, messages, one, campaign))
      })
      const failures = new Map<CampaignId, number>()
      for (const {
        claimed: { message },
        fate
      } of ofLeads) {
        if (message.campaign === null || (fate !== "failed" && fate !== "unknown")) continue
        failures.set(message.campaign, (failures.get(message.campaign) ?? 0) + 1)
      }
      for (const [id, failed] of failures) {
        const campaign = campaigns.get(id)
        if (campaign !== undefined) yield* breakAt(campaign, failed, now)
      }
    }
    const troubled = new Set(
      all.flatMap(({ claimed, outcome }) =>
        isAccountTrouble(outcome.type) || outcome.type === "rateLimited" ? [claimed.account.id] : []
      )
    )
    if (troubled.size > 0) yield* store.ring([...troubled], now)
  })

  const free = (messages: ReadonlyArray<Message>, now: Instant) => {
    const leads = [...new Set(messages.flatMap(({ lead }) => (lead === null ? [] : [lead])))]
    if (leads.length === 0) return Effect.void
    return Effect.gen(function* () {
      yield* store.changeLeads({ type: "ids", ids: leads }, now, (lead) =>
        lead.claim === null ? null : { ...nothingElse, lead: { ...lead, claim: null }, forget: true }
      )
      const accounts = [...new Set(messages.flatMap(({ account, lead }) => (lead === null ? [] : [account])))]
      yield* store.ring(accounts, now)
    })
  }

  /** A later part that the queue refuses ends its touch as partial. */
  const cancelled = (messages: ReadonlyArray<Message>, now: Instant) => {
    const byLead = new Map(
      messages.flatMap((message) => (message.lead === null ? [] : [[message.lead, message] as const]))
    )
    if (byLead.size === 0) return Effect.void
    return Effect.gen(function* () {
      const ids = yield* makeIds
      yield* store.changeLeads({ type: "ids", ids: [...byLead.keys()] }, now, (lead, rows) => {
        const reason = byLead.get(lead.id)?.reason ?? "cancelled"
        return change(
          ids,
          now,
          TouchConclusion.stop(lead, rows, reason === "suppressed" ? "optedOut" : "cancelled", now)
        )
      })
    })
  }

  /** Ends what campaigns have open for these contacts. */
  const stop = Effect.fn("Outreach.stop")(function* (
    workspace: WorkspaceId,
    contacts: ReadonlyArray<ContactId>,
    ended: LeadEnded,
    now: Instant
  ) {
    const ids = yield* makeIds
    yield* store.changeLeads({ type: "contacts", workspace, contacts }, now, (lead, messages) =>
      change(ids, now, TouchConclusion.stop(lead, messages, ended, now))
    )
  })

  /** Proof that a message went out, or that it failed after all, corrects the fate of its touch. */
  const proven: InboundReaction["proven"] = (messages, now) =>
    Effect.gen(function* () {
      const ids = yield* makeIds
      const byLead = new Map(messages.map((message) => [message.lead, message]))
      yield* store.changeLeads({ type: "ids", ids: [...byLead.keys()] }, now, (lead) => {
        const message = byLead.get(lead.id)
        return message === undefined ? null : change(ids, now, TouchConclusion.prove(lead, message, now))
      })
    })

  return Outreach.of({
    source: { name: "campaigns", claim, nextDue: store.nextAlarm },
    reaction: {
      settled: (all, now) => transaction.within(settled(all, now)),
      returned: (messages, now) => transaction.within(free(messages, now)),
      cancelled: (messages, now) => transaction.within(cancelled(messages, now))
    },
    inbound: {
      replied: (workspace, contacts, now) => stop(workspace, contacts, "replied", now),
      optedOut: (workspace, contacts, now) => stop(workspace, contacts, "optedOut", now),
      takenOver: (workspace, contacts, now) => stop(workspace, contacts, "takenOver", now),
      proven
    },
    draw
  })
})
