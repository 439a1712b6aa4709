/** `overture forecast`: what a campaign will send and when, and what became of that. Nothing is sent or written. */
import type { Campaign, CampaignSettings } from "@overture/core/campaign/Campaign"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { CampaignFile } from "@overture/core/campaign/CampaignFile"
import { Previews } from "@overture/core/campaign/Previews"
import type { RareHours } from "@overture/core/campaign/RecipientHours"
import { type Compared, type ForecastRequest, Forecasts } from "@overture/core/forecast/Forecasts"
import * as Memory from "@overture/core/memory/MemoryStorage"
import { defaultBounds, Forecast } from "@overture/core/stats/Forecast"
import { Instant, minute } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Clock, Effect, Layer, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { existsSync, statSync } from "node:fs"
import * as Engine from "../Engine.ts"
import { misuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"
import * as ComparisonPage from "../report/ComparisonPage.ts"
import * as ForecastPage from "../report/ForecastPage.ts"
import * as HoursWarning from "../report/HoursWarning.ts"
import * as Text from "../report/Text.ts"
import * as Inputs from "../run/Inputs.ts"
import * as Setup from "../run/Setup.ts"
import type * as Target from "../Target.ts"

/** Dates of a forecast for people without end. */
const defaultDays = 14

const flags = {
  what: Argument.String("what").pipe(
    Argument.withMetavar("CAMPAIGN|FILE.json"),
    Argument.withDescription("A campaign of the database, by its id or name, or a file that describes one"),
    Argument.optional
  ),
  contacts: Flag.String("contacts").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("For a file: the people, so that whom the gates would skip or put off is foreseen"),
    Flag.optional
  ),
  people: Flag.Int("people").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Where nobody is enrolled yet: how many people there will be; without end where left out"),
    Flag.filter(
      (people) => people >= 1,
      () => "Expected a number of at least 1"
    ),
    Flag.optional
  ),
  from: Flag.String("from").pipe(
    Flag.withMetavar("INSTANT"),
    Flag.withDescription("When a campaign that does not run yet starts, such as 2026-03-02T14:00:00Z; now if left out"),
    Flag.withSchema(Instant),
    Flag.optional
  ),
  days: Flag.Int("days").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription(
      `How many dates at most; ${defaultBounds.days} where it is left out, ${defaultDays} for people without end`
    ),
    Flag.filter(
      (days) => days >= 1 && days <= 3_660,
      () => "Expected a number from 1 to 3660"
    ),
    Flag.optional
  ),
  channel: Flags.channel,
  country: Flags.country,
  sandbox: Flag.String("sandbox").pipe(
    Flag.withMetavar("SCRIPT.json"),
    Flag.withDescription("For a file: its channels carry what this script of the sandbox says"),
    Flag.optional
  ),
  database: Flags.database,
  json: Flags.json
}

interface Given {
  readonly contacts: Option.Option<string>
  readonly people: Option.Option<number>
  readonly from: Option.Option<number>
  readonly days: Option.Option<number>
  readonly channel: Option.Option<string>
  readonly country: Option.Option<Flags.Country>
  readonly sandbox: Option.Option<string>
  readonly database: Target.Target
}

/** What is printed: what is to come, and what became of what was said before. */
interface Answer {
  readonly name: string
  readonly forecast: Forecast | null
  readonly compared: Compared | null
  readonly rareHours: ReadonlyArray<RareHours>
}

/** More people than these accounts can write to in so many days. */
const endless = ({ pacing, steps }: CampaignSettings, accounts: number, days: number): number =>
  Math.min(
    defaultBounds.leads,
    accounts * (days + 1) * Math.max(1, Math.floor(pacing.rangeMax / steps[0].parts.length))
  )

/** What is asked about a campaign; `isOpen` where nobody is enrolled and nobody said how many there will be. */
const requestOf = (
  { days, from, people }: Given,
  { settings }: Campaign,
  accounts: number,
  isOpen: boolean
): ForecastRequest => {
  const most = Option.getOrElse(days, () => (isOpen ? defaultDays : defaultBounds.days))
  return {
    from: Option.getOrUndefined(from),
    contacts: isOpen ? endless(settings, accounts, most) : Option.getOrUndefined(people),
    bounds: { days: most }
  }
}

