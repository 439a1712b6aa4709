/** Makes, starts, pauses and reports campaigns, and enrols contacts as their leads. */
import { Context, Effect, Layer, Option } from "effect"
import type * as Account from "../account/Account.ts"
import * as Address from "../channel/Address.ts"
import type { Contact } from "../contact/Contact.ts"
import { ListNotReady } from "../contact/Contacts.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import type { Actor, DomainEvent, EventType } from "../event/DomainEvent.ts"
import type { AccountId, CampaignId, ContactListId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Metadata } from "../workspace/Json.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import * as Breaker from "./Breaker.ts"
import {
  type Campaign,
  type CampaignSettings,
  CampaignNotFound,
  IllegalTransition,
  mayBecome,
  type CampaignStatus
} from "./Campaign.ts"
import { CampaignStore } from "./CampaignStore.ts"
import * as Drawing from "./Drawing.ts"
import { type Lead, untouched } from "./Lead.ts"
import { Outreach } from "./Outreach.ts"
import * as Routing from "./Routing.ts"

export interface NewCampaign {
  readonly workspace: WorkspaceId
  readonly name: string
  readonly settings: CampaignSettings
  readonly accounts: readonly [AccountId, ...Array<AccountId>]
  readonly externalRef: string | null
  readonly metadata: Metadata
}

export interface Enrolment {
  readonly enrolled: number
  /** Contacts the campaign had already. */
  readonly known: number
  /** Of the enrolled: those that none of its accounts reaches. */
  readonly unreachable: number
}

const page = 500

export class Campaigns extends Context.Service<
  Campaigns,
  {
    /** A draft; or the campaign that has this externalRef already. */
    create(
      campaign: NewCampaign,
      actor: Actor
    ): Effect.Effect<{ readonly campaign: Campaign; readonly created: boolean }, StorageError>
    /** Adds every member of a list, in the order of the list; idempotent. A list that is still being gathered is refused. */
    enrollList(
      workspace: WorkspaceId,
      id: CampaignId,
      list: ContactListId
    ): Effect.Effect<Enrolment, StorageError | CampaignNotFound | ListNotReady>
    /** Draft, paused or finished → running. */
    start(
      workspace: WorkspaceId,
      id: CampaignId,
      actor: Actor
    ): Effect.Effect<Campaign, StorageError | CampaignNotFound | IllegalTransition>
    /** Effective before the next message begins. Pausing a paused one changes nothing. */
    pause(
      workspace: WorkspaceId,
      id: CampaignId,
      reason: string | null,
      actor: Actor
    ): Effect.Effect<Campaign, StorageError | CampaignNotFound | IllegalTransition>
  }
