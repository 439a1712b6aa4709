/** What `OutboxStore` promises of queued messages, of beginning and of returning them. Settling is in `Settling.ts`. */
import { Effect } from "effect"
import { AccountStore } from "../../account/AccountStore.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import type { Claimed } from "../../chat/Message.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import { EventStore } from "../../event/EventStore.ts"
import { OutboxStore, type QueuedCandidate } from "../../outbox/OutboxStore.ts"
import type { MessageId } from "../../workspace/Id.ts"
import { hour } from "../../workspace/Instant.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { queuedRule } from "./FakeRules.ts"
import { beginAll, claimQueued, idsOf, lease, leaseMs, people, queue, statusOf, stored } from "./Scene.ts"
import { fails, LeaseClock, refuse, sorted, type StorageCase, storageCase } from "./StorageCase.ts"

const { start, startDate } = Builders
const ids = (claimed: ReadonlyArray<Claimed>): ReadonlyArray<MessageId> => claimed.map(({ message }) => message.id)

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("outbox: enqueue adds messages with their chats and leaves known ones", function* () {
    const outbox = yield* OutboxStore
    const events = yield* EventStore
    const chats = yield* ChatStore
    const place = yield* people("enqueue", { leads: 2 })
    const {
      accounts: [account],
      build,
      contacts: [a, b],
      workspace
    } = place
    Expect.equal(yield* outbox.nextQueued, null, "the next of an empty queue")
    const one = build.message(account!, a!, {
      notBefore: start + 5,
      dueAt: start + 5,
      replyTo: "x",
      externalRef: "ref",
      metadata: { note: ["ä"] },
      author: { type: "api", id: "key" }
    })
    const two = build.message(account!, b!, { dueAt: start + 9 })
    const told = build.event(workspace.id, one.id, { type: "message.queued" })
    const added = yield* outbox.enqueue([one], [build.opening(account!, a!)], [told])
    Expect.equal(added, [one.id], "the first time")
    const openings = [build.opening(account!, a!), build.opening(account!, b!)]
    const again = yield* outbox.enqueue([{ ...one, dueAt: 0 }, two], openings, [{ ...told, id: build.ids.next("evt") }])
    Expect.equal(again, [two.id], "the second time")
    Expect.equal(yield* stored(one), one, "the message as it was added")
    Expect.equal((yield* chats.list(workspace.id, { count: true })).total, 2, "chats")
    Expect.equal(
      (yield* events.read(workspace.id, null, 9)).map(({ event }) => [event.type, event.subject]),
      [
        ["chat.created", openings[0]!.id],
        ["message.queued", one.id],
        ["chat.created", openings[1]!.id]
      ],
      "events"
    )
    Expect.equal(yield* outbox.nextQueued, start + 5, "when the next is due")
  }),

  storageCase("outbox: claimQueued takes what is due, oldest first, at most limit", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("queue order", { leads: 5 })
    const messages = yield* queue(place, (index) => ({ dueAt: start + [30, 10, 20, 40, 99][index]! }))
    Expect.equal(yield* claimQueued(place, { now: start + 9 }), null, "before anything is due")
    const seen: Array<string> = []
    const verdict = ({ message }: QueuedCandidate) => {
      seen.push(message.id)
      return "take" as const
    }
    const first = yield* claimQueued(place, { now: start + 40, limit: 3, verdict })
    const due = [1, 2, 0].map((index) => messages[index]!.id as string)
    Expect.equal(seen, due, "the candidates")
    Expect.equal(sorted(ids(first?.claimed ?? [])), sorted(due), "the messages of the claim")
    const [claimed] = first?.claimed ?? []
    Expect.equal(claimed?.account.id, place.accounts[0]?.id, "the account of a claimed message")
    Expect.equal([claimed?.message.claim, claimed?.message.dueAt], [first?.id, null], "a claimed message")
    Expect.equal(yield* outbox.nextQueued, start + 40, "when the next is due")
    const second = yield* claimQueued(place, { now: start + 40 })
    Expect.equal(ids(second?.claimed ?? []), [messages[3]!.id], "the next claim")
    Expect.equal(yield* claimQueued(place, { now: start + 40 }), null, "when nothing is due any more")
    Expect.equal(yield* outbox.nextQueued, start + 99, "when the last is due")
  }),

  storageCase("outbox: a candidate comes with everything that can forbid it", function* () {
    const contacts = yield* ContactStore
    const place = yield* people("candidates", { leads: 1, account: { dailyCap: 4 } })
    const {
      accounts: [account],
      build,
      contacts: [contact],
      workspace
    } = place
    const base = { workspace: workspace.id, address: Builders.addressOf(contact!), at: start } as const
    const everyone = { ...base, account: null, reason: "optedOut" } as const
    const ours = { ...base, account: account!.id, reason: "blocked" } as const
    const theirs = { ...base, account: build.ids.next("acc"), reason: "blocked" } as const
    yield* contacts.suppress([everyone, ours, theirs], [])
    const [message] = yield* queue(place)
    const [stranger] = yield* queue(place, () => ({ contact: null, dueAt: start + 1 }))
    const seen: Array<QueuedCandidate> = []
    const verdict = (candidate: QueuedCandidate) => {
      seen.push(candidate)
      return "take" as const
    }
    yield* claimQueued(place, { now: start + 1, verdict })
    const [candidate, other] = seen
    Expect.equal(candidate?.message, message, "the message")
    Expect.equal(candidate?.contact, contact, "the contact")
    Expect.equal(candidate?.chat?.id, message?.chat, "the chat")
    Expect.equal(
      candidate?.account,
      { account: account!, use: { day: null, used: 0 }, lastTouchAt: null },
      "the account"
    )
    Expect.equal(candidate?.workspace, { workspace, use: { day: null, used: 0 } }, "the workspace")
    const suppressions = candidate?.suppressions.toSorted((a, b) => (a.reason < b.reason ? -1 : 1))
    Expect.equal(suppressions, [ours, everyone], "the suppressions that concern the account")
    Expect.equal([other?.message.id, other?.contact], [stranger!.id, null], "a message to nobody known")
  }),

  storageCase("outbox: claimQueued writes reservations, budgets, deferrals and cancellations", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("queued decision", { leads: 4 })
    const [take, defer, cancel, later] = yield* queue(place, (index) => ({ dueAt: start + index }))
    const verdict = ({ message }: QueuedCandidate) =>
      message.id === defer!.id
        ? { deferTo: start + hour }
        : message.id === cancel!.id
          ? ("cancel" as const)
          : ("take" as const)
    const answer = yield* claimQueued(place, { now: start + 2, verdict })
    Expect.equal(ids(answer?.claimed ?? []), [take!.id], "the claim")
    Expect.equal(ids(answer?.cancelled ?? []), [cancel!.id], "the cancelled")
    const reserved = { pace: null, account: startDate, workspace: startDate }
    Expect.equal((yield* stored(take!))?.reserved, reserved, "the reservation")
    const deferred = yield* stored(defer!)
    Expect.equal([deferred?.status, deferred?.dueAt, deferred?.claim], ["queued", start + hour, null], "the deferred")
    Expect.equal(yield* statusOf([cancel!]), ["cancelled: suppressed"], "the status of the cancelled")
    const uses: Array<unknown> = []
    const none = yield* claimQueued(place, {
      now: start + 3,
      verdict: ({ account, workspace }) => {
        uses.push([account.use, account.lastTouchAt, workspace.use])
        return "cancel"
      }
    })
    const use = { day: startDate, used: 1 }
    Expect.equal(uses, [[use, start, use]], "what the budgets hold at the next claim")
    Expect.equal([none?.claim, ids(none?.cancelled ?? [])], [null, [later!.id]], "a claim of nothing")
    Expect.equal(yield* outbox.nextQueued, start + hour, "when the next is due")
  }),

  storageCase("outbox: a queue rule that throws leaves everything as it was", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("queue throws", { leads: 2 })
    const messages = yield* queue(place)
    const made = lease(place.build)
    yield* fails(outbox.claimQueued({ now: start, limit: 9, lease: made, decide: refuse }), "a claim whose rule throws")
    Expect.equal(yield* Effect.forEach(messages, stored), messages, "the messages")
    const again = yield* outbox.claimQueued({ now: start, limit: 9, lease: made, decide: queuedRule() })
    Expect.equal(again?.claim?.messages.length, 2, "the messages of a later claim under the same id")
  }),

  storageCase("outbox: begin marks what is queued under the claim, once", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("begin", { leads: 3 })
    const messages = yield* queue(place)
    const one = yield* claimQueued(place, { limit: 2 })
    const other = yield* claimQueued(place)
    const all = idsOf(messages)
    const begun = yield* outbox.begin(one!.id, [...all, place.build.ids.next("msg")], start)
    Expect.equal(sorted(begun), sorted(ids(one!.claimed)), "what the first claim began")
    const at = yield* Effect.forEach(one!.claimed, ({ message }) => Effect.map(stored(message), (row) => row?.begunAt))
    Expect.equal(
      sorted(yield* outbox.begin(one!.id, all, start)),
      sorted(begun),
      "what it began, asked again as after a lost answer"
    )
    Expect.equal(
      yield* Effect.forEach(one!.claimed, ({ message }) => Effect.map(stored(message), (row) => row?.begunAt)),
      at,
      "when it was begun, once asked again"
    )
    Expect.equal(yield* outbox.begin(place.build.ids.next("clm"), all, start), [], "what a stranger began")
    Expect.equal(yield* outbox.begin(other!.id, [], start), [], "what the second claim began of nothing")
    const [sending] = yield* Effect.forEach(one!.claimed, ({ message }) => stored(message))
    Expect.equal([sending?.status, sending?.claim], ["sending", one!.id], "a begun message")
    Expect.ok(sending?.begunAt !== null, "a begun message has no time")
    Expect.equal(yield* outbox.begin(other!.id, all, start), ids(other!.claimed), "what the second claim began")
  }),

  storageCase("outbox: begin refuses once the lease ran out, unless it was renewed", function* () {
    const outbox = yield* OutboxStore
    const clock = yield* LeaseClock
    const place = yield* people("begin late", { leads: 2 })
    yield* queue(place)
    const claim = yield* claimQueued(place)
    const [first, second] = ids(claim!.claimed)
    yield* clock.advance(leaseMs - 5_000)
    Expect.equal(yield* outbox.renew(claim!.id, leaseMs), true, "renewing one's own")
    Expect.equal(yield* outbox.renew(place.build.ids.next("clm"), leaseMs), false, "renewing what does not exist")
    yield* clock.advance(leaseMs - 5_000)
    Expect.equal(yield* outbox.begin(claim!.id, [first!], start), [first!], "begun in a renewed lease")
    yield* clock.advance(6_000)
    Expect.equal(yield* outbox.begin(claim!.id, [second!], start), [], "begun after the lease")
  }),

  storageCase(
    "outbox: nothing begins while everything is stopped, its account off or its workspace paused",
    function* () {
      const outbox = yield* OutboxStore
      const workspaces = yield* WorkspaceStore
      const accounts = yield* AccountStore
      const place = yield* people("begin stops", { leads: 4 })
      const authors = ["member", "api", "system", "campaign"] as const
      yield* queue(place, (index) => ({ author: { type: authors[index]!, id: null }, dueAt: start + index }))
      const claim = yield* claimQueued(place, { now: start + 9 })
      const byAuthor = new Map(claim!.claimed.map(({ message }) => [message.author.type, message.id]))
      const all = claim!.claimed.map(({ message }) => message.id)
      yield* workspaces.stop(true)
      Expect.equal(yield* outbox.begin(claim!.id, all, start), [], "while everything is stopped")
      yield* workspaces.stop(false)
      const troubles = [{ enabled: false }, { banned: true }, { attention: ["challenge" as const] }]
      for (const trouble of troubles) {
        const [account] = place.accounts
        yield* accounts.modify([account!.id], () => ({ account: { ...account!, ...trouble }, events: [] }))
        Expect.equal(yield* outbox.begin(claim!.id, all, start), [], `while the account is ${Expect.show(trouble)}`)
        yield* accounts.modify([account!.id], () => ({ account: account!, events: [] }))
      }
      yield* workspaces.modify(place.workspace.id, (row) => ({ ...row, paused: true }))
      const byHand = [byAuthor.get("member")!]
      Expect.equal(sorted(yield* outbox.begin(claim!.id, all, start)), sorted(byHand), "while the workspace is paused")
      yield* workspaces.modify(place.workspace.id, (row) => ({ ...row, paused: false }))
      Expect.equal(sorted(yield* outbox.begin(claim!.id, all, start)), sorted(all), "once it is not")
      yield* workspaces.modify(place.workspace.id, (row) => ({ ...row, paused: true }))
      Expect.equal(
        sorted(yield* outbox.begin(claim!.id, all, start)),
        sorted(byHand),
        "asked again once it is paused again"
      )
      const returned = yield* outbox.release(claim!.id, all, start + 9)
      Expect.equal(
        sorted(returned.map(({ author }) => author.type)),
        ["api", "campaign", "system"],
        "what was taken back and may be returned"
      )
    }
  ),

  storageCase("outbox: release makes what was not begun due again and gives its budgets back", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("release", { leads: 3 })
    yield* queue(place)
    const claim = yield* claimQueued(place)
    const [begun, ...rest] = claim!.claimed.map(({ message }) => message)
    yield* beginAll(claim!.id, [begun!])
    const all = claim!.claimed.map(({ message }) => message.id)
    Expect.equal(yield* outbox.release(place.build.ids.next("clm"), all, start), [], "what a stranger released")
    const released = yield* outbox.release(claim!.id, all, start + 7)
    Expect.equal(sorted(idsOf(released)), sorted(idsOf(rest)), "what was released")
    const row = yield* stored(rest[0]!)
    Expect.equal([row?.status, row?.dueAt, row?.claim], ["queued", start + 7, null], "a released message")
    Expect.equal(yield* outbox.begin(claim!.id, all, start), [begun!.id], "what is begun after that")
    const uses: Array<unknown> = []
    yield* claimQueued(place, {
      now: start + 7,
      verdict: ({ account, workspace }) => {
        uses.push([account.use.used, workspace.use.used])
        return "cancel"
      }
    })
    Expect.equal(
      uses,
      [
        [1, 1],
        [1, 1]
      ],
      "what the budgets hold"
    )
  }),

  storageCase("outbox: only what is queued and unclaimed can be cancelled, by its workspace", function* () {
    const outbox = yield* OutboxStore
    const events = yield* EventStore
    const place = yield* people("cancel", { leads: 2 })
    const { build, workspace } = place
    const [free, claimed] = yield* queue(place, (index) => ({ dueAt: start + 1 - index }))
    const claim = yield* claimQueued(place, { limit: 1 })
    Expect.equal(ids(claim!.claimed), [claimed!.id], "the claimed one")
    const event = build.event(workspace.id, free!.id, { type: "message.cancelled" })
    Expect.equal(yield* outbox.cancel(build.workspace().id, free!.id, "no", []), false, "by another workspace")
    Expect.equal(yield* outbox.cancel(workspace.id, claimed!.id, "no", [event]), false, "a claimed one")
    Expect.equal(yield* outbox.cancel(workspace.id, build.ids.next("msg"), "no", []), false, "an unknown one")
    Expect.equal(yield* outbox.cancel(workspace.id, free!.id, "changed my mind", [event]), true, "a queued one")
    Expect.equal(yield* outbox.cancel(workspace.id, free!.id, "again", [event]), false, "a cancelled one")
    Expect.equal(yield* statusOf([free!]), ["cancelled: changed my mind"], "the cancelled one")
    const told = (yield* events.read(workspace.id, null, 9)).filter(({ event: { type } }) => type === event.type)
    Expect.equal(told.length, 1, "events")
    Expect.equal(yield* outbox.nextQueued, null, "what is still due")
  }),

  storageCase("outbox: two claims at the same time never take the same message", function* () {
    const place = yield* people("queue race", { leads: 12 })
    const messages = yield* queue(place)
    const claims = yield* Effect.all(
      Array.from({ length: 4 }, () => claimQueued(place, { limit: 4 })),
      { concurrency: "unbounded" }
    )
    const taken = claims.flatMap((claim) => ids(claim?.claimed ?? []))
    Expect.equal(new Set(taken).size, taken.length, "messages taken once")
    while (true) {
      const claim = yield* claimQueued(place)
      if (claim === null) break
      taken.push(...ids(claim.claimed))
    }
    Expect.equal(sorted(taken), sorted(idsOf(messages)), "every message in one claim")
  }),

  storageCase("outbox: begins of one claim at the same time all tell what it began", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("begin race", { leads: 6 })
    const messages = yield* queue(place)
    const claim = yield* claimQueued(place)
    const all = idsOf(messages)
    const begins = [
      outbox.begin(claim!.id, all, start),
      outbox.begin(claim!.id, all.toReversed(), start),
      outbox.begin(claim!.id, all, start)
    ]
    for (const begun of yield* Effect.all(begins, { concurrency: "unbounded" }))
      Expect.equal(sorted(begun), sorted(all), "the messages begun")
  }),

  storageCase("outbox: the database is the one it was, also after it was acknowledged", function* () {
    const outbox = yield* OutboxStore
    Expect.equal(yield* outbox.guard, { type: "same" }, "the first time")
    Expect.equal(yield* outbox.guard, { type: "same" }, "the second time")
    yield* outbox.acknowledge
    Expect.equal(yield* outbox.guard, { type: "same" }, "after an acknowledgement")
    const clock = yield* outbox.clock
    Expect.ok(
      Number.isInteger(clock) && clock <= (yield* outbox.clock),
      "the clock counts milliseconds and goes on",
      clock
    )
  })
]
