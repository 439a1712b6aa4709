/**
 * `overture plan`: the days that a campaign file lays out, without a database. One line of JSON for each account and date;
 * on a terminal a line of text where JSON was not asked for.
 */
import * as Schedule from "@overture/core/campaign/Schedule"
import type { CampaignFile } from "@overture/core/campaign/CampaignFile"
import { LocalDate } from "@overture/core/workspace/LocalDate"
import * as Zone from "@overture/core/workspace/Zone"
import { Clock, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Inputs from "../run/Inputs.ts"
import { workspaceZone } from "../run/Setup.ts"

const mostDays = 3_660
/** Lines that are handed to stdout at once. */
const batch = 64

const flags = {
  file: Argument.String("FILE").pipe(Argument.withDescription("The campaign, as JSON")),
  from: Flag.String("from").pipe(
    Flag.withMetavar("DATE"),
    Flag.withDescription("The first local date, such as 2026-03-02; today in the campaign's zone where it is left out"),
    Flag.withSchema(LocalDate),
    Flag.optional
  ),
  days: Flag.Int("days").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription(`How many dates, closed ones among them; 1–${mostDays}, 14 where it is left out`),
    Flag.filter(
      (days) => days >= 1 && days <= mostDays,
      () => `Expected a number from 1 to ${mostDays}`
    ),
    Flag.withDefault(14)
  ),
  json: Flags.json
}

const span = (zone: Zone.Zone, slots: Float64Array): string => {
  const [first] = slots
  const last = slots.at(-1)
  if (first === undefined || last === undefined) return "closed"
  const clock = (at: number) => {
    const minutes = Math.floor(Zone.localMinutes(zone, at))
    return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`
  }
  return `${clock(first)}–${clock(last)}`
}

/** The lines of a plan, one at a time. */
export function* lines(
  file: CampaignFile,
  options: { readonly from: LocalDate; readonly days: number; readonly json: boolean }
): Generator<string, void, undefined> {
  const { zone } = Schedule.settingsOf(file, workspaceZone)
  for (const day of Schedule.ofFile(file, { ...options, workspaceZone })) {
    yield options.json
      ? Schedule.toJson(day)
      : [
          day.date,
          day.account,
          `${day.quota} messages in ${day.slots.length} slots`,
          day.interval === null ? "" : `every ${Math.round(day.interval)} s`,
          span(zone, day.slots)
        ]
          .filter((part) => part !== "")
          .join("  ")
  }
}

export const command = Command.make("plan", flags, (given) =>
  Effect.gen(function* () {
    const { file, warnings } = yield* Inputs.readCampaign(given.file, true)
    Output.say(...warnings.map((warning) => `warning: ${warning}`))
    if (file.id === undefined) {
      Output.say(`warning: ${given.file} has no id, so its real days are drawn from an id it gets later: add one`)
    }
    const { zone } = Schedule.settingsOf(file, workspaceZone)
    const today = Zone.localDate(zone, yield* Clock.currentTimeMillis)
    const from = Option.getOrElse(given.from, () => today)
    yield* Inputs.ensureOpenAt(given.file, file, Zone.toInstant(zone, from, 0, "first"))
    const json = given.json || !process.stdout.isTTY
    let waiting: Array<string> = []
    for (const line of lines(file, { from, days: given.days, json })) {
      waiting.push(line)
      if (waiting.length < batch) continue
      Output.print(...waiting)
      waiting = []
      // Lets a reader that is slow, or gone, be noticed.
      yield* Effect.yieldNow
    }
    if (waiting.length > 0) Output.print(...waiting)
  })
).pipe(
  Command.withShortDescription("Show the days a campaign file lays out; no database needed"),
  Command.withDescription(
    'Prints quota, interval and slots of every account on every date, as if every active date sent something: ramp-up begins on the first one. One line of JSON each: {"account","date","quota","interval","slots"}, the interval in seconds. Ids in the file are taken as they are, and the same file gives the same days on every machine.'
  ),
  Command.withExamples([
    {
      command: "overture plan campaign.json --from 2026-03-02 --days 28 --json",
      description: "Four weeks, a line for each account and day"
    }
  ])
)
