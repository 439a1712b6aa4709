/**
 * The whole job: from files to a finished campaign. Started again on the same database it goes on where it was, whatever
 * ended it, and a finished campaign sends nothing more.
 */
import type * as Batches from "@overture/adapters/sources/Batches"
import type { CampaignFile } from "@overture/core/campaign/CampaignFile"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { Previews } from "@overture/core/campaign/Previews"
import type { Campaign } from "@overture/core/campaign/Campaign"
import { seedKey } from "@overture/core/campaign/Campaign"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { Forecasts } from "@overture/core/forecast/Forecasts"
import { CampaignReports } from "@overture/core/stats/CampaignReports"
import type { OutboxOptions } from "@overture/core/outbox/OutboxConfig"
import { RestoreDetected } from "@overture/core/outbox/Clearance"
import { OutboxStore } from "@overture/core/outbox/OutboxStore"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, Option } from "effect"
import * as Drive from "../Drive.ts"
import * as Engine from "../Engine.ts"
import * as Equipment from "../Equipment.ts"
import { refuse, unfinished } from "../Failure.ts"
import type { MediaPlace } from "../MediaPlace.ts"
import * as Output from "../Output.ts"
import * as AccountLeft from "../report/AccountLeft.ts"
import * as CampaignJson from "../report/CampaignJson.ts"
import * as CampaignPage from "../report/CampaignPage.ts"
import * as ForecastPage from "../report/ForecastPage.ts"
import * as HoursWarning from "../report/HoursWarning.ts"
import { inWords } from "../report/Reasons.ts"
import * as Text from "../report/Text.ts"
import * as Selection from "../Selection.ts"
import * as Stop from "../Stop.ts"
import * as Target from "../Target.ts"
import * as AccountEntries from "./AccountEntries.ts"
import * as Changes from "./Changes.ts"
import * as Inputs from "./Inputs.ts"
import * as Setup from "./Setup.ts"

export interface RunOptions {
  readonly contacts: string
  readonly campaign: string
  readonly list: string | undefined
  readonly channel: string | undefined
  readonly country: Batches.Options["defaultCountry"]
  readonly database: Target.Target
  readonly time: Engine.TimeWish
  readonly sandbox: string | undefined
  readonly sandboxLog: string | undefined
  readonly media: Option.Option<MediaPlace>
  readonly outbox: Partial<OutboxOptions>
  readonly json: boolean
}

/** Says why a campaign does not go on, and what makes it go on. */
const explainHalt = (halt: Drive.Halt, campaign: Campaign, target: Target.Target) => {
  const flags = Target.flagOf(target)
  const title = `the campaign ${campaign.name}`
  switch (halt.type) {
    case "finished":
      return Effect.void
    case "paused": {
      const why = halt.reason === null ? "" : `: ${inWords(halt.reason)}`
      return unfinished(
        `${title} is paused${why}`,
        `overture resume --campaign ${JSON.stringify(seedKey(campaign))}${flags} lets it go on; then start the same command again.`
      )
    }
    case "stopped":
      return unfinished(
        halt.by === "all" ? "everything is stopped (overture pause --all)" : "the workspace is paused",
        `overture resume --all${flags} lets it go on; then start the same command again.`
      )
    case "inactive":
      return unfinished(
        `${title} cannot go on: none of its accounts can send`,
        ...halt.accounts.map((line) => `  ${line}`)
      )
  }
}

const say = (options: RunOptions, ...lines: ReadonlyArray<string>) => Effect.sync(() => Output.say(...lines))

/** The list that the contacts join. */
const listOf = ({ list }: RunOptions, file: CampaignFile): string => list ?? file.id ?? file.name

/** Whom a list that is being gathered will hold is not known yet: it is refused before anything is written. */
const ensureReady = Effect.fnUntraced(function* (name: string) {
  const list = yield* (yield* ContactStore).listByName(Engine.workspace, name)
  if (Option.isNone(list) || list.value.status === "ready") return
  return yield* refuse(
    `the list ${name} is still being gathered, so nobody can be enrolled from it yet`,
    "Wait for its import or job (overture jobs), give that up, or name another list with --list."
  )
})

