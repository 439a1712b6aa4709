/**
 * What remains of a person who was erased: nothing that tells of them in any row of any table, and all that is counted.
 * The cases run the engine over the storage, because what must be forgotten is what the engine writes.
 */
import { Effect, Layer, Option } from "effect"
import * as AccountLog from "../../account/AccountLog.ts"
import { AccountLogStore } from "../../account/AccountLogStore.ts"
import { Senders } from "../../account/Senders.ts"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { LeadPersons } from "../../campaign/LeadPersons.ts"
import { Outreach } from "../../campaign/Outreach.ts"
import type { Campaign } from "../../campaign/Campaign.ts"
import * as Address from "../../channel/Address.ts"
import { Channels } from "../../channel/Channel.ts"
import type { Outcome } from "../../channel/Outcome.ts"
import * as Chat from "../../chat/Chat.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import { ChatPersons } from "../../chat/ChatPersons.ts"
import { Inbox } from "../../chat/Inbox.ts"
import type { Contact } from "../../contact/Contact.ts"
import { Contacts } from "../../contact/Contacts.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import { PersonParties } from "../../contact/PersonParty.ts"
import { AccountLogPersons } from "../../contact/AccountLogPersons.ts"
import { AddressHash } from "../../contact/Suppression.ts"
import { system } from "../../event/DomainEvent.ts"
import { EventStore } from "../../event/EventStore.ts"
import { Outbox } from "../../outbox/Outbox.ts"
import { defaults, OutboxConfig } from "../../outbox/OutboxConfig.ts"
import * as SettleRules from "../../outbox/SettleRules.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import { Ids } from "../../workspace/Id.ts"
import * as Seed from "../../workspace/Seed.ts"
import { Vault } from "../../workspace/Vault.ts"
import { PacingTime } from "../../workspace/PacingTime.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import * as TestVault from "../TestVault.ts"
import * as TestChannel from "../TestChannel.ts"
import * as Scene from "./Scene.ts"
import { Contents, type StorageCase, storageCase, type StoragePorts } from "./StorageCase.ts"

const { start } = Builders

/** Whatever of the person could be found again: each is in no other word of the scene. */
const telling = ["Quillfeather", "zq-5550199", "Zugspitze", "crm-77", "osprey", "Steinbock"]

const person = (build: Builders.Builders, workspace: Parameters<Builders.Builders["contact"]>[0]) =>
  build.contact(workspace, {
    name: "Zacharias Quillfeather",
    first: "Zacharias",
    last: "Quillfeather",
    addresses: [{ channel: Builders.channel, scope: "", externalId: "zq-5550199" }],
    attributes: { mountain: "Zugspitze" },
    externalRef: "crm-77"
  })

/** Fails where any row tells of the person; names the tables. */
const expectGone = (what: string) =>
  Effect.flatMap(Contents, ({ rows }) =>
    Effect.map(rows, (all) => {
      Expect.ok(all.length > 2, "the contents of the storage are not shown")
      const found = all.filter(({ text }) => telling.some((word) => text.includes(word)))
      Expect.equal(
        found.map(({ table, text }) => `${table}: ${text}`),
        [],
        what
      )
    })
  )

/** Where the person stands before they are erased, so that their absence afterwards says something. */
const expectHeld = (tables: ReadonlyArray<string>) =>
  Effect.flatMap(Contents, ({ rows }) =>
    Effect.map(rows, (all) => {
      for (const word of telling)
        Expect.ok(
          all.some(({ text }) => text.includes(word)),
          `nothing holds ${word}`
        )
      for (const table of tables) {
        const isHeld = all.some((row) => row.table.includes(table) && telling.some((word) => row.text.includes(word)))
        Expect.ok(isHeld, `${table} holds nothing of the person`)
      }
    })
  )

