/** Campaigns, leads and paces in SQL: `campaigns`, `pool`, `Membership`, `Standings`, `FollowedLists`, `claim`, `changeLeads`, `leads`, `Persons`, put together. */
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Effect, Layer } from "effect"
import { Database } from "../Database.ts"
import * as Campaigns from "./campaigns.ts"
import * as ChangeLeads from "./changeLeads.ts"
import * as Claim from "./claim.ts"
import * as FollowedLists from "./FollowedLists.ts"
import * as Leads from "./leads.ts"
import * as Membership from "./Membership.ts"
import * as Persons from "./Persons.ts"
import * as Pool from "./pool.ts"
import * as Standings from "./Standings.ts"

export const make = (database: Database["Service"]): CampaignStore["Service"] =>
  CampaignStore.of({
    ...Campaigns.make(database),
    ...Pool.make(database),
    ...Membership.make(database),
    ...Standings.make(database),
    ...FollowedLists.make(database),
    ...Leads.make(database),
    ...Persons.make(database),
    claim: Claim.make(database),
    ...ChangeLeads.make(database)
  })

export const layer: Layer.Layer<CampaignStore, never, Database> = Layer.effect(
  CampaignStore,
  Effect.map(Database, make)
)
