/**
 * What is said, to which contacts, from which accounts, when. Settings change by version: every touch not yet claimed
 * follows the newest one, and messages keep the version they were rendered from.
 */
import { Schema } from "effect"
import { CampaignId, WorkspaceId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import { Metadata } from "../workspace/Json.ts"
import * as Breaker from "./Breaker.ts"
import { DailyRange } from "./DailyRange.ts"
import { Distribution } from "./Distribution.ts"
import { Frequency } from "./Frequency.ts"
import { QuietHours } from "./QuietHours.ts"
import { RampUp } from "../workspace/RampUp.ts"
import { SendWindow } from "./SendWindow.ts"
import type { Step } from "./Step.ts"
import { Step as StepSchema } from "./Step.ts"

export const CampaignStatus = Schema.Literals(["draft", "running", "paused", "finished", "deleted"])
export type CampaignStatus = typeof CampaignStatus.Type

/** The longest pause between two parts of a touch, in seconds. */
export const maxPartDelay = 86_400

export class Pacing extends Schema.Opaque<Pacing>()(
  Schema.Struct({
    ...DailyRange.fields,
    jitter: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
    catchUp: Schema.Literals(["skip", "spread"]),
    /** The part of slots that first touches come first in, 0–1. */
    newShare: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
  }).annotate({ identifier: "Pacing" })
) {}

const Pause = Schema.Int.check(
  Schema.isBetween({ minimum: 0, maximum: maxPartDelay }, { expected: `seconds from 0 to ${maxPartDelay}` })
)

export class CampaignSettings extends Schema.Opaque<CampaignSettings>()(
  Schema.Struct({
    steps: Schema.NonEmptyArray(StepSchema),
    pacing: Pacing,
    sendWindow: SendWindow,
    /** The zone of the send window, resolved. */
    timezone: Schema.NonEmptyString,
    rampUp: RampUp,
    distribution: Distribution,
    onMissing: Schema.Literals(["skip", "blank"]),
    /** Seconds between the parts of a touch, drawn for each. */
    partDelay: Schema.Struct({ minSeconds: Pause, maxSeconds: Pause }),
    onAccountLost: Schema.Literals(["end", "reassign"]),
    stopOn: Schema.Literals(["contact", "chat"]),
    startAt: Schema.NullOr(Instant),
    endAt: Schema.NullOr(Instant),
    evergreen: Schema.Boolean,
    /** Hours of the recipient's clock in which nothing is sent to them; absent = none. */
    quietHours: Schema.optionalKey(Schema.NullOr(QuietHours)),
    /** How often a contact may be touched over all campaigns; absent = as often as there is reason to. */
    frequency: Schema.optionalKey(Schema.NullOr(Frequency)),
    /** Whether people in an open sequence of another campaign are skipped, not put off until it is over; absent = no. */
    skipContacted: Schema.optionalKey(Schema.Boolean),
    /** Whether who joins one of its lists later is enrolled, too; absent = no. */
    followList: Schema.optionalKey(Schema.Boolean)
  }).annotate({ identifier: "CampaignSettings" })
) {}

export class Campaign extends Schema.Opaque<Campaign>()(
  Schema.Struct({
    id: CampaignId,
    workspace: WorkspaceId,
    name: Schema.NonEmptyString,
    status: CampaignStatus,
    /** Counts changes of settings, from 1. */
    version: Schema.Int,
    settings: CampaignSettings,
    /** Why it is paused, for people. */
    pauseReason: Schema.NullOr(Schema.String),
    breaker: Breaker.Breaker,
    externalRef: Schema.NullOr(Schema.String),
    metadata: Metadata,
    createdAt: Instant,
    startedAt: Schema.NullOr(Instant),
    /** Where looking for leads that go on with a step that was added has come to (`LateSteps`); absent = there are none. */
    resumeAfter: Schema.optionalKey(Schema.String)
  }).annotate({ identifier: "Campaign" })
) {}

/** What seeds its chance. */
export const seedKey = (self: Pick<Campaign, "id" | "externalRef">): string => self.externalRef ?? self.id

/** A step by its id, and its place; null when an edit removed it. */
export const stepAt = (
  self: CampaignSettings,
  id: string | null
): { readonly step: Step; readonly index: number } | null => {
  const index = self.steps.findIndex((step) => step.id === id)
  const step = self.steps[index]
  return step === undefined ? null : { step, index }
}

/** Whether its `endAt` has come. */
export const hasEnded = ({ settings: { endAt } }: Pick<Campaign, "settings">, now: Instant): boolean =>
  endAt !== null && endAt <= now

/** Whether its `endAt` has come while it runs: what is open of it ends, and nothing more begins. */
export const isOver = (self: Campaign, now: Instant): boolean => self.status === "running" && hasEnded(self, now)

const transitions: Record<CampaignStatus, ReadonlyArray<CampaignStatus>> = {
  draft: ["running", "deleted"],
  running: ["paused", "finished", "deleted"],
  paused: ["running", "deleted"],
  finished: ["running", "deleted"],
  deleted: []
}

export const mayBecome = (self: Campaign, status: CampaignStatus): boolean => transitions[self.status].includes(status)

export class CampaignNotFound extends Schema.TaggedError<CampaignNotFound>()("CampaignNotFound", {
  campaign: Schema.String
}) {
  override get message(): string {
    return `there is no campaign ${this.campaign} in this workspace`
  }
}

export class IllegalTransition extends Schema.TaggedError<IllegalTransition>()("IllegalTransition", {
  campaign: Schema.String,
  from: CampaignStatus,
  to: CampaignStatus
}) {
  override get message(): string {
    return `campaign ${this.campaign} is ${this.from} and cannot become ${this.to}`
  }
}
