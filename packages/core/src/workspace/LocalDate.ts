/**
 * A calendar date without a zone, `"2026-03-08"`, in the Gregorian calendar from year 0000 to 9999. Arithmetic is on
 * whole days, so it knows nothing of clocks that change; `Zone` turns a date into instants.
 */
import { Schema } from "effect"
import { day } from "./Instant.ts"

/** `YYYY-MM-DD`; dates compare as their texts do. */
export type LocalDate = string

/** A date that exists: 2026-02-30 is refused. */
export const LocalDate = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d\d-\d\d$/, { expected: "a date, such as 2026-03-08" }),
  Schema.makeFilter((text: string) => fromEpochDay(toEpochDay(text)) === text || `${text} is no date of the calendar`)
).annotate({ identifier: "LocalDate" })

const digit = (text: string, at: number): number => text.charCodeAt(at) - 48
const twoDigits = (value: number): string => (value < 10 ? `0${value}` : `${value}`)

/** Whole days since 1970-01-01. Years are counted from March, so that the leap day is the last of its year. */
export const toEpochDay = (self: LocalDate): number => {
  const calendarYear = digit(self, 0) * 1000 + digit(self, 1) * 100 + digit(self, 2) * 10 + digit(self, 3)
  const month = digit(self, 5) * 10 + digit(self, 6)
  const year = month > 2 ? calendarYear : calendarYear - 1
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + digit(self, 8) * 10 + digit(self, 9) - 1
  return year * 365 + Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400) + dayOfYear - 719_468
}

/** The date that many days after 1970-01-01. */
export const fromEpochDay = (days: number): LocalDate => {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const dayOfMonth = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  return `${String(year).padStart(4, "0")}-${twoDigits(month)}-${twoDigits(dayOfMonth)}`
}

/** The date `days` calendar days later; earlier when negative. */
export const addDays = (self: LocalDate, days: number): LocalDate => fromEpochDay(toEpochDay(self) + days)

/** 0 = Sunday … 6 = Saturday. */
export const weekday = (self: LocalDate): number => (((toEpochDay(self) + 4) % 7) + 7) % 7

/** Negative when `self` is earlier than `that`, 0 when they are the same date, else positive. */
export const compare = (self: LocalDate, that: LocalDate): number => (self < that ? -1 : self > that ? 1 : 0)

/** Midnight of the date as if its zone were UTC, in epoch milliseconds: what `Zone` shifts by an offset. */
export const midnight = (self: LocalDate): number => toEpochDay(self) * day
