/**
 * The day planner against itself over other calendars: the same quotas, strata and chance, with the edges of its windows
 * from luxon or from a Temporal polyfill. Eight zones, every day of 2026, 30 slots a day in two windows. Every contestant
 * must lay the very same slots.
 *
 * `npm run bench -- --rows planner [--rounds N]`
 */
import * as DailyRange from "@overture/core/campaign/DailyRange"
import * as DayPlan from "@overture/core/campaign/DayPlan"
import type { OpenInterval } from "@overture/core/campaign/SendWindow"
import * as LocalDate from "@overture/core/workspace/LocalDate"
import * as Seed from "@overture/core/workspace/Seed"
import * as Zone from "@overture/core/workspace/Zone"
import { range as rangeOf } from "./Report.ts"

const zones = [
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Africa/Casablanca",
  "America/New_York",
  "Asia/Kolkata",
  "America/St_Johns",
  "Pacific/Auckland",
  "Europe/Berlin"
]
const dates = Array.from({ length: 365 }, (_, i) => LocalDate.addDays("2026-01-01", i))
type WallTime = readonly [hour: number, minute: number]
const windows: ReadonlyArray<{ readonly start: WallTime; readonly end: WallTime }> = [
  { start: [9, 0], end: [12, 30] },
  { start: [13, 15], end: [18, 0] }
]
const range = { rangeMin: 30, rangeMax: 30 }
const jitter = 0.8

/** Slots of all accounts of one zone on one date. */
type Planner = (zone: string, date: string) => Float64Array
/** The instant of a wall time. */
type Edge = (zone: string, year: number, month: number, day: number, hour: number, minute: number) => number

const clock = ([hours, minutes]: WallTime) => `${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`

const own = (): Planner => {
  const settings = new Map(
    zones.map((zone): [string, DayPlan.Settings] => [
      zone,
      {
        window: { windows: windows.map(({ end, start }) => ({ start: clock(start), end: clock(end) })) },
        zone: Zone.make(zone),
        range,
        rampUp: { type: "disabled" },
        jitter,
        catchUp: "skip",
        parts: 1,
        newShare: 0.25
      }
    ])
  )
  return (zone, date) =>
    DayPlan.make({ campaign: "c", account: zone, date, settings: settings.get(zone)!, rampDay: 1, from: null, used: 0 })
      .slots
}

/** What `DayPlan.make` does with the open time, over windows whose edges come from elsewhere. */
const over =
  (edge: Edge): Planner =>
  (zone, date) => {
    const [year, month, day] = date.split("-").map(Number) as [number, number, number]
    const open = windows.map(
      ({ end, start }): OpenInterval => ({
        start: edge(zone, year, month, day, ...start),
        end: edge(zone, year, month, day, ...end)
      })
    )
    const length = open.reduce((sum, { end, start }) => sum + end - start, 0)
    const random = Seed.random(DayPlan.seed("c", zone, date))
    const count = DailyRange.draw(range, random())
    const interval = length / count
    const slots = new Float64Array(count)
    let index = 0
    let current = open[0]!
    let shift = current.start
    for (let i = 0; i < count; i++) {
      const position = (i + 0.5 + jitter * (random() - 0.5)) * interval
      while (position + shift >= current.end && index < open.length - 1) {
        const next = open[++index]!
        shift += next.start - current.end
        current = next
      }
      slots[i] = Math.min(Math.floor(position + shift), current.end - 1)
    }
    return slots
  }

interface Luxon {
  readonly DateTime: { fromObject(fields: object, options: { readonly zone: string }): { toMillis(): number } }
}

interface Polyfill {
  readonly Temporal: {
    readonly PlainDateTime: new (
      ...fields: ReadonlyArray<number>
    ) => { toZonedDateTime(zone: string): { readonly epochMilliseconds: number } }
  }
}

const peers = [
  {
    name: "luxon",
    atLeast: 10,
    edge: (found: unknown): Edge => {
      const { DateTime } = found as Luxon
      return (zone, year, month, day, hour, minute) =>
        DateTime.fromObject({ year, month, day, hour, minute }, { zone }).toMillis()
    }
  },
  {
    name: "temporal-polyfill",
    atLeast: 5,
    edge: (found: unknown): Edge => {
      const { PlainDateTime } = (found as Polyfill).Temporal
      return (zone, ...fields) => new PlainDateTime(...fields).toZonedDateTime(zone).epochMilliseconds
    }
  }
] as const

interface Speeds {
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface PlannerRow {
  readonly name: string
  readonly slotsPerSecond: Speeds
  /** How many times as fast the own planner is in each round, and is meant to be; null for itself. */
  readonly ratio: (Speeds & { readonly atLeast: number }) | null
}

const once = (planner: Planner): number => {
  const began = performance.now()
  let slots = 0
  for (const zone of zones) for (const date of dates) slots += planner(zone, date).length
  return (slots / (performance.now() - began)) * 1_000
}

const ensureSame = (name: string, planner: Planner, other: Planner): void => {
  for (const zone of zones) {
    for (const date of dates) {
      const [a, b] = [planner(zone, date), other(zone, date)]
      if (a.length !== b.length || a.some((slot, i) => slot !== b[i]))
        throw new Error(`${name} lays other slots in ${zone} on ${date}`)
    }
  }
}

/** Rounds in which every contestant has its turn, after one that warms up and compares what they lay. */
export const measure = async (rounds: number): Promise<ReadonlyArray<PlannerRow>> => {
  const planner = own()
  // By a name that is no literal: luxon has no types here.
  const others = await Promise.all(
    peers.map(async ({ atLeast, edge, name }) => ({ name, atLeast, planner: over(edge(await import(name as string))) }))
  )
  for (const one of others) ensureSame(one.name, one.planner, planner)
  const speeds = Array.from({ length: rounds }, () => ({
    own: once(planner),
    others: others.map((one) => once(one.planner))
  }))
  return [
    { name: "own", slotsPerSecond: rangeOf(speeds.map((round) => round.own)), ratio: null },
    ...others.map(({ atLeast, name }, i) => ({
      name,
      slotsPerSecond: rangeOf(speeds.map((round) => round.others[i]!)),
      ratio: { ...rangeOf(speeds.map((round) => round.own / round.others[i]!)), atLeast }
    }))
  ]
}

const millions = (speed: number) => `${(speed / 1e6).toFixed(2)} M slots/s`

export const text = (rows: ReadonlyArray<PlannerRow>): string =>
  rows
    .map(({ name, ratio, slotsPerSecond: { median } }) => {
      if (ratio === null) return `planner: ${millions(median)}`
      const spread = `${ratio.median.toFixed(1)} (${ratio.min.toFixed(1)}–${ratio.max.toFixed(1)})`
      const verdict = ratio.median >= ratio.atLeast ? "met" : "MISSED"
      return `planner over ${name}: ${millions(median)}; own / ${name} ${spread}, goal ≥ ${ratio.atLeast} ${verdict}`
    })
    .join("\n")
