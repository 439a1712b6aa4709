import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { Accounts } from "../../src/account/Accounts.ts"
import { AccountStore } from "../../src/account/AccountStore.ts"
import type { Channel } from "../../src/channel/Channel.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import { Outbox } from "../../src/outbox/Outbox.ts"
import { defaults } from "../../src/outbox/OutboxConfig.ts"
import { OutboxStore } from "../../src/outbox/OutboxStore.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import * as TestVault from "../../src/testing/TestVault.ts"
import { minute, second } from "../../src/workspace/Instant.ts"
import { StorageError } from "../../src/workspace/StorageError.ts"
import type { Vault } from "../../src/workspace/Vault.ts"
import { engine, queued, statuses } from "./Queue.ts"

const vault = TestVault.make()

/** What a vault of a host's may do when it is asked. */
const vaults: Record<string, Vault["Service"]["open"]> = {
  dies: () => Effect.die(new Error("the SDK threw token-123456")),
  throws: () => {
    throw new Error("the SDK threw token-123456")
  },
  hangs: () => Effect.never
}

/** Time that passes, not in one leap. */
const passing = (ms: number) => Effect.repeat(TestClock.adjust(second), { times: ms / second })

/** Two messages of an account with credentials, then four of one without. */
const mixed = Effect.gen(function* () {
  const place = yield* queued(0)
  const { build, workspace } = place
  const { account } = yield* (yield* Accounts).connect(
    { workspace: workspace.id, channel: "sandbox", externalId: "sealed", credentials: Redacted.make("token-123456") },
    system
  )
  const contacts = Array.from({ length: 6 }, () => build.contact(workspace.id))
  yield* (yield* ContactStore).import(workspace.id, contacts, null)
  const accounts = contacts.map((_, i) => (i < 2 ? account : place.account))
  const messages = contacts.map((contact, i) => build.message(accounts[i]!, contact, { dueAt: i }))
  yield* (yield* OutboxStore).enqueue(
    messages,
    contacts.map((contact, i) => build.opening(accounts[i]!, contact)),
    []
  )
  return { ...place, sealed: account }
})

describe("an account whose secrets cannot be had", () => {
  for (const [what, open] of Object.entries(vaults)) {
    it.effect(`as the vault ${what}: its messages wait, and take no place from others for ever`, () => {
      const channel = TestChannel.make()
      return Effect.gen(function* () {
        const { account, sealed, workspace } = yield* mixed
        const ticking = yield* Effect.forkChild((yield* Outbox).tick)
        yield* passing(2 * defaults.sendTimeoutMs)
        assert.strictEqual((yield* Fiber.join(ticking)).sent, 4)
        assert.isTrue(channel.asked.every((one) => one.account === account.id))
        const { data } = yield* (yield* AccountStore).list(workspace.id, {})
        assert.deepStrictEqual(data.find(({ id }) => id === sealed.id)?.attention, [])
      }).pipe(
        Effect.provide(
          Overture.layer({
            storage: MemoryStorage.layer,
            channels: [channel],
            vault: { ...vault, open },
            outbox: { sendConcurrency: 2 }
          })
        )
      )
    })
  }
})

describe("a channel that throws when it is asked", () => {
  it.effect("leaves the outcomes unknown, and no place taken", () => {
    const base = TestChannel.make()
    const broken: Channel = {
      ...base,
      send: () => {
        throw new Error("not an effect")
      }
    }
    return Effect.gen(function* () {
      const { rows } = yield* queued(3)
      yield* (yield* Outbox).tick
      assert.deepStrictEqual(
        statuses(yield* rows),
        Array.from({ length: 3 }, () => "failed: outcomeUnknown")
      )
    }).pipe(
      Effect.provide(
        Overture.layer({ storage: MemoryStorage.layer, channels: [broken], outbox: { sendConcurrency: 1 } })
      )
    )
  })
})

describe("what cannot be given back", () => {
  it.effect("leaves room for what comes after it", () => {
    const channel = TestChannel.make()
    let isAway = false
    const storage = Layer.provideMerge(
      Layer.effect(
        OutboxStore,
        Effect.map(OutboxStore, (store) =>
          OutboxStore.of({
            ...store,
            begin: (...given) => (isAway ? Effect.succeed([]) : store.begin(...given)),
            release: (...given) =>
              isAway
                ? Effect.fail(new StorageError({ operation: "release", retryable: false, cause: new Error("broken") }))
                : store.release(...given)
          })
        )
      ),
      MemoryStorage.layer
    )
    return Effect.gen(function* () {
      const { rows } = yield* queued(9)
      const outbox = yield* Outbox
      isAway = true
      yield* outbox.pump
      yield* passing(2 * minute)
      isAway = false
      const pumping = yield* Effect.forkChild(
        Effect.repeat(Effect.andThen(Effect.sleep(second), outbox.pump), { until: () => channel.asked.length === 9 })
      )
      yield* passing(2 * minute)
      yield* Fiber.join(pumping)
      yield* outbox.drain
      assert.deepStrictEqual(
        statuses(yield* rows),
        Array.from({ length: 9 }, () => "sent")
      )
    }).pipe(
      Effect.provide(Overture.layer({ storage, channels: [channel], outbox: { sendConcurrency: 2, claimSize: 9 } }))
    )
  })
})

describe("the breaker of an account", () => {
  it.effect("counts only failures in a row, also within one claim", () => {
    const outcomes: ReadonlyArray<Outcome> = [
      { type: "contentRejected" },
      { type: "contentRejected" },
      { type: "contentRejected" },
      { type: "contentRejected" },
      { type: "accepted", externalId: "x" }
    ]
    let count = 0
    const channel = TestChannel.make({
      answer: ({ key }) => {
        const outcome = outcomes[count++ % outcomes.length]!
        return outcome.type === "accepted" ? { ...outcome, externalId: key } : outcome
      }
    })
    return Effect.gen(function* () {
      const { account, workspace } = yield* queued(19)
      yield* (yield* Outbox).tick
      const { data } = yield* (yield* AccountStore).list(workspace.id, {})
      const found = data.find(({ id }) => id === account.id)
      assert.deepStrictEqual([found?.failuresInRow, found?.restingUntil], [4, null])
    }).pipe(Effect.provide(engine(channel, { sendConcurrency: 1 })))
  })
})
