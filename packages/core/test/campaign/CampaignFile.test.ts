import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as CampaignFile from "../../src/campaign/CampaignFile.ts"
import * as CampaignFileCheck from "../../src/campaign/CampaignFileCheck.ts"
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

describe("messages in a campaign file", () => {
  it.effect("are texts or contents, also as variants", () =>
    Effect.gen(function* () {
      const content = { type: "text", text: "Good day" }
      const read = yield* decoded({
        messages: [
          "Hello",
          {
            variants: [
              { weight: 2, content: "Hi" },
              { weight: 1, content }
            ]
          }
        ]
      })
      const { steps } = CampaignFile.settingsOf(read, "UTC", Builders.ids("file"))
      assert.deepStrictEqual(
        steps[0].parts.map(({ variants }) => variants.map(({ content: said, weight }) => [weight, said])),
        [
          [[1, { type: "text", text: "Hello" }]],
          [
            [2, { type: "text", text: "Hi" }],
            [1, { type: "text", text: "Good day" }]
          ]
        ]
      )
    })
  )
})

describe("gates in a campaign file", () => {
  it.effect("are absent by default", () =>
    Effect.gen(function* () {
      const settings = CampaignFile.settingsOf(yield* decoded({}), "UTC", Builders.ids("file"))
      assert.deepInclude(settings, { quietHours: null, frequency: null, skipContacted: false, followList: false })
    })
  )

  it.effect("become settings", () =>
    Effect.gen(function* () {
      const options = {
        quietHours: { start: "21:00", end: "08:00" },
        frequency: { touches: 2, days: 7 },
        skipContacted: false,
        followList: true
      }
      const read = yield* decoded({
        ...options,
        accounts: [{ id: "a", channel: "sandbox", warmUp: { type: "incremental", increment: 5, max: 50 } }]
      })
      assert.deepInclude(CampaignFile.settingsOf(read, "UTC", Builders.ids("file")), options)
      assert.deepStrictEqual(CampaignFileCheck.warnings(read), [])
    })
  )

  it.effect.each<readonly [object, string]>([
    [{ quietHours: { start: "21:00", end: "8:00" } }, "quietHours.end: "],
    [{ quietHours: { start: "00:00", end: "24:00" } }, "quietHours.end: "],
    [{ quietHours: { start: "09:00" } }, "quietHours.end: "],
    [{ quietHours: { start: "09:00", end: "10:00", zone: "UTC" } }, "quietHours.zone: "],
    [{ frequency: { touches: 0, days: 7 } }, "frequency.touches: "],
    [{ frequency: { touches: 40, days: 7 } }, "frequency.touches: "],
    [{ frequency: { touches: 1, days: 1.5 } }, "frequency.days: "],
    [{ skipContacted: "yes" }, "skipContacted: "],
    [{ followList: 1 }, "followList: "],
    [{ accounts: [{ id: "a", channel: "sandbox", warmUp: { type: "steep" } }] }, "accounts[0].warmUp"],
    [
      { accounts: [{ id: "a", channel: "sandbox", warmUp: { type: "incremental", increment: 1 } }] },
      "accounts[0].warmUp"
    ],
    [{ accounts: [{ id: "a", channel: "sandbox", minGap: 86_401 }] }, "accounts[0].minGap: expected an integer from 0"],
    [{ accounts: [{ id: "a", channel: "sandbox", minGap: null }] }, "accounts[0].minGap: "],
    [{ accounts: [{ id: "a", channel: "sandbox", dailyCap: 0 }] }, "accounts[0].dailyCap: expected a whole number"],
    [{ accounts: [{ id: "a", channel: "sandbox", timezone: "Mars/Base" }] }, "accounts[0].timezone: "],
    [
      {
        accounts: [
          { id: "a", channel: "sandbox", externalId: "x" },
          { id: "b", channel: "sandbox", externalId: "x" }
        ]
      },
      'accounts[1].externalId: "x" on sandbox is accounts[0] already'
    ],
    [
      {
        accounts: [
          { id: "a", channel: "sandbox" },
          { id: "b", channel: "sandbox", externalId: "a" }
        ]
      },
      'accounts[1].externalId: "a" on sandbox is accounts[0] already'
    ],
    [{ accounts: ["a", { id: "a", channel: "sandbox" }] }, "accounts[1]: a stands at accounts[0] already"],
    [{ messages: ["\u00a0\n"] }, "messages[0]: text, line 1, column 1: it says nothing"],
    [
      { followUps: [{ sendAfterDays: 1, messages: [{ variants: [{ weight: 1, content: " " }] }] }] },
      "followUps[0].messages[0].variants[0]: text, line 1, column 1: it says nothing"
    ],
    [{ startAt: "2026-03-09T10:00:00Z", endAt: "2026-03-09T10:00:00Z" }, "endAt: is not after startAt"],
    [
      {
        followUps: [
          { id: "x", messages: ["a"], sendAfterDays: 1 },
          { id: "x", messages: ["b"], sendAfterDays: 1 }
        ]
      },
      "followUps[1].id: x is followUps[0] already"
    ],
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

  it.effect("keep the steps of the campaign they are read for again", () =>
    Effect.gen(function* () {
      const follow = (id: string, text: string) => ({
        id,
        messages: [text],
        type: "noReplyResponded",
        sendAfterDays: 1
      })
      const ids = Builders.ids("steps")
      const end = { endAt: "2026-03-09T10:00:00Z", stopOn: "chat", evergreen: true }
      const before = yield* decoded({
        ...end,
        messages: ["one"],
        followUps: [follow("a", "two"), follow("b", "three")]
      })
      const former = CampaignFile.settingsOf(before, "UTC", ids)
      assert.deepInclude(former, { endAt: Builders.start, stopOn: "chat", evergreen: true })
      const after = yield* decoded({ messages: ["ONE"], followUps: [follow("b", "THREE"), follow("c", "four")] })
      const [first, kept, added] = CampaignFile.settingsOf(after, "UTC", ids, former).steps
      assert.deepStrictEqual([first.id, kept?.id], [former.steps[0].id, former.steps[2]?.id])
      assert.isFalse(former.steps.some(({ id }) => id === added?.id))
    })
  )

  it.effect("have accounts of one externalId on two channels, and settings of accounts that null takes away", () =>
    Effect.gen(function* () {
      const accounts = [
        { id: "a", channel: "sandbox", externalId: "x", dailyCap: null, warmUp: null, timezone: null },
        { id: "b", channel: "other", externalId: "x", minGap: 86_400, timezone: "europe/berlin" }
      ]
      const read = yield* decoded({ accounts })
      assert.deepStrictEqual<unknown>(read.accounts, [accounts[0], { ...accounts[1], timezone: "Europe/Berlin" }])
    })
  )

  it.effect("are over by their end", () =>
    Effect.gen(function* () {
      const read = yield* decoded({ endAt: "2026-03-09T10:00:00Z" })
      const endAt = read.endAt!
      assert.deepStrictEqual(
        [endAt - 1, endAt, endAt + 1].map((at) => CampaignFileCheck.endedBy(read, at).map(({ field }) => field)),
        [[], ["endAt"], ["endAt"]]
      )
      assert.deepStrictEqual(CampaignFileCheck.endedBy(yield* decoded({}), endAt), [])
    })
  )

  it.effect.each<readonly [object, ReadonlyArray<string>]>([
    [{ rampUp: { type: "incremental", increment: 1, max: 10 } }, ["rampUp"]],
    [{ rampUp: { type: "incremental", increment: 2, max: 10 } }, ["rampUp"]],
    [{ rampUp: { type: "incremental", increment: 3, max: 10 } }, []],
    [{ rampUp: { type: "staged", stages: [{ start: 1, end: 2, value: 2 }] } }, ["rampUp"]],
    [{ rampUp: { type: "staged", stages: [{ start: 1, end: 2, value: 3 }] } }, []],
    [
      { pacing: { rangeMin: 2, rangeMax: 5 }, rampUp: { type: "incremental", increment: 3, max: 10 } },
      ["pacing.rangeMin"]
    ]
  ])("warn of a first touch that is larger than the day: %j", ([more, fields]) =>
    Effect.gen(function* () {
      const read = yield* decoded({ messages: ["a", "b", "c"], ...more })
      assert.deepStrictEqual(
        CampaignFileCheck.warnings(read).map(({ field }) => field),
        fields
      )
    })
  )

  it.effect("warn where they cover the send window", () =>
    Effect.gen(function* () {
      const fields = (more: object) =>
        Effect.map(decoded(more), (read) => CampaignFileCheck.warnings(read).map(({ field }) => field))
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
