/**
 * Changes campaigns that exist, also while they run, and copies them. A change holds for every touch that is not claimed
 * yet; what went out stays as it was said. All of a change is done, or nothing.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Channels } from "../channel/Channel.ts"
import type { Actor } from "../event/DomainEvent.ts"
import type { AccountId, CampaignId, LeadId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { maxLimit } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import * as Breaker from "./Breaker.ts"
import { type Campaign, CampaignNotFound, type CampaignSettings } from "./Campaign.ts"
import * as CampaignChange from "./CampaignChange.ts"
import { CampaignChangeRefused } from "./CampaignChange.ts"
import { CampaignStore } from "./CampaignStore.ts"
import * as Distributor from "./Distributor.ts"
import * as Lead from "./Lead.ts"
import { alone } from "./LeadStopping.ts"
import * as Sequence from "./Sequence.ts"

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
  const distributor = Distributor.make(store, channels.all, makeIds)

  const get = (workspace: WorkspaceId, id: CampaignId) =>
    Effect.flatMap(store.get(workspace, id), (found) =>
      Option.isNone(found) || found.value.status === "deleted"
        ? Effect.fail(new CampaignNotFound({ campaign: id }))
        : Effect.succeed(found.value)
    )

  /** Leads that had every step go on with those that were added. In id order, as everyone locks them. */
  const resume = Effect.fnUntraced(function* (campaign: Campaign, settings: CampaignSettings, now: Instant) {
    const known = new Set<string>(campaign.settings.steps.map(({ id }) => id))
    if (settings.steps.every(({ id }) => known.has(id))) return 0
    let resumed = 0
    let cursor: string | undefined
    do {
      const page: Effect.Success<ReturnType<typeof store.leads>> = yield* store.leads(
        campaign.workspace,
        campaign.id,
        {},
        { limit: maxLimit, cursor }
      )
      const over: ReadonlyArray<LeadId> = page.data.flatMap(({ ended, id }) => (ended === "completed" ? [id] : []))
      if (over.length > 0) {
        const changed = yield* store.changeLeads({ type: "ids", ids: over }, now, (lead) => {
          if (lead.ended !== "completed" || lead.step !== null || !Lead.isTouched(lead)) return null
          const next = Sequence.proceed(lead, settings, Sequence.placeOf(settings, lead), lead.lastSentAt ?? now)
          return next.step === null ? null : { ...alone, lead: { ...next, ended: null } }
        })
        resumed += changed.length
      }
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    return resumed
  })

  const attempt = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    id: CampaignId,
    { accounts = [], name, settings: change }: CampaignEdit,
    actor: Actor
  ) {
    const before = yield* get(workspace, id)
    const settings: CampaignSettings = { ...before.settings, ...change }
    const wrong = [
      ...CampaignChange.problems(before.settings, settings),
      ...(name === "" ? [{ field: "name", message: "a campaign has a name" }] : [])
    ]
    if (wrong.length > 0) return yield* new CampaignChangeRefused({ problems: wrong })
    const ids = yield* makeIds
    const now = yield* time.now
    const changed = CampaignChange.isSame(before.settings, settings)
      ? []
      : CampaignChange.changedFields(before.settings, settings)
    const resumed = changed.includes("steps") ? yield* resume(before, settings, now) : 0
    const joined = yield* store.addAccounts(workspace, id, accounts, now)
    const isRenamed = name !== undefined && name !== before.name
    if (changed.length === 0 && joined.length === 0 && !isRenamed) return { campaign: before, changed, joined, resumed }
    const goesOn = before.status === "finished" && resumed > 0
    const touched = goesOn ? (yield* store.paces(id)).reduce((sum, { pace }) => sum + pace.counts.touched, 0) : 0
    let overtaken = false
    const written = yield* store.modify(workspace, id, now, (current) => {
      overtaken = current.version !== before.version || current.status !== before.status
      if (overtaken) return { campaign: current, events: [] }
      const event = (type: "campaign.changed" | "campaign.started", data: Record<string, Schema.Json>) => ({
        id: ids.next("evt"),
        workspace,
        type,
        at: now,
        subject: id,
        actor,
        cause: null,
        data
      })
      const version = current.version + (changed.length > 0 ? 1 : 0)
      return {
        campaign: {
          ...current,
          name: name ?? current.name,
          settings: changed.length > 0 ? settings : current.settings,
          version,
          ...(goesOn && { status: "running" as const, breaker: Breaker.closed(touched) })
        },
        events: [
          event("campaign.changed", {
            version,
            changed: [...(isRenamed ? ["name"] : []), ...(joined.length > 0 ? ["accounts"] : []), ...changed]
          }),
          ...(goesOn ? [event("campaign.started", {})] : [])
        ]
      }
    })
    if (overtaken) return yield* new Overtaken()
    if (Option.isNone(written)) return yield* new CampaignNotFound({ campaign: id })
    if (joined.length > 0 || changed.includes("distribution")) {
      yield* distributor.route(written.value, "all", now)
      if (written.value.status === "running") yield* distributor.draw(id, now)
    }
    return { campaign: written.value, changed, joined, resumed }
  })

  return CampaignEdits.of({
    edit: Effect.fn("CampaignEdits.edit")((workspace: WorkspaceId, id: CampaignId, edit: CampaignEdit, actor: Actor) =>
      transaction.within(attempt(workspace, id, edit, actor)).pipe(
        Effect.retry({ times: 20, while: (error) => error._tag === "Overtaken" }),
        Effect.catchTag("Overtaken", () => Effect.die(`the campaign ${id} is changed all the time`))
      )
    ),
    duplicate: Effect.fn("CampaignEdits.duplicate")(function* (workspace, id, copy, actor) {
      const original = yield* get(workspace, id)
      const accounts = (yield* store.paces(id)).flatMap(({ account, pace }) =>
        pace.leftAt === null ? [account.id] : []
      )
      const ids = yield* makeIds
      const now = yield* time.now
      const [first, ...rest] = original.settings.steps
      const campaign: Campaign = {
        ...original,
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
        {
          id: ids.next("evt"),
          workspace,
          type: "campaign.created",
          at: now,
          subject: campaign.id,
          actor,
          cause: null,
          data: { name: campaign.name, copyOf: original.id }
        }
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
