import { assert, describe, it } from "@effect/vitest"
import * as CampaignFile from "@overture/core/campaign/CampaignFile"
import { Effect } from "effect"
import * as Plan from "../../src/cli/plan/Plan.ts"

const file = CampaignFile.decode({
  id: "spring",
  name: "Spring",
  accounts: ["a", { id: "b", channel: "sandbox" }],
  messages: ["Hello"],
  pacing: { rangeMin: 3, rangeMax: 5 },
  sendWindow: { timezone: "America/New_York", days: [1, 2, 3, 4, 5], windows: [{ start: "09:00", end: "17:00" }] }
})

describe("overture plan", () => {
  it.effect("prints a line of JSON for each account and date", () =>
    Effect.gen(function* () {
      const lines = [...Plan.lines(yield* file, { from: "2026-03-06", days: 3, json: true })]
      assert.strictEqual(lines.length, 6)
      assert.strictEqual(
        lines[0],
        '{"account":"a","date":"2026-03-06","quota":3,"interval":9600,"slots":["2026-03-06T15:12:43.354Z","2026-03-06T17:19:45.420Z","2026-03-06T20:08:00.765Z"]}'
      )
      assert.strictEqual(lines[3], '{"account":"b","date":"2026-03-07","quota":0,"interval":null,"slots":[]}')
    })
  )

  it.effect("has no slots before a campaign begins and after its end, and a part of those dates", () =>
    Effect.gen(function* () {
      const given = { ...(yield* file), accounts: ["a"] as const, pacing: { ...(yield* file).pacing, rangeMin: 5 } }
      const options = { from: "2026-03-05", days: 7, json: false }
      const lasting = { startAt: Date.parse("2026-03-06T17:00:00Z"), endAt: Date.parse("2026-03-10T17:00:00Z") }
      const ramped = { ...given, ...lasting, rampUp: { type: "incremental", increment: 2, max: 4 } as const }
      const lines = [...Plan.lines(ramped, options)]
      const whole = [...Plan.lines({ ...given, rampUp: ramped.rampUp }, { ...options, from: "2026-03-06" })]
      assert.deepStrictEqual(
        lines.map((line) => line.replace(/ {2}every.*/, "")),
        [
          "2026-03-05  a  0 messages in 0 slots  closed",
          "2026-03-06  a  2 messages in 1 slots",
          "2026-03-07  a  0 messages in 0 slots  closed",
          "2026-03-08  a  0 messages in 0 slots  closed",
          "2026-03-09  a  4 messages in 4 slots",
          "2026-03-10  a  5 messages in 3 slots",
          "2026-03-11  a  0 messages in 0 slots  closed"
        ]
      )
      assert.strictEqual(lines[4], whole[3])
      assert.match(lines[1]!, /–(\d\d:\d\d)$/)
      assert.strictEqual(lines[1]!.slice(-5), whole[0]!.slice(-5))
    })
  )

  it.effect("prints text with the local time of the first and the last slot", () =>
    Effect.gen(function* () {
      const lines = [...Plan.lines(yield* file, { from: "2026-03-06", days: 2, json: false })]
      assert.strictEqual(lines[0], "2026-03-06  a  3 messages in 3 slots  every 9600 s  10:12–15:08")
      assert.strictEqual(lines[2], "2026-03-07  a  0 messages in 0 slots  closed")
    })
  )
})
