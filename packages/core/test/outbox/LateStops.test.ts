import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option } from "effect"
import { AccountStore } from "../../src/account/AccountStore.ts"
import { Connections } from "../../src/account/Connections.ts"
import type { Account } from "../../src/account/Account.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import type { Campaign } from "../../src/campaign/Campaign.ts"
import type { ChannelEvent } from "../../src/channel/ChannelEvent.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import * as Chat from "../../src/chat/Chat.ts"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import { Inbox } from "../../src/chat/Inbox.ts"
import type { Author, Message } from "../../src/chat/Message.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import type { Contact } from "../../src/contact/Contact.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { Suppressions } from "../../src/contact/Suppressions.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { Outbox } from "../../src/outbox/Outbox.ts"
import { OutboxStore } from "../../src/outbox/OutboxStore.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, type Instant, minute } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import * as Scene from "../engine/Scene.ts"

const { start } = Builders

/** What may wait between its claim and its begin. */
const kinds = ["touch", "followUp", "part", "api", "hookReply", "optOutReply", "member"] as const
type Kind = (typeof kinds)[number]

const authors: Partial<Record<Kind, Author>> = {
  api: { type: "api", id: "key" },
  hookReply: { type: "system", id: "hook" },
  member: { type: "member", id: "mem_1" }
}

/** The person and the account of the message that waits, another account, and what can be done to them. */
interface Place {
  readonly campaign: Campaign
  readonly account: Account
  readonly other: Account
  readonly person: Contact
  readonly now: Instant
  /** The send that has the only place ends like that. */
  readonly free: (outcome: Outcome) => Effect.Effect<unknown>
}

interface Stop {
  readonly name: string
  readonly apply: (place: Place) => Effect.Effect<unknown, unknown, Overture.Services>
  /** What takes it back; whatever waited for that then goes. */
  readonly undo?: Stop["apply"]
  /** What goes in spite of it. */
  readonly spares: ReadonlyArray<Kind>
  /** What has ended once it is taken back. */
  readonly ends?: ReadonlyArray<Kind>
}

let told = 0

/** The platform tells of the person. */
const tell =
  (event: Omit<ChannelEvent, "dedupeKey" | "at" | "participant">, of: "account" | "other" = "account") =>
  (place: Place) =>
    Effect.flatMap(Inbox, (inbox) =>
      inbox.receive(place[of], [
        {
          dedupeKey: `told-${++told}`,
          at: place.now,
          participant: { externalId: "p", scope: "" },
          ...event
        } as ChannelEvent
      ])
    )

const says =
  (words: string, of: "account" | "other" = "account") =>
  (place: Place) =>
    tell({ type: "messageReceived", externalId: `in-${told}`, content: Builders.text(words) } as never, of)(place)

/** What is blocked sleeps until someone acts. */
const ring = ({ account, now }: Place) => Effect.flatMap(CampaignStore, (store) => store.ring([account.id], now))

const pausing = (paused: boolean) => (place: Place) =>
  Effect.andThen(
    Effect.flatMap(WorkspaceStore, ({ modify }) => modify(place.account.workspace, (row) => ({ ...row, paused }))),
    ring(place)
  )

const stopping = (stopped: boolean) => () => Effect.flatMap(WorkspaceStore, ({ stop }) => stop(stopped))

const accountBeing = (change: Partial<Account>) => (place: Place) =>
  Effect.andThen(
    Effect.flatMap(AccountStore, ({ modify }) =>
      modify([place.account.id], (row) => ({ account: { ...row, ...change }, events: [] }))
    ),
    ring(place)
  )

const touches = ["touch", "followUp", "part"] as const
const answers = ["optOutReply", "member"] as const
const notOfCampaigns = ["api", "hookReply", ...answers] as const

