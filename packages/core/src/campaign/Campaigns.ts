/** Makes, starts, pauses and deletes campaigns, and enrols contacts as their leads. */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { AccountGroupStore } from "../account/AccountGroupStore.ts"
import { AccountStore } from "../account/AccountStore.ts"
import { Channels } from "../channel/Channel.ts"
import { ListNotFound, ListNotReady } from "../contact/Contacts.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { type Actor, type EventType, stamped, system } from "../event/DomainEvent.ts"
import type { AccountId, CampaignId, ContactId, ContactListId, WorkspaceId } from "../workspace/Id.ts"
import type { Chore } from "../workspace/Chore.ts"
import { Ids } from "../workspace/Id.ts"
import type { Metadata } from "../workspace/Json.ts"
import * as Paging from "../workspace/Page.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as AccountChoice from "./AccountChoice.ts"
import * as Breaker from "./Breaker.ts"
import {
  type Campaign,
  type CampaignSettings,
  CampaignNotFound,
  IllegalTransition,
  mayBecome,
  type CampaignStatus
} from "./Campaign.ts"
import * as CampaignChange from "./CampaignChange.ts"
import * as CampaignEnding from "./CampaignEnding.ts"
import { CampaignChangeRefused } from "./CampaignChange.ts"
import { tellBegun } from "./CampaignRevival.ts"
import * as CampaignStanding from "./CampaignStanding.ts"
import { CampaignStore } from "./CampaignStore.ts"
import type { Enrolment, NewLead } from "./Enroller.ts"
import * as Enroller from "./Enroller.ts"
import { type Lead, LeadFilter } from "./Lead.ts"
import * as FollowedLists from "./FollowedLists.ts"
import { Outreach } from "./Outreach.ts"

export interface NewCampaign {
  readonly workspace: WorkspaceId
  readonly name: string
  readonly settings: CampaignSettings
  readonly accounts: readonly [AccountId, ...Array<AccountId>]
  readonly externalRef: string | null
  readonly metadata: Metadata
}

export class Campaigns extends Context.Service<
  Campaigns,
  {
    /** A draft; or the campaign that has this externalRef already. What could not be a campaign is refused by field. */
    create(
      campaign: NewCampaign,
      actor: Actor
    ): Effect.Effect<{ readonly campaign: Campaign; readonly created: boolean }, StorageError | CampaignChangeRefused>
    /** In order of their ids. A status is taken as the counters take it: claimed, or sending once a message of it is. */
    leads(
      workspace: WorkspaceId,
      id: CampaignId,
      filter: LeadFilter,
      page: PageRequest
    ): Effect.Effect<Page<Lead>, StorageError | Paging.InvalidListRequest>
    /** With how it stands (`CampaignStanding`). Those that were deleted are there too. */
    get(
      workspace: WorkspaceId,
      id: CampaignId
    ): Effect.Effect<CampaignStanding.CampaignView, StorageError | CampaignNotFound>
    /** All of a workspace, in order of their ids. */
    list(
      workspace: WorkspaceId,
      page: PageRequest
    ): Effect.Effect<Page<CampaignStanding.CampaignView>, StorageError | Paging.InvalidListRequest>
    /** Adds every member of a list, in the order of the list; idempotent. A list that is still being gathered is refused. */
    enrollList(
      workspace: WorkspaceId,
      id: CampaignId,
      list: ContactListId
    ): Effect.Effect<Enrolment, StorageError | CampaignNotFound | ListNotFound | ListNotReady>
    /**
     * Adds these people, behind those who are in it; idempotent. A campaign that was finished runs again, as with a list.
     * `notFound` are no contacts of the workspace.
     */
    enroll(
      workspace: WorkspaceId,
      id: CampaignId,
      people: ReadonlyArray<NewLead>
    ): Effect.Effect<Enrolment & { readonly notFound: ReadonlyArray<ContactId> }, StorageError | CampaignNotFound>
    /** Enrols who joined lists that campaigns follow (`followList`). */
    readonly chore: Chore
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
    /**
     * Its leads and messages stay for reports; what is open of it ends as `cancelled`, what is being sent finishes, and its
     * externalRef is free again. Deleting a deleted one ends what is left of it.
     */
    remove(
      workspace: WorkspaceId,
      id: CampaignId,
      actor: Actor
    ): Effect.Effect<Campaign, StorageError | CampaignNotFound>
  }
