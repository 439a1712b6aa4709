/**
 * Forecasts a campaign as it stands in the stores, keeps the forecast that is made before the first message, and holds it
 * against what the campaign really did.
 */
import { Context, Effect, Layer, Option } from "effect"
import * as Account from "../account/Account.ts"
import type { Campaign } from "../campaign/Campaign.ts"
import { CampaignNotFound } from "../campaign/Campaign.ts"
import type { LeadCandidate } from "../campaign/CampaignStore.ts"
import { CampaignStore } from "../campaign/CampaignStore.ts"
import type { LeadStatus } from "../campaign/Lead.ts"
import * as SendWindow from "../campaign/SendWindow.ts"
import { AddressHash } from "../contact/Suppression.ts"
import type { CursorExpired, Position } from "../event/EventStore.ts"
import { EventStore } from "../event/EventStore.ts"
import * as Budget from "../workspace/Budget.ts"
import type { CampaignId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { walk } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import * as Zone from "../workspace/Zone.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { type WorkspaceState, WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import { defaultBounds, type Forecast, type ForecastBounds } from "../stats/Forecast.ts"
import { ForecastStore } from "../stats/ForecastStore.ts"
import { ForecastEngine } from "./ForecastEngine.ts"
import type { Snapshot } from "./Snapshot.ts"
import * as Comparison from "./Comparison.ts"
import * as TouchLog from "./TouchLog.ts"

export interface ForecastRequest {
  /** When a campaign that does not run yet will be started; now where it is left out. */
  readonly from?: Instant | undefined
  /** How many people there will be, where none is enrolled yet. */
  readonly contacts?: number | undefined
  readonly bounds?: Partial<ForecastBounds> | undefined
}

/** A kept forecast and what became of it. */
export interface Compared {
  readonly forecast: Forecast
  readonly comparison: Comparison.Comparison
  /** When the campaign was finished; null while it is not. */
  readonly finishedAt: Instant | null
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
    /**
     * Keeps what `of` says of a campaign that has not sent anything yet, once; later it answers what was kept. To be called
     * before the campaign starts.
     */
    keep(
      workspace: WorkspaceId,
      id: CampaignId,
      bounds?: Partial<ForecastBounds>
    ): Effect.Effect<Forecast, StorageError | CampaignNotFound>
    /** The kept forecast against what happened; null where none was kept. */
    compared(
      workspace: WorkspaceId,
      id: CampaignId
    ): Effect.Effect<Compared | null, StorageError | CampaignNotFound | CursorExpired>
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
  const store = yield* ForecastStore
  const time = yield* PacingTime
  const engine = yield* ForecastEngine
  const addressHash = yield* AddressHash

  /** Also one that was deleted: what it did stays. */
  const known = (workspace: WorkspaceId, id: CampaignId): Effect.Effect<Campaign, StorageError | CampaignNotFound> =>
    Effect.flatMap(campaigns.get(workspace, id), (found) =>
      Option.isNone(found) ? Effect.fail(new CampaignNotFound({ campaign: id })) : Effect.succeed(found.value)
    )

  /** One of which something may be to come. */
  const get = (workspace: WorkspaceId, id: CampaignId) =>
    Effect.filterOrFail(
      known(workspace, id),
      ({ status }) => status !== "deleted",
      () => new CampaignNotFound({ campaign: id })
    )

  /** Leads that may still be touched, with everything that decides about them; one more than `limit` at most. */
  const active = Effect.fnUntraced(function* (campaign: Campaign, limit: number) {
    const found: Array<LeadCandidate> = []
    for (const status of statuses) {
      yield* walk(
        (page) => campaigns.leads(campaign.workspace, campaign.id, { status }, page),
        Effect.fnUntraced(function* (leads) {
          const open = leads.filter(({ step }) => step !== null).slice(0, limit + 1 - found.length)
          const read = yield* Effect.forEach(
            open,
            ({ id }) => campaigns.candidate(campaign.workspace, id, addressHash),
            { concurrency: readAtOnce }
          )
          found.push(...read.flatMap((one) => (Option.isSome(one) ? [one.value.candidate] : [])))
          return found.length <= limit
        })
      )
    }
    return found
  })

  const snapshot = Effect.fnUntraced(function* (campaign: Campaign, request: ForecastRequest, bounds: ForecastBounds) {
    const now = yield* time.now
    const paces = yield* campaigns.duePaces(campaign.id)
    const found = yield* active(campaign, bounds.leads)
    const tenant = yield* workspaces.get(campaign.workspace)
    if (Option.isNone(tenant)) return yield* new CampaignNotFound({ campaign: campaign.id })
    const [any] = paces
    const workspace: WorkspaceState = any?.workspace ?? { workspace: tenant.value, use: Budget.none }
    const made: Snapshot = {
      workspace,
      campaign,
      accounts: paces.map(({ account, group, pace }) => ({ pace, account, group })),
      leads:
        found.length === 0 && request.contacts !== undefined
          ? { type: "anonymous", count: request.contacts }
          : { type: "known", candidates: found },
      at: campaign.status === "running" ? now : (request.from ?? now)
    }
    return made
  })

  const of = Effect.fn("Forecasts.of")(function* (
    workspace: WorkspaceId,
    id: CampaignId,
    request: ForecastRequest = {}
  ) {
    const campaign = yield* get(workspace, id)
    const bounds = { ...defaultBounds, ...request.bounds }
    return yield* engine.run(yield* snapshot(campaign, request, bounds), bounds)
  })

  const actual = Effect.fn("Forecasts.actual")(function* (workspace: WorkspaceId, id: CampaignId) {
    const log = TouchLog.follow(yield* known(workspace, id))
    let after: Position | null = null
    while (true) {
      const page: Effect.Success<ReturnType<typeof events.read>> = yield* events.read(workspace, after, eventsPerRead)
      for (const { event } of page) log.take(event)
      const last = page.at(-1)
      if (last === undefined || page.length < eventsPerRead) return log.result()
      after = last.position
    }
  })

  return Forecasts.of({
    of,
    actual,
    keep: Effect.fn("Forecasts.keep")(function* (workspace, id, bounds = {}) {
      const kept = yield* store.forecastOf(workspace, id)
      if (Option.isSome(kept)) return kept.value
      const forecast = yield* of(workspace, id, { bounds })
      const first = yield* store.saveForecast(workspace, id, forecast)
      return first ? forecast : Option.getOrElse(yield* store.forecastOf(workspace, id), () => forecast)
    }),
    compared: Effect.fn("Forecasts.compared")(function* (workspace, id) {
      const campaign = yield* known(workspace, id)
      const kept = yield* store.forecastOf(workspace, id)
      if (Option.isNone(kept)) return null
      const forecast = kept.value
      const keys = new Map((yield* campaigns.paces(id)).map(({ account }) => [account.id, Account.seedKey(account)]))
      const log = yield* actual(workspace, id)
      const comparison = Comparison.compare({
        forecast,
        actual: log,
        until: Comparison.lastDate(forecast, {
          isFinished: campaign.status === "finished",
          today: SendWindow.dateOf(campaign.settings.sendWindow, Zone.make(campaign.settings.timezone), yield* time.now)
        }),
        accountKey: (account) => keys.get(account) ?? account
      })
      return { forecast, comparison, finishedAt: log.finishedAt }
    })
  })
})