/** The services that write of people and forget them, over the storage of the case. */
const engine = (channel: TestChannel.TestChannel) =>
  Effect.map(Effect.context<StoragePorts>(), (ports) => {
    const base = Layer.mergeAll(
      Layer.succeed(Channels, Channels.from([channel])),
      Layer.succeed(AddressHash, (address) => Seed.digest(`secret ${address}`)),
      Layer.succeed(OutboxConfig, defaults),
      Layer.succeed(Vault, TestVault.make()),
      Ids.layer,
      PacingTime.layerVirtual(start)
    ).pipe(Layer.provideMerge(Layer.succeedContext(ports)))
    const outreach = Outreach.layer.pipe(Layer.provideMerge(Senders.layer), Layer.provideMerge(base))
    const reactions = Layer.mergeAll(Outreach.layerParties, Outreach.layerInbound)
    const held = Layer.effect(PersonParties, Effect.all([LeadPersons, ChatPersons, AccountLogPersons])).pipe(
      Layer.provide(Layer.mergeAll(LeadPersons.layer, ChatPersons.layer, AccountLogPersons.layer))
    )
    return Layer.mergeAll(held, Contacts.layer, Inbox.layer, Outbox.layer).pipe(
      Layer.provideMerge(reactions.pipe(Layer.provideMerge(outreach)))
    )
  })

/** A workspace with an account and two people, the one who will ask to be erased and one who stays. */
const place = (seed: string) =>
  Effect.gen(function* () {
    const people = yield* Scene.people(seed, { leads: 1 })
    const { accounts, build, contacts, workspace } = people
    const contact = person(build, workspace.id)
    yield* (yield* ContactStore).import(workspace.id, [contact], null)
    const all = [contact, ...contacts]
    const campaign = yield* Scene.campaignOf(
      { ...people, contacts: all },
      { steps: [1, 1], lead: (i) => (i === 0 ? { externalRef: "osprey", metadata: { note: "Steinbock" } } : {}) }
    )
    return { ...people, ...campaign, contacts: all, account: accounts[0]!, contact, other: contacts[0]!, workspace }
  })

const expectCounted = (campaign: Campaign) =>
  Effect.gen(function* () {
    const store = yield* CampaignStore
    const counts = yield* store.counts(campaign.id)
    Expect.equal(counts, yield* store.recount(campaign.id), "the counters against a recount")
    Expect.equal(counts.total, 2, "the leads")
    return counts
  })

