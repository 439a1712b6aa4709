/**
 * The quota and the slots of one campaign, account and date: a pure function of its input, the same on every machine,
 * so a forecast is the schedule itself. The open time is cut into as many equal strata as there are slots, and each
 * stratum holds exactly one, moved from its middle by chance.
 *
 * A day is planned in one of two ways. With `from: null` it is the whole day's plan, which holds from its first slot to
 * its last; a campaign that starts or resumes in mid-day uses the same plan from `slotFrom(plan, now)` on, and earlier
 * slots were never its own. With an instant as `from` the day is laid anew: what `used` leaves of the quota is spread
 * over the open time from then on. That is for `catchUp: "spread"` once slots have passed, and for changed settings.
 */
import { type Instant, minute, second } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import * as Seed from "../workspace/Seed.ts"
import type { Zone } from "../workspace/Zone.ts"
import * as DailyRange from "./DailyRange.ts"
import * as RampUp from "../workspace/RampUp.ts"
import * as SendWindow from "./SendWindow.ts"

/** What of a campaign decides its days. */
export interface Settings {
  readonly window: SendWindow.SendWindow
  readonly zone: Zone
  readonly range: DailyRange.DailyRange
  readonly rampUp: RampUp.RampUp
  /** How far chance moves a slot within its stratum, [0, 1]: 0 keeps the middle, 1 may reach the edges. */
  readonly jitter: number
  /** What becomes of passed slots: dropped, or their quota laid over the rest of the day. */
  readonly catchUp: "skip" | "spread"
  /** Messages of a first touch (k0), at least 1: what one slot takes from the quota. */
  readonly parts: number
  /** The share of slots that belong to first touches, [0, 1]. */
  readonly newShare: number
}

export interface Input {
  /** Seed keys: the same keys give the same days. */
  readonly campaign: string
  readonly account: string
  readonly date: LocalDate
  readonly settings: Settings
  /** The ramp day if something goes out on this date, 1 = first. */
  readonly rampDay: number
  /** Null plans the whole day; an instant lays the unused quota over the open time from then on. */
  readonly from: Instant | null
  /** Messages of the quota that went before `from`; a whole day's plan leaves it out of account. */
  readonly used: number
}

export interface DayPlan {
  readonly date: LocalDate
  /** Messages of the whole date; 0 on a closed one. */
  readonly quota: number
  /** Slots of this plan: `slots.length`. */
  readonly slotCount: number
  /** Open time per slot in milliseconds; null where there are no slots. */
  readonly interval: number | null
  /** Whole instants, ascending. */
  readonly slots: Float64Array
  /** The open time of the whole date. */
  readonly open: ReadonlyArray<SendWindow.OpenInterval>
  /** The length of the open time in elapsed milliseconds. */
  readonly length: number
}

/** What a day's chance is drawn from. The length tells where the first key ends, as keys are the host's own texts. */
export const seed = (campaign: string, account: string, date: LocalDate): string =>
  `${campaign.length}/${campaign}/${account}/${date}`

/**
 * One slot in each of `count` strata of `interval` ms, laid end to end over the intervals. Rounded down to a whole
 * millisecond, which never leaves the interval, as that starts on one.
 */
const lay = (
  intervals: ReadonlyArray<SendWindow.OpenInterval>,
  interval: number,
  count: number,
  jitter: number,
  random: () => number
): Float64Array => {
  const slots = new Float64Array(count)
  let index = 0
  let current = intervals[0]!
  let shift = current.start
  for (let i = 0; i < count; i++) {
    const position = (i + 0.5 + jitter * (random() - 0.5)) * interval
    while (position + shift >= current.end && index < intervals.length - 1) {
      const next = intervals[++index]!
      shift += next.start - current.end
      current = next
    }
    slots[i] = Math.min(Math.floor(position + shift), current.end - 1)
  }
  return slots
}

const none = new Float64Array(0)

/**
 * The plan of a day. Laid anew, its interval is at least half of the whole day's, so that a backlog never becomes a
 * burst; what does not fit is dropped. A day has one slot even where its quota is less than a touch, as the first touch
 * of a day may pass the quota.
 */
export const make = (input: Input): DayPlan => {
  const { date, from, settings } = input
  const open = SendWindow.open(settings.window, settings.zone, date)
  const length = SendWindow.lengthOf(open)
  if (length === 0) return { date, quota: 0, slotCount: 0, interval: null, slots: none, open, length }
  const random = Seed.random(seed(input.campaign, input.account, date))
  const base = DailyRange.draw(settings.range, random())
  const quota = Math.min(base, RampUp.cap(settings.rampUp, input.rampDay) ?? base)
  const wholeCount = Math.max(1, Math.floor(quota / settings.parts))
  const wholeInterval = length / wholeCount
  let intervals = open
  let interval = wholeInterval
  let count = wholeCount
  if (from !== null) {
    intervals = open.filter(({ end }) => end > from).map(({ end, start }) => ({ start: Math.max(start, from), end }))
    const wanted = input.used === 0 ? wholeCount : Math.max(0, Math.floor((quota - input.used) / settings.parts))
    const rest = SendWindow.lengthOf(intervals)
    const fits = rest >= (wanted * wholeInterval) / 2
    interval = fits ? rest / wanted : wholeInterval / 2
    count = fits ? wanted : Math.floor(rest / interval)
  }
  if (count === 0) return { date, quota, slotCount: 0, interval: null, slots: none, open, length }
  const slots = lay(intervals, interval, count, settings.jitter, random)
  return { date, quota, slotCount: count, interval, slots, open, length }
}

/** The index of the first slot at or after `at`; `slotCount` when there is none. */
export const slotFrom = (self: DayPlan, at: Instant): number => {
  let low = 0
  let high = self.slots.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (self.slots[middle]! < at) low = middle + 1
    else high = middle
  }
  return low
}

/** Whether slot `index` (0-based) belongs to first touches; the others belong to follow-ups. */
export const isFirstTouch = (index: number, newShare: number): boolean =>
  Math.floor((index + 1) * newShare) > Math.floor(index * newShare)

/** How long after its instant a slot may still be used, in milliseconds. */
export const slotLife = (interval: number): number => Math.max(5 * second, Math.min(interval / 2, 5 * minute))
