import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Script from "../../../src/channels/sandbox/Script.ts"
import * as Span from "../../../src/channels/sandbox/Span.ts"

const problems = (script: unknown) =>
  Effect.map(Effect.flip(Script.decode(script)), (error) => error.problems.map(({ field }) => field))

describe("Script", () => {
  it.effect("needs no field, and decoding it again changes nothing", () =>
    Effect.gen(function* () {
      const script = yield* Script.decode({})
      assert.deepStrictEqual(yield* Script.decode(script), script)
      const full = yield* Script.decode({
        visitors: [{ account: "page", person: "vera", at: "2026-03-08T12:00:00Z", text: "Hi" }],
        replies: [{ text: "Yes", edit: { text: "Yes!" }, deletion: {} }],
        reactions: [{ removal: {} }],
        capabilities: { polling: false }
      })
      assert.strictEqual(full.visitors[0]?.at, 1_772_971_200_000)
      assert.deepStrictEqual(yield* Script.decode(full), full)
      assert.isFalse(script.idempotencyKeys)
      assert.isNull(script.lookup)
    })
  )

  it.effect.each<readonly [string, unknown]>([
    ["latncy", { latncy: 1 }],
    ["latency", { latency: -1 }],
    ["latency.minMs", { latency: { minMs: 5, maxMs: 1 } }],
    ["lookup.afterMs", { latency: 500, lookup: { afterMs: 100 } }],
    ["outcomes[0].rate", { outcomes: [{ rate: 2, outcome: "transient" }] }],
    [
      "outcomes",
      {
        outcomes: [
          { rate: 0.6, outcome: "transient" },
          { rate: 0.6, outcome: "banned" }
        ]
      }
    ],
    ["outcomes[0].outcome", { outcomes: [{ rate: 1, outcome: "sent" }] }],
    ["outcomes[0].outcome.scope", { outcomes: [{ rate: 1, outcome: { type: "transient", scope: "account" } }] }],
    ["replies[1].delay", { replies: [{ text: "Yes" }, { text: "No", delay: "1 hour" }] }],
    ["recipients.ann.replies[0].text", { recipients: { ann: { replies: [{ rate: 1 }] } } }],
    ["recipients.ann.reply", { recipients: { ann: { reply: { text: "Yes" } } } }],
    ["troubles[0].after", { troubles: [{ after: 0 }] }],
    ["replies[0].media[0].data", { replies: [{ media: [{ url: "https://a.example", data: "no base64!" }] }] }],
    ["takeovers[0].text", { takeovers: [{ delay: 5 }] }],
    ["visitors[0].at", { visitors: [{ account: "page", person: "vera", at: "tomorrow", text: "Hi" }] }],
    ["visitors[0].text", { visitors: [{ account: "page", person: "vera", at: 0 }] }],
    ["telling.late.rate", { telling: { late: { rate: 2 } } }],
    ["capabilities.lookup", { capabilities: { lookup: null } }],
    ["accounts.page.profile.type", { accounts: { page: { profile: { type: "accepted" } } } }],
    ["comments.c1.person", { comments: { c1: { account: "page" } } }],
    ["script", []]
  ])("refuses what is wrong with %s and names it", ([field, script]) =>
    Effect.gen(function* () {
      assert.include(yield* problems(script), field)
    })
  )

  it.effect("reads the text of a file, and says where it is no JSON", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Script.parse(`{ "seed": "a" }`)).seed, "a")
      const error = yield* Effect.flip(Script.parse(`{ "seed": }`))
      assert.match(error.message, /^script: .*JSON/)
      assert.match((yield* Effect.flip(Script.parse(`{ "sed": 1 }`))).message, /^sed: /)
    })
  )

  it("draws spans from both ends", () => {
    const span = { minMs: 10, maxMs: 12 }
    assert.deepStrictEqual(
      [0, 0.5, 0.999].map((u) => Span.drawn(span, u)),
      [10, 11, 12]
    )
    assert.strictEqual(Span.drawn(7, 0.5), 7)
  })
})
