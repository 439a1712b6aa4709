/**
 * How the cap of an account grows over days, over all its campaigns. A day is a calendar day of the account's budgets on
 * which a campaign's message went out, or may have; days without one do not count, and after 14 of them, or after a
 * restriction by the platform, the ramp begins again. The day's first touch may pass the cap.
 */
import { Schema } from "effect"
import { LocalDate, toEpochDay } from "../workspace/LocalDate.ts"
import * as RampUp from "../workspace/RampUp.ts"

export class WarmUp extends Schema.Opaque<WarmUp>()(
  Schema.Struct({
    ramp: RampUp.RampUp,
    /** The ramp day of `date`; 0 before the first. */
    day: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
    /** The last day on which something went out; null before the first and after a restriction. */
    date: Schema.NullOr(LocalDate)
  }).annotate({ identifier: "WarmUp" })
) {}

/** The days without a message after which the ramp begins again. */
const idleDays = 14

/** A ramp at its beginning. */
export const begin = (ramp: RampUp.RampUp): WarmUp => ({ ramp, day: 0, date: null })

/** The ramp day of `date` if something goes out on it, 1 = first. A date before the last one counts as that one. */
const dayOn = (self: WarmUp, date: LocalDate): number => {
  if (self.date === null) return 1
  const passed = toEpochDay(date) - toEpochDay(self.date)
  return passed <= 0 ? self.day : passed > idleDays ? 1 : self.day + 1
}

/** The most messages of `date`; null once the ramp is over. */
export const cap = (self: WarmUp, date: LocalDate): number | null => RampUp.cap(self.ramp, dayOn(self, date))

/** Something went out on `date`, or may have. The same object where that day is counted already. */
export const wentOut = (self: WarmUp, date: LocalDate): WarmUp =>
  self.date !== null && date <= self.date ? self : { ...self, day: dayOn(self, date), date }

/** After a restriction. The same object where nothing had been sent. */
export const restart = (self: WarmUp): WarmUp => (self.date === null ? self : begin(self.ramp))
