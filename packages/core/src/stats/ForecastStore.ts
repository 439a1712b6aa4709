/**
 * The port that keeps forecasts: of each campaign the one that was made before it first sent anything, so that what happened
 * is held against what was said then and not against a later guess.
 */
import { Context, type Effect, type Option } from "effect"
import type { CampaignId, WorkspaceId } from "../workspace/Id.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Forecast } from "./Forecast.ts"

export class ForecastStore extends Context.Service<
  ForecastStore,
  {
    /**
     * Keeps the forecast of a campaign, once: the first one stays. False, and nothing is written, where there is one already
     * or no such campaign.
     */
    saveForecast(workspace: WorkspaceId, campaign: CampaignId, forecast: Forecast): Effect.Effect<boolean, StorageError>
    /** The forecast that was kept of a campaign. */
    forecastOf(workspace: WorkspaceId, campaign: CampaignId): Effect.Effect<Option.Option<Forecast>, StorageError>
  }
>()("@overture/core/ForecastStore") {}
