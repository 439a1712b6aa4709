/**
 * Time zones as tables: between two transitions an offset is constant, so wall time becomes an instant by a search and
 * an addition. A zone's table grows by blocks of 400 days, each read once from `Intl.DateTimeFormat` (under a
 * millisecond) when an instant in it is first asked for; after that no formatter is involved.
 *
 * A wall time that a clock change skips stands for the first instant after the gap; one that occurs twice, for its
 * first or its last occurrence, as the caller says.
 */
import { Schema, SchemaTransformation } from "effect"
import { day, type Instant, minute, second } from "./Instant.ts"
import * as LocalDate from "./LocalDate.ts"

/** An IANA zone name, `Europe/Berlin`, whatever its case; an unknown one is refused by name. Offsets are not zones. */
export const ZoneName = Schema.String.check(
  Schema.makeFilter((text: string) => isKnown(text) || `${JSON.stringify(text.slice(0, 64))} is no IANA time zone`)
).pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({ decode: (text: string) => normalise(text), encode: (name: string) => name })
  ),
  Schema.annotate({ identifier: "ZoneName" })
)
export type ZoneName = typeof ZoneName.Type

/** The table of one zone. Ask `make` for it: there is one per name. */
export interface Zone {
  readonly name: ZoneName
  /** By number: the offsets of the instants in `[number × span, (number + 1) × span)`. */
  readonly blocks: Map<number, Block>
  readonly formatter: Intl.DateTimeFormat
  /** The period of the last answer: neighbouring questions mostly fall into the same. */
  last: Period
}

interface Block {
  /** The beginning of the block and every transition in it, ascending. */
  readonly starts: Float64Array
  readonly periods: ReadonlyArray<Period>
}

/** Instants in `[from, until)` that have the same offset; local time = instant + offset, all in milliseconds. */
interface Period {
  readonly from: Instant
  readonly until: Instant
  readonly offset: number
}

const span = 400 * day
const week = 7 * day
const nowhere: Period = { from: 0, until: 0, offset: 0 }
const zones = new Map<string, Zone>()

const formatterOf = (name: string) =>
  new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
    timeZone: name,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit"
  })

const isKnown = (text: string): boolean => {
  if (zones.has(text)) return true
  if (!/^[A-Za-z][\w+/-]*$/.test(text)) return false
  try {
    formatterOf(text)
    return true
  } catch {
    return false
  }
}

/**
 * The customary spelling of a known name. Intl spells a zone by its own rules but replaces a renamed one (Asia/Kolkata
 * becomes Asia/Calcutta), so those keep their name and are capitalised by word where the letters tell nothing.
 */
const normalise = (text: string): string => {
  if (zones.has(text)) return text
  const resolved = formatterOf(text).resolvedOptions().timeZone
  const lower = text.toLowerCase()
  if (resolved.toLowerCase() === lower) return resolved
  if (text !== lower && text !== text.toUpperCase()) return text
  return lower.replace(/[a-z0-9]+/g, (word) => {
    const isAbbreviation = word !== "etc" && (word.length <= 3 || /\d/.test(word))
    return isAbbreviation ? word.toUpperCase() : word.charAt(0).toUpperCase() + word.slice(1)
  })
}

/** The zone of that name; throws a `RangeError` for a name that `ZoneName` refuses. */
export const make = (name: string): Zone => {
  const known = zones.get(name)
  if (known !== undefined) return known
  if (!isKnown(name)) throw new RangeError(`${JSON.stringify(name)} is no IANA time zone`)
  const spelled = normalise(name)
  const same = zones.get(spelled)
  if (same !== undefined) return same
  const zone: Zone = { name: spelled, blocks: new Map(), formatter: formatterOf(spelled), last: nowhere }
  zones.set(spelled, zone)
  return zone
}

/** The zone of that name; null for one that `ZoneName` refuses, as an imported contact may have. */
export const find = (name: string): Zone | null => zones.get(name) ?? (isKnown(name) ? make(name) : null)

/** The zone of the first of these names that is one; UTC where none is. */
export const firstOf = (...names: ReadonlyArray<string | null | undefined>): Zone => {
  for (const name of names) {
    const zone = name === null || name === undefined ? null : find(name)
    if (zone !== null) return zone
  }
  return make("UTC")
}

