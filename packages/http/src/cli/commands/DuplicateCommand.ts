/** `overture duplicate`: a draft with the settings and accounts of a campaign. */
import { CampaignEdits } from "@overture/core/campaign/CampaignEdits"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as Engine from "../Engine.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"

const flags = {
  campaign: Flags.campaign,
  name: Flag.String("name").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("What the copy is called; the name of the campaign and (copy) where it is left out"),
    Flag.filter(
      (name) => name.trim() !== "" && name.length <= 200,
      () => "Expected a name of 1 to 200 characters"
    ),
    Flag.optional
  ),
  ref: Flag.String("ref").pipe(
    Flag.withMetavar("REF"),
    Flag.withDescription("The id of the copy in a campaign file; none where it is left out"),
    Flag.filter(
      (ref) => ref.trim() !== "",
      () => "Expected an id that is not empty"
    ),
    Flag.optional
  ),
  database: Flags.database,
  json: Flags.json
}

export const command = Command.make("duplicate", flags, ({ campaign, database, json, name, ref }) =>
  Reading.ofCampaign(database, campaign, (found) =>
    Effect.gen(function* () {
      const edits = yield* CampaignEdits
      const {
        externalRef,
        id,
        name: title,
        status
      } = yield* edits.duplicate(
        Engine.workspace,
        found.id,
        { name: Option.getOrUndefined(name), externalRef: Option.getOrNull(ref) },
        Engine.actor
      )
      if (json) return Output.printJson({ campaign: { id, externalRef, name: title, status } })
      Output.print(`${title} (${externalRef ?? id}) is a draft with the same settings and accounts, and nobody in it.`)
    })
  )
).pipe(
  Command.withShortDescription("Copy a campaign as a draft"),
  Command.withDescription("Makes a draft with the settings and accounts of a campaign. Its leads stay where they are."),
  Command.withExamples([
    { command: 'overture duplicate --campaign spring --name "Autumn" --ref autumn', description: "Under a new name" }
  ])
)
