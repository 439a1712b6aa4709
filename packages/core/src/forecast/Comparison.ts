/**
 * A forecast held against what really happened: every lead whose step went out on another date, from another account, not
 * at all or unforeseen, with the cause. Each counts −1 where it was forecast and +1 where it happened, so on every date
 * the causes add up to the difference.
 */
import type { AccountId, LeadId } from "../workspace/Id.ts"
import { Schema } from "effect"
import type { LocalDate } from "../workspace/LocalDate.ts"
import * as Dates from "../workspace/LocalDate.ts"
import type { Forecast } from "../stats/Forecast.ts"
import type { LeadStory, LoggedTouch, TouchLog } from "./TouchLog.ts"

/**
 * - *reply*, *optOut*, *takeover*: nothing more was to be said.
 * - *failure*: the step, or an earlier one, failed. *skip*: a gate skipped it, or the lead was ended by hand.
 * - *retry*: a try had to be repeated, which moved this step or an earlier one.
 * - *deferral*: its turn came on another date or account: a gate or a budget held it, or slots of others fell free or
 *   were taken.
 * - *enrolled*: the forecast does not know the lead: it joined later, or there were more than a forecast looks at.
 */
export const DifferenceCause = Schema.Literals([
  "reply",
  "optOut",
  "takeover",
  "failure",
  "skip",
  "retry",
  "deferral",
  "enrolled"
])
export type DifferenceCause = typeof DifferenceCause.Type

/** Where a touch was to go out, or did. */
export const TouchPlace = Schema.Struct({ account: Schema.String, date: Dates.LocalDate })
export type TouchPlace = typeof TouchPlace.Type

export class Difference extends Schema.Opaque<Difference>()(
  Schema.Struct({
    lead: Schema.String,
    /** 0 = first touch. */
    step: Schema.Int,
    forecast: Schema.NullOr(TouchPlace),
    actual: Schema.NullOr(TouchPlace),
    cause: DifferenceCause,
    /** The ledger's own word for it, where there is one. */
    reason: Schema.NullOr(Schema.String)
  }).annotate({ identifier: "Difference" })
) {}

/** One account on one date; `actual - forecast` is the sum of `causes`, for each of the two kinds. */
export interface ComparedDay {
  readonly account: string
  readonly date: LocalDate
  readonly firstTouches: ComparedCount
  readonly followUps: ComparedCount
}

export interface ComparedCount {
  readonly forecast: number
  readonly actual: number
  /** What each cause added or took away. */
  readonly causes: Readonly<Partial<Record<DifferenceCause, number>>>
}

export interface Comparison {
  /** Dates after it are left out. */
  readonly until: LocalDate
  /** Every account on every date on which something was forecast or happened, date by date. */
  readonly days: ReadonlyArray<ComparedDay>
  /** By lead and step. */
  readonly differences: ReadonlyArray<Difference>
}

export interface ComparisonInput {
  readonly forecast: Forecast
  readonly actual: TouchLog
  /** The last date that is over. */
  readonly until: LocalDate
  /** The seed key of an account. */
  readonly accountKey: (id: AccountId) => string
  /** What the forecast calls a lead: its id, or `Forecast.anonymous` of its position. */
  readonly leadName?: ((id: LeadId) => string) | undefined
}

/**
 * The last date on which a forecast can be held against what happened: yesterday of a campaign that goes on, and as far as
 * the forecast goes of one that is finished, since what it promised after that will not come.
 */
export const lastDate = (
  forecast: Forecast,
  campaign: { readonly isFinished: boolean; readonly today: LocalDate }
): LocalDate => {
  const last = forecast.days.at(-1)?.date ?? campaign.today
  const over = campaign.isFinished ? (campaign.today > last ? campaign.today : last) : Dates.addDays(campaign.today, -1)
  return forecast.cut?.by === "days" ? (over < last ? over : last) : over
}

interface Cause {
  readonly cause: DifferenceCause
  readonly reason: string | null
}

const endedBy: Readonly<Record<string, DifferenceCause>> = {
  replied: "reply",
  booked: "reply",
  closed: "reply",
  optedOut: "optOut",
  takenOver: "takeover",
  failed: "failure"
}

/** Why a step that was forecast did not go out by then. */
const missing = (story: LeadStory | undefined, step: number, earlier: Cause | null): Cause => {
  const own = story?.misses.find((miss) => miss.step === step)
  if (own !== undefined) return { cause: causeOfMiss(own.status, own.reason), reason: own.reason }
  if (story?.ended !== undefined && story.ended !== null && story.ended !== "completed") {
    const failed = story.ended === "failed" ? story.misses.findLast(({ status }) => status === "failed") : undefined
    const reason = failed?.reason ?? story.ended
    return { cause: failed === undefined ? (endedBy[story.ended] ?? "skip") : causeOfMiss("failed", reason), reason }
  }
  if (story?.retrying === true) return { cause: "retry", reason: null }
  return earlier ?? { cause: "deferral", reason: null }
}

