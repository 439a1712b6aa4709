/** Kept forecasts in memory. */
import { Option } from "effect"
import { ForecastStore } from "../stats/ForecastStore.ts"
import type { Memory } from "./Memory.ts"

export const make = ({ state, verb }: Memory) =>
  ForecastStore.of({
    saveForecast: (workspace, campaign, forecast) =>
      verb(() => {
        const isKnown = state.campaigns.get(campaign)?.campaign.workspace === workspace
        if (!isKnown || state.forecasts.get(campaign) !== undefined) return false
        state.forecasts.set(campaign, forecast)
        return true
      }),
    forecastOf: (workspace, campaign) =>
      verb(() =>
        state.campaigns.get(campaign)?.campaign.workspace === workspace
          ? Option.fromUndefinedOr(state.forecasts.get(campaign))
          : Option.none()
      )
  })
