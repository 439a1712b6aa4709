/** `overture run`: its flags. */
import { Instant, minute } from "@overture/core/workspace/Instant"
import { Clock, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { TimeWish } from "../Engine.ts"
import { type CliFailure, misuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import { outboxOf, sending } from "./WorkerCommand.ts"
import * as Run from "../run/Run.ts"

const flags = {
  contacts: Flag.String("contacts").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("The people, as CSV in UTF-8; .json, .ndjson and .jsonl are read as JSON")
  ),
  campaign: Flag.String("campaign").pipe(
    Flag.withMetavar("FILE.json"),
    Flag.withDescription("What is said, from which accounts, when")
  ),
  list: Flag.String("list").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("The contact list they join; the campaign's id or name where it is left out"),
    Flag.optional
  ),
  channel: Flags.channel,
  country: Flags.country,
  database: Flags.database,
  virtual: Flag.Boolean("virtual").pipe(
    Flag.withDescription("Virtual time: jumps from one due instant to the next, weeks in seconds; one process only"),
    Flag.withDefault(false)
  ),
  from: Flag.String("from").pipe(
    Flag.withMetavar("INSTANT"),
    Flag.withDescription("When virtual time begins, such as 2026-03-02T14:00:00Z; now where it is left out"),
    Flag.withSchema(Instant),
    Flag.optional
  ),
  ...sending,
  json: Flags.json
}

const leastFile =
  '{"name": "Hello", "accounts": [{"id": "nora", "channel": "sandbox"}], "messages": ["Hi {{ first }}!"], "pacing": {"rangeMin": 20, "rangeMax": 40}}'

const timeOf = Effect.fnUntraced(function* (
  virtual: boolean,
  from: Option.Option<number>,
  rate: Option.Option<number>
): Effect.fn.Return<TimeWish, CliFailure> {
  if (Option.isSome(from) && !virtual) return yield* misuse("--from is for --virtual: add it, or leave --from out")
  if (Option.isSome(rate) && virtual) return yield* misuse("--virtual and --clock-rate exclude each other")
  if (Option.isSome(rate)) return { type: "rate", rate: rate.value }
  if (!virtual) return { type: "asStored" }
  const now = yield* Clock.currentTimeMillis
  return { type: "virtual", from: Option.getOrElse(from, () => Math.floor(now / minute) * minute) }
})

export const command = Command.make("run", flags, (given) =>
  Effect.gen(function* () {
    const time = yield* timeOf(given.virtual, given.from, given.clockRate)
    yield* Run.run({
      contacts: given.contacts,
      campaign: given.campaign,
      list: Option.getOrUndefined(given.list),
      channel: Option.getOrUndefined(given.channel),
      country: Option.getOrUndefined(given.country),
      database: given.database,
      time,
      sandbox: Option.getOrUndefined(given.sandbox),
      sandboxLog: Option.getOrUndefined(given.sandboxLog),
      media: given.media,
      outbox: outboxOf(given),
      json: given.json
    })
  })
).pipe(
  Command.withShortDescription("Do the whole job: import, send until the campaign is finished, report"),
  Command.withDescription(
    `Imports the contacts, makes the campaign and sends until it is finished, then reports. Everything is checked before anything is written. Started again on the same database it goes on where it was; a finished campaign sends nothing more. Where people were erased, OVERTURE_ADDRESS_KEY must hold the key they were erased with. The least that a campaign file says is ${leastFile}. Exit codes: 0 finished, 1 refused or failed, 2 wrong usage, 3 stopped before it was finished.`
  ),
  Command.withExamples([
    {
      command: "overture run --contacts contacts.csv --campaign campaign.json --virtual --sandbox sandbox.json",
      description: "A dry run in virtual time: weeks in seconds, and nothing leaves the machine"
    },
    {
      command: "overture run --contacts contacts.csv --campaign campaign.json --database team.sqlite",
      description: "On the real clock, in a file of its own; the same command goes on after a stop"
    }
  ])
)
