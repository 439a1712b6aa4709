/** What `OutboxStore` promises of settling: the fence, and what budgets get back. */
import { Effect, Option } from "effect"
import type { Outcome } from "../../channel/Outcome.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import { EventStore } from "../../event/EventStore.ts"
import * as Notice from "../../chat/Notice.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { concluding } from "./FakeRules.ts"
import {
  beginAll,
  claim,
  claimQueued,
  openChats,
  people,
  queue,
  resultsOf,
  scene,
  statusOf,
  stored,
  usesOf
} from "./Scene.ts"
import { fails, refuse, sorted, type StorageCase, storageCase } from "./StorageCase.ts"

const { start, startDate } = Builders

/** A campaign's touch of three parts, begun, with the budgets it holds. */
const begunTouch = (seed: string, day: string = startDate) =>
  Effect.gen(function* () {
    const place = yield* scene(seed, { leads: 1, steps: [3] })
    const taken = yield* claim(place, { parts: 3, day })
    yield* openChats(taken.messages)
    yield* beginAll(taken.id, taken.messages)
    const [lead] = place.leads
    const uses = Effect.map(usesOf(place.workspace, lead!.id), (use) => [
      use.account.used,
      use.workspace.used,
      use.pace
    ])
    Expect.equal(yield* uses, [3, 3, 3], "what the claim reserved")
    return { ...place, taken, lead: lead!, uses }
  })

