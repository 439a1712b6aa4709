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

  it.effect("prints text with the local time of the first and the last slot", () =>
    Effect.gen(function* () {
      const lines = [...Plan.lines(yield* file, { from: "2026-03-06", days: 2, json: false })]
      assert.strictEqual(lines[0], "2026-03-06  a  3 messages in 3 slots  every 9600 s  10:12–15:08")
      assert.strictEqual(lines[2], "2026-03-07  a  0 messages in 0 slots  closed")
    })
  )
})
