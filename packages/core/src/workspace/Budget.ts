/**
 * A cap that counts what really goes out on one day. It is reserved in the claim, and what is given back goes to the day
 * it was taken from, so a refusal after midnight never enlarges the new day.
 */
import { Schema } from "effect"
import type { LocalDate } from "./LocalDate.ts"

/** The most messages of one day, from 1 to 1 000 000 000. */
export const Cap = Schema.Int.check(
  Schema.isBetween({ minimum: 1, maximum: 1_000_000_000 }, { expected: "a whole number from 1 to 1000000000" })
)

export interface DayUse {
  /** The day that `used` counts; null before the first use. */
  readonly day: LocalDate | null
  readonly used: number
}

export const none: DayUse = { day: null, used: 0 }

/**
 * What is used on `day`. A day before the one counted (a clock that went back, a zone further west) has what that one has:
 * going back gives no quota again.
 */
export const usedOn = (self: DayUse, day: LocalDate): number => (self.day !== null && day <= self.day ? self.used : 0)

/** What is left of `cap` on `day`; Infinity without a cap. */
export const left = (self: DayUse, day: LocalDate, cap: number | null): number =>
  cap === null ? Infinity : Math.max(0, cap - usedOn(self, day))

/** Takes `count`, on the day counted where `day` lies before it: `day` of the result says which that was. */
export const take = (self: DayUse, day: LocalDate, count: number): DayUse & { readonly day: LocalDate } =>
  self.day === null || day > self.day ? { day, used: count } : { day: self.day, used: self.used + count }

/** Gives `count` back to `day`; nothing when another day is being counted. */
export const giveBack = (self: DayUse, day: LocalDate, count: number): DayUse =>
  self.day === day ? { day, used: Math.max(0, self.used - count) } : self