>()("@overture/core/Campaigns") {
  static readonly layer = Layer.effect(
    Campaigns,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* CampaignStore
  const contacts = yield* ContactStore
  const outreach = yield* Outreach
  const time = yield* PacingTime
  const transaction = yield* Transaction
  const makeIds = (yield* Ids).generator

  const get = (workspace: WorkspaceId, id: CampaignId) =>
    Effect.flatMap(
      store.get(workspace, id),
      Option.match({
        onNone: () => Effect.fail(new CampaignNotFound({ campaign: id })),
        onSome: Effect.succeed
      })
    )

  const create = Effect.fn("Campaigns.create")(function* (input: NewCampaign, actor: Actor) {
    const ids = yield* makeIds
    const now = yield* time.now
    if (input.externalRef !== null) {
      const known = yield* store.byExternalRef(input.workspace, input.externalRef)
      if (Option.isSome(known)) return { campaign: known.value, created: false }
    }
    const campaign: Campaign = {
      id: ids.next("cmp"),
      workspace: input.workspace,
      name: input.name,
      status: "draft",
      version: 1,
      settings: input.settings,
      pauseReason: null,
      breaker: Breaker.closed(0),
      externalRef: input.externalRef,
      metadata: input.metadata,
      createdAt: now,
      startedAt: null
    }
    const created = yield* store.create(campaign, input.accounts, [
      {
        id: ids.next("evt"),
        workspace: campaign.workspace,
        type: "campaign.created",
        at: now,
        subject: campaign.id,
        actor,
        cause: null,
        data: { name: campaign.name }
      }
    ])
    if (created || input.externalRef === null) return { campaign, created }
    const known = yield* store.byExternalRef(input.workspace, input.externalRef)
    return { campaign: Option.getOrElse(known, () => campaign), created: false }
  })

  const leadOf = (
    campaign: Campaign,
    accounts: ReadonlyArray<Account.Account>,
    contact: Contact,
    position: number,
    now: Instant,
    id: Lead["id"]
  ): Lead => {
    const route = Routing.routeOf(campaign.settings.distribution, accounts, contact, [])
    const first = contact.addresses[0]
    return {
      ...untouched,
      id,
      workspace: campaign.workspace,
      campaign: campaign.id,
      contact: contact.id,
      reach: route?.reach ?? "",
      wanted: route?.wanted ?? null,
      address: route?.address ?? (first === undefined ? "" : Address.key(first)),
      status: route === null ? "skipped" : "pending",
      reason: route === null ? "unreachable" : null,
      step: route === null ? null : campaign.settings.steps[0].id,
      position,
      createdAt: now
    }
  }

  const enrollList = Effect.fn("Campaigns.enrollList")(function* (
    workspace: WorkspaceId,
    id: CampaignId,
    list: ContactListId
  ) {
    const campaign = yield* get(workspace, id)
    const found = Option.getOrNull(yield* contacts.getList(workspace, list))
    if (found?.status === "gathering") return yield* new ListNotReady({ list: found.name })
    const accounts = Drawing.members(yield* store.paces(id))
    const total = { enrolled: 0, known: 0, unreachable: 0 }
    for (let after = 0; ; ) {
      const members = yield* contacts.members(workspace, list, after, page)
      const last = members.at(-1)
      if (last === undefined) break
      const ids = yield* makeIds
      const now = yield* time.now
      const leads = members.map(({ contact, position }) =>
        leadOf(campaign, accounts, contact, position, now, ids.next("led"))
      )
      const events = leads.flatMap(
        (lead): ReadonlyArray<DomainEvent> =>
          lead.status !== "skipped"
            ? []
            : [
                {
                  id: ids.next("evt"),
                  workspace,
                  type: "lead.skipped",
                  at: now,
                  subject: lead.id,
                  actor: { type: "campaign", id: campaign.id },
                  cause: null,
                  data: { campaign: campaign.id, reason: "unreachable" }
                }
              ]
      )
      const enroll = store.enroll(id, leads, events, now)
      const enrolled = yield* campaign.settings.distribution.strategy === "sticky"
        ? transaction.within(
            Effect.tap(
              enroll,
              outreach.distributor.route(
                campaign,
                members.map(({ contact }) => contact.id),
                now
              )
            )
          )
        : enroll
      total.enrolled += enrolled
      total.known += leads.length - enrolled
      total.unreachable += events.length
      after = last.position
    }
    if (campaign.status === "finished" && total.enrolled > 0) {
      yield* Effect.ignore(become(workspace, id, "running", null, { type: "system", id: null }))
    }
    return total
  })

  const eventTypes: Partial<Record<CampaignStatus, EventType>> = {
    running: "campaign.started",
    paused: "campaign.paused"
  }

  const become = (
    workspace: WorkspaceId,
    id: CampaignId,
    status: "running" | "paused",
    reason: string | null,
    actor: Actor
  ) =>
    transaction.within(
      Effect.gen(function* () {
        const ids = yield* makeIds
        const now = yield* time.now
        const touched =
          status === "running" ? (yield* store.paces(id)).reduce((sum, { pace }) => sum + pace.counts.touched, 0) : 0
        let refused: IllegalTransition | null = null
        const changed = yield* store.modify(workspace, id, now, (campaign) => {
          if (campaign.status === status) return { campaign, events: [] }
          if (!mayBecome(campaign, status)) {
            refused = new IllegalTransition({ campaign: id, from: campaign.status, to: status })
            return { campaign, events: [] }
          }
          return {
            campaign: {
              ...campaign,
              status,
              pauseReason: reason,
              startedAt: campaign.startedAt ?? (status === "running" ? now : null),
              ...(status === "running" && { breaker: Breaker.closed(touched) })
            },
            events: [
              {
                id: ids.next("evt"),
                workspace,
                type: eventTypes[status] ?? "campaign.changed",
                at: now,
                subject: id,
                actor,
                cause: null,
                data: { ...(reason !== null && { reason }) }
              }
            ]
          }
        })
        if (refused !== null) return yield* Effect.fail<IllegalTransition>(refused)
        if (Option.isNone(changed)) return yield* new CampaignNotFound({ campaign: id })
        if (status === "running") yield* outreach.draw(workspace, id, now)
        return changed.value
      })
    )

  return Campaigns.of({
    create,
    enrollList,
    start: Effect.fn("Campaigns.start")((workspace: WorkspaceId, id: CampaignId, actor: Actor) =>
      become(workspace, id, "running", null, actor)
    ),
    pause: Effect.fn("Campaigns.pause")((workspace: WorkspaceId, id: CampaignId, reason: string | null, actor: Actor) =>
      become(workspace, id, "paused", reason, actor)
    )
  })
})
