/**
 * The JSON in which a campaign is written down: what `overture run --campaign` reads and the HTTP API takes. Everything is
 * decoded before anything is done, and what is wrong is named by its field.
 */
import { Effect, Result, Schema, SchemaIssue } from "effect"
import * as Account from "../account/Account.ts"
import { ChannelName } from "../channel/Address.ts"
import { Content } from "../channel/Content.ts"
import type { IdGenerator } from "../workspace/Id.ts"
import { Instant, second } from "../workspace/Instant.ts"
import { Metadata } from "../workspace/Json.ts"
import * as LocalDate from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import { Pacing } from "./Campaign.ts"
import type { CampaignSettings } from "./Campaign.ts"
import * as Distribution from "./Distribution.ts"
import { Frequency } from "./Frequency.ts"
import * as QuietHours from "./QuietHours.ts"
import { OnMissing } from "./Rendering.ts"
import * as Rendering from "./Rendering.ts"
import { RampUp } from "../workspace/RampUp.ts"
import * as SendWindow from "./SendWindow.ts"
import { maxParts, type Part, type Step, Variant } from "./Step.ts"
import * as StepIdentity from "./StepIdentity.ts"

const defaulted = <S extends Schema.Top>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

const positive = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1, { expected: "an integer of at least 1" }))
const notNegative = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0, { expected: "an integer of at least 0" }))

/** A part of a step: a text, a content, or weighted variants. */
export const MessageEntry = Schema.Union([
  Schema.NonEmptyString,
  Content,
  Schema.Struct({ variants: Schema.NonEmptyArray(Variant) })
]).annotate({ identifier: "MessageEntry" })
export type MessageEntry = typeof MessageEntry.Type

const Messages = Schema.NonEmptyArray(MessageEntry).check(
  Schema.isMaxLength(maxParts, { expected: `at most ${maxParts} messages` })
)

export const FollowUpEntry = Schema.Struct({
  id: Schema.optionalKey(Schema.NonEmptyString),
  messages: Messages,
  type: defaulted(Schema.Literals(["noReply", "noReplyResponded"]), "noReply"),
  sendAfterDays: positive
}).annotate({ identifier: "FollowUpEntry" })

/** An account by its id, or with what is needed to add it. */
export const AccountEntry = Schema.Union([
  Schema.NonEmptyString,
  Schema.Struct({
    id: Schema.NonEmptyString,
    channel: ChannelName,
    /** The platform's name for it; the id where it is left out. */
    externalId: Schema.optionalKey(Schema.NonEmptyString),
    name: Schema.optionalKey(Schema.String),
    dailyCap: Schema.optionalKey(positive),
    /** A ramp over all campaigns of the account. */
    warmUp: Schema.optionalKey(RampUp),
    /** Seconds between two automated touches. */
    minGap: defaulted(notNegative, Account.defaultMinGapMs / second),
    timezone: Schema.optionalKey(Schema.NonEmptyString)
  })
]).annotate({ identifier: "AccountEntry" })
export type AccountEntry = typeof AccountEntry.Type

const PacingEntry = Schema.Struct({
  rangeMin: Pacing.fields.rangeMin,
  rangeMax: Pacing.fields.rangeMax,
  jitter: defaulted(Pacing.fields.jitter, 0.8),
  catchUp: defaulted(Pacing.fields.catchUp, "skip"),
  newShare: defaulted(Pacing.fields.newShare, 0.25)
}).check(
  Schema.makeFilter(
    ({ rangeMax, rangeMin }) =>
      rangeMin <= rangeMax || { path: ["rangeMax"], issue: `rangeMax ${rangeMax} is less than rangeMin ${rangeMin}` }
  )
)

