/**
 * Changes campaigns that exist, also while they run, and copies them. A change holds for every touch that is not claimed
 * yet; what went out stays as it was said. All of a change is done, or nothing; leads that had every step and go on with one
 * that was added follow page by page.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { AccountGroupStore } from "../account/AccountGroupStore.ts"
import { AccountStore } from "../account/AccountStore.ts"
import { Channels } from "../channel/Channel.ts"
import { type Actor, stamped } from "../event/DomainEvent.ts"
import type { AccountId, CampaignId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Chore } from "../workspace/Chore.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as AccountChoice from "./AccountChoice.ts"
import * as Breaker from "./Breaker.ts"
import { type Campaign, CampaignNotFound, type CampaignSettings } from "./Campaign.ts"
import * as CampaignChange from "./CampaignChange.ts"
import { CampaignChangeRefused } from "./CampaignChange.ts"
import * as CampaignStanding from "./CampaignStanding.ts"
import { CampaignStore } from "./CampaignStore.ts"
import * as Distributor from "./Distributor.ts"
import * as LateSteps from "./LateSteps.ts"

/** What is to be changed; what is left out stays. */
export interface CampaignEdit {
  readonly name?: string | undefined
  readonly settings?: Partial<CampaignSettings> | undefined
  /** Accounts it is to have beside those it has. */
  readonly accounts?: ReadonlyArray<AccountId> | undefined
}

export interface Edited {
  readonly campaign: Campaign
  /** Fields of the settings that changed. */
  readonly changed: ReadonlyArray<string>
  /** Accounts it did not have before. */
  readonly joined: ReadonlyArray<AccountId>
  /** Leads whose sequence was over and goes on with a new step. */
  readonly resumed: number
}

/** Someone else changed the campaign meanwhile. */
class Overtaken extends Schema.TaggedError<Overtaken>()("Overtaken", {}) {}

export class CampaignEdits extends Context.Service<
  CampaignEdits,
  {
    /** Changes a campaign. Its settings get another version and its paces ring; the same again changes nothing. */
    edit(
      workspace: WorkspaceId,
      id: CampaignId,
      edit: CampaignEdit,
      actor: Actor
    ): Effect.Effect<Edited, StorageError | CampaignNotFound | CampaignChangeRefused>
    /** Lets leads go on that a process which ended in the middle of an edit has left. */
    readonly chore: Chore
    /** A draft with the settings and accounts of another campaign, steps with ids of their own, and no leads. */
    duplicate(
      workspace: WorkspaceId,
      id: CampaignId,
      copy: { readonly name?: string | undefined; readonly externalRef?: string | null | undefined },
      actor: Actor
    ): Effect.Effect<Campaign, StorageError | CampaignNotFound | CampaignChangeRefused>
  }
