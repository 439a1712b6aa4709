/**
 * How a daily volume grows from the first sending day on: a cap that applies beside a campaign's drawn number, or over all
 * campaigns of an account, until the ramp is over and there is none. Ramp day 1 is the first on which something went out.
 */
import { Schema } from "effect"

const Positive = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1, { expected: "an integer of at least 1" }))

/** The ramp days from `start` to `end`, both included, on which `value` messages are the most. */
export class RampUpStage extends Schema.Opaque<RampUpStage>()(
  Schema.Struct({ start: Positive, end: Positive, value: Positive })
    .check(
      Schema.makeFilter(
        ({ end, start }) =>
          start <= end || { path: ["end"], issue: `the stage ends on day ${end}, before it starts on day ${start}` }
      )
    )
    .annotate({ identifier: "RampUpStage" })
) {}

/** Stages follow each other from day 1 without a gap: the first that does not, in words. */
const misplaced = (stages: ReadonlyArray<RampUpStage>) => {
  let expected = 1
  for (const [index, stage] of stages.entries()) {
    if (stage.start !== expected) {
      const issue =
        index === 0
          ? `the first stage starts on day ${stage.start}, it must start on day 1`
          : `the stage starts on day ${stage.start}, it must follow the one before on day ${expected}`
      return { path: [index, "start"], issue }
    }
    expected = stage.end + 1
  }
  return undefined
}

export const RampUp = Schema.Union([
  Schema.Struct({ type: Schema.Literal("disabled") }),
  Schema.Struct({ type: Schema.Literal("incremental"), increment: Positive, max: Positive }),
  Schema.Struct({
    type: Schema.Literal("staged"),
    stages: Schema.NonEmptyArray(RampUpStage).check(Schema.makeFilter((stages) => misplaced(stages)))
  })
]).annotate({ identifier: "RampUp", message: "Expected a ramp-up of type disabled, incremental or staged" })
export type RampUp = typeof RampUp.Type

/** The most messages of ramp day `day` (1 = first); null once the ramp is over. */
export const cap = (self: RampUp, day: number): number | null => {
  switch (self.type) {
    case "disabled":
      return null
    case "incremental":
      return self.increment * day <= self.max ? self.increment * day : null
    case "staged":
      return self.stages.find((stage) => day <= stage.end)?.value ?? null
  }
}
