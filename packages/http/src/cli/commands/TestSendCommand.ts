/** `overture test-send`: one step of a campaign to an address of yours. */
import { Previews } from "@overture/core/campaign/Previews"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Engine from "../Engine.ts"
import * as ErasureKey from "../ErasureKey.ts"
import { misuse, refuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import { findLead } from "../LeadLookup.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"
import * as Text from "../report/Text.ts"
import * as Selection from "../Selection.ts"

const flags = {
  to: Argument.String("to").pipe(
    Argument.withMetavar("EXTERNAL_ID"),
    Argument.withDescription("Your own id or number on the channel")
  ),
  campaign: Flags.campaign,
  account: Flag.String("account").pipe(
    Flag.withMetavar("REF"),
    Flag.withDescription("The account that sends it; needed where the campaign has several"),
    Flag.optional
  ),
  step: Flag.Int("step").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("0 is the first touch, 1 the first follow-up, and so on"),
    Flag.filter(
      (step) => step >= 0,
      () => "Expected a number of at least 0"
    ),
    Flag.withDefault(0)
  ),
  as: Flag.String("as").pipe(
    Flag.withMetavar("LEAD_ID|EXTERNAL_ID"),
    Flag.withDescription("The person whose name and attributes the texts show; blank where it is left out"),
    Flag.optional
  ),
  database: Flags.database,
  json: Flags.json
}

export const command = Command.make("test-send", flags, ({ account, as, campaign, database, json, step, to }) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      yield* ErasureKey.recognising
      const found = yield* Selection.one(campaign)
      const senders = (yield* (yield* CampaignStore).paces(found.id)).flatMap((one) =>
        one.pace.leftAt === null ? [one.account] : []
      )
      const named = Option.isNone(account)
        ? Option.fromUndefinedOr(senders.length === 1 ? senders[0] : undefined)
        : Option.some(yield* Selection.account(account.value))
      if (Option.isNone(named)) {
        const refs = senders.map(({ externalRef, id }) => externalRef ?? id).join(", ")
        return yield* misuse(`which account? Add --account with one of: ${refs}`)
      }
      const said = found.settings.steps[step]
      if (said === undefined)
        return yield* refuse(`the campaign has no step ${step}, only 0 to ${found.settings.steps.length - 1}`)
      const person = Option.isNone(as) ? undefined : (yield* findLead(as.value, Option.some(found.id))).contact
      const messages = yield* (yield* Previews).testSend(
        Engine.workspace,
        { campaign: found.id, step: said.id, account: named.value.id, to, as: person },
        Engine.actor
      )
      if (json) return Output.printJson({ messages })
      Output.print(
        `${Text.count(messages.length, "message")} to ${to} queued: a worker, or overture run, sends them at once.`
      )
    })
  )
).pipe(
  Command.withShortDescription("Send one step of a campaign to an address of yours"),
  Command.withDescription(
    "Queues the messages of one step to an address of yours, marked as a test. It counts for no campaign and waits for no window, but suppressions, the channel's policy and the account's caps hold."
  ),
  Command.withExamples([
    { command: "overture test-send me --step 1 --as ravi.dubois", description: "The first follow-up as Ravi sees it" }
  ])
)
