/**
 * What a campaign will send and when, as one JSON document: per account and date, in total, by hour and weekday, with the
 * end of it. It is stored before the first claim, and every touch in it is named, so that what really happened can be held
 * against it lead by lead.
 */
import { Schema } from "effect"
import { Instant } from "../workspace/Instant.ts"
import { LocalDate } from "../workspace/LocalDate.ts"

/**
 * Why an account sends no more on a date: its quota, or the ramp that lowered it; a cap of the account (its channel's limit
 * is one), its group or the workspace, or one below the messages of a step, which never goes out then; no lead that is
 * ready; the open time, which ends or has begun before; the state of the account itself.
 */
export const ForecastLimit = Schema.Literals([
  "quota",
  "ramp",
  "accountCap",
  "groupCap",
  "workspaceCap",
  "partsOverCap",
  "poolEmpty",
  "window",
  "account"
])
export type ForecastLimit = typeof ForecastLimit.Type

/** One account on one date of the campaign. */
export class ForecastDay extends Schema.Opaque<ForecastDay>()(
  Schema.Struct({
    /** The account's seed key. */
    account: Schema.String,
    date: LocalDate,
    /** Messages; 0 on a closed date. */
    quota: Schema.Int,
    /** Slots of the whole date. */
    slots: Schema.Int,
    /** Messages of the quota that went out before the forecast begins. */
    before: Schema.Int,
    firstTouches: Schema.Int,
    /** With the first touches: the slots that are used. */
    followUps: Schema.Int,
    messages: Schema.Int,
    limitedBy: ForecastLimit
  }).annotate({ identifier: "ForecastDay" })
) {}

/** All accounts on one date. */
export const ForecastTotal = Schema.Struct({
  date: LocalDate,
  quota: Schema.Int,
  firstTouches: Schema.Int,
  followUps: Schema.Int,
  messages: Schema.Int
}).annotate({ identifier: "ForecastTotal" })
export type ForecastTotal = typeof ForecastTotal.Type

/** Lead, step (0 = first touch), place of the account in `accounts`, date. */
export const ForecastTouch = Schema.Tuple([Schema.String, Schema.Int, Schema.Int, LocalDate])
export type ForecastTouch = typeof ForecastTouch.Type

export class Forecast extends Schema.Opaque<Forecast>()(
  Schema.Struct({
    /** The campaign's seed key, and the version of its settings. */
    campaign: Schema.String,
    version: Schema.Int,
    timezone: Schema.String,
    /** The instant from which it looks ahead. */
    from: Instant,
    /** Seed keys. */
    accounts: Schema.Array(Schema.String),
    /** `anonymous`: people not known yet, who are named #1, #2, … in the order in which they will be enrolled. */
    leads: Schema.Struct({ type: Schema.Literals(["known", "anonymous"]), count: Schema.Int }),
    /** Every account on every date up to the last touch, date by date. */
    days: Schema.Array(ForecastDay),
    totals: Schema.Array(ForecastTotal),
    /** Touches by weekday (0 = Sunday) and hour of the day in the campaign's zone. */
    heatMap: Schema.Array(Schema.Array(Schema.Int)),
    /** Steps that will not go out, by reason. */
    skipped: Schema.Array(Schema.Struct({ reason: Schema.String, count: Schema.Int })),
    /** When nothing is left to do; null where it was cut before, or where the campaign never finishes. */
    finishAt: Schema.NullOr(Instant),
    finishDate: Schema.NullOr(LocalDate),
    /** Where it ends before the campaign does: after so many days, or with only so many of the leads. */
    cut: Schema.NullOr(Schema.Struct({ by: Schema.Literals(["days", "leads"]), limit: Schema.Int })),
    /** People with something open that never comes unless somebody acts; 0 where it was cut before that is known. */
    stuck: Schema.Int,
    touches: Schema.Array(ForecastTouch)
  }).annotate({ identifier: "Forecast" })
) {}

/** The bounds of a forecast. */
export interface ForecastBounds {
  /** Dates, the first one included. */
  readonly days: number
  readonly leads: number
}

export const defaultBounds: ForecastBounds = { days: 400, leads: 20_000 }

/** The name of a lead that is not known yet. */
export const anonymous = (position: number): string => `#${position}`
