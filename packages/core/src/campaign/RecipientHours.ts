/**
 * The hours at which people of a zone are written to: the open time of the campaign without the quiet hours of their own
 * clock. Where nothing or nearly nothing is left of it, that is said before the start, and they do not wait for ever. Pure.
 */
import { day, type Instant, minute } from "../workspace/Instant.ts"
import * as LocalDate from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import type { CampaignSettings } from "./Campaign.ts"
import * as QuietHours from "./QuietHours.ts"
import * as SendWindow from "./SendWindow.ts"

type Hours = Pick<CampaignSettings, "sendWindow" | "timezone" | "quietHours">

/** How many days ahead hours are looked for, and how many a person waits for hours that are rare. */
const horizonDays = 30
/** So many days in a row may be blacked out. */
const mostDays = 400

/** Hours are rare where they are less than this part of the campaign's. */
const rareShare = 0.1

/** The campaign's zone where a person's is unknown. */
export const zoneOf = ({ timezone }: Hours, contact: { readonly timezone: string | null }): Zone.Zone =>
  (contact.timezone === null ? null : Zone.find(contact.timezone)) ?? Zone.make(timezone)

/** The end of 30 days from `from`; dates on which the campaign is blacked out do not count. */
export const horizon = ({ sendWindow, timezone }: Hours, from: Instant): Instant => {
  const blackoutDates = new Set(sendWindow.blackoutDates)
  const first = Zone.localDate(Zone.make(timezone), from)
  let days = 0
  for (let counted = 0; counted < horizonDays && days < mostDays; days++) {
    if (!blackoutDates.has(LocalDate.addDays(first, days))) counted++
  }
  return from + days * day
}

/** The campaign's open time from `from` until `until`, clipped to both. */
const openTime = (self: Hours, from: Instant, until: Instant): ReadonlyArray<SendWindow.OpenInterval> => {
  const zone = Zone.make(self.timezone)
  const last = Zone.localDate(zone, until)
  const intervals: Array<SendWindow.OpenInterval> = []
  for (let date = LocalDate.addDays(Zone.localDate(zone, from), -1); date <= last; date = LocalDate.addDays(date, 1)) {
    for (const { end, start } of SendWindow.open(self.sendWindow, zone, date)) {
      const clipped = { start: Math.max(start, from), end: Math.min(end, until) }
      if (clipped.start < clipped.end) intervals.push(clipped)
    }
  }
  return intervals
}

/** What is left of an interval once the quiet hours of `zone` are taken out. */
const awake = (
  { end, start }: SendWindow.OpenInterval,
  quietHours: QuietHours.QuietHours,
  zone: Zone.Zone
): ReadonlyArray<SendWindow.OpenInterval> => {
  const left: Array<SendWindow.OpenInterval> = []
  for (let at = start; at < end; ) {
    const wakes = QuietHours.endOf(quietHours, zone, at)
    if (wakes !== null) {
      at = wakes
      continue
    }
    const until = Math.min(end, QuietHours.nextStart(quietHours, zone, at))
    left.push({ start: at, end: until })
    at = until
  }
  return left
}

/**
 * The first instant from `now` on at which the campaign is open and it is not quiet in `zone`; null when there is none
 * within 30 days (`horizon`).
 */
export const next = (self: Hours, zone: Zone.Zone, now: Instant): Instant | null => {
  const { quietHours } = self
  for (const open of openTime(self, now, horizon(self, now))) {
    const [first] = quietHours == null ? [open] : awake(open, quietHours, zone)
    if (first !== undefined) return first.start
  }
  return null
}

const weeks = 4

/** Milliseconds of a week without blackout dates, over the four from `from`: of the campaign, and what people in `zone` have of it. */
const weekly = (
  self: Hours,
  zone: Zone.Zone,
  from: Instant
): { readonly campaign: number; readonly theirs: number } => {
  const { quietHours, sendWindow } = self
  const open = openTime({ ...self, sendWindow: { ...sendWindow, blackoutDates: [] } }, from, from + weeks * 7 * day)
  const theirs = quietHours == null ? open : open.flatMap((one) => awake(one, quietHours, zone))
  return { campaign: SendWindow.lengthOf(open) / weeks, theirs: SendWindow.lengthOf(theirs) / weeks }
}

const isRareOf = ({ campaign, theirs }: ReturnType<typeof weekly>): boolean => theirs < campaign * rareShare

/** Whether people in `zone` have nothing or less than a tenth of the campaign's hours, in the four weeks from `from`. */
export const isRare = (self: Hours, zone: Zone.Zone, from: Instant): boolean => isRareOf(weekly(self, zone, from))

/** People who are hardly ever awake while the campaign is open. */
export interface RareHours {
  /** As their contact says; null = those of the campaign's zone. */
  readonly timezone: string | null
  readonly people: number
  /** Minutes a week at which they may be written to; 0 = never, and they will be skipped. */
  readonly minutesPerWeek: number
  /** Minutes a week at which the campaign is open. */
  readonly campaignMinutesPerWeek: number
}

/** Of people counted by zone, those with rare hours in the four weeks from `from`; most people first. */
export const rareOf = (
  self: Hours,
  zones: ReadonlyArray<{ readonly timezone: string | null; readonly people: number }>,
  from: Instant
): ReadonlyArray<RareHours> =>
  self.quietHours == null
    ? []
    : zones
        .flatMap(({ people, timezone }): ReadonlyArray<RareHours> => {
          const found = weekly(self, zoneOf(self, { timezone }), from)
          return isRareOf(found)
            ? [
                {
                  timezone,
                  people,
                  minutesPerWeek: Math.floor(found.theirs / minute),
                  campaignMinutesPerWeek: Math.floor(found.campaign / minute)
                }
              ]
            : []
        })
        .sort((a, b) => b.people - a.people || ((a.timezone ?? "") < (b.timezone ?? "") ? -1 : 1))