>()("@overture/core/CampaignEdits") {
  static readonly layer = Layer.effect(
    CampaignEdits,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* CampaignStore
  const channels = yield* Channels
  const time = yield* PacingTime
  const transaction = yield* Transaction
  const makeIds = (yield* Ids).generator
  const lateSteps = LateSteps.make(store, transaction, makeIds)
  const distributor = Distributor.make(store, channels.all, transaction, makeIds)
  const stores = { accounts: yield* AccountStore, groups: yield* AccountGroupStore, workspaces: yield* WorkspaceStore }
  const choice = AccountChoice.make(stores, channels.all)

  const get = (workspace: WorkspaceId, id: CampaignId) =>
    Effect.flatMap(store.get(workspace, id), (found) =>
      Option.isNone(found) || found.value.status === "deleted"
        ? Effect.fail(new CampaignNotFound({ campaign: id }))
        : Effect.succeed(found.value)
    )

  const attempt = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    id: CampaignId,
    { accounts = [], name, settings: change }: CampaignEdit,
    actor: Actor
  ) {
    const before = yield* get(workspace, id)
    const settings: CampaignSettings = { ...before.settings, ...change }
    const members = yield* store.paces(id)
    const inSettings = CampaignChange.problems(before.settings, settings)
    const wrong = [
      ...inSettings,
      ...(inSettings.length > 0 ? [] : yield* choice.problems(workspace, accounts, before.settings, settings, members)),
      ...(name === "" ? [{ field: "name", message: "a campaign has a name" }] : [])
    ]
    if (wrong.length > 0) return yield* new CampaignChangeRefused({ problems: wrong })
    const ids = yield* makeIds
    const now = yield* time.now
    const changed = CampaignChange.changedFields(before.settings, settings)
    const joined = yield* store.addAccounts(workspace, id, accounts, now)
    const isRenamed = name !== undefined && name !== before.name
    if (changed.length === 0 && joined.length === 0 && !isRenamed) return { campaign: before, changed, joined }
    let overtaken = false
    const written = yield* store.modify(workspace, id, now, (current) => {
      overtaken = current.version !== before.version || current.status !== before.status
      if (overtaken) return { campaign: current, events: [] }
      const version = current.version + (changed.length > 0 ? 1 : 0)
      return {
        campaign: {
          ...current,
          name: name ?? current.name,
          settings: changed.length > 0 ? settings : current.settings,
          version,
          ...(LateSteps.hasNewStep(before.settings, settings) && { resumeAfter: LateSteps.fromTheFirst })
        },
        events: [
          stamped(ids, now, {
            workspace,
            type: "campaign.changed",
            subject: id,
            actor,
            data: {
              version,
              changed: [...(isRenamed ? ["name"] : []), ...(joined.length > 0 ? ["accounts"] : []), ...changed]
            }
          })
        ]
      }
    })
    if (overtaken) return yield* new Overtaken()
    if (Option.isNone(written)) return yield* new CampaignNotFound({ campaign: id })
    if (joined.length > 0 || changed.includes("distribution")) {
      yield* distributor.route(written.value, "all", now)
      if (written.value.status === "running") yield* distributor.draw(id, now)
    }
    if (joined.length > 0) {
      yield* ringRemoved(id, now)
      yield* store.tellStanding(workspace, { campaign: id }, CampaignStanding.joined(joined, ids, now))
    }
    return { campaign: written.value, changed, joined }
  })

  /** An account that was removed may leave now that it is not the last one. */
  const ringRemoved = (id: CampaignId, now: Instant) =>
    Effect.flatMap(store.paces(id), (paces) =>
      store.ring(
        paces.flatMap(({ account, pace }) =>
          account.removedAt !== undefined && pace.leftAt === null ? [account.id] : []
        ),
        now
      )
    )

  const edit = Effect.fn("CampaignEdits.edit")(function* (
    workspace: WorkspaceId,
    id: CampaignId,
    change: CampaignEdit,
    actor: Actor
  ) {
    const edited = yield* transaction.within(attempt(workspace, id, change, actor)).pipe(
      Effect.retry({ times: 20, while: (error) => error._tag === "Overtaken" }),
      Effect.catchTag("Overtaken", () => Effect.die(`the campaign ${id} is changed all the time`))
    )
    if (edited.campaign.resumeAfter === undefined) return { ...edited, resumed: 0 }
    const resumed = yield* lateSteps.finish(workspace, id, yield* time.now)
    return { ...edited, campaign: yield* get(workspace, id), resumed }
  })

  return CampaignEdits.of({
    edit,
    chore: {
      name: "steps that an edit added",
      round: () => Effect.map(Effect.flatMap(time.now, lateSteps.catchUp), (worked) => ({ worked, nextDue: null }))
    },
    duplicate: Effect.fn("CampaignEdits.duplicate")(function* (workspace, id, copy, actor) {
      const original = yield* get(workspace, id)
      const accounts = (yield* store.paces(id)).flatMap(({ account, pace }) =>
        pace.leftAt === null ? [account.id] : []
      )
      const ids = yield* makeIds
      const now = yield* time.now
      const [first, ...rest] = original.settings.steps
      const { resumeAfter: _, ...kept } = original
      const campaign: Campaign = {
        ...kept,
        id: ids.next("cmp"),
        name: copy.name ?? `${original.name} (copy)`,
        status: "draft",
        version: 1,
        settings: {
          ...original.settings,
          steps: [{ ...first, id: ids.next("stp") }, ...rest.map((step) => ({ ...step, id: ids.next("stp") }))]
        },
        pauseReason: null,
        breaker: Breaker.closed(0),
        externalRef: copy.externalRef ?? null,
        createdAt: now,
        startedAt: null
      }
      const made = yield* store.create(campaign, accounts, [
        stamped(ids, now, {
          workspace,
          type: "campaign.created",
          subject: campaign.id,
          actor,
          data: { name: campaign.name, copyOf: original.id }
        })
      ])
      if (!made) {
        return yield* new CampaignChangeRefused({
          problems: [{ field: "externalRef", message: `another campaign has the reference ${copy.externalRef}` }]
        })
      }
      return campaign
    })
  })
})