/** Imports, enrols and starts; ends when there is nothing left to do before sending. */
const prepare = (options: RunOptions, file: CampaignFile, rules: Setup.RowRules, csv: Batches.Options) =>
  Effect.gen(function* () {
    const campaigns = yield* Campaigns
    const made = yield* Setup.makeCampaign(options.campaign, file)
    const { changed, kept } = made.followed
    yield* say(options, ...changed, ...kept.map((line) => `warning: ${line}`))
    const applied = made.created ? null : yield* Changes.apply(options.campaign, made.campaign, file, made.accounts)
    if (applied !== null && applied.changed.length > 0) {
      yield* say(
        options,
        `${options.campaign}: the campaign follows the file: ${applied.changed.join(", ")} changed` +
          (applied.resumed > 0 ? `; ${Text.count(applied.resumed, "lead")} go on with a new follow-up` : ""),
        ...applied.left.map(({ account, lost }) => AccountLeft.line(account.name, lost))
      )
    }
    const imported = yield* Setup.importContacts(
      options.contacts,
      csv,
      listOf(options, file),
      { channel: rules.channel, accounts: made.accounts },
      (rows) => Output.sayOver(`importing ${options.contacts}: ${Text.number(rows)} rows`)
    )
    const enrolment = yield* campaigns.enrollList(Engine.workspace, made.campaign.id, imported.list.id)
    yield* say(
      options,
      ...imported.rejected.slice(0, Inputs.rejectedShown).map((row) => Inputs.rejectedLine(options.contacts, row)),
      `${options.contacts}: ${Text.count(imported.created, "new contact")}, ${Text.number(imported.merged)} known already; ` +
        `${Text.count(enrolment.enrolled, "new lead")} of ${file.name}` +
        (enrolment.unreachable > 0 ? `, ${Text.number(enrolment.unreachable)} unreachable` : ""),
      ...HoursWarning.lines(yield* (yield* Previews).rareHours(Engine.workspace, made.campaign.id)).map(
        (warning) => `warning: ${warning}`
      )
    )
    return applied?.campaign ?? made.campaign
  })

/** A database that was restored is not written to, either, before a person has looked. */
const ensurePlace = Effect.gen(function* () {
  const guard = yield* (yield* OutboxStore).guard
  if (guard.type === "restored") return yield* new RestoreDetected({ detail: guard.detail })
})

