/**
 * Brings campaigns to the outbox: it claims for paces that ring, gives leads to accounts, and works out what a settled
 * message makes of its lead. It also ends sequences when a person answers or wants no more.
 */
import { Context, Effect, Layer } from "effect"
import { type AccountReaction, AccountReactions } from "../account/AccountReaction.ts"
import { Channels } from "../channel/Channel.ts"
import { isAccountTrouble } from "../channel/Outcome.ts"
import type { InboundReaction } from "../chat/InboundReaction.ts"
import { InboundReactions } from "../chat/InboundReaction.ts"
import type { Message } from "../chat/Message.ts"
import * as Messages from "../chat/Message.ts"
import { type ContactReaction, ContactReactions } from "../contact/ContactReaction.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { AddressHash } from "../contact/Suppression.ts"
import { stamped, system } from "../event/DomainEvent.ts"
import type { ClaimSource, OutboundReaction } from "../outbox/ClaimSource.ts"
import { OutboundParties } from "../outbox/ClaimSource.ts"
import type { Lease } from "../outbox/Claim.ts"
import { isRemoved, type Settled } from "../outbox/Settling.ts"
import type { CampaignId, ContactId, LeadId, MessageId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { type Instant, minute } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import * as Breaker from "./Breaker.ts"
import * as CampaignEnding from "./CampaignEnding.ts"
import type { Campaign } from "./Campaign.ts"
import * as CampaignStanding from "./CampaignStanding.ts"
import type { LeadCandidate } from "./CampaignStore.ts"
import { CampaignStore } from "./CampaignStore.ts"
import * as Distributor from "./Distributor.ts"
import * as HostGate from "./HostGate.ts"
import { alone } from "./LeadStopping.ts"
import type { Lead } from "./Lead.ts"
import * as LeadReactions from "./LeadReactions.ts"
import * as LeadTouching from "./LeadTouching.ts"
import * as TouchConclusion from "./TouchConclusion.ts"
import * as TouchRendering from "./TouchRendering.ts"

export class Outreach extends Context.Service<
  Outreach,
  {
    readonly source: ClaimSource
    readonly reaction: OutboundReaction
    /** Gives leads of the pool to the accounts of a campaign that want some. Returns how many. */
    draw(workspace: WorkspaceId, campaign: CampaignId, now: Instant): Effect.Effect<number, StorageError>
    readonly distributor: Distributor.Distributor
    readonly inbound: InboundReaction
    readonly people: ContactReaction
    /** Ends everything that campaigns have open for these contacts, as `cancelled`. */
    cancel(workspace: WorkspaceId, contacts: ReadonlyArray<ContactId>, now: Instant): Effect.Effect<void, StorageError>
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

  /** Registers it with accounts: what is changed of one is seen by its campaigns at once, and told where it was the last. */
  static readonly layerAccounts = Layer.effect(
    AccountReactions,
    Effect.gen(function* (): Effect.fn.Return<ReadonlyArray<AccountReaction>, never, CampaignStore | Ids> {
      const store = yield* CampaignStore
      const makeIds = (yield* Ids).generator
      return [
        {
          changing: (accounts, now) => store.ring(accounts, now),
          turned: (workspace, accounts, now) =>
            Effect.flatMap(makeIds, (ids) => {
              const of = { accounts: accounts.map(({ id }) => id) }
              return store.tellStanding(workspace, of, CampaignStanding.turned(accounts, ids, now))
            })
        }
      ]
    })
  )

  /** Registers it with people: who is to be written to by an account that an attribute names is, when that changes. */
  static readonly layerPeople = Layer.effect(
    ContactReactions,
    Effect.map(Outreach, (outreach): ReadonlyArray<ContactReaction> => [outreach.people])
  )

  /** Registers it with the inbox. */
  static readonly layerInbound = Layer.effect(
    InboundReactions,
    Effect.map(Outreach, (outreach) => InboundReactions.of([outreach.inbound]))
  )
}

/** How long a pace waits for a process that has its channel (milliseconds). */
const elsewhereMs = minute

const make = Effect.gen(function* () {
  const store = yield* CampaignStore
  const contacts = yield* ContactStore
  const channels = yield* Channels
  const transaction = yield* Transaction
  const gates = yield* HostGate.HostGates
  const addressHash = yield* AddressHash
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const templates = TouchRendering.templateCache()
  const known = new Map<CampaignId, Campaign>()
  const reactions = LeadReactions.make(store, makeIds)
  const ending = CampaignEnding.make(store, transaction, makeIds)
  const distributor = Distributor.make(store, channels.all, transaction, makeIds)

  /** Settings of the campaigns of a batch, at least as new as those the messages were made by. */
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

  const claim: ClaimSource["claim"] = Effect.fn("Outreach.claim")(function* (
    now: Instant,
    limit: number,
    lease: Lease
  ) {
    const ids = yield* makeIds
    let loaded: HostGate.LoadedGates = new Map()
    const fresh = () =>
      LeadTouching.rules({
        now,
        claim: lease.claim,
        ids,
        channels: channels.all,
        templates,
        gates,
        loaded: () => loaded,
        // In a rehearsal there is no other process.
        elsewhere: time.isVirtual ? null : now + elsewhereMs
      })
    let rules = fresh()
    const load = (candidates: ReadonlyArray<LeadCandidate>) =>
      Effect.map(HostGate.load(gates, candidates), (all) => {
        loaded = all
      })
    const loads = gates.some((gate) => gate.load !== null)
    const found = yield* store.claim({
      now,
      limit,
      lease,
      rules: {
        // Where its transaction is begun again, what the former try found out is nothing to this one.
        plan: (due) => {
          rules = fresh()
          return rules.plan(due)
        },
        decide: (wants) => rules.decide(wants),
        ...(loads && { load })
      },
      addressHash
    })
    yield* Effect.forEach(rules.broken, ({ error, subject }) =>
      Effect.logError(`${subject} could not be judged`, error)
    )
    if (found === null) return { claim: null, worked: yield* ending.finish(now) }
    for (const { due } of found.planned) known.set(due.campaign.id, due.campaign)
    yield* Effect.forEach(rules.over, (campaign) => ending.end(campaign, now), { discard: true })
    yield* Effect.forEach(rules.lost, (one) => distributor.unable(one, now), { discard: true })
    const hungry = new Set([...rules.hungry, ...rules.lost.map(({ campaign }) => campaign.id)])
    yield* Effect.forEach(hungry, (campaign) => distributor.draw(campaign, now), { discard: true })
    if (rules.watches.length > 0) yield* store.sleep(rules.watches)
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
          stamped(ids, now, {
            workspace: current.workspace,
            type: "campaign.paused",
            subject: current.id,
            actor: system,
            data: { reason: "tooManyFailures", failures: breaker.failures.length }
          })
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
      const sent = ofLeads.flatMap((one) => (isRemoved(one) ? [] : [one.message]))
      // The platform told that they failed after all, before their touch was over.
      const failed = new Map<MessageId, Message & { readonly lead: LeadId }>()
      const conclude = (lead: Lead, messages: ReadonlyArray<Message>) => {
        for (const message of messages) {
          if (Messages.isFailedLate(message)) failed.set(message.id, { ...message, lead: lead.id })
        }
        const one = byLead.get(lead.id)
        const campaign = campaigns.get(lead.campaign)
        return one === undefined || campaign === undefined
          ? null
          : LeadReactions.change(ids, now, TouchConclusion.conclude(lead, messages, one, campaign))
      }
      // What was edited since its settings were read is read again, and its leads are concluded by that.
      const overtaken = new Map<LeadId, CampaignId>()
      yield* store.changeLeads(
        { type: "ids", ids: [...byLead.keys()], known: sent },
        now,
        (lead, messages, version) => {
          if ((campaigns.get(lead.campaign)?.version ?? version) >= version) return conclude(lead, messages)
          overtaken.set(lead.id, lead.campaign)
          return null
        }
      )
      if (overtaken.size > 0) {
        for (const id of new Set(overtaken.values())) {
          known.delete(id)
          campaigns.delete(id)
        }
        const fresh = yield* campaignsOf(ofLeads)
        for (const [id, campaign] of fresh) campaigns.set(id, campaign)
        yield* store.changeLeads({ type: "ids", ids: [...overtaken.keys()], known: sent }, now, conclude)
      }
      if (failed.size > 0) yield* reactions.inbound.proven([...failed.values()], now)
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
    if (ofLeads.length < all.length) yield* reactions.spoke(all)
    yield* contacts.noteUnreachable(
      all.flatMap(({ claimed: { message }, outcome }) => {
        const { address, contact, workspace } = message
        return outcome.type === "unreachable" && contact !== null ? [{ workspace, contact, address }] : []
      })
    )
    // What is to be tried again may have come back to an account that was lost meanwhile.
    const troubled = new Set(
      all.flatMap(({ claimed, fate, outcome }) =>
        fate === "again" || isAccountTrouble(outcome.type) || outcome.type === "rateLimited" ? [claimed.account.id] : []
      )
    )
    if (troubled.size > 0) yield* store.ring([...troubled], now)
  })

  /** People who wrote go to the account they wrote to, where a campaign that has not touched them asks for that. */
  const stick = (campaigns: ReadonlyArray<Campaign>, contacts: ReadonlyArray<ContactId>, now: Instant) =>
    contacts.length === 0
      ? Effect.void
      : Effect.forEach(
          campaigns.filter(({ settings }) => settings.distribution.strategy === "sticky"),
          (campaign) => distributor.route(campaign, contacts, now),
          { discard: true }
        )

  const changed: ContactReaction["changed"] = (workspace, contacts, now) =>
    Effect.flatMap(store.ofContacts(workspace, contacts), (campaigns) =>
      Effect.forEach(
        campaigns.filter(
          ({ settings, status }) =>
            settings.distribution.strategy === "byAttribute" && status !== "finished" && status !== "deleted"
        ),
        (campaign) => distributor.rerouteChanged(campaign, contacts, now),
        { discard: true }
      )
    )

  const free = (messages: ReadonlyArray<Message>, now: Instant) => {
    const leads = [...new Set(messages.flatMap(({ lead }) => (lead === null ? [] : [lead])))]
    if (leads.length === 0) return Effect.void
    return Effect.gen(function* () {
      yield* store.changeLeads({ type: "ids", ids: leads }, now, (lead) =>
        lead.claim === null ? null : { ...alone, lead: { ...lead, claim: null }, forget: true }
      )
      const accounts = [...new Set(messages.flatMap(({ account, lead }) => (lead === null ? [] : [account])))]
      yield* store.ring(accounts, now)
    })
  }

  return Outreach.of({
    source: { name: "campaigns", claim, nextDue: store.nextAlarm, idle: ending.finish },
    reaction: {
      settled: (all, now) => transaction.within(settled(all, now)),
      returned: (messages, now) => transaction.within(free(messages, now)),
      cancelled: (messages, now) => transaction.within(reactions.cancelled(messages, now))
    },
    distributor,
    inbound: {
      ...reactions.inbound,
      heard: (workspace, news, now) =>
        Effect.gen(function* () {
          const contacts = [...new Set(news.map(({ contact }) => contact))]
          const campaigns = yield* store.ofContacts(workspace, contacts)
          yield* reactions.tell(workspace, news, campaigns, now)
          const replied = news.flatMap(({ contact, type }) => (type === "replied" ? [contact] : []))
          yield* stick(campaigns, replied, now)
        })
    },
    people: { changed },
    cancel: reactions.cancel,
    draw: Effect.fn("Outreach.draw")((_workspace, campaign, now) => distributor.draw(campaign, now))
  })
})
