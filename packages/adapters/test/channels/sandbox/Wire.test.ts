import { assert, describe, it } from "@effect/vitest"
import { ChannelName } from "@overture/core/channel/Address"
import { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import { Clock, Effect, Redacted, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as Channel from "@overture/core/channel/Channel"
import * as Sandbox from "../../../src/channels/sandbox/Sandbox.ts"
import * as Signature from "../../../src/channels/sandbox/Signature.ts"
import * as Wire from "../../../src/channels/sandbox/Wire.ts"

const name = ChannelName.make("sandbox")
const secret = Redacted.make("a secret of the platform")
const bytes = (json: unknown) => new TextEncoder().encode(typeof json === "string" ? json : JSON.stringify(json))

const noon = 1_772_971_200_000
const whole = (at: number) => Math.trunc(at % 1e15) + 0

/** The event as anybody may tell it: at whole milliseconds, and without what only says how it was told. */
const plain = (event: ChannelEvent): ChannelEvent => {
  const timed = { ...event, at: whole(event.at) }
  if (timed.type === "booked" && timed.startsAt !== undefined) return { ...timed, startsAt: whole(timed.startsAt) }
  if (!("raw" in timed)) return timed
  const { raw: _, ...rest } = timed
  return rest
}

describe("a body", () => {
  it.prop(
    "says in the sandbox's words what our events say",
    { account: Schema.NonEmptyString, told: Schema.Array(ChannelEvent) },
    ({ account, told }) => {
      const events = told.map(plain)
      const heard = Result.getOrThrow(Wire.decode(name, Wire.encode({ account, events })))
      assert.deepStrictEqual({ ...heard, events: heard.events.map(plain) }, { account, events })
    }
  )

  it("keeps with a message how it was told, and passes by what it does not know", () => {
    const told = {
      id: "e",
      time: 5,
      kind: "message",
      mood: "good",
      person: { id: "ann" },
      message: { id: "m", text: "Hi" }
    }
    const { account, events } = Result.getOrThrow(
      Wire.decode(name, bytes({ account: "page", page: 1, events: [told] }))
    )
    assert.strictEqual(account, "page")
    assert.deepStrictEqual(events, [
      {
        type: "messageReceived",
        dedupeKey: "e",
        at: 5,
        participant: { scope: "", externalId: "ann" },
        externalId: "m",
        content: { type: "text", text: "Hi" },
        raw: told
      }
    ])
  })

  const event = (more: object) => ({ account: "page", events: [{ id: "e", time: 1, person: { id: "ann" }, ...more }] })
  it.each<readonly [string, string, unknown]>([
    ["body", "JSON in UTF-8", "{"],
    ["body", "object", "7"],
    ["account", "to be there", { events: [] }],
    ["events", "array", { account: "page", events: 5 }],
    ["events[0]", "object", { account: "page", events: [5] }],
    ["events[0].kind", '"message" | "own_message"', event({ kind: "wave" })],
    ["events[0].kind", "to be there", event({})],
    ["events[0].message", "to be there", event({ kind: "unsend" })],
    ["events[0].message", "a text, media, a template or a request", event({ kind: "message", message: { id: "m" } })],
    ["events[0].state", '"delivered" | "seen"', event({ kind: "receipt", message: "m", state: "private words" })],
    ["events[0].time", "integer", event({ kind: "unsend", message: "m", time: 1.5 })],
    ["events[0].time", "between", event({ kind: "unsend", message: "m", time: 9e15 })],
    ["events[0].message", "at most 255", event({ kind: "unsend", message: "m".repeat(256) })],
    ["events[0].person.id", "at least 1", event({ kind: "unsend", message: "m", person: { id: "" } })]
  ])("with a wrong %s is refused, and told that it expects %s", (field, expected, body) => {
    const refused = Result.getOrThrow(Result.flip(Wire.decode(name, bytes(body))))
    assert.strictEqual(refused.field, field)
    assert.include(refused.message, expected)
    assert.notInclude(refused.message, "private words")
  })

  it("that is no UTF-8 is refused", () => {
    const refused = Result.getOrThrow(Result.flip(Wire.decode(name, Uint8Array.of(0x22, 0xff, 0x22))))
    assert.strictEqual(refused.expected, "JSON in UTF-8")
  })
})

describe("a request", () => {
  const body = Wire.encode({
    account: "page",
    events: [{ type: "optedOut", dedupeKey: "e", at: 5, participant: { scope: "", externalId: "ann" } }]
  })
  /** What comes of the request, with what is changed of a good one. */
  const receive = Effect.fnUntraced(function* (
    change: { readonly headers?: Record<string, string | undefined>; readonly body?: Uint8Array } = {}
  ) {
    yield* TestClock.setTime(noon)
    const sandbox = yield* Sandbox.make()
    const headers = Signature.sign(secret, yield* Clock.currentTimeMillis, body)
    const request = { body: change.body ?? body, headers: { ...headers, ...change.headers }, url: "http://localhost/" }
    yield* TestClock.adjust("4 minutes")
    return yield* sandbox.receive(request, secret)
  })

  it.effect("that the platform signed is heard", () =>
    Effect.gen(function* () {
      const [told] = yield* receive()
      assert.strictEqual(told?.account, "page")
      assert.lengthOf(told?.events ?? [], 1)
    })
  )

  const { signatureHeader, timeHeader } = Signature
  const others = Redacted.make("another secret")
  it.effect.each<readonly [string, string, Parameters<typeof receive>[0]]>([
    ["has no signature", "missing", { headers: { [signatureHeader]: undefined } }],
    ["has no time", "missing", { headers: { [timeHeader]: undefined } }],
    ["is signed with something else", "malformed", { headers: { [signatureHeader]: "v1=abc" } }],
    ["has a time that is none", "malformed", { headers: { [timeHeader]: "1e9" } }],
    ["has another time", "wrong", { headers: { [timeHeader]: "7" } }],
    ["is signed with another secret", "wrong", { headers: { ...Signature.sign(others, 0, body) } }],
    ["says more than was signed", "wrong", { body: Uint8Array.of(...body, 0x20) }],
    ["is old", "expired", { headers: { ...Signature.sign(secret, noon - 61_000, body) } }],
    ["is of the future", "expired", { headers: { ...Signature.sign(secret, noon + 541_000, body) } }]
  ])("that %s is not: %s", ([, reason, change]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(receive(change))
      assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["BadSignature", reason])
    })
  )

  it.effect("that was changed in any bit is not", () =>
    Effect.gen(function* () {
      for (let bit = 0; bit < body.length * 8; bit++) {
        const changed = body.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
        assert.include(yield* Effect.flip(receive({ body: changed })), { reason: "wrong" })
      }
    })
  )

  it.effect("is not for a channel whose events are not pushed", () =>
    Effect.gen(function* () {
      const { capabilities, policy, send } = yield* Sandbox.make()
      const silent = Channel.make({ name: "silent", capabilities, policy, send })
      const error = yield* Effect.flip(silent.receive({ headers: {}, body, url: "" }, secret))
      assert.match(error.message, /^silent: request: expected none/)
    })
  )
})
