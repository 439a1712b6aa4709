import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { cap, RampUp } from "../../src/workspace/RampUp.ts"

const refusal = (input: unknown): string => {
  const result = Schema.decodeUnknownResult(RampUp)(input)
  return Result.isFailure(result) ? String(result.failure) : "accepted"
}
const stage = (start: number, end: number, value: number) => ({ start, end, value })
const days = [1, 2, 3, 4, 5, 6, 7, 100]

describe("RampUp", () => {
  it("caps nothing when disabled", () => {
    assert.deepStrictEqual(
      days.map((day) => cap({ type: "disabled" }, day)),
      days.map(() => null)
    )
  })

  it("grows by the increment up to the largest multiple within max, then ends", () => {
    const caps = (increment: number, max: number) =>
      days.map((day) => cap({ type: "incremental", increment, max }, day))
    assert.deepStrictEqual(caps(5, 20), [5, 10, 15, 20, null, null, null, null])
    assert.deepStrictEqual(caps(6, 20), [6, 12, 18, null, null, null, null, null])
  })

  it("holds each stage's value and ends after the last", () => {
    const staged = { type: "staged", stages: [stage(1, 2, 5), stage(3, 3, 40), stage(4, 6, 10)] } as const
    assert.deepStrictEqual(
      days.map((day) => cap(staged, day)),
      [5, 5, 40, 10, 10, 10, null, null]
    )
    assert.strictEqual(refusal(staged), "accepted")
  })

  it.each([
    [{ type: "staged", stages: [] }, "stages"],
    [{ type: "staged", stages: [stage(2, 3, 5)] }, "must start on day 1"],
    [{ type: "staged", stages: [stage(1, 3, 5), stage(5, 6, 5)] }, "on day 5, it must follow the one before on day 4"],
    [{ type: "staged", stages: [stage(1, 3, 5), stage(3, 6, 5)] }, "on day 3, it must follow the one before on day 4"],
    [{ type: "staged", stages: [stage(1, 3, 5), stage(4, 2, 5)] }, "ends on day 2, before it starts on day 4"],
    [{ type: "staged", stages: [stage(1, 3, 0)] }, "value"],
    [{ type: "incremental", increment: 0, max: 5 }, "increment"],
    [{ type: "incremental", increment: 2 }, "max"],
    [{ type: "steep" }, "type"]
  ])("refuses %j", (input, word) => assert.include(refusal(input), word))
})
