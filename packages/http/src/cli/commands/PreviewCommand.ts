/** `overture preview`: what a campaign would say, and to whom something is missing. Nothing is sent or reserved. */
import type { Content } from "@overture/core/channel/Content"
import type { Preview, PreviewedVariant } from "@overture/core/campaign/Preview"
import { maxPeople, Previews } from "@overture/core/campaign/Previews"
import type { RareHours } from "@overture/core/campaign/RecipientHours"
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import * as Engine from "../Engine.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"
import * as HoursWarning from "../report/HoursWarning.ts"
import * as Text from "../report/Text.ts"

const defaultPeople = 5

const flags = {
  campaign: Flags.campaign,
  people: Flag.Int("people").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription(`How many people are shown; ${defaultPeople} where it is left out`),
    Flag.filter(
      (people) => people >= 1 && people <= maxPeople,
      () => `Expected a number from 1 to ${maxPeople}`
    ),
    Flag.withDefault(defaultPeople)
  ),
  database: Flags.database,
  json: Flags.json
}

const words = (content: Content): string => {
  switch (content.type) {
    case "text":
      return content.text
    case "media":
      return `[${content.kind}] ${content.caption ?? content.url}`
    case "approvedTemplate":
      return `[template ${content.name}]`
    case "preContact":
      return `[contact request]${content.note === undefined ? "" : ` ${content.note}`}`
  }
}

const line = ({ chosen, content, missing, problem }: PreviewedVariant, isOnly: boolean): string => {
  const lacks = missing.length === 0 ? "" : `missing: ${missing.join(", ")}`
  const said = content === null ? (problem ?? lacks) : `${words(content)}${lacks === "" ? "" : ` (${lacks})`}`
  return `    ${isOnly ? "" : chosen ? "* " : "  "}${content === null ? "! " : ""}${said}`
}

const render = (
  { missing, people, unsayable }: Preview,
  rareHours: ReadonlyArray<RareHours>
): ReadonlyArray<string> => [
  ...people.flatMap(({ channel, contact, name, steps }) => [
    `${name === "" ? contact : name} (${channel})`,
    ...steps.flatMap(({ parts }, index) => [
      `  ${index === 0 ? "first touch" : `follow-up ${index}`}`,
      ...parts.flatMap((variants) => variants.map((variant) => line(variant, variants.length === 1)))
    ]),
    ""
  ]),
  ...missing.map(
    ({ people: count, variable }) => `${variable}: ${Text.count(count, "person", "people")} of these without it`
  ),
  ...(unsayable > 0
    ? [`${Text.count(unsayable, "person", "people")} of these would get a text that cannot be sent`]
    : []),
  ...HoursWarning.lines(rareHours),
  ...(people.length === 0 ? ["nobody is enrolled whom an account of the campaign reaches"] : [])
]

export const command = Command.make("preview", flags, ({ campaign, database, json, people }) =>
  Reading.ofCampaign(database, campaign, (found) =>
    Effect.gen(function* () {
      const preview = yield* (yield* Previews).preview(Engine.workspace, found.id, people)
      const rareHours = yield* (yield* Previews).rareHours(Engine.workspace, found.id)
      if (json) return Output.printJson({ ...preview, rareHours })
      Output.print(...render(preview, rareHours))
    })
  )
).pipe(
  Command.withShortDescription("Show what a campaign would say to its first people"),
  Command.withDescription(
    "Renders every step and variant for the first people of a campaign, and tells which variables are missing, what cannot be sent, and which of its people have quiet hours nearly whenever it is open. Of several variants a star marks the one that the person gets. Nothing is sent."
  ),
  Command.withExamples([{ command: "overture preview --people 20 --json", description: "Twenty people, as JSON" }])
)
