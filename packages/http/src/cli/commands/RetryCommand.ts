/** `overture retry`: tries touches again that failed, were skipped or went out in part. */
import { Retries, type RetryChoice } from "@overture/core/campaign/Retries"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Engine from "../Engine.ts"
import { misuse, refuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import { findLead } from "../LeadLookup.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"
import * as Text from "../report/Text.ts"

const flags = {
  who: Argument.String("who").pipe(
    Argument.withMetavar("LEAD_ID|EXTERNAL_ID"),
    Argument.withDescription("A lead's id (led_…), or the contact's id or number on the channel, as in the CSV"),
    Argument.optional
  ),
  reason: Flag.String("reason").pipe(
    Flag.withMetavar("REASON[,REASON]"),
    Flag.withDescription(
      "All leads whose touch came to nothing for one of these reasons, as overture report names them"
    ),
    Flag.optional
  ),
  includeUnknown: Flag.Boolean("include-unknown").pipe(
    Flag.withDescription("For one lead: you looked, and what may have gone out to this person did not"),
    Flag.withDefault(false)
  ),
  campaign: Flags.campaign,
  database: Flags.database,
  json: Flags.json
}

const why = {
  nothingToRetry: "have nothing that came to nothing",
  answered: "have an answer, or someone took them over",
  outcomeUnknown: "may have got it already: look at each, then overture retry LEAD --include-unknown",
  notFound: "are not in this campaign"
} as const

export const command = Command.make("retry", flags, ({ campaign, database, includeUnknown, json, reason, who }) => {
  if (Option.isSome(who) === Option.isSome(reason)) {
    return Effect.fail(misuse("say whom to try again: one lead, or --reason"))
  }
  if (includeUnknown && Option.isNone(who)) {
    return Effect.fail(misuse("--include-unknown is said of one lead at a time, never of all with a reason"))
  }
  const choose = Effect.gen(function* () {
    if (Option.isNone(who)) return null
    const lead = yield* findLead(who.value, campaign)
    const choice: RetryChoice = { type: "leads", leads: [lead.id], includeUnknown }
    return { campaign: lead.campaign, choice }
  })
  const tell = (chosen: {
    readonly campaign: Parameters<Retries["Service"]["retry"]>[1]
    readonly choice: RetryChoice
  }) =>
    Effect.gen(function* () {
      const done = yield* (yield* Retries).retry(Engine.workspace, chosen.campaign, chosen.choice, Engine.actor)
      if (chosen.choice.type === "reasons" && done.leads.length === 0 && done.left.length === 0) {
        return yield* refuse(
          `no lead of this campaign has the reason ${chosen.choice.reasons.join(" or ")}`,
          "overture report --json names the reasons there are"
        )
      }
      if (json) return Output.printJson(done)
      const left = new Map<keyof typeof why, number>()
      for (const one of done.left) left.set(one.why, (left.get(one.why) ?? 0) + 1)
      Output.print(
        `${Text.count(done.leads.length, "lead")} will be tried again at the next slots.`,
        ...Array.from(left, ([reason, count]) => `${Text.count(count, "lead")} stay as they are: they ${why[reason]}`)
      )
    })
  return Option.isSome(who)
    ? Reading.over(
        database,
        Effect.flatMap(choose, (chosen) => (chosen === null ? Effect.void : tell(chosen)))
      )
    : Reading.ofCampaign(database, campaign, (found) =>
        tell({
          campaign: found.id,
          choice: {
            type: "reasons",
            reasons: Option.getOrElse(reason, () => "")
              .split(",")
              .map((one) => one.trim())
              .filter((one) => one !== "")
          }
        })
      )
}).pipe(
  Command.withShortDescription("Try again what failed, was skipped or went out in part"),
  Command.withDescription(
    "Makes touches due again that came to nothing, of one lead or of all with a reason: under all gates, from the first missing part on. What may have gone out is only tried again for a lead that you name with --include-unknown. A finished campaign runs again."
  ),
  Command.withExamples([
    { command: "overture retry --reason unreachable,transient", description: "All leads with one of two reasons" },
    { command: "overture retry ravi.dubois --include-unknown", description: "You looked: it did not arrive" }
  ])
)
