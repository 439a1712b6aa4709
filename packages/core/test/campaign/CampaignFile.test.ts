import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as CampaignFile from "../../src/campaign/CampaignFile.ts"
import * as Builders from "../../src/testing/Builders.ts"

const file = {
  name: "spring",
  accounts: [{ id: "a", channel: "sandbox" }],
  messages: ["Hello"],
  pacing: { rangeMin: 5, rangeMax: 10 }
}
const decoded = (more: object) => CampaignFile.decode({ ...file, ...more })
const problems = (more: object) =>
  Effect.flip(decoded(more)).pipe(
    Effect.map((error) => error.problems.map(({ field, message }) => `${field}: ${message}`))
  )

describe("gates in a campaign file", () => {
  it.effect("are absent by default", () =>
    Effect.gen(function* () {
      const settings = CampaignFile.settingsOf(yield* decoded({}), "UTC", Builders.ids("file"))
      assert.deepInclude(settings, { quietHours: null, frequency: null, skipContacted: false })
    })
  )

  it.effect("become settings", () =>
    Effect.gen(function* () {
      const options = {
        quietHours: { start: "21:00", end: "08:00" },
        frequency: { touches: 2, days: 7 },
        skipContacted: false
      }
      const read = yield* decoded({
        ...options,
        accounts: [{ id: "a", channel: "sandbox", warmUp: { type: "incremental", increment: 5, max: 50 } }]
      })
      assert.deepInclude(CampaignFile.settingsOf(read, "UTC", Builders.ids("file")), options)
      assert.deepStrictEqual(CampaignFile.warnings(read), [])
    })
  )

  it.effect.each<readonly [object, string]>([
    [{ skipContacted: true }, "skipContacted: is not supported yet"],
    [{ quietHours: { start: "21:00", end: "8:00" } }, "quietHours.end: "],
    [{ quietHours: { start: "00:00", end: "24:00" } }, "quietHours.end: "],
    [{ quietHours: { start: "09:00" } }, "quietHours.end: "],
    [{ quietHours: { start: "09:00", end: "10:00", zone: "UTC" } }, "quietHours.zone: "],
    [{ frequency: { touches: 0, days: 7 } }, "frequency.touches: "],
    [{ frequency: { touches: 40, days: 7 } }, "frequency.touches: "],
    [{ frequency: { touches: 1, days: 1.5 } }, "frequency.days: "],
    [{ skipContacted: "yes" }, "skipContacted: "],
    [{ accounts: [{ id: "a", channel: "sandbox", warmUp: { type: "steep" } }] }, "accounts[0].warmUp"],
    [
      { messages: ["a", "b"], accounts: [{ id: "a", channel: "sandbox", dailyCap: 1 }] },
      "accounts[0].dailyCap: a step has 2 messages"
    ]
  ])("are refused by their field: %j", ([more, start]) =>
    Effect.gen(function* () {
      const found = yield* problems(more)
      assert.isTrue(
        found.some((line) => line.startsWith(start)),
        found.join("\n")
      )
    })
  )

  it.effect("warn where they cover the send window", () =>
    Effect.gen(function* () {
      const fields = (more: object) =>
        Effect.map(decoded(more), (read) => CampaignFile.warnings(read).map(({ field }) => field))
      const quietHours = { start: "08:00", end: "18:00" }
      assert.deepStrictEqual(
        yield* fields({ quietHours, sendWindow: { windows: [{ start: "09:00", end: "17:00" }] } }),
        ["quietHours"]
      )
      assert.deepStrictEqual(
        yield* fields({ quietHours, sendWindow: { windows: [{ start: "09:00", end: "18:01" }] } }),
        []
      )
    })
  )
})
