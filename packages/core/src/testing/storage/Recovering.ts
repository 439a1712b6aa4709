/** What `OutboxStore` promises of claims whose worker was lost. */
import { Effect } from "effect"
import { ChatStore } from "../../chat/ChatStore.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { concluding } from "./FakeRules.ts"
import {
  beginAll,
  claim,
  claimQueued,
  freeLeads,
  idsOf,
  lease,
  leaseMs,
  openChats,
  people,
  queue,
  resultsOf,
  scene,
  statusOf,
  stored,
  usesOf
} from "./Scene.ts"
import { LeaseClock, sorted, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("recovering: what was queued is returned, what was being sent is leased again, once", function* () {
    const outbox = yield* OutboxStore
    const clock = yield* LeaseClock
    const place = yield* people("recover", { leads: 3 })
    yield* queue(place)
    const taken = yield* claimQueued(place)
    const [begun, ...rest] = taken!.claimed.map(({ message }) => message)
    yield* beginAll(taken!.id, [begun!])
    Expect.equal(yield* outbox.recover(lease(place.build), start), null, "recovered before the lease ran out")
    Expect.equal(yield* outbox.claims, { held: 1, expired: 0 }, "claims before the lease ran out")
    yield* clock.advance(leaseMs + 1_000)
    Expect.equal(yield* outbox.claims, { held: 0, expired: 1 }, "claims after it did")
    const made = lease(place.build)
    const recovered = yield* outbox.recover(made, start + 3)
    const sending = recovered?.sending.map(({ message }) => [message.id, message.status, message.claim])
    Expect.equal(sending, [[begun!.id, "sending", made.claim]], "what was being sent")
    Expect.equal(recovered?.id, made.claim, "the id of the new claim")
    Expect.equal(recovered?.sending[0]?.account.id, begun!.account, "the account of what was being sent")
    Expect.equal(sorted(recovered?.returned.map(({ message }) => message.id) ?? []), sorted(idsOf(rest)), "returned")
    Expect.equal(yield* outbox.recover(lease(place.build), start), null, "recovered twice")
    const row = yield* stored(rest[0]!)
    Expect.equal(
      [row?.status, row?.claim, row?.dueAt, row?.reserved],
      ["queued", null, start + 3, null],
      "a returned one"
    )
    const late = yield* outbox.settle(taken!.id, resultsOf(taken!.claimed), concluding())
    Expect.equal(late.settled, [], "what the lost worker settled")
    Expect.equal(yield* outbox.renew(taken!.id, leaseMs), false, "whether the lost worker may renew")
    Expect.equal(yield* outbox.begin(taken!.id, idsOf(rest), start), [], "what the lost worker began")
    const ours = yield* outbox.settle(made.claim, resultsOf(recovered!.sending), concluding())
    Expect.equal(ours.settled.length, 1, "what the new owner settled")
    Expect.equal(yield* statusOf([begun!]), ["sent"], "the message")
  }),

  storageCase("recovering: the claim that expired first comes first, a renewed one not at all", function* () {
    const outbox = yield* OutboxStore
    const clock = yield* LeaseClock
    const place = yield* people("recover order", { leads: 3 })
    yield* queue(place)
    const claims: Array<NonNullable<Effect.Success<ReturnType<typeof claimQueued>>>> = []
    for (let index = 0; index < 3; index++) {
      const taken = yield* claimQueued(place, { limit: 1 })
      yield* beginAll(
        taken!.id,
        taken!.claimed.map(({ message }) => message)
      )
      claims.push(taken!)
      yield* clock.advance(1_000)
    }
    yield* clock.advance(leaseMs - 2_000)
    Expect.equal(yield* outbox.renew(claims[1]!.id, 10 * leaseMs), true, "renewing the second")
    yield* clock.advance(5_000)
    const first = yield* outbox.recover(lease(place.build), start)
    const second = yield* outbox.recover(lease(place.build), start)
    const order = [first, second].map((recovered) => recovered?.sending[0]?.message.id)
    Expect.equal(
      order,
      [0, 2].map((index) => claims[index]!.claimed[0]!.message.id),
      "the order"
    )
    Expect.equal(yield* outbox.recover(lease(place.build), start), null, "the renewed one")
    const held = yield* outbox.settle(claims[1]!.id, resultsOf(claims[1]!.claimed), concluding())
    Expect.equal(held.settled.length, 1, "what the one that renewed settled")
  }),

  storageCase("recovering: a campaign's touch that was not begun goes with its rows and budgets", function* () {
    const outbox = yield* OutboxStore
    const clock = yield* LeaseClock
    const chats = yield* ChatStore
    const place = yield* scene("recover touch", { leads: 2, steps: [2] })
    const taken = yield* claim(place, { parts: 2, want: () => 2 })
    yield* openChats(taken.messages)
    const [begun, claimed] = taken.messages
    yield* beginAll(taken.id, [begun!])
    yield* clock.advance(leaseMs + 1_000)
    const made = lease(place.build)
    const recovered = yield* outbox.recover(made, start)
    Expect.equal(
      recovered?.returned.map(({ message }) => message.id),
      [claimed!.id],
      "returned"
    )
    yield* freeLeads([claimed!.lead!])
    const rows = yield* chats.messages(place.workspace.id, claimed!.chat, {})
    Expect.equal(rows.data, [], "the rows of the touch that was not begun")
    const use = yield* usesOf(place.workspace, begun!.lead!)
    Expect.equal([use.account.used, use.workspace.used, use.pace], [2, 2, 2], "what the budgets hold")
    const again = yield* claim(place, { now: start + 3_600_000, parts: 2, want: () => 2 })
    Expect.equal(again.leads, [claimed!.lead!], "the leads of the next claim")
  }),

  storageCase("recovering: settle and recover at the same time: one of them has the message", function* () {
    const outbox = yield* OutboxStore
    const clock = yield* LeaseClock
    const place = yield* people("settle or recover", { leads: 4 })
    yield* queue(place)
    const taken = yield* claimQueued(place)
    const messages = taken!.claimed.map(({ message }) => message)
    yield* beginAll(taken!.id, messages)
    yield* clock.advance(leaseMs + 1_000)
    const made = lease(place.build)
    const [settled, recovered] = yield* Effect.all(
      [outbox.settle(taken!.id, resultsOf(taken!.claimed), concluding()), outbox.recover(made, start)],
      { concurrency: "unbounded" }
    )
    const ours = settled.settled.map(({ message }) => message.id)
    const theirs = recovered?.sending.map(({ message }) => message.id) ?? []
    Expect.equal(sorted([...ours, ...theirs]), sorted(idsOf(messages)), "each message of one of them")
    const late = yield* outbox.settle(made.claim, resultsOf(recovered?.sending ?? []), concluding())
    Expect.equal(late.settled.length, theirs.length, "what the new owner settled")
    Expect.equal(yield* statusOf(messages), ["sent", "sent", "sent", "sent"], "the messages")
  }),

  storageCase("recovering: two recoverers at the same time share the claims", function* () {
    const outbox = yield* OutboxStore
    const clock = yield* LeaseClock
    const place = yield* people("recover race", { leads: 2 })
    const messages = yield* queue(place)
    for (let index = 0; index < 2; index++) {
      const taken = yield* claimQueued(place, { limit: 1 })
      yield* beginAll(
        taken!.id,
        taken!.claimed.map(({ message }) => message)
      )
    }
    yield* clock.advance(leaseMs + 1_000)
    const recovers = Array.from({ length: 3 }, () => outbox.recover(lease(place.build), start))
    const recovered = yield* Effect.all(recovers, { concurrency: "unbounded" })
    const left = yield* outbox.recover(lease(place.build), start)
    const taken = [...recovered, left].flatMap((one) => one?.sending.map(({ message }) => message.id) ?? [])
    Expect.equal(sorted(taken), sorted(idsOf(messages)), "every message recovered once")
  }),

  storageCase("recovering: finish removes a claim with nothing left and keeps one that holds something", function* () {
    const outbox = yield* OutboxStore
    const clock = yield* LeaseClock
    const place = yield* people("finish", { leads: 2 })
    yield* queue(place)
    const empty = yield* claimQueued(place, { limit: 1 })
    const full = yield* claimQueued(place, { limit: 1 })
    yield* beginAll(
      full!.id,
      full!.claimed.map(({ message }) => message)
    )
    yield* beginAll(
      empty!.id,
      empty!.claimed.map(({ message }) => message)
    )
    yield* outbox.settle(empty!.id, resultsOf(empty!.claimed), concluding())
    yield* outbox.finish(empty!.id)
    yield* outbox.finish(full!.id)
    yield* outbox.finish(place.build.ids.next("clm"))
    yield* clock.advance(leaseMs + 1_000)
    const recovered = yield* outbox.recover(lease(place.build), start)
    Expect.equal(
      recovered?.sending.map(({ message }) => message.id),
      [full!.claimed[0]!.message.id],
      "recovered"
    )
    Expect.equal(yield* outbox.recover(lease(place.build), start), null, "recovered of the finished claim")
  }),

  storageCase("recovering: a claim at rest is nobody's until its time, and keeps what was told of it", function* () {
    const outbox = yield* OutboxStore
    const chats = yield* ChatStore
    const clock = yield* LeaseClock
    const place = yield* people("rest", { leads: 3 })
    yield* queue(place)
    const taken = yield* claimQueued(place)
    const messages = taken!.claimed.map(({ message }) => message)
    yield* beginAll(taken!.id, messages)
    yield* outbox.settle(taken!.id, resultsOf(taken!.claimed.slice(0, 1)), concluding())
    yield* outbox.finish(taken!.id)
    Expect.equal(yield* outbox.renew(taken!.id, 10 * leaseMs), true, "whether what is left of it rests")
    yield* clock.advance(9 * leaseMs)
    Expect.equal(yield* outbox.recover(lease(place.build), start), null, "recovered while it rests")
    const [, echoed, untold] = messages
    yield* chats.advance([{ id: echoed!.id }], (row) => ({ ...row, sentAt: start + 7, externalId: "echoed" }))
    yield* clock.advance(2 * leaseMs)
    const made = lease(place.build)
    const recovered = yield* outbox.recover(made, start)
    Expect.equal(
      sorted(recovered?.sending.map(({ message }) => message.id) ?? []),
      sorted(idsOf([echoed!, untold!])),
      "what was left of it"
    )
    const known = recovered?.sending.find(({ message }) => message.id === echoed!.id)?.message
    Expect.equal([known?.status, known?.sentAt, known?.externalId], ["sending", start + 7, "echoed"], "what was told")
    Expect.equal(yield* outbox.renew(taken!.id, leaseMs), false, "whether who left it may renew it")
    const unknown = resultsOf(recovered!.sending, () => ({ type: "outcomeUnknown" }))
    Expect.equal((yield* outbox.settle(made.claim, unknown, concluding())).settled.length, 2, "settled in the end")
    Expect.equal(yield* statusOf(messages), ["sent", "sent", "failed: outcomeUnknown"], "the messages")
    Expect.equal(
      yield* Effect.forEach(messages, (message) => Effect.map(stored(message), (row) => row?.reserved)),
      messages.map(({ reserved }) => reserved),
      "what they reserve, as they may have gone out"
    )
    yield* outbox.finish(made.claim)
    Expect.equal(yield* outbox.claims, { held: 0, expired: 0 }, "claims left")
  })
]
