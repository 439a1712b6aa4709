/** Two engines on one PostgreSQL at the same chats: what may happen once happens once, whoever comes first. */
import { Workspaces } from "@overture/core/account/Workspaces"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import { Chats } from "@overture/core/chat/Chats"
import { Inbox } from "@overture/core/chat/Inbox"
import { Members } from "@overture/core/chat/Members"
import { system } from "@overture/core/event/DomainEvent"
import { EventStore } from "@overture/core/event/EventStore"
import { Messages } from "@overture/core/outbox/Messages"
import { Outbox } from "@overture/core/outbox/Outbox"
import type * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import { Transaction } from "@overture/core/workspace/Transaction"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import * as TwoEngines from "./TwoEngines.ts"

const people = Array.from({ length: 6 }, (_, i) => `p${i}`)

describe("a race at a desk", () => {
  it.live(
    "on one PostgreSQL begins a chat once, answers a comment once, and gives a chat to one member",
    () =>
      Effect.gen(function* () {
        const { account: sender, engines, workspace } = yield* TwoEngines.open
        const [one] = engines
        const both = <A, E>(effect: Effect.Effect<A, E, Overture.Services>) =>
          Effect.all(
            engines.map((engine) => Effect.provideContext(effect, engine)),
            { concurrency: "unbounded" }
          )
        const setting = Effect.gen(function* () {
          const members = yield* Members
          for (const name of ["ann", "bob"]) yield* members.add(workspace.id, { name, externalRef: name }, system)
          yield* (yield* Workspaces).change(workspace.id, { assignment: "roundRobin" }, system)
        })
        yield* Effect.provideContext(setting, one)
        const begin = Effect.forEach(
          people,
          (person) =>
            Effect.flatMap(Chats, (chats) => chats.open(workspace.id, { account: sender.id, person }, system)),
          { concurrency: 3 }
        )
        const begun = (yield* both(begin)).flat()
        assert.strictEqual(begun.filter(({ created }) => created).length, people.length)
        const answer = Effect.forEach(
          people,
          (person) =>
            Effect.flatMap(Messages, ({ send }) =>
              send(workspace.id, {
                to: { account: sender.id, person },
                content: Builders.text("Thank you"),
                comment: `comment of ${person}`,
                author: { type: "api", id: null }
              })
            ).pipe(
              Effect.as("queued"),
              Effect.catchTag("SendRefused", ({ reason }) => Effect.succeed(reason))
            ),
          { concurrency: 3 }
        )
        const answers = (yield* both(answer)).flat()
        assert.deepStrictEqual(answers.toSorted(), people.flatMap(() => ["alreadyAnswered", "queued"]).toSorted())
        const wrote = (person: string, i: number): ChannelEvent => ({
          type: "messageReceived",
          dedupeKey: `${person}-${i}`,
          at: Date.now(),
          participant: { externalId: person, scope: "", name: person },
          externalId: `in-${person}-${i}`,
          content: Builders.text("Hello")
        })
        yield* Effect.all(
          engines.map((engine, i) =>
            Effect.provideContext(
              Effect.flatMap(Inbox, ({ receive }) =>
                Effect.forEach(people, (person) => receive(sender, [wrote(person, i)]))
              ),
              engine
            )
          ),
          { concurrency: "unbounded" }
        )
        const chats = yield* Effect.provideContext(
          Effect.flatMap(Chats, ({ list }) => list(workspace.id, {}, {})),
          one
        )
        const loads = new Map<string | null, number>()
        for (const { assignee } of chats.data) loads.set(assignee, (loads.get(assignee) ?? 0) + 1)
        assert.deepStrictEqual([...loads.values()], [people.length / 2, people.length / 2])
        assert.isFalse(loads.has(null))
        assert.isTrue(chats.data.every(({ unread }) => unread === 2))
        const feed = yield* Effect.provideContext(
          Effect.flatMap(EventStore, ({ read }) => read(workspace.id, null, 1_000)),
          one
        )
        const told = (type: string) => feed.filter(({ event }) => event.type === type).length
        assert.deepStrictEqual([told("chat.created"), told("chat.assigned")], [people.length, people.length])
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "on one PostgreSQL takes a chat over before it is numbered by nobody who waits for whoever counts",
    () =>
      Effect.gen(function* () {
        const database = yield* Effect.scoped(
          Effect.gen(function* () {
            const { account: page, engines, scene, url, workspace } = yield* TwoEngines.open
            const [writing, numbering] = engines
            const setting = Effect.gen(function* () {
              const other = yield* scene.account("b")
              const { member } = yield* (yield* Members).add(workspace.id, { name: "ann" }, system)
              const settings = {
                pacing: { rangeMin: 100_000, rangeMax: 100_000, jitter: 0, catchUp: "skip", newShare: 0.25 },
                partDelay: { minSeconds: 600, maxSeconds: 600 }
              } as const
              const campaign = yield* scene.campaign("one", [page], [{ id: "p" }], settings, [2, 1])
              yield* scene.start(campaign.id)
              const { tick } = yield* Outbox
              for (let i = 0; i < 100 && (yield* scene.leads(campaign.id))[0]?.status !== "sending"; i++) {
                yield* tick
                yield* Effect.sleep(100)
              }
              return { campaign, member, other }
            })
            const { campaign, member, other } = yield* Effect.provideContext(setting, writing)
            const numbered = yield* Deferred.make<void>()
            const write = Effect.flatMap(Messages, ({ send }) =>
              send(workspace.id, {
                to: { account: other.id, person: "p" },
                content: Builders.text("By hand"),
                author: { type: "member", id: member.id }
              })
            )
            const number = Effect.gen(function* () {
              const { within } = yield* Transaction
              yield* within(
                Effect.gen(function* () {
                  yield* (yield* Chats).open(workspace.id, { account: other.id, person: "q" }, system)
                  yield* Deferred.succeed(numbered, undefined)
                  yield* Effect.sleep(500)
                  yield* (yield* Campaigns).pause(workspace.id, campaign.id, null, system)
                })
              )
            })
            const early = Effect.andThen(Deferred.await(numbered), write)
            yield* Effect.all([Effect.provideContext(early, writing), Effect.provideContext(number, numbering)], {
              concurrency: 2
            })
            return url
          })
        )
        assert.strictEqual(yield* TwoEngines.deadlocks(database), 0)
      }),
    60_000
  )
})
