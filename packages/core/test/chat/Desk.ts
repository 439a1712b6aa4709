/** An engine over memory in virtual time with a workspace, an account, and people who write to it. */
import { Effect } from "effect"
import { Accounts, type NewAccount } from "../../src/account/Accounts.ts"
import { AccountStore } from "../../src/account/AccountStore.ts"
import type { Account } from "../../src/account/Account.ts"
import type { ChannelEvent } from "../../src/channel/ChannelEvent.ts"
import * as Chat from "../../src/chat/Chat.ts"
import { Chats } from "../../src/chat/Chats.ts"
import { Inbox } from "../../src/chat/Inbox.ts"
import { Members } from "../../src/chat/Members.ts"
import { type Actor, system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { Driver } from "../../src/outbox/Driver.ts"
import { Messages } from "../../src/outbox/Messages.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import type { TestChannel } from "../../src/testing/TestChannel.ts"
import type { Instant } from "../../src/workspace/Instant.ts"
import type { Workspace } from "../../src/workspace/Workspace.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

export const { start } = Builders

export const engine = (...channels: ReadonlyArray<TestChannel>) =>
  Overture.layer({ storage: MemoryStorage.layer, channels, time: PacingTime.layerVirtual(start) })

export const api: Actor = { type: "api", id: "key" }

export const make = (channel: TestChannel, settings: Partial<Workspace> = {}) =>
  Effect.gen(function* () {
    const build = Builders.make("desk")
    const workspace = build.workspace(settings)
    yield* (yield* WorkspaceStore).create(workspace)
    const time = yield* PacingTime
    const inbox = yield* Inbox
    const accounts = yield* AccountStore
    const connect = (externalId: string, more: Partial<NewAccount> = {}) =>
      Effect.map(
        Effect.flatMap(Accounts, ({ connect }) =>
          connect({ workspace: workspace.id, channel: channel.name, externalId, minGapMs: 0, ...more }, system)
        ),
        (made) => made.account
      )
    const account = yield* connect("page")
    let told = 0

    /** The platform tells of something at this moment. */
    const tell = (
      event: (common: { readonly dedupeKey: string; readonly at: Instant }) => ChannelEvent,
      of = account
    ) =>
      Effect.gen(function* () {
        const at = yield* time.now
        const [present] = yield* accounts.modify([of.id], (one) => ({ account: one, events: [] }))
        yield* inbox.receive(present ?? of, [event({ dedupeKey: `told-${++told}`, at })])
      })

    /** A person writes. */
    const says = (person: string, words: string, of: Account = account) =>
      tell(
        (common) => ({
          type: "messageReceived",
          ...common,
          participant: { externalId: person, scope: "", name: person },
          externalId: `in-${told}`,
          content: Builders.text(words)
        }),
        of
      )

    /** Sends what is due, until nothing is before `until`. */
    const run = (until: Instant) =>
      Effect.gen(function* () {
        const driver = yield* Driver
        for (let rounds = 0; rounds < 1_000; rounds++) {
          const { nextDue, worked } = yield* driver.step
          if (worked) continue
          if (nextDue === null || nextDue >= until) return yield* time.waitUntil(until, 0)
          yield* time.waitUntil(nextDue, 0)
        }
      })

    const member = (name: string) =>
      Effect.map(
        Effect.flatMap(Members, ({ add }) => add(workspace.id, { name, externalRef: name }, system)),
        (made) => made.member.id
      )

    return {
      build,
      workspace: workspace.id,
      account,
      connect,
      member,
      tell,
      says,
      run,
      chats: yield* Chats,
      messages: yield* Messages,
      now: time.now,
      wait: (ms: number) => Effect.flatMap(time.now, (now) => time.waitUntil(now + ms, 0)),
      chatOf: (person: string, of: Account = account) => Chat.idOf(of.id, `${channel.name}//${person}`),
      /** The types of all events about a subject, or of all of one kind. */
      told: (subject: string) =>
        Effect.map(
          Effect.flatMap(EventStore, ({ read }) => read(workspace.id, null, 10_000)),
          (feed) => feed.flatMap(({ event }) => (event.subject === subject ? [event] : []))
        )
    }
  })
