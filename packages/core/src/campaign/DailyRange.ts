/**
 * How many messages an account may send on a day of a campaign: a number drawn afresh for every date, so that no two
 * days look alike. The draw depends on its seed alone.
 */
import { Schema } from "effect"
import * as Seed from "../workspace/Seed.ts"

/**
 * The most messages of an account's day, one every 864 ms: the largest daily limit that a platform puts a number to. Each look
 * at a day lays its slots anew, which costs so many some 2 ms.
 */
const maxPerDay = 100_000

const Volume = Schema.Int.check(
  Schema.isBetween({ minimum: 1, maximum: maxPerDay }, { expected: `an integer from 1 to ${maxPerDay}` })
)

export class DailyRange extends Schema.Opaque<DailyRange>()(
  Schema.Struct({ rangeMin: Volume, rangeMax: Volume })
    .check(
      Schema.makeFilter(
        ({ rangeMax, rangeMin }) =>
          rangeMin <= rangeMax || {
            path: ["rangeMax"],
            issue: `rangeMax ${rangeMax} is less than rangeMin ${rangeMin}`
          }
      )
    )
    .annotate({ identifier: "DailyRange" })
) {}

/** The number at `u`, uniform in [0, 1): every integer of the range is equally likely. */
export const draw = (self: DailyRange, u: number): number =>
  self.rangeMin + Math.floor(u * (self.rangeMax - self.rangeMin + 1))

/** The messages of the day that the seed stands for, before any ramp-up; see `DayPlan.seed`. */
export const base = (self: DailyRange, seed: string): number => draw(self, Seed.random(seed)())
