/** Gathers what a campaign did from the ports, without changing anything. */
import { Context, Effect, Layer, Option } from "effect"
import { CampaignNotFound } from "../campaign/Campaign.ts"
import * as CampaignStanding from "../campaign/CampaignStanding.ts"
import { CampaignStore } from "../campaign/CampaignStore.ts"
import type { CursorExpired, Position } from "../event/EventStore.ts"
import { EventStore } from "../event/EventStore.ts"
import type { CampaignId, WorkspaceId } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { follow } from "./CampaignActivity.ts"
import type { CampaignReport } from "./CampaignReport.ts"

/** The feed of a workspace is read from its beginning; one longer than this is not. */
const mostEvents = 500_000
const eventsPerRead = 1_000

export class CampaignReports extends Context.Service<
  CampaignReports,
  {
    /** The report of a campaign as it stands now. */
    of(
      workspace: WorkspaceId,
      id: CampaignId
    ): Effect.Effect<CampaignReport, StorageError | CampaignNotFound | CursorExpired>
  }
>()("@overture/core/CampaignReports") {
  static readonly layer = Layer.effect(
    CampaignReports,
    Effect.gen(function* () {
      const campaigns = yield* CampaignStore
      const events = yield* EventStore
      const time = yield* PacingTime
      return CampaignReports.of({
        of: Effect.fn("CampaignReports.of")(function* (workspace: WorkspaceId, id: CampaignId) {
          const found = yield* campaigns.get(workspace, id)
          if (Option.isNone(found)) return yield* new CampaignNotFound({ campaign: id })
          const campaign = found.value
          const paces = yield* campaigns.duePaces(id)
          const activity = follow(campaign, paces)
          let after: Position | null = null
          let read = 0
          while (read < mostEvents) {
            const page: Effect.Success<ReturnType<typeof events.read>> = yield* events.read(
              workspace,
              after,
              eventsPerRead
            )
            for (const { event } of page) activity.take(event)
            read += page.length
            const last = page.at(-1)
            if (last === undefined || page.length < eventsPerRead) break
            after = last.position
          }
          const accounts = paces.map(({ account, pace }) => ({ account: account.account, pace }))
          return {
            campaign,
            standing: CampaignStanding.ofPaces(campaign, accounts),
            now: yield* time.now,
            counts: yield* campaigns.counts(id),
            outcomes: yield* campaigns.breakdown(id),
            accounts,
            activity: read < mostEvents ? activity.result() : null
          }
        })
      })
    })
  )
}