/** The offset as Intl knows it: the wall time it writes, read as UTC, minus the instant. `at` is a whole second. */
const formattedOffset = (formatter: Intl.DateTimeFormat, at: Instant): number => {
  const [month, dayOfMonth, year, hours, minutes, seconds] = formatter.format(at).split(/\D+/).map(Number)
  return Date.UTC(year!, month! - 1, dayOfMonth, hours, minutes, seconds) - at
}

/** The whole second in `(before, after]` from which the offset is no longer `offset`. */
const transition = (formatter: Intl.DateTimeFormat, before: Instant, after: Instant, offset: number): Instant => {
  let low = before / second
  let high = after / second
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (formattedOffset(formatter, middle * second) === offset) low = middle
    else high = middle
  }
  return high * second
}

/** Probes every week, so two changes that cancel out within one would be missed; no zone has done that since 1970. */
const buildBlock = (formatter: Intl.DateTimeFormat, number: number): Block => {
  const end = (number + 1) * span
  const periods: Array<Period> = []
  let from = number * span
  let offset = formattedOffset(formatter, from)
  for (let probe = from; probe < end; probe += week) {
    const next = Math.min(probe + week, end)
    const nextOffset = formattedOffset(formatter, next)
    if (nextOffset === offset) continue
    const until = transition(formatter, probe, next, offset)
    periods.push({ from, until, offset })
    from = until
    offset = nextOffset
  }
  if (from < end) periods.push({ from, until: end, offset })
  return { starts: Float64Array.from(periods, (period) => period.from), periods }
}

const periodAt = (self: Zone, at: Instant): Period => {
  const last = self.last
  if (at >= last.from && at < last.until) return last
  const number = Math.floor(at / span)
  let block = self.blocks.get(number)
  if (block === undefined) {
    block = buildBlock(self.formatter, number)
    self.blocks.set(number, block)
  }
  let low = 0
  let high = block.starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (block.starts[middle]! <= at) low = middle
    else high = middle - 1
  }
  return (self.last = block.periods[low]!)
}

/** Local time minus UTC at that instant, in milliseconds; east of Greenwich is positive. */
export const offsetAt = (self: Zone, at: Instant): number => periodAt(self, at).offset

/**
 * The instant at which clocks show `local`, a wall time written as the milliseconds it would be in UTC: what
 * `toInstant` does, for many times of one date.
 */
export const fromLocal = (self: Zone, local: number, which: "first" | "last"): Instant => {
  const { from, offset, until } = self.last
  // No clock moves by more than a day, so more than two days from the period's ends nothing is skipped or repeated.
  if (local >= from + 2 * day && local < until - 2 * day) return local - offset
  let found: Instant | null = null
  let period = periodAt(self, local - day)
  while (true) {
    const at = local - period.offset
    if (at < period.from) return found ?? period.from
    if (at < period.until) {
      if (which === "first") return at
      found = at
    }
    if (found !== null && period.until > local + day) return found
    period = periodAt(self, period.until)
  }
}

/**
 * The instant at which clocks show that many minutes after 00:00 of `date`; 1440 and more reach into later dates. In a
 * gap it is the first instant after; of a repeated time, the occurrence asked for.
 */
export const toInstant = (
  self: Zone,
  date: LocalDate.LocalDate,
  minutesOfDay: number,
  which: "first" | "last"
): Instant => fromLocal(self, LocalDate.midnight(date) + minutesOfDay * minute, which)

/** The date that calendars show at that instant. */
export const localDate = (self: Zone, at: Instant): LocalDate.LocalDate =>
  LocalDate.fromEpochDay(Math.floor((at + offsetAt(self, at)) / day))

/** Minutes since 00:00 on the clock, [0, 1440); seconds are a fraction of one. */
export const localMinutes = (self: Zone, at: Instant): number => {
  const local = at + offsetAt(self, at)
  return (local - Math.floor(local / day) * day) / minute
}

/** The same local time `days` calendar days later: in a gap the first instant after, of a repeated time the first. */
export const sameLocalTimeAfterDays = (self: Zone, at: Instant, days: number): Instant =>
  fromLocal(self, at + offsetAt(self, at) + days * day, "first")
