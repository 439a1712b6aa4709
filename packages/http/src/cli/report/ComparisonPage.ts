/** A forecast against what happened, as text and as JSON: in one line, or day by day with the causes. Pure. */
import {
  causes,
  type ComparedCount,
  type Comparison,
  type Difference,
  type DifferenceCause
} from "@overture/core/forecast/Comparison"
import type { Compared } from "@overture/core/forecast/Forecasts"
import { instant } from "./Json.ts"
import { type PageOptions, section } from "./Page.ts"
import { inWords } from "./Reasons.ts"
import * as Text from "./Text.ts"

/** The most days and differences that are told one by one. */
const mostRows = 40

const words: Readonly<Record<DifferenceCause, string>> = {
  reply: "they replied",
  optOut: "opted out",
  takeover: "taken over by hand",
  failure: "failed",
  skip: "skipped",
  retry: "tried again",
  deferral: "another day or account",
  enrolled: "not in the forecast"
}

/** What one kind of touch of all days adds up to. */
export interface Sum {
  readonly forecast: number
  readonly actual: number
}

const sum = (comparison: Comparison, of: "firstTouches" | "followUps"): Sum =>
  comparison.days.reduce<Sum>(
    (total, day) => ({ forecast: total.forecast + day[of].forecast, actual: total.actual + day[of].actual }),
    { forecast: 0, actual: 0 }
  )

const causeText = (comparison: Comparison): string =>
  causes(comparison)
    .map(({ cause, count }) => `${words[cause]} ${Text.number(count)}`)
    .join(", ")

/** One line: how many touches were forecast, how many were made, and why they differ. */
export const line = ({ comparison }: Compared): string => {
  const [first, followUps] = [sum(comparison, "firstTouches"), sum(comparison, "followUps")]
  const forecast = first.forecast + followUps.forecast
  const made = first.actual + followUps.actual
  if (comparison.days.length === 0) return "no day of it is over"
  return comparison.differences.length === 0
    ? `${Text.count(made, "touch", "touches")}, as forecast on every day`
    : `${Text.count(forecast, "touch", "touches")} forecast, ${Text.number(made)} made; ` +
        `${Text.number(comparison.differences.length)} differ: ${causeText(comparison)}`
}

const signed = (value: number): string => (value < 0 ? `−${Text.number(-value)}` : `+${Text.number(value)}`)

/** `−3 they replied, +1 another day or account` */
const causesOf = (...counts: ReadonlyArray<ComparedCount>): string => {
  const added = new Map<DifferenceCause, number>()
  for (const count of counts) {
    for (const [cause, by] of Object.entries(count.causes) as Array<[DifferenceCause, number]>) {
      added.set(cause, (added.get(cause) ?? 0) + by)
    }
  }
  return Array.from(added, ([cause, by]) => (by === 0 ? [] : [`${signed(by)} ${words[cause]}`]))
    .flat()
    .join(", ")
}

const pair = ({ actual, forecast }: Sum): string => `${Text.number(forecast)} → ${Text.number(actual)}`

const place = (at: Difference["forecast"]): string =>
  at === null ? "nothing" : `${at.account} on ${Text.shortDate(at.date).replace("  ", " ")}`

const differenceLine = ({ actual, cause, forecast, lead, reason, step }: Difference): string => {
  const what = step === 0 ? "first" : `follow-up ${step}`
  const why = reason === null || cause === "reply" || cause === "optOut" ? "" : `: ${inWords(reason)}`
  return `${lead}  ${what}: ${place(forecast)} → ${place(actual)}  (${words[cause]}${why})`
}

const remaining = (count: number, what: string): ReadonlyArray<string> =>
  count > 0 ? [`and ${Text.count(count, what)}; --json has them all`] : []

const finish = ({ finishedAt, forecast }: Compared): ReadonlyArray<string> => {
  if (finishedAt === null) return []
  const told = forecast.finishAt === null ? "not foretold" : Text.dateTime(forecast.finishAt, forecast.timezone)
  return [`finish: ${told} → ${Text.dateTime(finishedAt, forecast.timezone)}`]
}

/** The days that differ, and the leads with their causes. */
export const render = (compared: Compared, options: PageOptions): ReadonlyArray<string> => {
  const { comparison, forecast } = compared
  const { paint } = options
  const differing = comparison.days.filter(
    ({ firstTouches, followUps }) =>
      Object.keys(firstTouches.causes).length > 0 || Object.keys(followUps.causes).length > 0
  )
  const shown = differing.slice(0, mostRows)
  const rows = shown.map((day, i) => [
    shown[i - 1]?.date === day.date ? "" : Text.shortDate(day.date),
    day.account,
    pair(day.firstTouches),
    pair(day.followUps),
    causesOf(day.firstTouches, day.followUps)
  ])
  const table = Text.headed(["", "account", "first", "follow-ups", "why"], rows, paint, {
    align: ["left", "left", "right", "right", "left"],
    most: 72
  })
  return [
    ...section(
      "Forecast → actual",
      [
        line(compared),
        ...finish(compared),
        paint.dim(
          `made ${Text.dateTime(forecast.from, forecast.timezone)}, before the first message; compared up to ${Text.shortDate(comparison.until).replace("  ", " ")}`
        )
      ],
      options
    ),
    ...(shown.length === 0
      ? []
      : section("Days that differ", [...table, ...remaining(differing.length - shown.length, "more line")], options)),
    ...section(
      "People",
      [
        ...comparison.differences.slice(0, mostRows).map(differenceLine),
        ...remaining(comparison.differences.length - mostRows, "more difference")
      ],
      options
    )
  ]
}

/** The same as JSON: every day and every difference. */
export const encode = ({ comparison, finishedAt, forecast }: Compared) => ({
  until: comparison.until,
  finishAt: { forecast: instant(forecast.finishAt), actual: instant(finishedAt) },
  firstTouches: sum(comparison, "firstTouches"),
  followUps: sum(comparison, "followUps"),
  causes: Object.fromEntries(causes(comparison).map(({ cause, count }) => [cause, count])),
  days: comparison.days,
  differences: comparison.differences
})

/** The one line as JSON. */
export const encodeShort = (compared: Compared) => {
  const { days: _days, differences, ...rest } = encode(compared)
  return { ...rest, differences: differences.length }
}