const fates: ReadonlyArray<readonly [string, Outcome, number, string | null]> = [
  ["accepted", { type: "accepted", externalId: "x" }, 3, "sent"],
  ["outcomeUnknown", { type: "outcomeUnknown" }, 3, "failed: outcomeUnknown"],
  ["unreachable", { type: "unreachable", code: "551", detail: "no such person" }, 2, "failed: unreachable"],
  ["transient", { type: "transient" }, 0, "queued: transient"],
  ["rateLimited", { type: "rateLimited", scope: "account", retryAfterMs: 1_000 }, 0, "queued: rateLimited"],
  ["unauthorized", { type: "unauthorized" }, 0, null]
]

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("settling: messages, chats, suppressions and events are written together", function* () {
    const outbox = yield* OutboxStore
    const chats = yield* ChatStore
    const contacts = yield* ContactStore
    const events = yield* EventStore
    const place = yield* people("settle", { leads: 3 })
    const {
      accounts: [account],
      build,
      contacts: [a, , c],
      workspace
    } = place
    const messages = yield* queue(place)
    const taken = yield* claimQueued(place)
    yield* beginAll(taken!.id, messages)
    const outcomes: ReadonlyArray<Outcome> = [
      { type: "accepted", externalId: "x", at: start - 1 },
      { type: "optedOut", code: "7", detail: "stop" },
      { type: "transient" }
    ]
    const byId = new Map<string, Outcome>(messages.map(({ id }, index) => [id, outcomes[index]!]))
    const results = taken!.claimed.map((claimed) => ({ claimed, outcome: byId.get(claimed.message.id)!, at: start }))
    const suppression = {
      workspace: workspace.id,
      address: Builders.addressOf(c!),
      account: null,
      reason: "optedOut",
      at: start
    } as const
    const opening = build.opening(account!, build.contact(workspace.id))
    const writes = yield* outbox.settle(
      taken!.id,
      results,
      concluding({
        openings: [opening],
        touches: [{ chat: messages[0]!.chat, at: start + 1, text: "hi", direction: "outbound", unread: 0 }],
        suppressions: [suppression],
        events: [build.event(workspace.id, messages[0]!.id, { type: "message.sent" })]
      })
    )
    Expect.equal(writes.settled.length, 3, "what was settled")
    Expect.equal(yield* statusOf(messages), ["sent", "failed: optedOut", "queued: transient"], "the messages")
    const [sent, failed, again] = yield* Effect.forEach(messages, stored)
    Expect.equal(
      [sent?.externalId, sent?.sentAt, sent?.attempts, sent?.claim],
      ["x", start - 1, 1, null],
      "the sent one"
    )
    Expect.equal([failed?.errorCode, failed?.errorDetail, failed?.failedAt], ["7", "stop", start], "the failed one")
    Expect.ok((again?.dueAt ?? 0) > start && again?.begunAt === null, "the one to be tried again is due later", again)
    Expect.equal(Option.getOrNull(yield* chats.get(workspace.id, messages[0]!.chat))?.lastText, "hi", "the chat")
    Expect.ok(Option.isSome(yield* chats.get(workspace.id, opening.id)), "the chat that was opened is missing")
    Expect.equal(yield* contacts.suppressions(workspace.id, [Builders.addressOf(c!)]), [suppression], "suppressions")
    const feed = yield* events.read(workspace.id, null, 9)
    Expect.equal(
      feed.slice(messages.length).map(({ event }) => [event.type, event.subject]),
      [
        ["chat.created", opening.id],
        ["message.sent", messages[0]!.id]
      ],
      "events"
    )
    Expect.equal(a!.workspace, workspace.id, "the workspace of the people")
  }),

  storageCase("settling: of chats that several make at once each is told once, by who makes it", function* () {
    const [outbox, chats, events] = [yield* OutboxStore, yield* ChatStore, yield* EventStore]
    const place = yield* people("made by settling", { leads: 12 })
    const { build, contacts, workspace } = place
    const account = place.accounts[0]!
    const messages = [0, 1, 2].flatMap(() => contacts.map((contact) => build.message(account, contact)))
    yield* outbox.enqueue(messages, [], [])
    const opened = (at: number) => contacts.map((contact) => build.opening(account, contact, { at: start + at }))
    const settles: Array<Effect.Effect<unknown, unknown>> = []
    for (const at of [1, 2, 3]) {
      const taken = yield* claimQueued(place, { limit: contacts.length })
      const own = taken!.claimed.map(({ message }) => message)
      yield* beginAll(taken!.id, own)
      const openings = at === 2 ? opened(at).toReversed() : opened(at)
      const writes = {
        openings: [...openings, ...opened(at)],
        touches: own.map(({ chat }) => ({ chat, at: start, text: "hi", direction: "outbound" as const, unread: 0 })),
        events: own.map(({ id }) => build.event(workspace.id, id, { type: "message.sent" }))
      }
      const accepted = taken!.claimed.map((claimed) => ({
        claimed,
        outcome: { type: "accepted" as const, externalId: claimed.message.id },
        at: start
      }))
      settles.push(outbox.settle(taken!.id, accepted, concluding(writes)))
    }
    const others = [chats.open(opened(0)), outbox.enqueue([], opened(4), [])]
    yield* Effect.all([...settles, ...others], { concurrency: "unbounded", discard: true })
    const feed = (yield* events.read(workspace.id, null, 99)).map(({ event }) => event)
    const made = (yield* chats.list(workspace.id, { limit: 99 })).data
    Expect.equal(made.length, contacts.length, "chats")
    const told = feed.filter(({ type }) => type === "chat.created")
    Expect.equal(sorted(told.map(({ subject }) => subject)), sorted(made.map(({ id }) => id)), "told")
    const openedAt = new Map(made.map(({ createdAt, id }) => [id as string, createdAt]))
    Expect.equal(new Map(told.map(({ at, subject }) => [subject, at])), openedAt, "told by who made it")
    Expect.equal(feed.length - told.length, messages.length, "what else was told")
  }),

  storageCase("settling: what was told of a message beforehand is given with it, and waits no more", function* () {
    const [outbox, chats] = [yield* OutboxStore, yield* ChatStore]
    const place = yield* people("noticed", { leads: 2 })
    const [first, second] = yield* queue(place)
    const taken = yield* claimQueued(place)
    yield* beginAll(taken!.id, [first!, second!])
    const { id: workspace } = place.workspace
    const edited = { type: "messageEdited", at: start, content: Builders.text("edited") } as const
    const early = { key: "1", workspace, chat: first!.chat, externalId: "x", notice: edited, toldAt: start }
    yield* chats.keepNotices([early, { ...early, externalId: "other" }])
    const results = taken!.claimed.map((claimed) => ({
      claimed,
      outcome: { type: "accepted", externalId: claimed.message.id === first!.id ? "x" : "y" } as const,
      at: start
    }))
    yield* outbox.settle(taken!.id, results, (all) => {
      const given = new Map(all.map(({ message, notices = [] }) => [message.id, notices]))
      Expect.equal([given.get(first!.id), given.get(second!.id)], [[edited], []], "the notices")
      const writes = concluding()(all)
      return {
        ...writes,
        settled: writes.settled.map((one) => ({
          ...one,
          message: (given.get(one.message.id) ?? []).reduce(Notice.applied, one.message)
        }))
      }
    })
    const [after] = yield* chats.find(first!.workspace, [{ id: first!.id }])
    Expect.equal(
      [after?.status, after?.externalId, after?.content, after?.details],
      ["sent", "x", edited.content, { editedAt: start }],
      "the message"
    )
    const waiting = (yield* chats.held(workspace, [first!.chat])).notices
    Expect.equal(
      waiting.map(({ externalId }) => externalId),
      ["other"],
      "what waits"
    )
  }),

  storageCase("settling: only what this claim holds as sending is judged", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("held", { leads: 3 })
    yield* queue(place)
    const taken = yield* claimQueued(place, { limit: 2 })
    const other = yield* claimQueued(place)
    const [first] = taken!.claimed
    yield* beginAll(taken!.id, [first!.message])
    yield* beginAll(
      other!.id,
      other!.claimed.map(({ message }) => message)
    )
    const held: Array<string> = []
    const writes = yield* outbox.settle(taken!.id, resultsOf([...taken!.claimed, ...other!.claimed]), (all) => {
      held.push(...all.map(({ message }) => message.id))
      return concluding()(all)
    })
    Expect.equal(held, [first!.message.id as string], "what was held")
    Expect.equal(writes.settled.length, 1, "what was settled")
    const again = yield* outbox.settle(taken!.id, resultsOf([first!]), concluding())
    Expect.equal(again.settled, [], "what was settled twice")
    Expect.equal(yield* statusOf([taken!.claimed[1]!.message]), ["queued"], "the one that was not begun")
    Expect.equal(yield* statusOf([other!.claimed[0]!.message]), ["sending"], "the other claim's")
  }),

  storageCase("settling: a judgement that throws leaves everything as it was", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("settle throws", { leads: 2 })
    yield* queue(place)
    const taken = yield* claimQueued(place)
    const messages = taken!.claimed.map(({ message }) => message)
    yield* beginAll(taken!.id, messages)
    yield* fails(outbox.settle(taken!.id, resultsOf(taken!.claimed), refuse), "a settle whose rule throws")
    Expect.equal(yield* statusOf(messages), ["sending", "sending"], "the messages")
    const later = yield* outbox.settle(taken!.id, resultsOf(taken!.claimed), concluding())
    Expect.equal(later.settled.length, 2, "what a later settle wrote")
  }),

  ...fates.map(([name, outcome, left, status]) =>
    storageCase(`settling: ${name} keeps ${left} of 3 reservations`, function* () {
      const outbox = yield* OutboxStore
      const { taken, uses, workspace } = yield* begunTouch(`fate ${name}`)
      const claimed = taken.claim!.messages
      const writes = yield* outbox.settle(
        taken.id,
        resultsOf(claimed, () => outcome),
        concluding()
      )
      Expect.equal(writes.settled.length, 1, "what was settled")
      Expect.equal(yield* uses, [left, left, left], "what account, workspace and pace still hold")
      Expect.equal(yield* statusOf(taken.messages), [status], "part 0")
      const chats = yield* ChatStore
      const rows = (yield* chats.messages(workspace.id, taken.messages[0]!.chat, {})).data
      const parts = rows.map(({ part }) => part).toSorted((a, b) => a - b)
      const kept = outcome.type === "accepted" || outcome.type === "outcomeUnknown" || outcome.type === "unreachable"
      Expect.equal(parts, kept ? [0, 1, 2] : status === null ? [] : [0], "the rows of the touch")
    })
  ),

  storageCase("settling: what is given back goes to the day it was taken from, or nowhere", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("days", { leads: 3 })
    yield* queue(place, (index) => ({ dueAt: start + index }))
    const monday = yield* claimQueued(place, { limit: 1 })
    yield* beginAll(
      monday!.id,
      monday!.claimed.map(({ message }) => message)
    )
    const tuesday = yield* claimQueued(place, { now: start + 1, limit: 1, day: "2026-03-10" })
    yield* beginAll(
      tuesday!.id,
      tuesday!.claimed.map(({ message }) => message)
    )
    const use = Effect.gen(function* () {
      const seen: Array<unknown> = []
      yield* claimQueued(place, {
        now: start + 9,
        verdict: ({ account, workspace }) => {
          seen.push(account.use, workspace.use)
          return { deferTo: start + 2 }
        }
      })
      return seen
    })
    const counting = { day: "2026-03-10", used: 1 }
    Expect.equal(yield* use, [counting, counting], "what the new day counts")
    yield* outbox.settle(
      monday!.id,
      resultsOf(monday!.claimed, () => ({ type: "unreachable" })),
      concluding()
    )
    Expect.equal(yield* use, [counting, counting], "the new day after a refusal of the day before")
    yield* outbox.settle(
      tuesday!.id,
      resultsOf(tuesday!.claimed, () => ({ type: "unreachable" })),
      concluding()
    )
    const nothing = { day: "2026-03-10", used: 0 }
    Expect.equal(yield* use, [nothing, nothing], "the new day after its own refusal")
  }),

  storageCase("settling: a pace that is in a later day gets nothing of an earlier one back", function* () {
    const outbox = yield* OutboxStore
    const place = yield* scene("pace days", { leads: 2 })
    const monday = yield* claim(place, { nextAt: () => start })
    yield* beginAll(monday.id, monday.messages)
    const tuesday = yield* claim(place, { day: "2026-03-10" })
    yield* beginAll(tuesday.id, tuesday.messages)
    const used = Effect.map(usesOf(place.workspace, place.leads[0]!.id), (use) => [use.account.used, use.pace])
    const refused = (): Outcome => ({ type: "unreachable" })
    yield* outbox.settle(monday.id, resultsOf(monday.claim!.messages, refused), concluding())
    Expect.equal(yield* used, [1, 1], "the new day after a refusal of the day before")
    yield* outbox.settle(tuesday.id, resultsOf(tuesday.claim!.messages, refused), concluding())
    Expect.equal(yield* used, [0, 0], "the new day after its own refusal")
  }),

  storageCase("settling: account trouble makes a queued message due again without its budget", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("trouble", { leads: 1 })
    const [message] = yield* queue(place)
    const taken = yield* claimQueued(place)
    yield* beginAll(taken!.id, [message!])
    yield* outbox.settle(
      taken!.id,
      resultsOf(taken!.claimed, () => ({ type: "restricted" }), start + 5),
      concluding()
    )
    const row = yield* stored(message!)
    Expect.equal([row?.status, row?.dueAt, row?.attempts, row?.reserved], ["queued", start + 5, 0, null], "the message")
    const uses: Array<number> = []
    yield* claimQueued(place, {
      now: start + 5,
      verdict: ({ account, workspace }) => {
        uses.push(account.use.used, workspace.use.used)
        return "take"
      }
    })
    Expect.equal(uses, [0, 0], "what the budgets hold")
  })
]
