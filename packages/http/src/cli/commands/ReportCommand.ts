/** `overture report`: how a campaign stands. */
import { Forecasts } from "@overture/core/forecast/Forecasts"
import { CampaignReports } from "@overture/core/stats/CampaignReports"
import { Effect } from "effect"
import { Command } from "effect/cli"
import * as Engine from "../Engine.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"
import * as CampaignJson from "../report/CampaignJson.ts"
import * as CampaignPage from "../report/CampaignPage.ts"
import * as Text from "../report/Text.ts"

const flags = { campaign: Flags.campaign, database: Flags.database, json: Flags.json }

export const command = Command.make("report", flags, ({ campaign, database, json }) =>
  Reading.ofCampaign(database, campaign, (found) =>
    Effect.gen(function* () {
      const report = yield* (yield* CampaignReports).of(Engine.workspace, found.id)
      const compared = yield* (yield* Forecasts).compared(Engine.workspace, found.id)
      if (json) return Output.printJson(CampaignJson.encode(report, compared))
      const paint = Output.hasColors() ? Text.colors : Text.plain
      Output.print(...CampaignPage.render(report, compared, { paint, width: Output.pageWidth() }))
    })
  )
).pipe(
  Command.withShortDescription("Show how a campaign stands: leads, answers, accounts, days"),
  Command.withDescription(
    "Shows how a campaign stands: its leads and why, answers, follow-ups, accounts and days. A worker may be at work meanwhile."
  ),
  Command.withExamples([
    { command: "overture report --json", description: "The only campaign of ./overture.sqlite, as JSON" }
  ])
)