const causeOfMiss = (status: "failed" | "skipped", reason: string): DifferenceCause =>
  reason === "optedOut" || reason === "suppressed"
    ? "optOut"
    : status === "failed"
      ? "failure"
      : (endedBy[reason] ?? "skip")

/** Why a step went out elsewhere than forecast. */
const moved = (touch: LoggedTouch, earlier: Cause | null): Cause =>
  touch.retried ? { cause: "retry", reason: null } : (earlier ?? { cause: "deferral", reason: null })

export const compare = (input: ComparisonInput): Comparison => {
  const { accountKey, forecast, until } = input
  const leadName = input.leadName ?? ((id: LeadId): string => id)
  const foreseen = new Map<string, Map<number, TouchPlace>>()
  const happened = new Map<string, Map<number, LoggedTouch>>()
  const stories = new Map<string, LeadStory>()
  const within = <A>(map: Map<string, Map<number, A>>, lead: string, step: number, value: A) => {
    const steps = map.get(lead) ?? new Map<number, A>()
    map.set(lead, steps.set(step, value))
  }
  for (const [lead, step, account, date] of forecast.touches) {
    within(foreseen, lead, step, { account: forecast.accounts[account] ?? "", date })
  }
  for (const touch of input.actual.touches) within(happened, leadName(touch.lead), touch.step, touch)
  for (const [lead, story] of input.actual.stories) stories.set(leadName(lead), story)

  const days = new Map<string, Day>()
  const dayOf = ({ account, date }: TouchPlace): Day => {
    const key = `${date} ${account}`
    const known = days.get(key)
    if (known !== undefined) return known
    const day: Day = { account, date, firstTouches: counting(), followUps: counting() }
    days.set(key, day)
    return day
  }
  const countOf = (place: TouchPlace, step: number): Counting => dayOf(place)[step === 0 ? "firstTouches" : "followUps"]
  const isOver = (place: TouchPlace | null): place is TouchPlace => place !== null && place.date <= until

  const differences: Array<Difference> = []
  const names = new Set([...foreseen.keys(), ...happened.keys()])
  for (const lead of names) {
    const story = stories.get(lead)
    const isKnown = foreseen.has(lead)
    const steps = new Set([...(foreseen.get(lead)?.keys() ?? []), ...(happened.get(lead)?.keys() ?? [])])
    let earlier: Cause | null = null
    for (const step of [...steps].sort((a, b) => a - b)) {
      const planned = foreseen.get(lead)?.get(step) ?? null
      const touch = happened.get(lead)?.get(step)
      const actual: TouchPlace | null =
        touch === undefined ? null : { account: accountKey(touch.account), date: touch.date }
      if (isOver(planned)) countOf(planned, step).forecast += 1
      if (isOver(actual)) countOf(actual, step).actual += 1
      if (planned?.account === actual?.account && planned?.date === actual?.date) continue
      const found: Cause =
        touch === undefined
          ? missing(story, step, earlier)
          : planned === null && !isKnown
            ? { cause: "enrolled", reason: null }
            : moved(touch, earlier)
      earlier = found
      if (!isOver(planned) && !isOver(actual)) continue
      differences.push({ lead, step, forecast: planned, actual, ...found })
      if (isOver(planned)) add(countOf(planned, step), found.cause, -1)
      if (isOver(actual)) add(countOf(actual, step), found.cause, 1)
    }
  }
  return {
    until,
    days: [...days.values()].sort((a, b) => (a.date < b.date || (a.date === b.date && a.account < b.account) ? -1 : 1)),
    differences
  }
}

interface Counting {
  forecast: number
  actual: number
  causes: Partial<Record<DifferenceCause, number>>
}

interface Day {
  readonly account: string
  readonly date: LocalDate
  readonly firstTouches: Counting
  readonly followUps: Counting
}

const counting = (): Counting => ({ forecast: 0, actual: 0, causes: {} })

const add = (count: Counting, cause: DifferenceCause, by: number): void => {
  count.causes[cause] = (count.causes[cause] ?? 0) + by
}

/** How often each cause is one, most frequent first. */
export const causes = (
  self: Comparison
): ReadonlyArray<{ readonly cause: DifferenceCause; readonly count: number }> => {
  const counts = new Map<DifferenceCause, number>()
  for (const { cause } of self.differences) counts.set(cause, (counts.get(cause) ?? 0) + 1)
  return Array.from(counts, ([cause, count]) => ({ cause, count })).sort((a, b) => b.count - a.count)
}