const stops: ReadonlyArray<Stop> = [
  { name: "STOP in the chat", apply: says("STOP"), spares: answers },
  { name: "STOP to another account", apply: says("STOP", "other"), spares: answers },
  { name: "an opt-out told by the channel", apply: tell({ type: "optedOut" } as never), spares: answers },
  {
    name: "an address suppressed by hand",
    apply: ({ account, person }) =>
      Effect.flatMap(Suppressions, ({ add }) => add(account.workspace, person.addresses, system)),
    spares: answers
  },
  {
    name: "a send of another account that the person opted out of",
    apply: ({ free }) => free({ type: "optedOut" }),
    spares: answers
  },
  {
    name: "the account being blocked by the person",
    apply: ({ account, now, person }) =>
      Effect.flatMap(ContactStore, ({ suppress }) =>
        suppress(
          [
            {
              workspace: account.workspace,
              address: Builders.addressOf(person),
              account: account.id,
              reason: "blocked",
              at: now
            }
          ],
          []
        )
      ),
    spares: ["member"]
  },
  {
    name: "erasing the person",
    apply: ({ account, person }) =>
      Effect.flatMap(Contacts, ({ erase }) => erase(account.workspace, person.id, system)),
    spares: []
  },
  {
    name: "deleting the person",
    apply: ({ account, person }) =>
      Effect.flatMap(Contacts, ({ remove }) => remove(account.workspace, person.id, system)),
    spares: []
  },
  { name: "a reply", apply: says("Hello"), spares: ["touch", ...notOfCampaigns] },
  {
    name: "a takeover",
    apply: tell({ type: "messageEchoed", externalId: "by hand", content: Builders.text("It is me") } as never),
    spares: notOfCampaigns
  },
  {
    name: "pausing the campaign",
    apply: ({ campaign }) =>
      Effect.flatMap(Campaigns, ({ pause }) =>
        campaign.startedAt === null ? Effect.void : pause(campaign.workspace, campaign.id, null, system)
      ),
    undo: ({ campaign }) =>
      Effect.flatMap(Campaigns, (campaigns) =>
        campaign.startedAt === null ? Effect.void : campaigns.start(campaign.workspace, campaign.id, system)
      ),
    spares: notOfCampaigns
  },
  { name: "pausing the workspace", apply: pausing(true), undo: pausing(false), spares: ["member"] },
  { name: "pausing everything", apply: stopping(true), undo: stopping(false), spares: [] },
  {
    name: "disabling the account",
    apply: accountBeing({ enabled: false }),
    undo: accountBeing({ enabled: true }),
    spares: []
  },
  { name: "a ban of the account", apply: accountBeing({ banned: true }), spares: [] },
  {
    name: "removing the account",
    apply: ({ account }) => Effect.flatMap(Connections, ({ remove }) => remove(account.workspace, account.id, system)),
    undo: ({ account }) => Effect.flatMap(Connections, ({ restore }) => restore(account.workspace, account.id, system)),
    spares: [],
    ends: ["followUp", "part"]
  },
  {
    name: "a rest of the account",
    apply: (place) => accountBeing({ restingUntil: place.now + 6 * hour })(place),
    undo: () => Effect.void,
    spares: []
  },
  {
    name: "taking back the consent",
    apply: ({ account, now, person }) =>
      Effect.flatMap(Contacts, ({ withdrawConsent }) =>
        withdrawConsent(account.workspace, person.id, "*", { at: now, source: "phone" }, system)
      ),
    // Who asked for no more wrote, and needs not have consented to be answered.
    spares: ["optOutReply"]
  }
]

const engine = (channel: TestChannel.TestChannel) =>
  Overture.layer({
    storage: MemoryStorage.layer,
    channels: [channel],
    time: PacingTime.layerVirtual(start),
    addressHash: (address) => `hashed ${address}`,
    outbox: { sendConcurrency: 1 }
  })

const steps: Record<"touch" | "followUp" | "part", readonly [number, ...Array<number>]> = {
  touch: [1],
  followUp: [1, 1],
  part: [2]
}

const isTouch = (kind: Kind): kind is (typeof touches)[number] => kind in steps

