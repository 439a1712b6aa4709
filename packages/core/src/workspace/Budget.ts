/**
 * A cap that counts what really goes out on one day. It is reserved in the claim, and what is given back goes to the day
 * it was taken from, so a refusal after midnight never enlarges the new day.
 */
import type { LocalDate } from "./LocalDate.ts"

export interface DayUse {
  /** The day that `used` counts; null before the first use. */
  readonly day: LocalDate | null
  readonly used: number
}

export const none: DayUse = { day: null, used: 0 }

/** What is used on `day`. */
export const usedOn = (self: DayUse, day: LocalDate): number => (self.day === day ? self.used : 0)

/** What is left of `cap` on `day`; Infinity without a cap. */
export const left = (self: DayUse, day: LocalDate, cap: number | null): number =>
  cap === null ? Infinity : Math.max(0, cap - usedOn(self, day))

/** Takes `count`. A day before the one counted (a clock that went back) keeps the later day's count. */
export const take = (self: DayUse, day: LocalDate, count: number): DayUse =>
  self.day === null || day > self.day ? { day, used: count } : { day: self.day, used: self.used + count }

/** Gives `count` back to `day`; nothing when another day is being counted. */
export const giveBack = (self: DayUse, day: LocalDate, count: number): DayUse =>
  self.day === day ? { day, used: Math.max(0, self.used - count) } : self
