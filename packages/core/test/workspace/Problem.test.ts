import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as CampaignFile from "../../src/campaign/CampaignFile.ts"
import * as Problem from "../../src/workspace/Problem.ts"

/** A campaign file with something in every field. */
const full = {
  id: "spring",
  name: "Spring",
  accounts: [
    "known",
    {
      id: "nora",
      channel: "sandbox",
      externalId: "nora-1",
      name: "Nora",
      dailyCap: 5,
      warmUp: { type: "incremental", increment: 1, max: 5 },
      minGap: 0,
      timezone: "UTC"
    }
  ],
  messages: [
    "Hi",
    { type: "text", text: "Hello", buttons: [{ type: "reply", title: "Yes", value: "yes" }] },
    { variants: [{ weight: 1, content: { type: "text", text: "Hey" } }] },
    { type: "media", kind: "image", url: "https://example.com/a.png", caption: "A", filename: "a.png" },
    { type: "approvedTemplate", name: "hello", language: "en", parameters: { name: "x" } }
  ],
  pacing: { rangeMin: 5, rangeMax: 10, jitter: 0.5, catchUp: "skip", newShare: 0.5 },
  sendWindow: {
    timezone: "UTC",
    days: [1],
    windows: [{ start: "09:00", end: "17:00" }],
    blackoutDates: ["2026-12-24"]
  },
  rampUp: { type: "staged", stages: [{ start: 1, end: 2, value: 3 }] },
  followUps: [{ id: "later", messages: ["Still there?"], type: "noReply", sendAfterDays: 1 }],
  distribution: { strategy: "byAttribute", attribute: "owner", accounts: { a: "known" }, otherwise: "nora" },
  onMissing: "skip",
  partDelay: { min: 1, max: 2 },
  onAccountLost: "end",
  stopOn: "chat",
  quietHours: { start: "21:00", end: "08:00" },
  frequency: { touches: 1, days: 1 },
  skipContacted: false,
  startAt: "2026-03-01T00:00:00Z",
  endAt: "2026-06-01T00:00:00Z",
  evergreen: false,
  metadata: { team: 1 }
}

type Path = ReadonlyArray<string | number>

/** Every place in a document. */
const places = (value: unknown, path: Path = []): ReadonlyArray<Path> =>
  typeof value !== "object" || value === null
    ? [path]
    : [
        path,
        ...Object.entries(value).flatMap(([key, inner]) =>
          places(inner, [...path, Array.isArray(value) ? Number(key) : key])
        )
      ]

const replaced = (value: unknown, [head, ...rest]: Path, by: unknown): unknown => {
  if (head === undefined) return by
  const inner = replaced((value as Record<string | number, unknown>)[head], rest, by)
  return Array.isArray(value) ? value.with(Number(head), inner) : { ...(value as object), [head]: inner }
}

const fieldOf = (path: Path): string =>
  path.reduce<string>((text, part) => (typeof part === "number" ? `${text}[${part}]` : `${text}.${part}`), "").slice(1)

describe("what is wrong with a campaign file", () => {
  it.effect("is nothing, of one with something in every field", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* CampaignFile.decode(full)).name, "Spring")
    })
  )

  it.effect("is told by its field with what was expected and what came, wherever a value of another kind stands", () =>
    Effect.gen(function* () {
      for (const path of places(full)) {
        if (path[0] === "metadata" && path.length > 1) continue
        for (const bad of [true, [[]], -7.5, { "?": 1 }]) {
          const refused = yield* Effect.result(CampaignFile.decode(replaced(full, path, bad)))
          if (refused._tag === "Success") {
            const isFlag = path[0] === "skipContacted" || path[0] === "evergreen"
            assert.isTrue(isFlag ? bad === true : path[0] === "metadata", `${fieldOf(path)} := ${JSON.stringify(bad)}`)
            continue
          }
          const at = fieldOf(path)
          const own = refused.failure.problems.filter(({ field }) => field.startsWith(at))
          assert.isAtLeast(own.length, 1, `${at} := ${JSON.stringify(bad)}: ${refused.failure.message}`)
          for (const { field, message } of own) {
            const isTold =
              /^expected .+, got .+/.test(message) ||
              /^is missing; expected .+/.test(message) ||
              message.startsWith("there is no such field; there are ") ||
              message.includes("?")
            assert.isTrue(isTold, `${field}: ${message}`)
            assert.notMatch(message, /\b[A-Z][a-z]+[A-Z][a-z]+|undefined|valid value/, `${field}: ${message}`)
          }
        }
      }
    })
  )

  it.effect.each<readonly [Path, unknown, string]>([
    [["skipContacted"], "yes", 'skipContacted: expected true or false, got "yes"'],
    [["followUps", 0, "type"], "silent", 'followUps[0].type: expected "noReply" or "noReplyResponded", got "silent"'],
    [["name"], "", 'name: expected at least 1 character, got ""'],
    [["accounts"], [], "accounts: expected at least 1 entry, got []"],
    [["accounts", 0], 5, "accounts[0]: expected a string or an object with id and channel, got 5"],
    [["pacing"], {}, "pacing.rangeMin: is missing; expected a number"],
    [["rampUp"], { type: "steep" }, 'rampUp.type: expected "disabled", "incremental" or "staged", got "steep"'],
    [["rampUp"], { type: "staged" }, "rampUp.stages: is missing; expected a list"],
    [["messages", 3], { type: "media", kind: "image" }, "messages[3].url: is missing; expected a string"],
    [["messages", 1, "buttons", 0], {}, "messages[1].buttons[0].type: is missing"],
    [["messages", 1], { text: "x" }, "messages[1]: expected a string, an object whose type is"],
    [["quietHours", "zone"], "UTC", "quietHours.zone: there is no such field; there are start and end"],
    [["sendWindow", "blackoutDates", 0], "2026-02-30", "sendWindow.blackoutDates[0]: 2026-02-30 is no date"],
    [["metadata"], "x".repeat(500), `metadata: expected an object, got "${"x".repeat(59)}…`]
  ])("reads %j := %j", ([path, bad, line]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(CampaignFile.decode(replaced(full, path, bad)))
      assert.strictEqual(error.message.split("\n")[0]!.slice(0, line.length), line)
    })
  )

  it("shows what came only where that was asked for", () => {
    const secret = Schema.decodeUnknownResult(Schema.Struct({ token: Schema.Int }))({ token: "hunter2" })
    assert.isTrue(secret._tag === "Failure")
    if (secret._tag === "Failure") {
      assert.deepStrictEqual(Problem.of(secret.failure), [{ field: "token", message: "expected a number" }])
    }
  })
})
