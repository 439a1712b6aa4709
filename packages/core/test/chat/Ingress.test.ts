import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Connections } from "../../src/account/Connections.ts"
import { Ingress } from "../../src/chat/Ingress.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import * as Desk from "./Desk.ts"

/** A platform whose every request says that `person` wrote to these pages; the request's url tells one from another. */
const pushing = (person: string, pages: ReadonlyArray<string>): TestChannel.TestChannel =>
  Object.assign(TestChannel.make(), {
    receive: ({ url }: { readonly url: string }) =>
      Effect.succeed(
        pages.map((account) => ({
          account,
          events: [
            {
              type: "messageReceived" as const,
              dedupeKey: url,
              at: Desk.start,
              participant: { externalId: person, scope: "" },
              externalId: url,
              content: Builders.text("Hello")
            }
          ]
        }))
      )
  })

describe("what a platform pushes", () => {
  it.effect("is not heard by an account that was removed, until it comes back", () => {
    const channel = pushing("ann", ["page", "other"])
    return Effect.gen(function* () {
      const desk = yield* Desk.make(channel)
      yield* desk.connect("other")
      const ingress = yield* Ingress
      const pushed = (url: string) =>
        Effect.map(
          ingress.receive(
            { channel: channel.name, secret: Redacted.make("secret") },
            { headers: {}, body: new Uint8Array(), url }
          ),
          ({ accounts, unknown }) => ({
            heard: accounts.map(({ account, handled }) => `${account.externalId} ${handled}`).toSorted(),
            unknown
          })
        )
      const count = Effect.map(desk.messages.list(desk.workspace, {}, {}), ({ data }) => data.length)
      yield* (yield* Connections).remove(desk.workspace, desk.account.id, system)
      assert.deepStrictEqual(yield* pushed("one"), { heard: ["other 1"], unknown: ["page"] })
      assert.strictEqual(yield* count, 1)
      yield* desk.connect("page")
      assert.deepStrictEqual(yield* pushed("two"), { heard: ["other 1", "page 1"], unknown: [] })
      assert.strictEqual(yield* count, 3)
    }).pipe(Effect.provide(Desk.engine(channel)))
  })
})
