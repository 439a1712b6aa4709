/**
 * What a look at a plan finds: which slots are due, how many have passed unused, and when to look again. A slot that
 * has passed stays passed; nothing is made up for.
 *
 * The state between two looks is a cursor (the next slot nobody used) and, where touches of an account keep a gap, the
 * instant at which that slot is due: its own, or a later one to which the gap deferred it. Deferred slots go in order,
 * one per gap, until the day's open time ends.
 */
import type { Instant } from "../workspace/Instant.ts"
import { type DayPlan, slotLife } from "./DayPlan.ts"

/** What keeps an account's automated touches apart. */
export interface Gap {
  /** Milliseconds between two touches of the account, over all its campaigns; 0 = none. */
  readonly minGap: number
  /** The account's last automated touch, of any campaign. */
  readonly lastTouchAt: Instant | null
  /**
   * To when the gap deferred the slot at the cursor: the `alarm` of the last look. Where a pace slept for another
   * reason, the slot's own instant, or null: only the gap extends a slot's life.
   */
  readonly dueAt: Instant | null
}

export interface DueSlots {
  /** Slots from the cursor on that passed unused. */
  readonly passed: number
  /** The index of the first slot that is not over: due now when `due` is positive, else still to come. */
  readonly next: number
  /** Slots from `next` on that may be used now; at most 1 where a gap is kept. */
  readonly due: number
  /** When to look again once the due ones are used; null when nothing is left of the day. */
  readonly alarm: Instant | null
}

/** The first open instant of the day at or after `at`; null when the day is over. */
const openAt = (self: DayPlan, at: Instant): Instant | null => {
  for (const { end, start } of self.open) if (at < end) return Math.max(start, at)
  return null
}

const noGap: Gap = { minGap: 0, lastTouchAt: null, dueAt: null }

/**
 * The slots of the plan at `now`, from `cursor` on. After it the cursor is `next`, plus the due slots that were used.
 * While the date is not open nothing is due: a slot waits for the next opening if that comes within its life.
 */
export const dueSlots = (self: DayPlan, cursor: number, now: Instant, gap: Gap = noGap): DueSlots => {
  const { interval, slots } = self
  const over: DueSlots = { passed: Math.max(0, slots.length - cursor), next: slots.length, due: 0, alarm: null }
  const opening = openAt(self, now)
  if (interval === null || cursor >= slots.length || opening === null) return over
  const life = slotLife(interval)

  let next = cursor
  let dueAt = openAt(self, Math.max(slots[next]!, gap.dueAt ?? slots[next]!))
  while (dueAt !== null && dueAt + life <= opening) {
    next += 1
    if (next === slots.length) return over
    dueAt = openAt(self, Math.max(slots[next]!, dueAt + gap.minGap))
  }
  if (dueAt === null) return over

  const passed = next - cursor
  const free = gap.minGap === 0 || gap.lastTouchAt === null ? dueAt : gap.lastTouchAt + gap.minGap
  const readyAt = openAt(self, Math.max(dueAt, opening, free))
  if (readyAt === null) return over
  if (readyAt > now) return { passed, next, due: 0, alarm: readyAt }
  let due = 1
  while (gap.minGap === 0 && next + due < slots.length && slots[next + due]! <= now) due += 1
  const following = slots[next + due]
  const alarm = following === undefined ? null : openAt(self, Math.max(following, now + gap.minGap))
  return { passed, next, due, alarm }
}