>()("@overture/core/Campaigns") {
  static readonly layer = Layer.effect(
    Campaigns,
    Effect.suspend(() => make)
  )
}

const checkLeads = Paging.checker(Schema.Struct({ filter: LeadFilter, page: Paging.requestOf([""]) }))

const make = Effect.gen(function* () {
  const store = yield* CampaignStore
  const contacts = yield* ContactStore
  const stores = { accounts: yield* AccountStore, groups: yield* AccountGroupStore, workspaces: yield* WorkspaceStore }
  const choice = AccountChoice.make(stores, (yield* Channels).all)
  const outreach = yield* Outreach
  const time = yield* PacingTime
  const transaction = yield* Transaction
  const makeIds = (yield* Ids).generator
  const ending = CampaignEnding.make(store, transaction, makeIds)
  const enroller = Enroller.make(store, contacts, outreach.distributor, transaction, makeIds)

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
    const inSettings = CampaignChange.problems(null, input.settings)
    const wrong = [
      ...(input.name === "" ? [{ field: "name", message: "a campaign has a name" }] : []),
      ...inSettings,
      ...(inSettings.length > 0
        ? []
        : yield* choice.problems(input.workspace, input.accounts, null, input.settings, []))
    ]
    if (wrong.length > 0) return yield* new CampaignChangeRefused({ problems: wrong })
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
      stamped(ids, now, {
        workspace: campaign.workspace,
        type: "campaign.created",
        subject: campaign.id,
        actor,
        data: { name: campaign.name }
      })
    ])
    if (created || input.externalRef === null) return { campaign, created }
    const known = yield* store.byExternalRef(input.workspace, input.externalRef)
    return { campaign: Option.getOrElse(known, () => campaign), created: false }
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
        let begins = false
        const changed = yield* store.modify(workspace, id, now, (campaign) => {
          begins = false
          if (campaign.status === status) return { campaign, events: [] }
          if (!mayBecome(campaign, status)) {
            refused = new IllegalTransition({ campaign: id, from: campaign.status, to: status })
            return { campaign, events: [] }
          }
          begins = status === "running"
          return {
            campaign: {
              ...campaign,
              status,
              pauseReason: reason,
              startedAt: campaign.startedAt ?? (status === "running" ? now : null),
              ...(status === "running" && { breaker: Breaker.closed(touched) })
            },
            events: [
              stamped(ids, now, {
                workspace,
                type: eventTypes[status] ?? "campaign.changed",
                subject: id,
                actor,
                data: { ...(reason !== null && { reason }) }
              })
            ]
          }
        })
        if (refused !== null) return yield* Effect.fail<IllegalTransition>(refused)
        if (Option.isNone(changed)) return yield* new CampaignNotFound({ campaign: id })
        if (status === "running") yield* outreach.draw(workspace, id, now)
        if (begins) yield* tellBegun(store, changed.value, ids, now)
        return changed.value
      })
    )

  /** One that may be added to. */
  const open = (workspace: WorkspaceId, id: CampaignId) =>
    Effect.filterOrFail(
      get(workspace, id),
      ({ status }) => status !== "deleted",
      () => new CampaignNotFound({ campaign: id })
    )

  /**
   * What follows for a campaign to which people were added: a finished one with something to do runs again, also where a
   * process died that was to see to that, and who was added to one that was deleted meanwhile ends as its other leads did.
   */
  const goOn = Effect.fnUntraced(function* ({ id, workspace }: Campaign) {
    const now = yield* time.now
    // As it is under its lock: it may have been finished or deleted since it was read (`CampaignEnding`, `remove`).
    const current = yield* store.modify(workspace, id, now, (campaign) => ({ campaign, events: [] }))
    const { status } = Option.getOrElse(current, () => ({ status: null }))
    if (status === "deleted") return yield* ending.stop(id, now)
    if (status !== "finished" || (yield* store.isDone(id))) return
    // Somebody deleted it meanwhile.
    yield* Effect.catchTag(
      become(workspace, id, "running", null, system),
      ["CampaignNotFound", "IllegalTransition"],
      () => Effect.void
    )
  })
  const followed = FollowedLists.make(store, enroller, goOn)

  const shown = Effect.fnUntraced(function* (workspace: WorkspaceId, campaigns: ReadonlyArray<Campaign>) {
    const running = campaigns.flatMap(({ id, status }) => (status === "running" ? [id] : []))
    const members = yield* store.membersOf(workspace, running)
    return campaigns.map((campaign) => ({
      campaign,
      standing: CampaignStanding.of(campaign, members.get(campaign.id) ?? [])
    }))
  })

  return Campaigns.of({
    create,
    get: Effect.fn("Campaigns.get")(function* (workspace, id) {
      const [view] = yield* shown(workspace, [yield* get(workspace, id)])
      return view!
    }),
    list: Effect.fn("Campaigns.list")(function* (workspace, request) {
      const asked = yield* Effect.fromResult(Paging.checkById({ page: request }))
      const page = yield* Paging.ofList("campaigns", asked.page, (own) => store.list(workspace, own))
      return { ...page, data: yield* shown(workspace, page.data) }
    }),
    leads: Effect.fn("Campaigns.leads")(function* (workspace, id, filter, page) {
      const asked = yield* Effect.fromResult(checkLeads({ filter, page }))
      return yield* Paging.ofList(`leads of ${id}`, asked.page, (own) => store.leads(workspace, id, asked.filter, own))
    }),
    enrollList: Effect.fn("Campaigns.enrollList")(function* (workspace, id, list) {
      const campaign = yield* open(workspace, id)
      const found = Option.getOrNull(yield* contacts.getList(workspace, list))
      if (found === null) return yield* new ListNotFound({ list })
      if (found.status === "gathering") return yield* new ListNotReady({ list: found.name })
      return yield* Effect.tap(enroller.list(campaign, list, time.now), goOn(campaign))
    }),
    enroll: Effect.fn("Campaigns.enroll")(function* (workspace, id, people) {
      const campaign = yield* open(workspace, id)
      return yield* Effect.tap(enroller.people(campaign, people, time.now), goOn(campaign))
    }),
    chore: {
      name: "lists that campaigns follow",
      round: () => Effect.map(Effect.flatMap(time.now, followed.catchUp), (worked) => ({ worked, nextDue: null }))
    },
    start: Effect.fn("Campaigns.start")((workspace: WorkspaceId, id: CampaignId, actor: Actor) =>
      become(workspace, id, "running", null, actor)
    ),
    pause: Effect.fn("Campaigns.pause")((workspace: WorkspaceId, id: CampaignId, reason: string | null, actor: Actor) =>
      become(workspace, id, "paused", reason, actor)
    ),
    remove: Effect.fn("Campaigns.remove")(function* (workspace: WorkspaceId, id: CampaignId, actor: Actor) {
      const ids = yield* makeIds
      const now = yield* time.now
      const removed = yield* store.modify(workspace, id, now, (campaign) => {
        if (!mayBecome(campaign, "deleted")) return { campaign, events: [] }
        const { externalRef, name } = campaign
        const event = stamped(ids, now, {
          workspace,
          type: "campaign.deleted",
          subject: id,
          actor,
          data: { name, externalRef }
        })
        return { campaign: { ...campaign, status: "deleted", externalRef: null }, events: [event] }
      })
      if (Option.isNone(removed)) return yield* new CampaignNotFound({ campaign: id })
      yield* ending.stop(id, now)
      return removed.value
    })
  })
})