/** Brings a message of that kind between claim and begin, stops it, and tells how often it went then, and after the stop was undone. */
const play = (kind: Kind, stop: Stop) => {
  const only = Deferred.makeUnsafe<Outcome>()
  const channel: TestChannel.TestChannel = TestChannel.make({
    policy: { optInRequired: true },
    answer: ({ text }) => (text === "the place is taken" ? Deferred.await(only) : undefined)
  })
  return Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const outbox = yield* Outbox
    const time = yield* PacingTime
    const chats = yield* ChatStore
    const store = yield* OutboxStore
    const [account, other] = [yield* it.account("a"), yield* it.account("b")]
    let campaign = yield* it.campaign("c", [account], [{ id: "p" }], {}, isTouch(kind) ? steps[kind] : [1])
    const person = Option.getOrThrow(yield* (yield* ContactStore).byAddress(it.workspace.id, "sandbox//p"))
    const consent = { channel: channel.name, scope: "", source: "form", at: start }
    yield* (yield* Contacts).recordConsent(it.workspace.id, person.id, consent, system)
    if (isTouch(kind)) campaign = yield* it.start(campaign.id)
    const asked = () => channel.asked.filter((one) => one.account === account.id).length

    /** Sends what is due, at most until the given time. */
    const run = (until: Instant) =>
      Effect.gen(function* () {
        for (let rounds = 0; rounds < 2_000; rounds++) {
          const { nextDue, worked } = yield* outbox.tick
          if (worked) continue
          // What is due and may not go is looked at now and then.
          const next = Math.max(nextDue ?? until, (yield* time.now) + 10 * minute)
          if (next >= until) return yield* time.waitUntil(until, 0)
          yield* time.waitUntil(next, 0)
        }
      })

    // What goes before it.
    if (kind === "followUp") yield* run(start + day)
    if (kind === "part") {
      while (asked() === 0) {
        const { nextDue } = yield* outbox.tick
        if (nextDue !== null) yield* time.waitUntil(nextDue, 0)
      }
    }
    const before = asked()
    const blocker = it.build.message(other, person, { content: Builders.text("the place is taken"), dueAt: 0 })
    yield* store.enqueue([blocker], [it.build.opening(other, person)], [])
    const ticks = [yield* Effect.forkChild(outbox.tick)]
    yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => channel.asked.some(({ key }) => key === blocker.id) }))

    const own = Chat.idOf(account.id, "sandbox//p")
    const now = yield* time.now
    const author = authors[kind]
    if (author !== undefined) {
      const message = it.build.message(account, person, { author, dueAt: now })
      yield* store.enqueue([message], [it.build.opening(account, person)], [])
    }
    if (kind === "optOutReply") {
      yield* (yield* WorkspaceStore).modify(it.workspace.id, (row) => ({ ...row, optOutReply: "You are off the list" }))
      yield* says("STOP")({ campaign, account, other, person, now, free: () => Effect.void })
    }
    const row = Effect.map(chats.messages(it.workspace.id, own, { limit: 100 }), ({ data }) =>
      data.find((message): message is Message => message.status === "queued" && message.claim !== null)
    )
    let waiting = yield* row
    for (let rounds = 0; waiting === undefined && rounds < 500; rounds++) {
      const due = yield* outbox.nextDue
      if (due !== null) yield* time.waitUntil(due, 0)
      ticks.push(yield* Effect.forkChild(outbox.tick))
      for (let turns = 0; turns < 50; turns++) yield* Effect.yieldNow
      waiting = yield* row
    }
    assert.isDefined(waiting, "it waits between claim and begin")

    const free = (outcome: Outcome) => Deferred.succeed(only, outcome)
    const place = { campaign, account, other, person, now: yield* time.now, free }
    yield* stop.apply(place)
    yield* free({ type: "accepted", externalId: "the first" })
    yield* Effect.forEach(ticks, Fiber.join, { discard: true })
    yield* run((yield* time.now) + hour)
    const after = asked() - before
    yield* stop.undo?.(place) ?? Effect.void
    yield* run((yield* time.now) + 2 * day)
    return [after, asked() - before]
  }).pipe(Effect.provide(engine(channel)))
}

describe("a message that is claimed and not begun", () => {
  for (const stop of stops) {
    for (const kind of kinds) {
      const goes = stop.spares.includes(kind) ? 1 : 0
      const late = stop.undo === undefined || stop.ends?.includes(kind) === true ? goes : 1
      it.effect(`${stop.name}: ${kind} goes ${goes === 0 ? (late === 0 ? "never" : "later") : "once"}`, () =>
        Effect.map(play(kind, stop), (counts) => assert.deepStrictEqual(counts, [goes, late]))
      )
    }
  }
})
