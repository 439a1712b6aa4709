/** What `OutboxStore` promises of messages that something stops between their claim and their begin, or after that. */
import { Effect } from "effect"
import { AccountStore } from "../../account/AccountStore.ts"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { idOf } from "../../chat/Chat.ts"
import type { Message } from "../../chat/Message.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import type { Consent } from "../../contact/Contact.ts"
import type { Suppression } from "../../contact/Suppression.ts"
import { repeatableMs } from "../../outbox/Claim.ts"
import { OutboxStore, type Terms } from "../../outbox/OutboxStore.ts"
import type { ClaimId, MessageId } from "../../workspace/Id.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { beginAll, claim, claimQueued, idsOf, lease, leaseMs, people, queue, scene, statusOf, stored } from "./Scene.ts"
import { LeaseClock, sorted, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

/** What the store says of each message, in their order; null = nothing. */
const repeats = (
  id: ClaimId,
  ids: ReadonlyArray<MessageId>,
  now = start,
  terms: ReadonlyMap<MessageId, Terms> = new Map()
) =>
  Effect.flatMap(OutboxStore, (outbox) =>
    Effect.map(outbox.mayRepeat(id, ids, now, terms), (found) => ids.map((one) => found.get(one) ?? null))
  )

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("stops: nothing begins to an address that was suppressed since its claim", function* () {
    const outbox = yield* OutboxStore
    const contacts = yield* ContactStore
    const place = yield* people("begin suppressed", { leads: 6, accounts: 2 })
    const { accounts, build, workspace } = place
    yield* queue(place, (index) => ({ author: { type: index % 2 === 0 ? "api" : "system", id: null } }))
    const taken = yield* claimQueued(place)
    const messages = taken!.claimed.map(({ message }) => message)
    const all = idsOf(messages)
    const [everyone, blocked, elsewhere, stranger, wished, free] = messages
    const row = (address: string, account: Suppression["account"]): Suppression => ({
      workspace: workspace.id,
      address,
      account,
      reason: "manual",
      at: start
    })
    const other = build.workspace()
    yield* (yield* WorkspaceStore).create(other)
    yield* contacts.suppress(
      [
        row(everyone!.address, null),
        row(blocked!.address, accounts[0]!.id),
        row(elsewhere!.address, accounts[1]!.id),
        { ...row(stranger!.address, null), workspace: other.id }
      ],
      []
    )
    yield* contacts.heed([{ workspace: workspace.id, address: wished!.address, type: "stop", at: start }])
    const may = idsOf([elsewhere!, stranger!, free!])
    Expect.equal(sorted(yield* outbox.begin(taken!.id, all, start)), sorted(may), "what began")
    const returned = yield* outbox.release(taken!.id, all, start)
    Expect.equal(sorted(idsOf(returned)), sorted(all.filter((id) => !may.includes(id))), "what went back")
    yield* contacts.suppress([row(free!.address, null)], [])
    Expect.equal(
      sorted(yield* outbox.begin(taken!.id, all, start)),
      sorted(idsOf([elsewhere!, stranger!])),
      "begun, asked again as after a lost answer"
    )
    Expect.equal(idsOf(yield* outbox.release(taken!.id, all, start)), [free!.id], "what was taken back")
  }),

  storageCase("stops: what its gates let go in spite of suppressions begins while these are the same", function* () {
    const outbox = yield* OutboxStore
    const contacts = yield* ContactStore
    const place = yield* people("begin despite", { leads: 3 })
    const { accounts, contacts: known, workspace } = place
    const [account] = accounts
    const suppress = (person: number, of: Suppression["account"]) =>
      contacts.suppress(
        [
          {
            workspace: workspace.id,
            address: Builders.addressOf(known[person]!),
            account: of,
            reason: "optedOut",
            at: start
          }
        ],
        []
      )
    yield* Effect.forEach([0, 1, 2], (person) => suppress(person, null))
    const messages = yield* queue(place)
    const decide = (candidates: ReadonlyArray<{ readonly message: { readonly id: MessageId } }>) => ({
      take: candidates.map(({ message: { id } }) => ({ id, reserved: null, despite: 1 })),
      defer: [],
      cancel: [],
      events: [],
      accounts: [],
      workspaces: []
    })
    const made = lease(place.build)
    const found = yield* outbox.claimQueued({ now: start, limit: 9, lease: made, decide })
    const claimed = found?.claim?.messages ?? []
    Expect.equal(
      claimed.map(({ despite }) => despite),
      [1, 1, 1],
      "what the claim keeps of its gates"
    )
    const [same, more, fewer] = messages
    yield* suppress(1, account!.id)
    yield* contacts.heed([{ workspace: workspace.id, address: fewer!.address, type: "start", at: start + 1 }])
    const terms = new Map(claimed.map(({ despite, message }) => [message.id, { despite }]))
    Expect.equal(yield* outbox.begin(made.claim, idsOf(messages), start, terms), [same!.id], "what began")
    Expect.equal(
      sorted(idsOf(yield* outbox.release(made.claim, idsOf(messages), start))),
      sorted(idsOf([more!, fewer!])),
      "what went back to its gates"
    )
  }),

  storageCase("stops: no touch begins to an address that was suppressed since its claim", function* () {
    const outbox = yield* OutboxStore
    const contacts = yield* ContactStore
    const place = yield* scene("begin suppressed touch", { leads: 2 })
    const taken = yield* claim(place, { want: () => 2 })
    const [stopped, free] = taken.messages
    yield* contacts.suppress(
      [{ workspace: place.workspace.id, address: stopped!.address, account: null, reason: "manual", at: start }],
      []
    )
    Expect.equal(yield* outbox.begin(taken.id, idsOf(taken.messages), start), [free!.id], "what began")
    const returned = yield* outbox.release(taken.id, idsOf(taken.messages), start)
    Expect.equal(idsOf(returned), [stopped!.id], "what went back")
  }),

  storageCase("stops: nothing begins, and nothing is repeated, while its account rests", function* () {
    const outbox = yield* OutboxStore
    const accounts = yield* AccountStore
    const place = yield* people("begin resting", { leads: 2 })
    const [account] = place.accounts
    const [first, second] = yield* queue(place)
    const taken = yield* claimQueued(place)
    const until = start + 5
    yield* accounts.modify([account!.id], (row) => ({ account: { ...row, restingUntil: until }, events: [] }))
    Expect.equal(yield* outbox.begin(taken!.id, [first!.id, second!.id], until - 1), [], "what began too early")
    Expect.equal(yield* outbox.begin(taken!.id, [first!.id], until), [first!.id], "what began after the rest")
    Expect.equal(yield* repeats(taken!.id, [first!.id], until - 1), ["later"], "a repeat too early")
    Expect.equal(yield* repeats(taken!.id, [first!.id], until), ["now"], "a repeat after the rest")
    Expect.equal(yield* outbox.begin(taken!.id, [first!.id], until - 1), [], "begun, asked again in a later rest")
  }),

  storageCase("stops: where consent is wanted, only what goes to who gave it or wrote begins", function* () {
    const outbox = yield* OutboxStore
    const contacts = yield* ContactStore
    const chats = yield* ChatStore
    const place = yield* people("begin consented", { leads: 9 })
    const { workspace } = place
    const consent = { channel: "sandbox", scope: "", source: "form", at: start - 9 }
    const given: ReadonlyArray<ReadonlyArray<Consent>> = [
      [consent],
      [{ ...consent, channel: "*", expiresAt: start + 1 }],
      [
        { ...consent, withdrawn: { at: start, source: "phone" } },
        { ...consent, at: start - 1 }
      ],
      [{ ...consent, withdrawn: { at: start + 1, source: "phone" } }],
      [],
      [{ ...consent, channel: "other" }],
      [{ ...consent, at: start + 1 }],
      [{ ...consent, expiresAt: start }],
      [{ ...consent, withdrawn: { at: start, source: "phone", evidence: "a call" } }]
    ]
    yield* Effect.forEach(place.contacts, ({ id }, i) =>
      contacts.modify(workspace.id, id, (row) => ({ contact: { ...row, consents: given[i]! }, events: [] }))
    )
    const messages = yield* queue(place)
    const taken = yield* claimQueued(place)
    const all = idsOf(messages)
    const terms = new Map(all.map((id): readonly [MessageId, Terms] => [id, { consentFor: "sandbox" }]))
    const begun = yield* outbox.begin(taken!.id, all, start, terms)
    Expect.equal(sorted(begun), sorted(all.slice(0, 4)), "what began")
    const wrote = messages[4]!
    yield* chats.modify(workspace.id, [wrote.chat], (row) => ({ chat: { ...row, lastInboundAt: start }, events: [] }))
    Expect.equal(yield* outbox.begin(taken!.id, [wrote.id], start, terms), [wrote.id], "to who wrote meanwhile")
    Expect.equal(yield* outbox.begin(taken!.id, [all[8]!], start), [all[8]!], "where no consent is wanted")
    yield* contacts.modify(workspace.id, place.contacts[0]!.id, (row) => ({
      contact: { ...row, consents: [] },
      events: []
    }))
    const asked = [all[0]!, all[1]!, wrote.id, all[8]!]
    Expect.equal(yield* repeats(taken!.id, asked, start, terms), ["never", "now", "now", "never"], "repeats")
    Expect.equal(yield* repeats(taken!.id, asked), ["now", "now", "now", "now"], "repeats where none is wanted")
  }),

  storageCase("stops: what an operator may have lifted is due again, whatever else waits stays put off", function* () {
    const outbox = yield* OutboxStore
    const place = yield* people("wake", { leads: 8, accounts: 2 })
    const [account, other] = place.accounts
    const later = start + 9_000
    const off = { dueAt: later, reason: "accountUnable" }
    const rows: ReadonlyArray<Partial<Message>> = [
      off,
      { ...off, reason: "workspaceCap" },
      { ...off, notBefore: start + 7 },
      { ...off, notBefore: later + 1, dueAt: later + 1 },
      { ...off, dueAt: start + 1 },
      { dueAt: later },
      { ...off, reason: "transient" },
      { ...off, account: other!.id, chat: idOf(other!.id, Builders.addressOf(place.contacts[7]!)) }
    ]
    const messages = yield* queue(place, (index) => rows[index]!)
    yield* outbox.wake([account!.id], start + 5)
    const dueAt = yield* Effect.forEach(messages.slice(0, 7), (message) =>
      Effect.map(stored(message), (row) => row?.dueAt)
    )
    const expected = [start + 5, start + 5, start + 7, later + 1, start + 1, later, later]
    Expect.equal(dueAt, expected, "when they are due")
    const due = yield* claimQueued(place, { now: later })
    Expect.ok(idsOf((due?.claimed ?? []).map(({ message }) => message)).includes(messages[7]!.id), "of another account")
    yield* outbox.wake([account!.id, other!.id], start + 6)
    Expect.equal((yield* stored(messages[0]!))?.dueAt, null, "one that is claimed")
  }),

  storageCase("stops: whether a message may be repeated is said by what stands against it then", function* () {
    const outbox = yield* OutboxStore
    const workspaces = yield* WorkspaceStore
    const accounts = yield* AccountStore
    const chats = yield* ChatStore
    const contacts = yield* ContactStore
    const clock = yield* LeaseClock
    const place = yield* people("may repeat", { leads: 6 })
    const { workspace } = place
    const [account] = place.accounts
    const messages = yield* queue(place, (index) => ({ author: { type: index === 5 ? "api" : "member", id: null } }))
    const [free, answered, suppressed, erased, queued, automatic] = messages
    const taken = yield* claimQueued(place)
    const begun = messages.filter(({ id }) => id !== queued!.id)
    yield* beginAll(taken!.id, begun)
    const ids = idsOf([free!, answered!, suppressed!, erased!, queued!, automatic!])
    Expect.equal(yield* repeats(taken!.id, ids), ["now", "now", "now", "now", null, "now"], "at first")
    yield* chats.advance([{ id: answered!.id }], (row) => ({ ...row, stop: "replied" }))
    yield* contacts.suppress(
      [{ workspace: workspace.id, address: suppressed!.address, account: account!.id, reason: "blocked", at: start }],
      []
    )
    yield* chats.erase(workspace.id, [erased!.chat])
    const stopped = ["never", "never", "erased", null] as const
    Expect.equal(yield* repeats(taken!.id, ids), ["now", ...stopped, "now"], "once three were stopped")
    yield* workspaces.modify(workspace.id, (row) => ({ ...row, paused: true }))
    Expect.equal(yield* repeats(taken!.id, ids), ["now", ...stopped, "later"], "in a paused workspace")
    yield* accounts.modify([account!.id], (row) => ({ account: { ...row, enabled: false }, events: [] }))
    Expect.equal(yield* repeats(taken!.id, ids), ["later", ...stopped, "later"], "of a disabled account")
    yield* accounts.modify([account!.id], (row) => ({ account: { ...row, enabled: true }, events: [] }))
    yield* workspaces.stop(true)
    Expect.equal(yield* repeats(taken!.id, ids), ["later", ...stopped, "later"], "while everything is stopped")
    yield* workspaces.stop(false)
    yield* workspaces.modify(workspace.id, (row) => ({ ...row, paused: false }))
    const stranger = place.build.ids.next("clm")
    Expect.equal(
      yield* repeats(stranger, ids),
      ids.map(() => null),
      "of a stranger"
    )
    Expect.equal(yield* statusOf([free!, automatic!]), ["sending", "sending"], "what was asked about")
    yield* clock.advance(leaseMs + 1_000)
    Expect.equal(
      yield* repeats(taken!.id, ids),
      ids.map(() => null),
      "after the lease"
    )
    const recovered = yield* outbox.recover(lease(place.build), start)
    Expect.equal(yield* repeats(recovered!.id, ids), ["now", ...stopped, "now"], "of who took it over")
    yield* chats.advance([{ id: free!.id }], (row) => ({ ...row, begunAt: (row.begunAt ?? 0) - repeatableMs }))
    Expect.equal(yield* repeats(recovered!.id, ids), ["never", ...stopped, "now"], "of one begun long ago")
  }),

  storageCase("stops: a touch is not repeated while its campaign is paused", function* () {
    const campaigns = yield* CampaignStore
    const place = yield* scene("may repeat touch", { leads: 1 })
    const taken = yield* claim(place)
    yield* beginAll(taken.id, taken.messages)
    const ids = idsOf(taken.messages)
    Expect.equal(yield* repeats(taken.id, ids), ["now"], "while it runs")
    yield* campaigns.modify(place.workspace.id, place.campaign.id, start, (row) => ({
      campaign: { ...row, status: "paused" },
      events: []
    }))
    Expect.equal(yield* repeats(taken.id, ids), ["later"], "while it is paused")
  })
]