const program = (options: RunOptions) =>
  Effect.gen(function* () {
    const target = options.database
    const stop = yield* Stop.listen
    const script = options.sandbox === undefined ? null : yield* Inputs.readScript(options.sandbox)
    const { file, warnings } = yield* Inputs.readCampaign(options.campaign, script !== null)
    const csv: Batches.Options = { name: options.contacts, defaultCountry: options.country }
    if (Target.isMissing(target)) {
      const unknown = file.accounts.flatMap((entry, i) =>
        typeof entry === "string" ? [AccountEntries.unknownAccount(options.campaign, i, entry)] : []
      )
      if (unknown.length > 0) return yield* refuse(...unknown)
      yield* Inputs.ensureOpenAt(options.campaign, file, yield* Engine.startOf({ type: "real" }, options.time))
    }
    // What can be checked without the database is, before there is a file for it.
    const written = Setup.channelsOf(file, new Map())
    if (Target.isMissing(target)) {
      const silent = yield* Engine.sandboxes(written, { script, log: undefined }, Engine.clockHolder())
      yield* Inputs.ensureCarried(options.campaign, file, silent)
    }
    const early = Target.isMissing(target) ? yield* Setup.rowRules(options.channel, written) : null
    const read =
      early === null ? null : yield* Stop.interrupting(stop)(Inputs.readContacts(options.contacts, csv, early.problem))

    const equipment = yield* Equipment.make(options.media)
    yield* Target.lock(target)
    const storage = yield* Target.open(target, { rehearsal: options.time.type === "virtual" })
    const known = yield* Effect.provideContext(AccountEntries.known(options.campaign, file), storage)
    const channels = Setup.channelsOf(file, known)
    const rules = yield* Setup.rowRules(options.channel, channels)
    const contents = read ?? (yield* Stop.interrupting(stop)(Inputs.readContacts(options.contacts, csv, rules.problem)))

    yield* Effect.provideContext(ensureReady(listOf(options, file)), storage)
    const before = yield* Effect.provideContext(Setup.findCampaign(file), storage)
    const { stored, inUse } = yield* Effect.provideContext(
      Effect.gen(function* () {
        const campaigns = yield* Selection.all
        return {
          stored: yield* (yield* WorkspaceStore).pacingClock,
          inUse: campaigns.some(({ startedAt }) => startedAt !== null)
        }
      }),
      storage
    )
    if (Option.isNone(before) || before.value.startedAt === null) {
      yield* Inputs.ensureOpenAt(options.campaign, file, yield* Engine.startOf(stored, options.time))
    }
    yield* Effect.provideContext(ensurePlace, storage)
    const time = yield* Engine.chooseTime(stored, options.time, inUse)
    const clock = Engine.clockHolder()
    const log = options.sandboxLog ?? Target.defaultSandboxLog(target)
    if (Option.isSome(before) && before.value.status === "paused") {
      return yield* explainHalt({ type: "paused", reason: before.value.pauseReason }, before.value, target)
    }
    const sandboxes = yield* Engine.sandboxes(channels, { script, log }, clock)
    yield* Inputs.ensureCarried(options.campaign, file, sandboxes)
    const engine = yield* Engine.build(storage, { time, channels: sandboxes, clock, equipment, outbox: options.outbox })

    yield* Effect.provideContext(
      Effect.gen(function* () {
        yield* say(
          options,
          ...warnings.map((line) => `warning: ${line}`),
          ...Inputs.rejectedLines(options.contacts, contents)
        )
        const campaigns = yield* Campaigns
        const forecasts = yield* Forecasts
        const reports = yield* CampaignReports
        const campaign = yield* Stop.interrupting(stop)(prepare(options, file, rules, csv))
        const already = yield* Drive.halted(campaign.id)
        const finishedBefore = already?.type === "finished"
        let ended: Drive.Ended = "done"
        if (finishedBefore) {
          yield* say(options, `The campaign ${campaign.name} is finished already: nothing was sent.`)
        } else {
          if (campaign.status === "draft") {
            // Kept before the first message, so that what happens can be held against it.
            Output.sayOver(`forecasting ${campaign.name}`)
            const forecast = yield* Stop.interrupting(stop)(forecasts.keep(Engine.workspace, campaign.id))
            yield* campaigns.start(Engine.workspace, campaign.id, Engine.actor)
            yield* say(options, `${campaign.name} has begun; ${ForecastPage.line(forecast)}`)
          }
          ended = yield* Drive.until(stop, Drive.isOver(campaign.id), Effect.succeed([campaign.id]))
        }
        const report = yield* reports.of(Engine.workspace, campaign.id)
        const compared = yield* forecasts.compared(Engine.workspace, campaign.id)
        if (options.json) {
          Output.printJson({
            ...CampaignJson.encode(report, compared),
            finishedBefore,
            database: Target.nameOf(target),
            sandboxLogs: logs(channels, log)
          })
        } else {
          const paint = Output.hasColors() ? Text.colors : Text.plain
          Output.print(...CampaignPage.render(report, compared, { paint, width: Output.pageWidth() }))
        }
        const halt = yield* Drive.halted(campaign.id)
        if (halt !== null) return yield* explainHalt(halt, campaign, target)
        return yield* unfinished(
          ended === "done"
            ? "nothing more is to come, but the campaign is not finished"
            : `stopped by ${ended} before the campaign was finished`,
          "Start the same command again: it goes on."
        )
      }),
      engine
    )
  })

const logs = (channels: ReadonlyArray<string>, log: string | undefined) =>
  channels.flatMap((name) => Engine.logOf(log, name, channels) ?? [])

/** Runs it; fails with what a person should read where it does not end with a finished campaign. */
export const run = (options: RunOptions) => Effect.scoped(program(options))