export class CampaignFile extends Schema.Opaque<CampaignFile>()(
  Schema.Struct({
    /** The host's reference: what a later run finds the campaign by, and what seeds its chance. */
    id: Schema.optionalKey(Schema.NonEmptyString),
    name: Schema.NonEmptyString.check(Schema.isMaxLength(200)),
    accounts: Schema.NonEmptyArray(AccountEntry),
    messages: Messages,
    pacing: PacingEntry,
    sendWindow: defaulted(SendWindow.SendWindow, {}),
    rampUp: defaulted(RampUp, { type: "disabled" }),
    followUps: defaulted(Schema.Array(FollowUpEntry), []),
    distribution: defaulted(Distribution.Distribution, { strategy: "capacity" }),
    onMissing: defaulted(OnMissing, "skip"),
    /** Seconds between the parts of a touch. */
    partDelay: defaulted(
      Schema.Struct({ min: notNegative, max: notNegative }).check(
        Schema.makeFilter(
          ({ max, min }) => min <= max || { path: ["max"], issue: `max ${max} is less than min ${min}` }
        )
      ),
      { min: 3, max: 8 }
    ),
    onAccountLost: defaulted(Schema.Literals(["end", "reassign"]), "end"),
    stopOn: defaulted(Schema.Literals(["contact", "chat"]), "contact"),
    /** Hours of the recipient's clock in which nothing is sent to them. */
    quietHours: defaulted(Schema.NullOr(QuietHours.QuietHours), null),
    /** The most touches of one contact in a number of days, over all campaigns. */
    frequency: defaulted(Schema.NullOr(Frequency), null),
    /** Skips people in an open sequence of another campaign, where otherwise they wait until it is over. */
    skipContacted: defaulted(Schema.Boolean, false),
    startAt: Schema.optionalKey(Instant),
    endAt: Schema.optionalKey(Instant),
    evergreen: defaulted(Schema.Boolean, false),
    metadata: defaulted(Metadata, {})
  }).annotate({ identifier: "CampaignFile" })
) {}

/** One thing that is wrong, by its field (`followUps[0].sendAfterDays`). */
export interface Problem {
  readonly field: string
  readonly message: string
}

export class CampaignFileError extends Schema.TaggedError<CampaignFileError>()("CampaignFileError", {
  problems: Schema.Array(Schema.Struct({ field: Schema.String, message: Schema.String }))
}) {
  override get message(): string {
    return this.problems.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`)).join("\n")
  }
}

const pathOf = (path: ReadonlyArray<unknown>): string =>
  path
    .map((part) => (typeof part === "object" && part !== null && "key" in part ? part.key : part))
    .reduce<string>(
      (text, part) =>
        typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`,
      ""
    )

const issues = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => (issue._tag === "UnexpectedKey" ? "There is no such field" : SchemaIssue.defaultLeafHook(issue))
})

/** The entry as a part. */
export const partOf = (entry: MessageEntry): Part =>
  typeof entry === "string"
    ? { variants: [{ weight: 1, content: { type: "text", text: entry } }] }
    : "variants" in entry
      ? entry
      : { variants: [{ weight: 1, content: entry }] }

/** Every template of the file, compiled once to find what is wrong with it. */
const templateProblems = (file: CampaignFile): ReadonlyArray<Problem> => {
  const steps = [
    ["messages", file.messages] as const,
    ...file.followUps.map((step, i) => [`followUps[${i}].messages`, step.messages] as const)
  ]
  return steps.flatMap(([field, messages]) =>
    messages.flatMap((entry, i) =>
      partOf(entry).variants.flatMap(({ content }, j): ReadonlyArray<Problem> => {
        const compiled = Rendering.compileContent(content)
        if (Result.isSuccess(compiled)) return []
        const variant = typeof entry !== "string" && "variants" in entry ? `.variants[${j}]` : ""
        return [{ field: `${field}[${i}]${variant}`, message: compiled.failure.message }]
      })
    )
  )
}

/** An end that comes before the start, and follow-ups that share an id. */
const orderProblems = (file: CampaignFile): ReadonlyArray<Problem> => {
  const seen = new Map<string, number>()
  const repeated = file.followUps.flatMap(({ id }, i): ReadonlyArray<Problem> => {
    const former = id === undefined ? undefined : seen.get(id)
    if (id !== undefined) seen.set(id, i)
    return former === undefined
      ? []
      : [{ field: `followUps[${i}].id`, message: `${id} is followUps[${former}] already` }]
  })
  return file.startAt !== undefined && file.endAt !== undefined && file.endAt <= file.startAt
    ? [...repeated, { field: "endAt", message: "is not after startAt" }]
    : repeated
}

const duplicates = (file: CampaignFile): ReadonlyArray<Problem> => {
  const seen = new Map<string, number>()
  return file.accounts.flatMap((entry, i): ReadonlyArray<Problem> => {
    const id = typeof entry === "string" ? entry : entry.id
    const former = seen.get(id)
    seen.set(id, i)
    return former === undefined
      ? []
      : [{ field: `accounts[${i}]`, message: `${id} stands at accounts[${former}] already` }]
  })
}

/** Steps that an account's cap would never let pass. */
const overCaps = (file: CampaignFile): ReadonlyArray<Problem> => {
  const most = Math.max(file.messages.length, ...file.followUps.map(({ messages }) => messages.length))
  return file.accounts.flatMap(
    (entry, i): ReadonlyArray<Problem> =>
      typeof entry === "string" || entry.dailyCap === undefined || entry.dailyCap >= most
        ? []
        : [
            {
              field: `accounts[${i}].dailyCap`,
              message: `a step has ${most} messages, more than the ${entry.dailyCap} that the account may send a day`
            }
          ]
  )
}

