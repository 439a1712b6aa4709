/**
 * Hours in which nobody wants to be written to, on the clock of the recipient: `{ start: "21:00", end: "08:00" }`, end
 * exclusive, past midnight where the start is later. They hold on every day; the same rules as for a SendWindow say what
 * they are where clocks change.
 */
import { Schema } from "effect"
import type { Instant } from "../workspace/Instant.ts"
import * as LocalDate from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import * as SendHours from "./SendHours.ts"
import * as SendWindow from "./SendWindow.ts"

export const QuietHours = SendHours.SendHours.check(
  Schema.makeFilter(
    (self) =>
      SendHours.endMinute(self) - SendHours.startMinute(self) < SendHours.dayMinutes || {
        path: ["end"],
        issue: `${self.start}–${self.end} is the whole day: nobody could ever be written to`
      }
  )
).annotate({ identifier: "QuietHours" })
export type QuietHours = typeof QuietHours.Type

/** When the quiet hours end that `now` lies in; null when it lies in none. */
export const endOf = (self: QuietHours, zone: Zone.Zone, now: Instant): Instant | null => {
  const window: SendWindow.SendWindow = { windows: [self] }
  const today = Zone.localDate(zone, now)
  for (const date of [today, LocalDate.addDays(today, -1)]) {
    for (const { end, start } of SendWindow.open(window, zone, date)) if (start <= now && now < end) return end
  }
  return null
}

/** When quiet hours begin next, after `now` that lies in none; a date that skips them has none. */
export const nextStart = (self: QuietHours, zone: Zone.Zone, now: Instant): Instant => {
  const window: SendWindow.SendWindow = { windows: [self] }
  for (let date = Zone.localDate(zone, now); ; date = LocalDate.addDays(date, 1)) {
    for (const { start } of SendWindow.open(window, zone, date)) if (start > now) return start
  }
}
