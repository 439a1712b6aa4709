/** Kept forecasts: one document for each campaign, which nothing but its reader looks into. */
import type { Forecast } from "@overture/core/stats/Forecast"
import { ForecastStore } from "@overture/core/stats/ForecastStore"
import { Effect, Layer, Option } from "effect"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as Columns from "./rows/Columns.ts"

const statements = defineStatements("ForecastStore", (sql) => ({
  save: `insert into ${sql.t("forecast")}(campaign_id, document)
    select g.id, ${sql.p(3, "text")} from ${sql.t("campaign")} as g where g.workspace_id = $1 and g.id = $2
    on conflict (campaign_id) do nothing`,
  of: `select f.document from ${sql.t("forecast")} as f join ${sql.t("campaign")} as g on g.id = f.campaign_id
    where g.workspace_id = $1 and f.campaign_id = $2`
}))

export const make = (database: Database["Service"]): ForecastStore["Service"] => {
  const sql = database.statements(statements)
  return ForecastStore.of({
    saveForecast: (workspace, campaign, forecast) =>
      Effect.map(database.affected(sql.save, [workspace, campaign, forecast]), (count) => count > 0),
    forecastOf: (workspace, campaign) =>
      Effect.map(database.execute<{ readonly document: string }>(sql.of, [workspace, campaign]), ([row]) =>
        Option.map(Option.fromUndefinedOr(row), ({ document }) => Columns.json<Forecast>(document))
      )
  })
}

export const layer: Layer.Layer<ForecastStore, never, Database> = Layer.effect(
  ForecastStore,
  Effect.map(Database, make)
)
