/** Forecasts a campaign as it stands in the stores, and reads what it really did. It writes nothing. */
import { Context, Effect, Layer, Option } from "effect"
import type { Account } from "../account/Account.ts"
import type { Campaign } from "../campaign/Campaign.ts"
import { CampaignNotFound } from "../campaign/Campaign.ts"
import type { DuePace, LeadCandidate } from "../campaign/CampaignStore.ts"
import { CampaignStore } from "../campaign/CampaignStore.ts"
import type { LeadStatus } from "../campaign/Lead.ts"
import type { Pace } from "../campaign/Pace.ts"
import type { CursorExpired, Position } from "../event/EventStore.ts"
import { EventStore } from "../event/EventStore.ts"
import * as Budget from "../workspace/Budget.ts"
import type { AccountId, CampaignId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { maxLimit } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { type WorkspaceState, WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import { defaultBounds, type Forecast, type ForecastBounds } from "./Forecast.ts"
import { ForecastEngine } from "./ForecastEngine.ts"
import type { Snapshot } from "./Snapshot.ts"
import * as TouchLog from "./TouchLog.ts"

export interface ForecastRequest {
  /** When a campaign that does not run yet will be started; now where it is left out. */
  readonly from?: Instant | undefined
  /** How many people there will be, where none is enrolled yet. */
  readonly contacts?: number | undefined
  readonly bounds?: Partial<ForecastBounds> | undefined
}

export class Forecasts extends Context.Service<
  Forecasts,
  {
    /** What a campaign will do from now on, or from its start, if every message is taken and nobody answers. */
    of(
      workspace: WorkspaceId,
      id: CampaignId,
      request?: ForecastRequest
    ): Effect.Effect<Forecast, StorageError | CampaignNotFound>
    /** What it did, from the whole feed of its workspace. */
    actual(
      workspace: WorkspaceId,
      id: CampaignId
    ): Effect.Effect<TouchLog.TouchLog, StorageError | CampaignNotFound | CursorExpired>
  }
>()("@overture/core/Forecasts") {
  static readonly layer = Layer.effect(
    Forecasts,
    Effect.suspend(() => make)
  )
}

/** Leads in one of these may have something to come. */
const statuses: ReadonlyArray<LeadStatus> = ["claimed", "sending", "assigned", "pending", "sent", "partial", "skipped"]
const readAtOnce = 16
const eventsPerRead = 1_000

const make = Effect.gen(function* () {
  const campaigns = yield* CampaignStore
  const workspaces = yield* WorkspaceStore
  const events = yield* EventStore
  const time = yield* PacingTime
  const engine = yield* ForecastEngine

  const get = (workspace: WorkspaceId, id: CampaignId): Effect.Effect<Campaign, StorageError | CampaignNotFound> =>
    Effect.flatMap(campaigns.get(workspace, id), (found) =>
      Option.isNone(found) || found.value.status === "deleted"
        ? Effect.fail(new CampaignNotFound({ campaign: id }))
        : Effect.succeed(found.value)
    )

  /** Leads that may still be touched, with everything that decides about them; one more than `limit` at most. */
  const active = Effect.fnUntraced(function* (campaign: Campaign, limit: number) {
    const found: Array<{ readonly candidate: LeadCandidate; readonly due: DuePace | null }> = []
    for (const status of statuses) {
      let cursor: string | undefined
      do {
        const page: Effect.Success<ReturnType<typeof campaigns.leads>> = yield* campaigns.leads(
          campaign.workspace,
          campaign.id,
          { status },
          { limit: maxLimit, cursor }
        )
        const open = page.data.filter(({ step }) => step !== null).slice(0, limit + 1 - found.length)
        const read = yield* Effect.forEach(open, ({ id }) => campaigns.candidate(campaign.workspace, id), {
          concurrency: readAtOnce
        })
        found.push(...read.flatMap((one) => (Option.isSome(one) ? [one.value] : [])))
        cursor = page.nextCursor ?? undefined
      } while (cursor !== undefined && found.length <= limit)
    }
    return found
  })

  const snapshot = Effect.fnUntraced(function* (campaign: Campaign, request: ForecastRequest, bounds: ForecastBounds) {
    const now = yield* time.now
    const paces: ReadonlyArray<{ readonly pace: Pace; readonly account: Account }> = yield* campaigns.paces(campaign.id)
    const found = yield* active(campaign, bounds.leads)
    const tenant = yield* workspaces.get(campaign.workspace)
    if (Option.isNone(tenant)) return yield* new CampaignNotFound({ campaign: campaign.id })
    // What budgets hold is told with a lead that an account has; an account without one is taken as unused today.
    const states = new Map<AccountId, DuePace>(
      found.flatMap(({ due }) => (due === null ? [] : [[due.pace.account, due]]))
    )
    const [any] = states.values()
    const workspace: WorkspaceState = any?.workspace ?? { workspace: tenant.value, use: Budget.none }
    const made: Snapshot = {
      workspace,
      campaign,
      accounts: paces.map(({ account, pace }) => ({
        pace,
        account: states.get(account.id)?.account ?? { account, use: Budget.none, lastTouchAt: null },
        group: states.get(account.id)?.group
      })),
      leads:
        found.length === 0 && request.contacts !== undefined
          ? { type: "anonymous", count: request.contacts }
          : { type: "known", candidates: found.map(({ candidate }) => candidate) },
      at: campaign.status === "running" ? now : (request.from ?? now)
    }
    return made
  })

  return Forecasts.of({
    of: Effect.fn("Forecasts.of")(function* (workspace: WorkspaceId, id: CampaignId, request: ForecastRequest = {}) {
      const campaign = yield* get(workspace, id)
      const bounds = { ...defaultBounds, ...request.bounds }
      return yield* engine.run(yield* snapshot(campaign, request, bounds), bounds)
    }),
    actual: Effect.fn("Forecasts.actual")(function* (workspace: WorkspaceId, id: CampaignId) {
      const log = TouchLog.follow(yield* get(workspace, id))
      let after: Position | null = null
      while (true) {
        const page: Effect.Success<ReturnType<typeof events.read>> = yield* events.read(workspace, after, eventsPerRead)
        for (const { event } of page) log.take(event)
        const last = page.at(-1)
        if (last === undefined || page.length < eventsPerRead) return log.result()
        after = last.position
      }
    })
  })
})
