import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as Address from "../../src/channel/Address.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { Suppressions } from "../../src/contact/Suppressions.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import { Messages } from "../../src/outbox/Messages.ts"
import { Outbox } from "../../src/outbox/Outbox.ts"
import { OutboxStore } from "../../src/outbox/OutboxStore.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, second } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { StorageError } from "../../src/workspace/StorageError.ts"
import { Transaction } from "../../src/workspace/Transaction.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import * as Scene from "../engine/Scene.ts"
import * as Queue from "./Queue.ts"

const { start } = Scene

/** A person with two addresses, of which the platform says that they want nothing when the first is written to. */
const refused = (
  optOutScope: "contact" | "address",
  channel: TestChannel.TestChannel,
  engine: Layer.Layer<Overture.Services, StorageError> = Scene.engine(channel)
) =>
  Effect.gen(function* () {
    const scene = yield* Scene.make(channel)
    const { id: workspace } = scene.workspace
    yield* (yield* WorkspaceStore).modify(workspace, (before) => ({ ...before, optOutScope }))
    const account = yield* scene.account("a")
    const person = scene.build.contact(workspace, {
      addresses: ["first", "second"].map((externalId) => ({ channel: channel.name, scope: "", externalId }))
    })
    yield* (yield* ContactStore).import(workspace, [person], null)
    const campaign = yield* scene.campaign("later", [account], [{ id: "second" }], { startAt: start + day })
    yield* scene.start(campaign.id)
    yield* (yield* Messages).send(workspace, {
      to: { account: account.id, person: "first" },
      content: { type: "text", text: "Hello" },
      author: { type: "api", id: null }
    })
    // Where its storage is lost the process ends.
    yield* Effect.ignore(scene.run(start + 5 * day))
    const { data } = yield* (yield* Suppressions).page(workspace, { limit: 10 })
    const events = yield* (yield* EventStore).read(workspace, null, 1_000)
    return {
      asked: channel.asked.map(({ to }) => to),
      suppressed: data.map(({ address }) => `${address.split("/").at(-1)}`).sort(),
      told: events.filter(({ event }) => event.type === "contact.opted_out").length,
      leads: (yield* scene.leads(campaign.id)).map(({ status }) => status)
    }
  }).pipe(Effect.provide(engine))

/** A storage whose transactions fail once a send was settled: all that its process did before that stays, and nothing follows. */
const lostOnceSettled = Layer.provideMerge(
  Layer.effectContext(
    Effect.gen(function* () {
      const [store, { within }] = [yield* OutboxStore, yield* Transaction]
      let depth = 0
      let hasSettled = false
      const lost = new StorageError({ operation: "within", retryable: false, cause: new Error("the process is gone") })
      const settle: typeof store.settle = (...given) =>
        Effect.tap(store.settle(...given), ({ settled }) =>
          Effect.sync(() => {
            hasSettled ||= settled.length > 0
          })
        )
      return Context.make(OutboxStore, OutboxStore.of({ ...store, settle })).pipe(
        Context.add(
          Transaction,
          Transaction.of({
            within: (effect) =>
              Effect.suspend(() => {
                if (depth === 0 && hasSettled) return Effect.fail(lost)
                depth += 1
                return Effect.ensuring(
                  within(effect),
                  Effect.sync(() => {
                    depth -= 1
                  })
                )
              })
          })
        )
      )
    })
  ),
  MemoryStorage.layer
)

const platform = () => TestChannel.make({ answer: ({ to }) => (to === "first" ? { type: "optedOut" } : undefined) })

describe("a platform that answers a send with an opt-out", () => {
  it.effect("speaks of the person: nothing goes to their other addresses either, and what was to come ends", () =>
    Effect.gen(function* () {
      const found = yield* refused("contact", platform())
      assert.deepStrictEqual(found, { asked: ["first"], suppressed: ["first", "second"], told: 1, leads: ["skipped"] })
    })
  )

  it.effect("speaks of the address alone where the workspace takes opt-outs so", () =>
    Effect.gen(function* () {
      const found = yield* refused("address", platform())
      assert.deepStrictEqual([found.asked, found.suppressed], [["first", "second"], ["first"]])
    })
  )

  it.effect("is heeded for all of them although the process dies right after the send was settled", () =>
    Effect.gen(function* () {
      const channel = platform()
      const time = PacingTime.layerVirtual(start)
      const engine = Overture.layer({ storage: lostOnceSettled, channels: [channel], time })
      const found = yield* refused("contact", channel, engine)
      assert.deepStrictEqual(found.suppressed, ["first", "second"])
      assert.deepStrictEqual(found.asked, ["first"])
    })
  )

  it.effect("holds up nobody where one person cannot be opted out, and is known of the address it was said of", () => {
    const broken = new StorageError({ operation: "heed", retryable: false, cause: new Error("broken") })
    const storage = Layer.provideMerge(
      Layer.effect(
        ContactStore,
        Effect.map(ContactStore, (store) => ContactStore.of({ ...store, heed: () => Effect.fail(broken) }))
      ),
      MemoryStorage.layer
    )
    const refusing = new Set<string>()
    const channel = TestChannel.make({ answer: ({ to }) => (refusing.has(to) ? { type: "optedOut" } : undefined) })
    return Effect.gen(function* () {
      const { messages, rows, workspace } = yield* Queue.queued(3)
      refusing.add(Address.parse(messages[0]!.address).externalId)
      const ticking = yield* Effect.forkChild((yield* Outbox).tick)
      yield* Queue.asked(channel, 3)
      assert.deepStrictEqual(Queue.statuses(yield* rows), ["sending", "sent", "sent"])
      yield* Effect.repeat(TestClock.adjust(second), { times: 60 })
      yield* Fiber.join(ticking)
      assert.deepStrictEqual(Queue.statuses(yield* rows), ["failed: optedOut", "sent", "sent"])
      const { data } = yield* (yield* Suppressions).page(workspace.id, { limit: 10 })
      assert.deepStrictEqual(
        data.map(({ address }) => address),
        [messages[0]!.address]
      )
    }).pipe(Effect.provide(Overture.layer({ storage, channels: [channel] })))
  })
})