const participant = { scope: "", externalId: "zq-5550199", name: "Zacharias Quillfeather" }

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("persons: who is erased is in no row, and everything is counted as before", function* () {
    const channel = TestChannel.make()
    const run = Effect.gen(function* () {
      const { account, build, campaign, contact, contacts, leads, other, workspace } = yield* place("erased")
      const [outbox, store, inbox] = [yield* OutboxStore, yield* ChatStore, yield* Inbox]
      const claimed = yield* Scene.claim({ build }, { want: () => 2 })
      yield* Scene.beginAll(claimed.id, claimed.messages)
      const results = Scene.resultsOf(claimed.claim!.messages)
      const { settled } = yield* outbox.settle(claimed.id, results, SettleRules.conclude(build.ids))
      yield* (yield* Outreach).reaction.settled(settled, start)
      const chat = Chat.idOf(account.id, Builders.addressOf(contact))
      yield* store.open([build.opening(account, contact), build.opening(account, other)])
      const text = { type: "text", text: "I live near the Zugspitze" } as const
      yield* inbox.receive(account, [
        {
          type: "messageReceived",
          dedupeKey: "zq-5550199/1",
          at: start + 1,
          participant,
          externalId: "in 1",
          content: text
        }
      ])
      const direct = [build.message(account, contact), build.message(account, other)].map((message) => ({
        ...message,
        dueAt: start + 1_000_000,
        notBefore: start + 1_000_000,
        content: Builders.text("dear Quillfeather, or whoever"),
        externalRef: "osprey"
      }))
      yield* outbox.enqueue([direct[0]!], [], [build.event(workspace.id, direct[0]!.id, { data: { to: "osprey" } })])
      const plain = { ...direct[1]!, content: Builders.text("hello"), externalRef: null }
      yield* outbox.enqueue([plain], [], [])
      const workspaces = yield* WorkspaceStore
      for (const [key, response] of [
        ["about them", JSON.stringify({ to: "zq-5550199" })],
        ["about others", "{}"]
      ] as const) {
        yield* workspaces.idempotent(workspace.id, key, "f", start)
        yield* workspaces.remember(workspace.id, key, response)
      }
      const logs = yield* AccountLogStore
      const refused = { level: "warning", title: "Message refused", code: null } as const
      yield* logs.append([
        AccountLog.entry(
          build.ids,
          account,
          start,
          { ...refused, description: "not to zq-5550199" },
          Builders.addressOf(contact)
        ),
        AccountLog.entry(build.ids, account, start, { ...refused, description: "no" }, Builders.addressOf(other))
      ])
      yield* expectHeld(["contact", "chat", "message", "lead", "event", "account"])
      const before = yield* expectCounted(campaign)

      const people = yield* Contacts
      const held = yield* people.export(workspace.id, contact.id)
      const exported = JSON.stringify(held)
      for (const word of telling) Expect.ok(exported.includes(word), `the export lacks ${word}`)
      Expect.equal(Object.keys(held.more).toSorted(), ["accountLogs", "chats", "leads"], "what other areas hold")
      Expect.ok(!exported.includes(Builders.addressOf(other)), "the export tells of somebody else")

      yield* people.erase(workspace.id, contact.id, system)
      yield* expectGone("rows that tell of the person")
      const after = yield* expectCounted(campaign)
      Expect.equal(after.total, before.total, "the leads")
      const rows = (yield* store.messages(workspace.id, chat, { limit: 99 })).data
      Expect.equal(
        rows.map(({ direction, status }) => `${direction} ${status}`).toSorted(),
        ["inbound received", "outbound cancelled", "outbound sent"],
        "the messages of the person"
      )
      Expect.equal((yield* logs.latest(workspace.id, account.id)).length, 1, "the account's log of somebody else")
      const kept = yield* Scene.stored(plain)
      Expect.equal(kept?.content ?? null, plain.content, "a message to somebody else")
      Expect.equal(
        (yield* workspaces.idempotent(workspace.id, "about others", "f", start)).type,
        "replay",
        "others' answers"
      )
      const told = (yield* (yield* EventStore).read(workspace.id, null, 99)).filter(
        ({ event }) => event.type === "lead.sent" && event.subject === leads[0]!.id
      )
      Expect.equal(
        told.map(({ event }) => event.data["campaign"] ?? null),
        [campaign.id],
        "what reports read of their touch"
      )
      const lead = yield* Scene.leadOf(workspace, leads[0]!.id)
      Expect.equal([lead.status, lead.step], ["sent", null], "their lead")
      Expect.equal(contacts.length, 2, "the people of the scene")

      // What platforms tell afterwards brings nothing back; only the person does, by writing.
      const late = { at: start + 9, participant, externalId: "external 0" }
      yield* inbox.receive(account, [
        { type: "messageDelivered", dedupeKey: "zq-5550199/2", ...late },
        { type: "messageFailed", dedupeKey: "zq-5550199/3", ...late, detail: "zq-5550199 has left" },
        { type: "optedOut", dedupeKey: "zq-5550199/4", at: start + 9, participant }
      ])
      yield* expectGone("rows that tell of the person after a late receipt and an opt-out")
      yield* inbox.receive(account, [
        { type: "messageReceived", dedupeKey: "again", at: start + 10, participant, externalId: "in 2", content: text }
      ])
      const again = Option.getOrNull(yield* store.get(workspace.id, chat))
      Expect.equal(again?.address ?? "", Builders.addressOf(contact), "the chat of the person who wrote again")
      Expect.ok(again?.contact !== null && again?.contact !== contact.id, "whose chat it is")
    })
    yield* Effect.provide(run, yield* engine(channel))
  }),

  storageCase("persons: who is erased between claim and begin gets nothing, and the budgets return", function* () {
    const run = Effect.gen(function* () {
      const { account, build, campaign, contact, workspace, ...scene } = yield* place("claimed")
      const outbox = yield* OutboxStore
      const direct = build.message(account, contact)
      yield* outbox.enqueue([direct], [build.opening(account, contact)], [])
      const touches = yield* Scene.claim({ build }, { want: () => 2 })
      const queued = Expect.present(yield* Scene.claimQueued({ build }), "the claim of the queue")
      const used = yield* Scene.usesOf(workspace, scene.leads[1]!.id)
      yield* (yield* Contacts).erase(workspace.id, contact.id, system)
      const begun = [
        ...(yield* outbox.begin(touches.id, Scene.idsOf(touches.messages), start)),
        ...(yield* outbox.begin(queued.id, [direct.id], start))
      ]
      const others = touches.messages.filter((message) => message.contact !== contact.id)
      Expect.equal(begun, [...Scene.idsOf(others)], "the messages begun")
      const left = yield* Scene.usesOf(workspace, scene.leads[1]!.id)
      Expect.equal(left.account.used, used.account.used - 2, "what the account has used")
      Expect.equal(left.pace, used.pace - 1, "what the pace has used")
      yield* expectGone("rows that tell of the person")
      const counts = yield* expectCounted(campaign)
      Expect.equal([counts.skipped, counts.claimed + counts.sending], [1, 1], "the leads")
    })
    yield* Effect.provide(run, yield* engine(TestChannel.make()))
  }),

  ...(["accepted", "blocked", "transient"] as const).map((type) =>
    storageCase(`persons: who is erased while they are written to leaves nothing when it is ${type}`, function* () {
      let erase: Effect.Effect<void> = Effect.void
      const outcomes: Record<typeof type, Outcome> = {
        accepted: { type: "accepted", externalId: "zq-5550199/7" },
        blocked: { type: "blocked", detail: "zq-5550199 has blocked you" },
        transient: { type: "transient", detail: "zq-5550199 is busy" }
      }
      const channel = TestChannel.make({
        answer: ({ to }) => (to === "zq-5550199" ? Effect.suspend(() => Effect.as(erase, outcomes[type])) : undefined)
      })
      const run = Effect.gen(function* () {
        const { account, build, contact, workspace } = yield* Scene.people("sending", { leads: 1 }).pipe(
          Effect.flatMap((people) =>
            Effect.gen(function* () {
              const contact = person(people.build, people.workspace.id)
              yield* (yield* ContactStore).import(people.workspace.id, [contact], null)
              return { ...people, account: people.accounts[0]!, contact }
            })
          )
        )
        const message = build.message(account, contact, {
          content: Builders.text("dear Quillfeather"),
          author: { type: "api", id: null }
        })
        yield* (yield* OutboxStore).enqueue([message], [], [])
        const people = yield* Contacts
        erase = Effect.orDie(people.erase(workspace.id, contact.id, system))
        yield* (yield* Outbox).tick
        yield* expectGone("rows that tell of the person")
        const row = Expect.present(yield* messageIn(account.id, contact, workspace.id), "the message")
        Expect.equal(
          [row.status, row.reason],
          type === "accepted" ? ["sent", null] : ["failed", type === "blocked" ? "blocked" : "erased"],
          "what became of it"
        )
        Expect.equal(channel.asked.length, 1, "how often it went out")
        const told = (yield* (yield* EventStore).read(workspace.id, null, 99)).filter(
          ({ event }) => event.subject === message.id
        )
        Expect.equal(told.length, 1, "how often it was told of")
      })
      yield* Effect.provide(run, yield* engine(channel))
    })
  )
]

/** The only message that an account has for a contact. */
const messageIn = (account: Parameters<typeof Chat.idOf>[0], contact: Contact, workspace: Contact["workspace"]) =>
  Effect.flatMap(ChatStore, (store) =>
    Effect.map(
      store.held(workspace, [Chat.idOf(account, contact.addresses.map(Address.key)[0]!)]),
      ({ messages }) => messages[0] ?? null
    )
  )
