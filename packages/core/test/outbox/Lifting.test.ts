import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { AccountGroups } from "../../src/account/AccountGroups.ts"
import type { Account } from "../../src/account/Account.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import { Connections } from "../../src/account/Connections.ts"
import { Workspaces } from "../../src/account/Workspaces.ts"
import { type Author, idempotencyKey, type Message } from "../../src/chat/Message.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { OutboxStore } from "../../src/outbox/OutboxStore.ts"
import type * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import type { WorkspaceId } from "../../src/workspace/Id.ts"
import { day, hour, type Instant, minute } from "../../src/workspace/Instant.ts"
import * as Scene from "../engine/Scene.ts"

const { start } = Builders

interface Place {
  readonly workspace: WorkspaceId
  readonly account: Account
}

interface Hold {
  readonly name: string
  readonly apply: (place: Place) => Effect.Effect<unknown, unknown, Overture.Services>
  readonly lift: Hold["apply"]
}

const workspaceBeing = (change: { readonly paused?: boolean; readonly dailyCap?: number | null }) => (place: Place) =>
  Effect.flatMap(Workspaces, (workspaces) => workspaces.change(place.workspace, change, system))

const accountBeing =
  (change: Parameters<Accounts["Service"]["change"]>[2]) =>
  ({ account, workspace }: Place) =>
    Effect.flatMap(Accounts, (accounts) => accounts.change(workspace, account.id, change, system))

const groups = ({ account, workspace }: Place) =>
  Effect.gen(function* () {
    const { assign, create } = yield* AccountGroups
    const group = yield* create({ workspace, name: "group", dailyCap: 1 }, system)
    yield* assign(workspace, group.id, [account.id], system)
    return group
  })

/** What holds a message of the API, or of a hook, and what lifts that. */
const holds: ReadonlyArray<Hold> = [
  {
    name: "a pause of the workspace",
    apply: workspaceBeing({ paused: true }),
    lift: workspaceBeing({ paused: false })
  },
  { name: "an account that is off", apply: accountBeing({ enabled: false }), lift: accountBeing({ enabled: true }) },
  {
    name: "what an account must be seen to for",
    apply: accountBeing({ setAttention: ["restricted"] }),
    lift: accountBeing({ clearAttention: ["restricted"] })
  },
  {
    name: "a rest of the account",
    apply: accountBeing({ restingUntil: start + day }),
    lift: accountBeing({ restingUntil: null })
  },
  { name: "a cap of the account", apply: accountBeing({ dailyCap: 1 }), lift: accountBeing({ dailyCap: 2 }) },
  {
    name: "that its account was removed",
    apply: ({ account, workspace }) =>
      Effect.flatMap(Connections, ({ remove }) => remove(workspace, account.id, system)),
    lift: ({ account, workspace }) =>
      Effect.flatMap(Connections, ({ restore }) => restore(workspace, account.id, system))
  },
  { name: "a cap of the workspace", apply: workspaceBeing({ dailyCap: 1 }), lift: workspaceBeing({ dailyCap: null }) },
  {
    name: "leaving a group that is spent",
    apply: groups,
    lift: ({ account, workspace }) =>
      Effect.flatMap(AccountGroups, ({ assign }) => assign(workspace, null, [account.id], system))
  }
]

/** When each of the messages went out, in their order; they are queued before `hold`, and lifted two hours later. */
const play = (hold: Hold, messages: ReadonlyArray<Partial<Message>>) => {
  const channel = TestChannel.make()
  return Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const account = yield* it.account("a")
    yield* it.campaign("c", [account], [{ id: "p" }])
    const person = Option.getOrThrow(yield* (yield* ContactStore).byAddress(it.workspace.id, "sandbox//p"))
    const outbox = yield* OutboxStore
    const place = { workspace: it.workspace.id, account }
    yield* hold.apply(place)
    const queued = messages.map((more) => it.build.message(account, person, { dueAt: start, ...more }))
    yield* outbox.enqueue(queued, [it.build.opening(account, person)], [])
    yield* it.run(start + 2 * hour + minute)
    const before = channel.asked.map(({ key }) => key)
    yield* hold.lift(place)
    yield* it.run(start + 2 * hour + 2 * minute)
    const after = channel.asked.map(({ key }) => key)
    yield* it.run(start + 3 * day)
    const at = channel.asked.map(({ key }) => key)
    return queued.map((message) => {
      const key = idempotencyKey(message)
      return before.includes(key)
        ? "held by nothing"
        : after.includes(key)
          ? "at once"
          : at.includes(key)
            ? "later"
            : "never"
    })
  }).pipe(Effect.provide(Scene.engine(channel)))
}

const hook: Author = { type: "system", id: "hook" }

describe("a message of the queue that something holds", () => {
  for (const hold of holds) {
    it.effect(`goes as soon as somebody lifts ${hold.name}`, () =>
      Effect.gen(function* () {
        // A cap lets the first one go.
        const isCap = /cap|group/.test(hold.name)
        const sent = yield* play(hold, [{ author: hook }, { author: hook }])
        assert.deepStrictEqual(sent.toSorted(), isCap ? ["at once", "held by nothing"] : ["at once", "at once"])
      })
    )
  }

  it.effect("waits on for its own time and for its backoff", () =>
    Effect.gen(function* () {
      const wait: Instant = start + 5 * hour
      const pause = holds[0]!
      assert.deepStrictEqual(
        yield* play(pause, [
          { author: hook, dueAt: wait, notBefore: wait },
          { author: hook, dueAt: wait, reason: "transient", tries: 1 }
        ]),
        ["later", "later"]
      )
    })
  )
})
