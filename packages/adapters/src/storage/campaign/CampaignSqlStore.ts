/** Campaigns, leads and paces in SQL: `campaigns`, `pool`, `claim`, `changeLeads`, `leads`, put together. */
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Effect, Layer } from "effect"
import { Database } from "../Database.ts"
import * as Campaigns from "./campaigns.ts"
import * as ChangeLeads from "./changeLeads.ts"
import * as Claim from "./claim.ts"
import * as Leads from "./leads.ts"
import * as Pool from "./pool.ts"

export const make = (database: Database["Service"]): CampaignStore["Service"] =>
  CampaignStore.of({
    ...Campaigns.make(database),
    ...Pool.make(database),
    ...Leads.make(database),
    claim: Claim.make(database),
    changeLeads: ChangeLeads.make(database)
  })

export const layer: Layer.Layer<CampaignStore, never, Database> = Layer.effect(
  CampaignStore,
  Effect.map(Database, make)
)
