/**
 * When a campaign may send: days, hours and blackout dates in a zone, as wall time. The open time of a date is a set of
 * instants: what the windows that start on that date cover, so hours past midnight belong to the evening before. The
 * open times of two dates never share an instant.
 */
import { Schema } from "effect"
import { day, type Instant, minute } from "../workspace/Instant.ts"
import * as LocalDate from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import * as SendHours from "./SendHours.ts"

const Weekday = Schema.Int.check(
  Schema.isBetween({ minimum: 0, maximum: 6 }, { expected: "a day from 0 (Sunday) to 6 (Saturday)" })
)

export class SendWindow extends Schema.Opaque<SendWindow>()(
  Schema.Struct({
    /** Where the wall clock hangs; the caller says what an absent one means. */
    timezone: Schema.optionalKey(Zone.ZoneName),
    /** 0 = Sunday … 6 = Saturday; absent or empty means every day. */
    days: Schema.optionalKey(Schema.Array(Weekday)),
    /** Absent or empty means 00:00–24:00. */
    windows: Schema.optionalKey(Schema.Array(SendHours.SendHours)),
    /** Local dates on which nothing is open, whatever runs into them. */
    blackoutDates: Schema.optionalKey(Schema.Array(LocalDate.LocalDate))
  })
    .check(
      Schema.makeFilter((self) => {
        const overlap = SendHours.overlap(self.windows ?? [], self.days ?? [])
        return overlap === null || { path: ["windows"], issue: overlap }
      })
    )
    .annotate({ identifier: "SendWindow" })
) {}

/** Instants from `start` up to but not including `end`. */
export interface OpenInterval {
  readonly start: Instant
  readonly end: Instant
}

/** Milliseconds of intervals that are apart. */
export const lengthOf = (intervals: ReadonlyArray<OpenInterval>): number => {
  let length = 0
  for (const { end, start } of intervals) length += end - start
  return length
}

const wholeDay: ReadonlyArray<SendHours.SendHours> = [{ start: "00:00", end: "24:00" }]

const hoursOf = (self: SendWindow): ReadonlyArray<SendHours.SendHours> =>
  self.windows === undefined || self.windows.length === 0 ? wholeDay : self.windows

const isActive = (self: SendWindow, weekday: number): boolean =>
  self.days === undefined || self.days.length === 0 || self.days.includes(weekday)

const isBlackout = (self: SendWindow, date: LocalDate.LocalDate, daysLater: 0 | 1): boolean =>
  self.blackoutDates !== undefined &&
  self.blackoutDates.length > 0 &&
  self.blackoutDates.includes(daysLater === 0 ? date : LocalDate.addDays(date, daysLater))

/** The first opening of a date by its hours alone; `midnight` is its wall time 00:00. */
const firstStart = (self: SendWindow, zone: Zone.Zone, midnight: number): Instant => {
  let earliest = SendHours.dayMinutes
  for (const hours of hoursOf(self)) earliest = Math.min(earliest, SendHours.startMinute(hours))
  return Zone.fromLocal(zone, midnight + earliest * minute, "first")
}

/**
 * The open time of a date: the union of the windows that start on it, ascending and apart; `[]` when it is closed. A
 * window starts at the first occurrence of a repeated hour and ends at the last, except that one ending at midnight
 * ends with the date, and that no window runs into those of the next date where clocks go back.
 */
export const open = (self: SendWindow, zone: Zone.Zone, date: LocalDate.LocalDate): ReadonlyArray<OpenInterval> => {
  const weekday = LocalDate.weekday(date)
  if (!isActive(self, weekday)) return []
  const midnight = LocalDate.midnight(date)
  const nextMidnight = midnight + day
  const dateEnd = Zone.fromLocal(zone, nextMidnight, "first")
  const earliest = isBlackout(self, date, 0) ? dateEnd : -Infinity
  const intervals: Array<OpenInterval> = []
  for (const hours of hoursOf(self)) {
    const endMinute = SendHours.endMinute(hours)
    const localEnd = midnight + endMinute * minute
    const start = Math.max(Zone.fromLocal(zone, midnight + SendHours.startMinute(hours) * minute, "first"), earliest)
    let end = dateEnd
    if (endMinute < SendHours.dayMinutes) end = Zone.fromLocal(zone, localEnd, "last")
    else if (endMinute > SendHours.dayMinutes && !isBlackout(self, date, 1)) {
      const limit = isActive(self, (weekday + 1) % 7) ? firstStart(self, zone, nextMidnight) : Infinity
      end = Math.min(Zone.fromLocal(zone, localEnd, "last"), limit)
    }
    if (start < end) intervals.push({ start, end })
  }
  return intervals.length < 2 ? intervals : merge(intervals)
}

const merge = (intervals: Array<OpenInterval>): ReadonlyArray<OpenInterval> => {
  intervals.sort((a, b) => a.start - b.start)
  const merged: Array<OpenInterval> = []
  let current = intervals[0]!
  for (const interval of intervals) {
    if (interval.start > current.end) {
      merged.push(current)
      current = interval
    } else if (interval.end > current.end) current = { start: current.start, end: interval.end }
  }
  merged.push(current)
  return merged
}

/** The date to which `now` belongs: yesterday while a window that started then is still open, else the local date. */
export const dateOf = (self: SendWindow, zone: Zone.Zone, now: Instant): LocalDate.LocalDate => {
  const today = Zone.localDate(zone, now)
  if (!hoursOf(self).some(SendHours.passesMidnight)) return today
  const yesterday = LocalDate.addDays(today, -1)
  return open(self, zone, yesterday).some(({ end, start }) => start <= now && now < end) ? yesterday : today
}

const searchDays = 400

/** The first date after `date` that has open time; null when the next 400 days have none. */
export const nextOpenDate = (
  self: SendWindow,
  zone: Zone.Zone,
  date: LocalDate.LocalDate
): LocalDate.LocalDate | null => {
  for (let days = 1; days <= searchDays; days++) {
    const later = LocalDate.addDays(date, days)
    if (open(self, zone, later).length > 0) return later
  }
  return null
}

/**
 * The first open instant at or after `after`: `after` itself when it is open. Null when nothing opens within 400 days,
 * as when every date of a year is blacked out.
 */
export const nextOpen = (self: SendWindow, zone: Zone.Zone, after: Instant): Instant | null => {
  const first = LocalDate.addDays(Zone.localDate(zone, after), -1)
  for (let days = 0; days <= searchDays + 1; days++) {
    for (const { end, start } of open(self, zone, LocalDate.addDays(first, days))) {
      if (end > after) return Math.max(start, after)
    }
  }
  return null
}