/** The campaign of a file, made in memory. Accounts that it only names are taken for what is written. */
const ofFile = (path: string, given: Given) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { file: written, warnings } = yield* Inputs.readCampaign(path, true)
      const file: CampaignFile = { ...written, accounts: Setup.writtenOut(written.accounts) }
      Output.say(...warnings.map((warning) => `warning: ${warning}`))
      if (file.id === undefined) {
        Output.say(`warning: ${path} has no id, so its real days are drawn from an id it gets later: add one`)
      }
      const now = yield* Clock.currentTimeMillis
      const from = Option.getOrElse(given.from, () => Math.floor(now / minute) * minute)
      yield* Inputs.ensureOpenAt(path, file, from)
      const names = Setup.channelsOf(file, new Map())
      const rules = yield* Setup.rowRules(Option.getOrUndefined(given.channel), names)
      const script = Option.isSome(given.sandbox) ? yield* Inputs.readScript(given.sandbox.value) : null
      const channels = yield* Engine.sandboxes(names, { script, log: undefined }, Engine.clockHolder())
      yield* Inputs.ensureCarried(path, file, channels)
      const storage = yield* Layer.build(Memory.layer)
      const engine = yield* Engine.build(storage, { time: PacingTime.layerVirtual(from), channels })
      const work = Effect.gen(function* () {
        const { accounts, campaign } = yield* Setup.makeCampaign(path, file)
        if (Option.isSome(given.contacts)) {
          const csv = { name: given.contacts.value, defaultCountry: Option.getOrUndefined(given.country) }
          const contents = yield* Inputs.readContacts(given.contacts.value, csv, rules.problem)
          Output.say(...Inputs.rejectedLines(given.contacts.value, contents))
          const { list } = yield* Setup.importContacts(
            given.contacts.value,
            csv,
            campaign.name,
            { channel: rules.channel, accounts },
            () => undefined
          )
          yield* (yield* Campaigns).enrollList(Engine.workspace, campaign.id, list.id)
        }
        const isOpen = Option.isNone(given.contacts) && Option.isNone(given.people)
        const request = requestOf(given, campaign, accounts.length, isOpen)
        const forecast = yield* (yield* Forecasts).of(Engine.workspace, campaign.id, request)
        const rareHours = yield* (yield* Previews).rareHours(Engine.workspace, campaign.id)
        return { name: file.name, forecast, compared: null, rareHours }
      })
      return yield* Effect.provideContext(work, engine)
    })
  )

const ofCampaign = (ref: Option.Option<string>, given: Given) =>
  Reading.ofCampaign(given.database, ref, (campaign) =>
    Effect.gen(function* () {
      const forecasts = yield* Forecasts
      const compared = campaign.startedAt === null ? null : yield* forecasts.compared(Engine.workspace, campaign.id)
      if (campaign.status === "finished") return { name: campaign.name, forecast: null, compared, rareHours: [] }
      const store = yield* CampaignStore
      const isEmpty = (yield* store.counts(campaign.id)).total === 0
      if (!isEmpty && Option.isSome(given.people)) {
        return yield* misuse(`--people is for a campaign without people; ${campaign.name} has its own`)
      }
      const accounts = (yield* store.paces(campaign.id)).length
      const request = requestOf(given, campaign, accounts, isEmpty && Option.isNone(given.people))
      const forecast = yield* forecasts.of(Engine.workspace, campaign.id, request)
      const rareHours = yield* (yield* Previews).rareHours(Engine.workspace, campaign.id)
      return { name: campaign.name, forecast, compared, rareHours }
    })
  )

const print = ({ compared, forecast, name, rareHours }: Answer, json: boolean) => {
  if (json) {
    return Output.printJson({
      forecast: forecast === null ? null : Schema.encodeSync(Forecast)(forecast),
      rareHours,
      actual: compared === null ? null : ComparisonPage.encode(compared)
    })
  }
  const options = { paint: Output.hasColors() ? Text.colors : Text.plain, width: Output.pageWidth() }
  const pages = [
    ...(forecast === null ? [`${options.paint.bold(name)}  finished`] : ForecastPage.render(forecast, name, options)),
    ...(compared === null ? [] : ComparisonPage.render(compared, options))
  ]
  Output.print(...pages)
  Output.say(...HoursWarning.lines(rareHours).map((line) => `warning: ${line}`))
  if (forecast === null && compared === null) {
    Output.say("No forecast was kept of it: overture run keeps one before the first message.")
  }
}

/** Whether a text names a file: one that is there, or that looks like one. */
const isFile = (text: string): boolean => /\.json$/i.test(text) || (existsSync(text) && statSync(text).isFile())

export const command = Command.make("forecast", flags, (given) =>
  Effect.gen(function* () {
    const { what } = given
    if (Option.isSome(given.contacts) && Option.isSome(given.people)) {
      return yield* misuse("--people and --contacts exclude each other: the file has its people")
    }
    if (Option.isSome(what) && isFile(what.value)) return print(yield* ofFile(what.value, given), given.json)
    if (Option.isSome(given.contacts)) {
      return yield* misuse("--contacts is for a campaign file; a campaign of the database has its people already")
    }
    if (Option.isSome(given.sandbox)) return yield* misuse("--sandbox is for a campaign file")
    print(yield* ofCampaign(what, given), given.json)
  })
).pipe(
  Command.withShortDescription("Show what a campaign will send and when, and what became of it"),
  Command.withDescription(
    "Runs the engine ahead on a copy of the campaign, in memory: quota and slots of each account and day, what limits it, when it finishes, at which hours it sends. Of a campaign that runs or is finished it also holds the forecast that was kept before the first message against what happened, day by day, with the cause of every difference. Nothing is sent or written."
  ),
  Command.withExamples([
    {
      command: "overture forecast campaign.json --contacts contacts.csv --from 2026-03-02T14:00:00Z",
      description: "A file that is not in a database yet, for these people"
    },
    { command: "overture forecast studio-spring --json", description: "A campaign of ./overture.sqlite, as JSON" }
  ])
)
