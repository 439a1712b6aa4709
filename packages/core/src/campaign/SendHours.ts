/**
 * One window of a SendWindow on the wall clock, `{ start: "09:00", end: "17:00" }`, end exclusive; `24:00` may end one.
 * One whose start is later than its end runs past midnight and belongs to the day on which it starts.
 */
import { Schema } from "effect"

export class SendHours extends Schema.Opaque<SendHours>()(
  Schema.Struct({
    start: Schema.String.check(
      Schema.isPattern(/^([01]\d|2[0-3]):[0-5]\d$/, { expected: "a time HH:MM from 00:00 to 23:59" })
    ),
    end: Schema.String.check(
      Schema.isPattern(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, { expected: "a time HH:MM from 00:00 to 24:00" })
    )
  })
    .check(
      Schema.makeFilter(
        ({ end, start }) =>
          start !== end || {
            path: ["end"],
            issue: `the window starts and ends at ${start}; a whole day is 00:00–24:00`
          }
      )
    )
    .annotate({ identifier: "SendHours" })
) {}

export const dayMinutes = 1440
const weekMinutes = 7 * dayMinutes

const minuteOf = (time: string): number =>
  (time.charCodeAt(0) * 10 + time.charCodeAt(1) - 528) * 60 + time.charCodeAt(3) * 10 + time.charCodeAt(4) - 528

/** Minutes after 00:00 of the day it belongs to, [0, 1440). */
export const startMinute = (self: SendHours): number => minuteOf(self.start)

/** Minutes after 00:00 of the same day: above 1440 when it runs past midnight. */
export const endMinute = (self: SendHours): number => {
  const end = minuteOf(self.end)
  return end > minuteOf(self.start) ? end : end + dayMinutes
}

/** Whether some of it lies on the day after the one it belongs to. */
export const passesMidnight = (self: SendHours): boolean => endMinute(self) > dayMinutes

const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

/**
 * Which two windows overlap on the wall clock of a week in which they are held on `days` (0 = Sunday, none = all), in
 * words; null when none do. The week is a circle: Saturday night meets Sunday morning.
 */
export const overlap = (windows: ReadonlyArray<SendHours>, days: ReadonlyArray<number>): string | null => {
  const active = new Set(days.length === 0 ? weekdays.keys() : days)
  const held = [...active]
    .flatMap((weekday) =>
      windows.map((hours) => ({
        hours,
        weekday,
        start: weekday * dayMinutes + startMinute(hours),
        end: weekday * dayMinutes + endMinute(hours)
      }))
    )
    .sort((a, b) => a.start - b.start)
  for (const [index, one] of held.entries()) {
    const last = index === held.length - 1
    const other = last ? held[0]! : held[index + 1]!
    if (one !== other && one.end > other.start + (last ? weekMinutes : 0)) {
      const [first, second] = [one, other].map(({ hours, weekday }) =>
        one.weekday === other.weekday
          ? `${hours.start}–${hours.end}`
          : `${hours.start}–${hours.end} (${weekdays[weekday]})`
      )
      return `the windows ${first} and ${second} overlap`
    }
  }
  return null
}
