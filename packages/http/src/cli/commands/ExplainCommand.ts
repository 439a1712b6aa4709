/** `overture explain`: what happened to one person in a campaign, and what happens next. */
import { Explanation } from "@overture/core/campaign/Explanation"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { idOf } from "@overture/core/chat/Chat"
import { ContactStore } from "@overture/core/contact/ContactStore"
import * as CampaignStanding from "@overture/core/campaign/CampaignStanding"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import * as Engine from "../Engine.ts"
import { refuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import { findLead } from "../LeadLookup.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"
import * as LeadPage from "../report/LeadPage.ts"
import * as Text from "../report/Text.ts"

const flags = {
  who: Argument.String("who").pipe(
    Argument.withMetavar("LEAD_ID|EXTERNAL_ID"),
    Argument.withDescription("A lead's id (led_…), or the contact's id or number on the channel, as in the CSV")
  ),
  campaign: Flags.campaign,
  database: Flags.database,
  json: Flags.json
}

export const command = Command.make("explain", flags, ({ campaign, database, json, who }) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      const campaigns = yield* CampaignStore
      const lead = yield* findLead(who, campaign)
      const { answer, pace } = yield* (yield* Explanation).explain(Engine.workspace, lead.id)
      const owner = yield* campaigns.get(Engine.workspace, lead.campaign)
      if (Option.isNone(owner)) return yield* refuse(`the campaign of ${lead.id} is gone`)
      const contact = yield* (yield* ContactStore).get(Engine.workspace, lead.contact)
      const paces = yield* campaigns.paces(lead.campaign)
      const account = paces.find(({ pace }) => pace.account === lead.account)?.account ?? null
      const messages =
        account === null
          ? []
          : (yield* (yield* ChatStore).messages(Engine.workspace, idOf(account.id, lead.address), { limit: 100 })).data
      const story = {
        lead,
        answer,
        pace,
        campaign: owner.value,
        standing: CampaignStanding.ofPaces(owner.value, paces),
        contact: Option.getOrNull(contact),
        account,
        messages
      }
      if (json) return Output.printJson(LeadPage.encode(story))
      Output.print(...LeadPage.render(story, Output.hasColors() ? Text.colors : Text.plain))
    })
  )
).pipe(
  Command.withShortDescription("Tell what happened to one person, and what comes next and why"),
  Command.withDescription(
    "Tells what was sent to one person and what they answered, what comes next, and if nothing does, why: the same rules answer that decide at the next claim."
  ),
  Command.withExamples([
    { command: "overture explain ravi.dubois", description: "By the id in the CSV" },
    {
      command: "overture explain ravi.dubois --campaign studio-spring --json",
      description: "In one of several campaigns, as JSON"
    }
  ])
)
