/** What `ContactStore` promises of lists as wholes, of imports in chunks, and of what a person may ask of us. */
import { Effect, Option } from "effect"
import * as Address from "../../channel/Address.ts"
import * as Contact from "../../contact/Contact.ts"
import type { ContactImport } from "../../contact/ContactImport.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import type { Suppression } from "../../contact/Suppression.ts"
import { EventStore } from "../../event/EventStore.ts"
import type { WorkspaceId } from "../../workspace/Id.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { scene } from "./Scene.ts"
import { expectPaged, fails, readAll, type StorageCase, storageCase } from "./StorageCase.ts"
import { membersOf, twoWithList } from "./TwoWorkspaces.ts"

const none = { records: 0, created: 0, merged: 0, rejected: 0, finishedAt: null } as const

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("people: an import may fill what is empty instead of winning", function* () {
    const { build, mine, store } = yield* twoWithList("fill")
    const a = build.contact(mine, {
      first: "Ada",
      last: null,
      timezone: null,
      tags: ["x"],
      attributes: { city: "Köln" }
    })
    yield* store.import(mine, [a], null)
    const row = build.contact(mine, {
      addresses: a.addresses,
      first: "Bea",
      last: "Lovelace",
      timezone: "Asia/Tokyo",
      tags: ["y"],
      attributes: { city: "Bonn", zip: "1" }
    })
    yield* store.import(mine, [row], null, "fill")
    const filled = Option.getOrNull(yield* store.get(mine, a.id))
    Expect.equal(filled, Contact.merge(a, row, "fill"), "the contact")
    Expect.equal([filled?.first, filled?.last, filled?.timezone], ["Ada", "Lovelace", "Asia/Tokyo"], "its fields")
    Expect.equal(filled?.attributes ?? {}, { city: "Köln", zip: "1" }, "its attributes")
    Expect.equal(filled?.tags ?? [], ["x", "y"], "its tags")
  }),

  storageCase("people: an import goes chunk by chunk and stands where it came to", function* () {
    const { build, list, mine, other, store } = yield* twoWithList("chunks")
    const begin: ContactImport = {
      workspace: mine,
      id: "job 1",
      list: list.id,
      mode: "update",
      fingerprint: "f",
      startedAt: Builders.start,
      ...none
    }
    Expect.equal(yield* store.beginImport(begin), begin, "a new import")
    Expect.ok(Option.isNone(yield* store.getImport(other, "job 1")), "another workspace got an import")
    const [a, b, c] = [build.contact(mine), build.contact(mine), build.contact(mine)]
    const both = build.contact(mine, { addresses: [...a.addresses, ...b.addresses] })
    const first = Option.getOrNull(yield* store.importChunk(begin, { contacts: [a, b, both], records: 5, rejected: 2 }))
    const after = { ...begin, records: 5, created: 2, merged: 0, rejected: 3 }
    Expect.equal(first?.at ?? null, after, "where it stands")
    Expect.equal(first?.imported.ambiguous.map(({ index }) => index) ?? [], [2], "the ambiguous row")
    const again = yield* store.importChunk(begin, { contacts: [c], records: 1, rejected: 0 })
    Expect.ok(Option.isNone(again), "a chunk was taken that is done")
    Expect.equal(yield* membersOf(mine, list.id), [a.id, b.id] as Array<string>, "the members")
    Expect.equal(yield* store.beginImport({ ...begin, fingerprint: "g" }), after, "the import begun again")
    const { within } = yield* Transaction
    const lost = store.importChunk(after, { contacts: [c], records: 1, rejected: 0 })
    yield* fails(within(Effect.andThen(lost, Effect.die("later"))), "the transaction")
    Expect.equal(Option.getOrNull(yield* store.getImport(mine, "job 1")), after, "after a chunk that was lost")
    yield* lost
    const told = { ...a, attributes: { city: "Bonn" } }
    const third = { ...after, records: 6, created: 3 }
    const merging = yield* store.importChunk(third, { contacts: [b, told], records: 2, rejected: 0 })
    Expect.equal(Option.getOrNull(merging)?.imported.changed ?? [], [a.id], "who was changed")
    Expect.equal(yield* store.changedLast(mine, "job 1"), [a.id], "whom the last chunk changed")
    Expect.equal(yield* store.changedLast(other, "job 1"), [], "as another workspace is told")
    const fourth = Option.getOrNull(merging)!.at
    yield* store.importChunk(fourth, { contacts: [b], records: 1, rejected: 0 })
    Expect.equal(yield* store.changedLast(mine, "job 1"), [], "after one that changed nobody")
    yield* store.importChunk(
      { ...fourth, records: 9 },
      { contacts: [{ ...told, tags: ["t"] }], records: 1, rejected: 0 }
    )
    yield* store.finishImport(mine, "job 1", 7)
    Expect.equal(yield* store.changedLast(mine, "job 1"), [], "of an import that is finished")
    yield* store.finishImport(mine, "job 1", 8)
    const done = Option.getOrNull(yield* store.getImport(mine, "job 1"))
    Expect.equal(done, { ...after, records: 10, created: 3, merged: 4, finishedAt: 7 }, "the finished import")
    const late = yield* store.importChunk(done!, { contacts: [a], records: 1, rejected: 0 })
    Expect.ok(Option.isNone(late), "a finished import took a chunk")
  }),

  storageCase("people: two processes at the same chunk import it once", function* () {
    const { build, list, mine, store } = yield* twoWithList("chunk race")
    const begin: ContactImport = {
      workspace: mine,
      id: "1",
      list: list.id,
      mode: "update",
      fingerprint: "",
      startedAt: 0,
      ...none
    }
    yield* store.beginImport(begin)
    const chunk = { contacts: [build.contact(mine), build.contact(mine)], records: 2, rejected: 0 }
    const taken = yield* Effect.all([store.importChunk(begin, chunk), store.importChunk(begin, chunk)], {
      concurrency: "unbounded"
    })
    Expect.equal(taken.filter(Option.isSome).length, 1, "chunks taken")
    const stands = Option.getOrNull(yield* store.getImport(mine, "1"))
    Expect.equal([stands?.records, stands?.created, stands?.merged], [2, 2, 0], "where it stands")
  }),

  storageCase("people: a large batch is one import", function* () {
    const { build, list, mine, store } = yield* twoWithList("large")
    const people = Array.from({ length: 4_500 }, (_, i) =>
      build.contact(mine, {
        addresses: [{ channel: Builders.channel, scope: "", externalId: `p${(i * 7_919) % 4_100}` }]
      })
    )
    const imported = yield* store.import(mine, people, list.id)
    Expect.equal(imported, { created: 4_100, merged: 400, changed: [], ambiguous: [] }, "what the import says")
    Expect.equal(yield* store.countMembers(mine, [list.id]), [4_100], "the members")
    const again = yield* store.import(mine, people, list.id)
    Expect.equal(again, { created: 0, merged: 4_500, changed: [], ambiguous: [] }, "the same import again")
    const last = yield* store.members(mine, list.id, 4_099, 5)
    Expect.equal(
      last.map(({ contact, position }) => [position, contact.id as string]),
      [[4_100, people[4_099]!.id as string]],
      "the last"
    )
  }),

  storageCase("people: two large imports of the same people at the same time make each once", function* () {
    const { build, list, mine, store } = yield* twoWithList("large race")
    const batch = (from: number) =>
      Array.from({ length: 5_000 }, (_, i) =>
        build.contact(mine, { addresses: [{ channel: Builders.channel, scope: "", externalId: `p${from + i}` }] })
      )
    const [one, other] = yield* Effect.all(
      [store.import(mine, batch(0), list.id), store.import(mine, batch(2_500), list.id)],
      {
        concurrency: "unbounded"
      }
    )
    Expect.equal([one.created + other.created, one.merged + other.merged], [7_500, 2_500], "what the imports say")
    Expect.equal((yield* store.list(mine, { count: true })).total, 7_500, "the people")
    Expect.equal(yield* store.countMembers(mine, [list.id]), [7_500], "the members")
    const known = yield* store.byAddress(mine, `${Builders.channel}//p2500`)
    Expect.ok(Option.isSome(known), "an address of nobody")
  }),

  storageCase("people: lists are paged, counted, renamed and merged, and deleting one keeps its people", function* () {
    const { build, list, mine, other, store } = yield* twoWithList("list care")
    const [a, b, c, d] = [build.contact(mine), build.contact(mine), build.contact(mine), build.contact(mine)]
    const second = yield* store.createList(build.contactList(mine))
    const theirs = yield* store.createList(build.contactList(other))
    yield* store.import(mine, [b, a], list.id)
    yield* store.import(mine, [c, a, d, b], second.id)
    yield* expectPaged((page) => store.lists(mine, page), [list.id, second.id], "lists")
    Expect.equal(yield* store.countMembers(mine, [second.id, theirs.id, list.id]), [4, 0, 2], "the counts")
    Expect.equal(
      (yield* store.listsOf(mine, a.id)).map(({ id }) => id),
      [list.id, second.id],
      "the lists of one"
    )
    Expect.equal(
      (yield* store.listsOf(mine, c.id)).map(({ id }) => id),
      [second.id],
      "the lists of another"
    )
    Expect.equal((yield* store.listsOf(other, a.id)).length, 0, "the lists as another workspace sees them")
    const renamed = Option.getOrNull(yield* store.renameList(mine, second.id, "Ümläut"))
    Expect.equal(renamed, { ...second, name: "Ümläut" }, "the renamed list")
    Expect.ok(Option.isNone(yield* store.renameList(other, second.id, "no")), "another workspace renamed a list")
    const into = build.contactList(mine)
    const events = [build.event(mine, into.id, { type: "list.ready" })]
    const merged = Option.getOrNull(yield* store.mergeLists(into, [list.id, second.id, list.id], events))
    Expect.equal(merged, { ...into, number: 3 }, "the merged list")
    Expect.equal(yield* membersOf(mine, into.id), [b.id, a.id, c.id, d.id] as Array<string>, "its members")
    const missing = yield* store.mergeLists(build.contactList(mine), [list.id, theirs.id], events)
    Expect.ok(Option.isNone(missing), "a list of another workspace was merged")
    Expect.equal((yield* store.lists(mine, { count: true })).total, 3, "lists after a merge that was refused")
    Expect.equal((yield* (yield* EventStore).read(mine, null, 9)).length, 1, "the events")
    const late = build.contact(mine)
    yield* store.import(mine, [late, a], into.id)
    Expect.equal((yield* membersOf(mine, into.id)).at(-1), late.id, "who joined after the merge")
    Expect.equal(yield* store.deleteList(other, list.id), false, "deleted by another workspace")
    Expect.equal(yield* store.deleteList(mine, list.id), true, "deleted")
    Expect.equal(yield* store.deleteList(mine, list.id), false, "deleted again")
    Expect.equal(yield* membersOf(mine, list.id), [], "the members of the deleted list")
    Expect.equal((yield* store.list(mine, { count: true })).total, 5, "the people")
    Expect.equal((yield* membersOf(mine, into.id)).length, 5, "the members of the merged list")
  }),

  storageCase("people: the attributes of a list are named", function* () {
    const { build, list, mine, other, store } = yield* twoWithList("attributes")
    const odd = { "ü b": "1", city: "x", "a.b": "", 'say "hi"': "2" }
    yield* store.import(
      mine,
      [build.contact(mine, { attributes: odd }), build.contact(mine, { attributes: { city: "" } })],
      list.id
    )
    yield* store.import(mine, [build.contact(mine, { attributes: { elsewhere: "1" } })], null)
    Expect.equal(yield* store.attributeNames(mine, list.id), Object.keys(odd).sort(), "the names")
    Expect.equal(yield* store.attributeNames(other, list.id), [], "the names as another workspace sees them")
  }),

  storageCase("people: a rule changes a contact and tells in one", function* () {
    const { build, mine, other, store } = yield* twoWithList("modify")
    const events = yield* EventStore
    const a = build.contact(mine)
    yield* store.import(mine, [a], null)
    const consent = { channel: "*", scope: "", source: "form", at: 10 }
    const record = (workspace: WorkspaceId) =>
      store.modify(workspace, a.id, (before) => ({
        contact: { ...Contact.record(before, consent), addresses: [], externalRef: "no" },
        events: [build.event(mine, a.id, { type: "contact.consented" })]
      }))
    Expect.ok(Option.isNone(yield* record(other)), "another workspace changed a contact")
    const expected = { ...a, consents: [consent] }
    Expect.equal(Option.getOrNull(yield* record(mine)), expected, "the contact")
    Expect.equal(Option.getOrNull(yield* store.get(mine, a.id)), expected, "the contact, stored")
    Expect.equal((yield* events.read(mine, null, 9)).length, 1, "the events")
  }),

  storageCase("people: who is erased is gone, and only what the rule leaves stays", function* () {
    const { build, list, mine, other, store } = yield* twoWithList("erase")
    const [a, b] = [build.contact(mine, { externalRef: "r" }), build.contact(mine)]
    yield* store.import(mine, [a, b], list.id)
    const [key, kept] = [Builders.addressOf(a), Builders.addressOf(b)]
    const suppressed = (address: string): Suppression => ({
      workspace: mine,
      address,
      account: null,
      reason: "manual",
      at: 1
    })
    yield* store.suppress(
      [suppressed(key), suppressed(kept), { ...suppressed(key), account: build.ids.next("acc") }],
      []
    )
    const stays: Suppression = { ...suppressed("#hash"), reason: "erased", at: 2 }
    const erase = (workspace: WorkspaceId) =>
      store.erase(workspace, a.id, (before) => ({
        suppressions: before.addresses.map((address) => ({ ...stays, address: `#${Address.key(address).length}` })),
        events: [build.event(mine, a.id, { type: "contact.erased" })]
      }))
    Expect.ok(Option.isNone(yield* erase(other)), "another workspace erased a contact")
    Expect.equal(Option.getOrNull(yield* erase(mine)), a, "who was erased")
    Expect.ok(Option.isNone(yield* erase(mine)), "someone was erased twice")
    Expect.ok(Option.isNone(yield* store.get(mine, a.id)), "the contact stayed")
    Expect.ok(Option.isNone(yield* store.byAddress(mine, key)), "the address stayed")
    Expect.equal(yield* membersOf(mine, list.id), [b.id as string], "the members")
    Expect.equal(yield* store.countMembers(mine, [list.id]), [1], "their number")
    Expect.equal(yield* store.suppressions(mine, [key]), [], "the address among the suppressions")
    const all = yield* readAll((page) => store.allSuppressions(mine, page), 1)
    Expect.equal(all, [{ ...stays, address: `#${key.length}` }, suppressed(kept)], "all suppressions")
    Expect.equal((yield* store.allSuppressions(other, { count: true })).total, 0, "those of the other workspace")
    Expect.equal((yield* (yield* EventStore).read(mine, null, 9)).length, 1, "the events")
    const back = build.contact(mine, { externalRef: "r", addresses: a.addresses })
    Expect.equal((yield* store.import(mine, [back], list.id)).created, 1, "someone new with the same address")
    const positions = (yield* store.members(mine, list.id, 0, 9)).map(({ position }) => position)
    Expect.equal(positions, [2, 3], "a joining number was given twice")
  }),

  storageCase("people: who is deleted leaves what suppresses their addresses", function* () {
    const { build, mine, store } = yield* twoWithList("delete")
    const person = build.contact(mine)
    yield* store.import(mine, [person], null)
    const address = Builders.addressOf(person)
    const suppressed: Suppression = { workspace: mine, address, account: null, reason: "optedOut", at: 1 }
    yield* store.suppress([suppressed], [])
    yield* store.erase(mine, person.id, () => ({ suppressions: null, events: [] }))
    Expect.ok(Option.isNone(yield* store.get(mine, person.id)), "the contact stayed")
    Expect.equal(yield* store.suppressions(mine, [address]), [suppressed], "what suppresses them")
  }),

  storageCase("people: where nobody was found is remembered of those whose address it is", function* () {
    const campaigns = yield* CampaignStore
    const { contacts, leads, workspace } = yield* scene("unreachable", { leads: 2 })
    const store = yield* ContactStore
    const [first, second] = contacts.map(({ addresses, id }) => ({
      workspace: workspace.id,
      contact: id,
      address: Address.key(addresses[0]!)
    }))
    const unreachable = Effect.forEach(leads, ({ id }) =>
      Effect.map(campaigns.candidate(workspace.id, id), (found) => Option.getOrThrow(found).candidate.unreachable ?? [])
    )
    Expect.equal(yield* unreachable, [[], []], "at first")
    yield* store.noteUnreachable([
      second!,
      first!,
      first!,
      { ...first!, address: second!.address },
      { ...first!, workspace: Builders.make("strangers").workspace().id },
      { ...first!, contact: Builders.ids("nobody").next("con") }
    ])
    yield* store.noteUnreachable([first!])
    yield* store.noteUnreachable([])
    Expect.equal(yield* unreachable, [[first!.address], [second!.address]], "once it was noted")
    yield* store.import(workspace.id, [{ ...contacts[0]!, name: "Another name" }], null)
    Expect.equal((yield* unreachable)[0], [first!.address], "after an import")
  }),

  storageCase("people: some of them are found by their ids, each once and in their workspace", function* () {
    const { build, mine, other, store } = yield* twoWithList("among")
    const [a, b, c, gone] = [build.contact(mine), build.contact(mine), build.contact(other), build.contact(mine)]
    yield* store.import(mine, [a, b], null)
    yield* store.import(other, [c], null)
    const found = yield* store.among(mine, [b.id, a.id, c.id, gone.id, b.id])
    Expect.equal(
      found.toSorted((one, another) => (one.id < another.id ? -1 : 1)),
      [a, b],
      "who is found"
    )
    Expect.equal(yield* store.among(mine, []), [], "nobody asked for")
  }),

  storageCase("people: those who are held are told, of this workspace and once", function* () {
    const { build, mine, other, store } = yield* twoWithList("hold")
    const [a, b, gone] = [build.contact(mine), build.contact(other), build.contact(mine)]
    yield* store.import(mine, [a], null)
    yield* store.import(other, [b], null)
    Expect.equal(yield* store.hold(mine, [b.id, a.id, gone.id, a.id]), new Set([a.id]), "who is there")
    Expect.equal(yield* store.hold(mine, []), new Set(), "nobody asked for")
    Expect.equal(yield* store.keep(mine, [b.id, a.id, gone.id, a.id]), new Set([a.id]), "who is there to be kept")
    Expect.equal(yield* store.keep(mine, []), new Set(), "nobody to be kept")
  })
]
