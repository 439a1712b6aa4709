/**
 * The day planner against itself over other calendars: the same quotas, strata and chance, with the edges of its windows
 * from luxon or from a Temporal polyfill. Eight zones, every day of 2026, 30 slots a day in two windows. Every contestant
 * must lay the very same slots. A package that is not installed is left out, and said.
 *
 * `node --conditions=@overture/source bench/peers/planners.ts` prints it by itself.
 */
import * as DailyRange from "@overture/core/campaign/DailyRange"
import * as DayPlan from "@overture/core/campaign/DayPlan"
import type { OpenInterval } from "@overture/core/campaign/SendWindow"
import * as LocalDate from "@overture/core/workspace/LocalDate"
import * as Seed from "@overture/core/workspace/Seed"
import * as Zone from "@overture/core/workspace/Zone"

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
const rounds = 5

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

/** A package, or null where it is not installed. */
const load = async (name: string): Promise<unknown> => {
  try {
    return await import(name)
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") return null
    throw error
  }
}

export interface PlannerRow {
  readonly name: string
  /** Null where the package is not installed. */
  readonly slotsPerSecond: number | null
  /** How many times as fast the own planner is, and is meant to be. */
  readonly factor: number | null
  readonly atLeast: number | null
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

const middle = (values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!

/** Medians of rounds in which every contestant has its turn, after one that warms up. */
export const measure = async (): Promise<ReadonlyArray<PlannerRow>> => {
  const planner = own()
  const found = await Promise.all(peers.map(async (peer) => ({ peer, module: await load(peer.name) })))
  const contestants: ReadonlyArray<{ readonly name: string; readonly planner: Planner }> = [
    { name: "own", planner },
    ...found.flatMap(({ module, peer }) =>
      module === null ? [] : [{ name: peer.name, planner: over(peer.edge(module)) }]
    )
  ]
  const speeds = new Map<string, Array<number>>(contestants.map(({ name }) => [name, []]))
  for (const one of contestants) ensureSame(one.name, one.planner, planner)
  for (let round = 0; round < rounds; round++)
    for (const one of contestants) speeds.get(one.name)!.push(once(one.planner))
  const speed = middle(speeds.get("own")!)
  return [
    { name: "own", slotsPerSecond: speed, factor: null, atLeast: null },
    ...peers.map(({ atLeast, name }): PlannerRow => {
      const other = speeds.get(name)
      return other === undefined
        ? { name, slotsPerSecond: null, factor: null, atLeast }
        : { name, slotsPerSecond: middle(other), factor: speed / middle(other), atLeast }
    })
  ]
}

export const text = (rows: ReadonlyArray<PlannerRow>): string =>
  rows
    .map(({ atLeast, factor, name, slotsPerSecond }) =>
      slotsPerSecond === null
        ? `planner over ${name}: not installed, left out (npm install --save-dev ${name})`
        : factor === null
          ? `planner: ${(slotsPerSecond / 1e6).toFixed(2)} M slots/s`
          : `planner over ${name}: ${(slotsPerSecond / 1e6).toFixed(2)} M slots/s; the own one is ${factor.toFixed(1)} times as fast (at least ${atLeast} is meant)`
    )
    .join("\n")

if (import.meta.main) console.log(text(await measure()))
