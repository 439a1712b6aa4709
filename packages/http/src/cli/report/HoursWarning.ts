/** Whom a campaign hardly reaches because of their quiet hours, as warnings. Pure. */
import type { RareHours } from "@overture/core/campaign/RecipientHours"
import * as Text from "./Text.ts"

/** The most zones that are told one by one. */
const mostZones = 10

const span = (minutes: number): string =>
  minutes < 120 ? Text.count(minutes, "minute") : Text.count(Math.round(minutes / 60), "hour")

const line = ({ campaignMinutesPerWeek, minutesPerWeek, people, timezone }: RareHours): string => {
  const who = `${Text.count(people, "person", "people")} in ${timezone ?? "the campaign's own zone"}`
  return minutesPerWeek === 0
    ? `${who} cannot be written to: it is quiet hours there whenever the campaign is open; they will be skipped`
    : `${who} can be written to for ${span(minutesPerWeek)} of the campaign's ${span(campaignMinutesPerWeek)} a week; ` +
        "who is not reached within 30 days will be skipped"
}

/** A line for each zone, most people first. */
export const lines = (rare: ReadonlyArray<RareHours>): ReadonlyArray<string> => {
  const others = rare.slice(mostZones)
  const people = others.reduce((sum, one) => sum + one.people, 0)
  return [
    ...rare.slice(0, mostZones).map(line),
    ...(others.length === 0
      ? []
      : [`and ${Text.count(people, "person", "people")} in ${Text.count(others.length, "more zone")}`])
  ]
}
