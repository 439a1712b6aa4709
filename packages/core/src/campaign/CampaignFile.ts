/**
 * The JSON in which a campaign is written down: what `overture run --campaign` reads and the HTTP API takes. Everything is
 * decoded before anything is done, and what is wrong is named by its field.
 */
import { Effect, Schema } from "effect"
import { ChannelName } from "../channel/Address.ts"
import { Cap } from "../workspace/Budget.ts"
import { type IdGenerator, Ids } from "../workspace/Id.ts"
import { day, Instant, second } from "../workspace/Instant.ts"
import { Metadata } from "../workspace/Json.ts"
import * as Problems from "../workspace/Problem.ts"
import { ZoneName } from "../workspace/Zone.ts"
import { maxPartDelay, Pacing } from "./Campaign.ts"
import type { CampaignSettings } from "./Campaign.ts"
import * as CampaignFileCheck from "./CampaignFileCheck.ts"
import * as Distribution from "./Distribution.ts"
import { Frequency } from "./Frequency.ts"
import * as QuietHours from "./QuietHours.ts"
import { Messages, partOf } from "./MessageEntry.ts"
import { OnMissing } from "./Rendering.ts"
import { RampUp } from "../workspace/RampUp.ts"
import * as SendWindow from "./SendWindow.ts"
import { maxDays, type Part, type Step } from "./Step.ts"
import * as StepIdentity from "./StepIdentity.ts"

const defaulted = <S extends Schema.Top>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

const upTo = (minimum: number, maximum: number) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum }, { expected: `an integer from ${minimum} to ${maximum}` }))

const FollowUpEntry = Schema.Struct({
  id: Schema.optionalKey(Schema.NonEmptyString),
  messages: Messages,
  type: defaulted(Schema.Literals(["noReply", "noReplyResponded"]), "noReply"),
  sendAfterDays: upTo(1, maxDays)
}).annotate({ identifier: "FollowUpEntry" })

/**
 * An account by its id, or with what is needed to add it. Of one that is there already, settings that are left out stay what
 * they are, and null takes one away.
 */
export const AccountEntry = Schema.Union([
  Schema.NonEmptyString,
  Schema.Struct({
    id: Schema.NonEmptyString,
    channel: ChannelName,
    /** The platform's name for it; the id where it is left out. */
    externalId: Schema.optionalKey(Schema.NonEmptyString),
    name: Schema.optionalKey(Schema.String),
    dailyCap: Schema.optionalKey(Schema.NullOr(Cap)),
    /** A ramp over all campaigns of the account. */
    warmUp: Schema.optionalKey(Schema.NullOr(RampUp)),
    /** Seconds between two automated touches, 0 to a day; 20 for an account that is new. */
    minGap: Schema.optionalKey(upTo(0, day / second)),
    /** IANA zone of its days; the workspace's for an account that is new. */
    timezone: Schema.optionalKey(Schema.NullOr(ZoneName))
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
      Schema.Struct({ min: upTo(0, maxPartDelay), max: upTo(0, maxPartDelay) }).check(
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
    /** Enrols who joins its lists later, too. */
    followList: defaulted(Schema.Boolean, false),
    startAt: Schema.optionalKey(Instant),
    endAt: Schema.optionalKey(Instant),
    evergreen: defaulted(Schema.Boolean, false),
    metadata: defaulted(Metadata, {})
  }).annotate({ identifier: "CampaignFile" })
) {}

export class CampaignFileError extends Schema.TaggedError<CampaignFileError>()("CampaignFileError", {
  problems: Schema.Array(Schema.Struct({ field: Schema.String, message: Schema.String }))
}) {
  override get message(): string {
    return this.problems.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`)).join("\n")
  }
}

/** Decodes and checks a file. */
export const decode = (input: unknown): Effect.Effect<CampaignFile, CampaignFileError> =>
  Schema.decodeUnknownEffect(CampaignFile)(input, Problems.showing).pipe(
    Effect.mapError((error) => new CampaignFileError({ problems: Problems.of(error) })),
    Effect.flatMap((file) => {
      const problems = CampaignFileCheck.problems(file)
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
  skipContacted: file.skipContacted,
  followList: file.followList
})

/** The settings of a new campaign from its JSON, checked. */
export const settings = Effect.fnUntraced(function* (input: unknown, workspaceZone: string) {
  const file = yield* decode(input)
  return settingsOf(file, workspaceZone, yield* (yield* Ids).generator)
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