/** What is wrong with how leads are given to the accounts. */
const unevenly = (file: CampaignFile): ReadonlyArray<Problem> =>
  Distribution.problems(
    file.distribution,
    file.accounts.map((entry) => (typeof entry === "string" ? entry : entry.id))
  )

/** Decodes and checks a file. */
export const decode = (input: unknown): Effect.Effect<CampaignFile, CampaignFileError> =>
  Schema.decodeUnknownEffect(CampaignFile)(input, { errors: "all", onExcessProperty: "error" }).pipe(
    Effect.mapError(
      (error) =>
        new CampaignFileError({
          problems: issues(error.issue).issues.map((issue) => ({
            field: pathOf(issue.path ?? []),
            message: issue.message
          }))
        })
    ),
    Effect.flatMap((file) => {
      const problems = [
        ...templateProblems(file),
        ...orderProblems(file),
        ...overCaps(file),
        ...duplicates(file),
        ...unevenly(file)
      ]
      return problems.length === 0 ? Effect.succeed(file) : Effect.fail(new CampaignFileError({ problems }))
    })
  )

/**
 * The settings a file stands for. `workspaceZone` is used where it names no zone. Steps that `former` settings of the same
 * campaign have keep their ids, so that its leads go on where they are.
 */
export const settingsOf = (
  file: CampaignFile,
  workspaceZone: string,
  ids: IdGenerator,
  former: CampaignSettings | null = null
): CampaignSettings => ({
  steps: [
    {
      id: former?.steps[0].id ?? ids.next("stp"),
      type: "first",
      sendAfterDays: 0,
      parts: parts(file.messages)
    },
    ...followUpsOf(file, former?.steps.slice(1) ?? [], ids)
  ],
  pacing: file.pacing,
  sendWindow: file.sendWindow,
  timezone: file.sendWindow.timezone ?? workspaceZone,
  rampUp: file.rampUp,
  distribution: file.distribution,
  onMissing: file.onMissing,
  partDelay: { minSeconds: file.partDelay.min, maxSeconds: file.partDelay.max },
  onAccountLost: file.onAccountLost,
  stopOn: file.stopOn,
  startAt: file.startAt ?? null,
  endAt: file.endAt ?? null,
  evergreen: file.evergreen,
  quietHours: file.quietHours,
  frequency: file.frequency,
  skipContacted: file.skipContacted
})

const followUpsOf = (file: CampaignFile, former: ReadonlyArray<Step>, ids: IdGenerator): ReadonlyArray<Step> => {
  const written = file.followUps.map(({ id, messages, sendAfterDays, type }) => ({
    type,
    sendAfterDays,
    parts: parts(messages),
    ...(id !== undefined && { externalRef: id })
  }))
  return StepIdentity.identify(written, former).map((id, i) => ({ id: id ?? ids.next("stp"), ...written[i]! }))
}

const parts = ([first, ...rest]: CampaignFile["messages"]): readonly [Part, ...Array<Part>] => [
  partOf(first),
  ...rest.map(partOf)
]

/** Whether the send window opens only while it is quiet, for people of the campaign's own zone. */
const isAlwaysQuiet = ({ quietHours, sendWindow }: CampaignFile): boolean => {
  if (quietHours === null) return false
  const zone = Zone.make("UTC")
  // A week without dates that are blacked out.
  const week = Array.from({ length: 7 }, (_, i) => LocalDate.addDays("2023-01-01", i))
  return week
    .flatMap((date) => SendWindow.open({ ...sendWindow, blackoutDates: [] }, zone, date))
    .every(({ end, start }) => (QuietHours.endOf(quietHours, zone, start) ?? start) >= end)
}

/** What is allowed but probably not meant, in words. */
export const warnings = (file: CampaignFile): ReadonlyArray<Problem> => {
  const found: Array<Problem> = []
  const k0 = file.messages.length
  if (k0 > file.pacing.rangeMin) {
    found.push({
      field: "pacing.rangeMin",
      message: `a first touch has ${k0} messages and a day may have ${file.pacing.rangeMin}: only the day's first touch will pass it`
    })
  }
  if (file.rampUp.type === "incremental" && file.rampUp.max < file.pacing.rangeMin) {
    found.push({
      field: "rampUp.max",
      message: `the ramp ends at ${file.rampUp.max}, below rangeMin ${file.pacing.rangeMin}: the volume then jumps`
    })
  }
  if (isAlwaysQuiet(file)) {
    found.push({
      field: "quietHours",
      message: "they cover the send window: only people of other zones will be written to"
    })
  }
  return found
}
