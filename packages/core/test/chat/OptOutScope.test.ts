import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Contacts } from "../../src/contact/Contacts.ts"
import { Suppressions } from "../../src/contact/Suppressions.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { minute } from "../../src/workspace/Instant.ts"
import * as Desk from "./Desk.ts"

/** One person by two addresses, who says `words` from each of `from`; then we write to both addresses. */
const written = (scope: "contact" | "address", words: string, from: ReadonlyArray<string> = ["vera"]) => {
  const channel = TestChannel.make()
  return Effect.gen(function* () {
    const desk = yield* Desk.make(channel, { optOutScope: scope })
    const contacts = yield* Contacts
    const list = yield* contacts.listNamed(desk.workspace, "people")
    const rows = ["vera", "vera-2"].map((externalId, i) => ({
      line: i + 2,
      externalId,
      externalRef: "vera",
      tags: [],
      attributes: {}
    }))
    yield* contacts.importRows(desk.workspace, list.id, rows, { channel: channel.name, accounts: [desk.account] })
    for (const person of from) yield* desk.says(person, words)
    const answers = yield* Effect.forEach(rows, ({ externalId: person }) =>
      desk.messages
        .send(desk.workspace, {
          to: { account: desk.account.id, person },
          content: Builders.text("Buy now!"),
          author: { type: "api", id: "key" }
        })
        .pipe(
          Effect.as("queued"),
          Effect.catchTag("SendRefused", ({ reason }) => Effect.succeed(reason))
        )
    )
    yield* desk.run((yield* desk.now) + minute)
    const { data } = yield* (yield* Suppressions).page(desk.workspace, {})
    assert.strictEqual(data.length, answers.filter((answer) => answer === "suppressed").length)
    return { answers, reached: channel.asked.map(({ to }) => to).toSorted((a, b) => a.localeCompare(b)) }
  }).pipe(Effect.provide(Desk.engine(channel)))
}

describe("a STOP", () => {
  it.effect("is for every address of the person", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* written("contact", "STOP"), { answers: ["suppressed", "suppressed"], reached: [] })
    })
  )

  it.effect("is for the address it came from alone where the workspace narrows it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* written("address", "STOP"), {
        answers: ["suppressed", "queued"],
        reached: ["vera-2"]
      })
      const both = yield* written("address", "STOP", ["vera", "vera-2"])
      assert.deepStrictEqual(both, { answers: ["suppressed", "suppressed"], reached: [] })
    })
  )

  it.effect("is none where it only begins like one", () =>
    Effect.gen(function* () {
      const { reached } = yield* written("contact", "Please stop by")
      assert.deepStrictEqual(reached, ["vera", "vera-2"])
    })
  )
})
