/** A forecast as a page of text: when it ends, what limits each day, and at which hours it sends. Pure. */
import type { Forecast, ForecastDay, ForecastLimit } from "@overture/core/stats/Forecast"
import * as HeatMap from "./HeatMap.ts"
import { type PageOptions, section } from "./Page.ts"
import { inWords } from "./Reasons.ts"
import * as Text from "./Text.ts"

/** The most lines of the table of days. */
const mostRows = 60

const limits: Readonly<Record<ForecastLimit, string>> = {
  quota: "the day's quota",
  ramp: "the ramp-up",
  accountCap: "the account's cap",
  groupCap: "the group's cap",
  workspaceCap: "the workspace's cap",
  partsOverCap: "a cap below the messages of a step",
  poolEmpty: "nobody is ready",
  window: "the hours that are open",
  account: "the account cannot send"
}

const limitOf = (day: ForecastDay): string => (day.quota === 0 ? "closed" : limits[day.limitedBy])

/** Who waits for somebody to act when all else is done, and for what. */
const stuckOn = ({ days, stuck }: Forecast): string => {
  const waiting = `${Text.count(stuck, "person", "people")} ${stuck === 1 ? "waits" : "wait"}`
  return days.some(({ limitedBy }) => limitedBy === "partsOverCap")
    ? `${waiting}, as ${inWords("partsOverCap")}`
    : `${waiting} for what nobody has lifted yet`
}

const finish = (forecast: Forecast): string => {
  const { cut, finishAt, stuck, timezone } = forecast
  if (finishAt !== null) return Text.dateTime(finishAt, timezone)
  if (cut?.by === "days") return `not within ${Text.count(cut.limit, "day")}`
  if (cut?.by === "leads") return `not known: only the first ${Text.number(cut.limit)} people are looked at`
  return stuck > 0 ? `not by itself: ${stuckOn(forecast)}` : "never: it stays open for people who join"
}

const people = ({ cut, leads, skipped }: Forecast): string => {
  const without = skipped.reduce((sum, { count }) => sum + count, 0)
  const reasons = skipped.slice(0, 4).map(({ count, reason }) => `${inWords(reason)} ${Text.number(count)}`)
  const known = leads.type === "known" ? "" : ", not known yet"
  const more = cut?.by === "leads" ? "the first " : ""
  return `${more}${Text.number(leads.count)}${known}${
    without === 0 ? "" : `; ${Text.count(without, "message")} will not go out: ${reasons.join(", ")}`
  }`
}

const days = (forecast: Forecast, options: PageOptions): ReadonlyArray<string> => {
  const shown = forecast.days.filter(({ messages, quota }) => messages > 0 || quota > 0).slice(0, mostRows)
  if (shown.length === 0) return []
  const rows = shown.map((day, i) => [
    shown[i - 1]?.date === day.date ? "" : Text.shortDate(day.date),
    day.account,
    Text.number(day.quota),
    Text.number(day.slots),
    Text.number(day.firstTouches),
    Text.number(day.followUps),
    limitOf(day)
  ])
  const table = Text.headed(
    ["", "account", "quota", "slots", "first", "follow-ups", "limited by"],
    rows,
    options.paint,
    { align: ["left", "left", "right", "right", "right", "right", "left"] }
  )
  const closed = forecast.days.filter(({ quota }) => quota === 0).length
  const left = forecast.days.length - closed - shown.length
  return section(
    "Days",
    [...table, ...(left > 0 ? [options.paint.dim(`and ${Text.count(left, "more line")}; --json has them all`)] : [])],
    options
  )
}

const touches = (forecast: Forecast) => {
  const first = forecast.totals.reduce((sum, day) => sum + day.firstTouches, 0)
  const followUps = forecast.totals.reduce((sum, day) => sum + day.followUps, 0)
  return { first, followUps, days: forecast.totals.filter(({ messages }) => messages > 0).length }
}

/** `forecast: 582 touches on 7 days, finishes Wed 11 Mar 2026 15:41` */
export const line = (forecast: Forecast): string => {
  const { days: active, first, followUps } = touches(forecast)
  return `forecast: ${Text.count(first + followUps, "touch", "touches")} on ${Text.count(active, "day")}, finishes ${finish(forecast)}`
}

/** The lines of the page. */
export const render = (forecast: Forecast, name: string, options: PageOptions): ReadonlyArray<string> => {
  const { paint } = options
  const { days: active, first, followUps } = touches(forecast)
  return [
    `${paint.bold(name)} ${paint.dim(`(${forecast.campaign})`)}  forecast`,
    paint.dim(
      `from ${Text.dateTime(forecast.from, forecast.timezone)}, ${Text.place(forecast.timezone)} time, if every message is taken and nobody answers`
    ),
    ...section(
      "In short",
      [
        `finishes    ${finish(forecast)}`,
        `people      ${people(forecast)}`,
        `touches     ${Text.number(first + followUps)}: ${Text.number(first)} first, ${Text.count(followUps, "follow-up")}, on ${Text.count(active, "day")}`
      ],
      options
    ),
    ...days(forecast, options),
    ...section(`Hours  ${Text.place(forecast.timezone)} time`, HeatMap.render(forecast.heatMap, paint), options)
  ]
}
