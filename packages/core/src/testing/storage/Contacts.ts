/** What `ContactStore` promises: who is the same person, who is on a list, and who must not be written to. */
import { Effect, Option } from "effect"
import * as Contact from "../../contact/Contact.ts"
import type { Suppression } from "../../contact/Suppression.ts"
import { EventStore } from "../../event/EventStore.ts"
import type { WorkspaceId } from "../../workspace/Id.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import * as People from "./People.ts"
import { expectPaged, fails, readAll, sorted, type StorageCase, storageCase } from "./StorageCase.ts"
import { membersOf, twoWithList } from "./TwoWorkspaces.ts"

const person = (name: string) => ({ channel: Builders.channel, scope: "", externalId: name })
const keyOf = (name: string) => `${Builders.channel}//${name}`

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("contacts: an import adds people to the workspace and to the list, in order", function* () {
    const { build, list, mine, other, store } = yield* twoWithList("import")
    const contacts = [
      build.contact(mine, {
        addresses: [person("ü/1"), { channel: "elsewhere", scope: "page 1", externalId: "9" }],
        tags: ["new"],
        attributes: { city: "Köln" },
        timezone: "Europe/Berlin",
        consents: [{ channel: "*", scope: "", source: "form", at: Builders.start }],
        externalRef: "crm-1",
        metadata: { deep: { list: [1, 2] } }
      }),
      build.contact(mine),
      build.contact(mine, { addresses: [] })
    ]
    const imported = yield* store.import(mine, contacts, list.id)
    Expect.equal(imported, { created: 3, merged: 0, changed: [], ambiguous: [] }, "what the import says")
    Expect.equal(
      yield* membersOf(mine, list.id),
      contacts.map(({ id }) => id as string),
      "the members"
    )
    const stored = yield* Effect.forEach(contacts, ({ id }) => store.get(mine, id))
    Expect.equal(stored.map(Option.getOrNull), contacts, "the contacts by id")
    for (const [name, expected] of [
      ["ü/1", contacts[0]],
      ["nobody", null]
    ] as const) {
      const found = Option.getOrNull(yield* store.byAddress(mine, keyOf(name)))
      Expect.equal(found?.id ?? null, expected?.id ?? null, `the contact of ${name}`)
    }
    Expect.ok(Option.isNone(yield* store.get(other, contacts[0]!.id)), "another workspace got a contact by id")
    Expect.ok(Option.isNone(yield* store.byAddress(other, keyOf("ü/1"))), "another workspace got a contact by address")
    Expect.equal(yield* membersOf(other, list.id), [], "the list read by another workspace")
  }),

  storageCase("contacts: rows of a batch that share an address are one person", function* () {
    const { build, list, mine, store } = yield* twoWithList("batch merge")
    const [a, b, c] = [build.contact(mine), build.contact(mine), build.contact(mine)]
    const second = { ...b, addresses: [...a.addresses, person("more")], tags: ["b"], attributes: { x: "2" } }
    const third = { ...c, addresses: [person("more")], tags: ["c"], attributes: { x: "3" } }
    const imported = yield* store.import(mine, [a, second, third], list.id)
    Expect.equal(imported, { created: 1, merged: 2, changed: [], ambiguous: [] }, "what the import says")
    const expected = Contact.merge(Contact.merge(a, second), third)
    Expect.equal(Option.getOrNull(yield* store.get(mine, a.id)), expected, "the contact")
    Expect.equal(yield* membersOf(mine, list.id), [a.id as string], "the members")
    const found = Option.getOrNull(yield* store.byAddress(mine, keyOf("more")))
    Expect.equal(found?.id ?? null, a.id, "the contact of the address that was added")
    Expect.ok(Option.isNone(yield* store.get(mine, b.id)), "a merged row left a contact of its own")
  }),

  storageCase("contacts: a row whose address or externalRef is known becomes part of that contact", function* () {
    const { build, list, mine, store } = yield* twoWithList("known merge")
    const a = build.contact(mine, { externalRef: "ref-a", tags: ["old"] })
    const b = build.contact(mine)
    yield* store.import(mine, [a, b], null)
    const byRef = build.contact(mine, { externalRef: "ref-a", addresses: [person("new")], tags: ["new"], name: "" })
    const byAddress = build.contact(mine, { externalRef: "ref-b", addresses: b.addresses, timezone: "Asia/Tokyo" })
    const fresh = build.contact(mine)
    const imported = yield* store.import(mine, [byRef, byAddress, fresh], list.id)
    Expect.equal(imported, { created: 1, merged: 2, changed: [a.id, b.id], ambiguous: [] }, "what the import says")
    Expect.equal(
      Option.getOrNull(yield* store.get(mine, a.id)),
      Contact.merge(a, byRef),
      "the one known by externalRef"
    )
    Expect.equal(
      Option.getOrNull(yield* store.get(mine, b.id)),
      Contact.merge(b, byAddress),
      "the one known by address"
    )
    Expect.equal(yield* membersOf(mine, list.id), [a.id, b.id, fresh.id] as Array<string>, "the members")
    const again = yield* store.import(mine, [byRef, byAddress, fresh], list.id)
    Expect.equal(again, { created: 0, merged: 3, changed: [], ambiguous: [] }, "the same import again")
    Expect.equal((yield* membersOf(mine, list.id)).length, 3, "the members after the same import again")
  }),

  storageCase("contacts: a row that matches two people is told of and changes neither", function* () {
    const { build, list, mine, store } = yield* twoWithList("ambiguous")
    const [a, b] = [build.contact(mine), build.contact(mine)]
    yield* store.import(mine, [a], null)
    const both = build.contact(mine, { addresses: [...a.addresses, ...b.addresses], tags: ["lost"] })
    const fresh = build.contact(mine)
    const imported = yield* store.import(mine, [b, both, fresh], list.id)
    Expect.equal([imported.created, imported.merged], [2, 0], "created and merged")
    const [ambiguity] = imported.ambiguous
    Expect.equal(imported.ambiguous.length, 1, "ambiguous rows")
    Expect.equal(ambiguity?.index, 1, "the index of the ambiguous row")
    Expect.equal(sorted(ambiguity?.contacts ?? []), sorted([a.id, b.id]), "whom it matched")
    Expect.equal(Option.getOrNull(yield* store.get(mine, a.id)), a, "the one")
    Expect.equal(Option.getOrNull(yield* store.get(mine, b.id)), b, "the other")
    Expect.equal(yield* membersOf(mine, list.id), [b.id, fresh.id] as Array<string>, "the members")
  }),

  storageCase("contacts: the same address in two workspaces is two people", function* () {
    const { build, mine, other, store } = yield* twoWithList("contact tenancy")
    const a = build.contact(mine, { externalRef: "ref" })
    const b = build.contact(other, { externalRef: "ref", addresses: a.addresses })
    yield* store.import(mine, [a], null)
    const imported = yield* store.import(other, [b], null)
    Expect.equal(imported.created, 1, "created in the other workspace")
    const found = Option.getOrNull(yield* store.byAddress(other, Builders.addressOf(a)))
    Expect.equal(found?.id ?? null, b.id, "the other workspace's contact")
  }),

  storageCase("contacts: the list of people is whole in pages", function* () {
    const { build, mine, other, store } = yield* twoWithList("contact pages")
    const contacts = Array.from({ length: 5 }, () => build.contact(mine))
    yield* store.import(other, [build.contact(other)], null)
    yield* store.import(mine, contacts, null)
    const ids = contacts.map(({ id }) => id as string)
    yield* expectPaged((page) => store.list(mine, page), ids, "contacts")
    const late = build.contact(mine)
    const all = yield* readAll((page) => store.list(mine, page), 2, store.import(mine, [late], null))
    Expect.equal(
      all.map(({ id }) => id as string),
      [...ids, late.id],
      "a list that grows while it is read"
    )
  }),

  storageCase("contacts: lists are numbered per workspace, found by name and made ready once", function* () {
    const { build, list, mine, other, store } = yield* twoWithList("lists")
    const events = yield* EventStore
    const second = yield* store.createList(build.contactList(mine))
    const theirs = yield* store.createList(build.contactList(other))
    Expect.equal([list.number, second.number, theirs.number], [1, 2, 1], "the numbers")
    Expect.equal(Option.getOrNull(yield* store.getList(mine, second.id)), second, "the list by id")
    Expect.equal(Option.getOrNull(yield* store.listByName(mine, second.name)), second, "the list by name")
    Expect.ok(Option.isNone(yield* store.getList(other, second.id)), "another workspace got a list by id")
    Expect.ok(Option.isNone(yield* store.listByName(other, second.name)), "another workspace got a list by name")
    yield* store.setListReady(other, second.id, [])
    const still = Option.getOrNull(yield* store.getList(mine, second.id))
    Expect.equal(still?.status, "gathering", "the list after another workspace made it ready")
    yield* store.setListReady(mine, second.id, [build.event(mine, second.id, { type: "list.ready" })])
    Expect.equal(Option.getOrNull(yield* store.getList(mine, second.id))?.status, "ready", "the list")
    yield* store.setListReady(mine, second.id, [build.event(mine, second.id, { type: "list.ready" })])
    Expect.equal(
      (yield* events.read(mine, null, 9)).map(({ event }) => event.type),
      ["list.ready"],
      "the events"
    )
  }),

  storageCase("contacts: a list is gathered again, with its members or without", function* () {
    const { build, list, mine, other, store } = yield* twoWithList("gathered")
    const contacts = [build.contact(mine), build.contact(mine)]
    yield* store.import(mine, contacts, list.id)
    yield* store.setListReady(mine, list.id, [])
    Expect.equal(yield* store.gatherList(other, list.id, true), false, "by another workspace")
    Expect.equal(yield* store.gatherList(mine, list.id, false), true, "with its members")
    Expect.equal(Option.getOrNull(yield* store.getList(mine, list.id))?.status, "gathering", "the list")
    Expect.equal(yield* store.countMembers(mine, [list.id]), [2], "its members")
    Expect.equal(yield* store.gatherList(mine, list.id, true), true, "without its members")
    Expect.equal(yield* store.countMembers(mine, [list.id]), [0], "who is left")
    Expect.equal((yield* store.list(mine, { count: true })).total, 2, "the people")
    yield* store.import(mine, contacts, list.id)
    const positions = (yield* store.members(mine, list.id, 0, 9)).map(({ position }) => position)
    Expect.equal(positions, [3, 4], "a joining number was given twice")
  }),

  storageCase("contacts: members are read in the order they joined, from a number on", function* () {
    const { build, list, mine, store } = yield* twoWithList("members")
    const contacts = Array.from({ length: 5 }, () => build.contact(mine))
    yield* store.import(mine, contacts.slice(3), list.id)
    yield* store.import(mine, contacts, list.id)
    const joined = [3, 4, 0, 1, 2].map((index) => contacts[index]!.id as string)
    const first = yield* store.members(mine, list.id, 0, 2)
    Expect.equal(
      first.map(({ contact }) => contact.id as string),
      joined.slice(0, 2),
      "the first two"
    )
    const rest = yield* store.members(mine, list.id, first.at(-1)?.position ?? 0, 500)
    Expect.equal(
      rest.map(({ contact }) => contact.id as string),
      joined.slice(2),
      "those after them"
    )
    const positions = [...first, ...rest].map(({ position }) => position)
    Expect.equal(
      positions,
      positions.toSorted((a, b) => a - b),
      "the joining numbers"
    )
    Expect.equal(new Set(positions).size, 5, "different joining numbers")
  }),

  storageCase("contacts: suppressions are kept as they came and lifted for the workspace alone", function* () {
    const { build, mine, other, store } = yield* twoWithList("suppressions")
    const events = yield* EventStore
    const account = build.ids.next("acc")
    const everyone = {
      workspace: mine,
      address: keyOf("a"),
      account: null,
      reason: "optedOut",
      at: Builders.start
    } as const
    const one: Suppression = { ...everyone, account, reason: "blocked" }
    const theirs: Suppression = { ...everyone, workspace: other }
    const told = [build.event(mine, "a", { type: "contact.opted_out" })]
    Expect.equal(yield* store.suppress([everyone, one, everyone, theirs], told), 3, "new suppressions")
    Expect.equal(yield* store.suppress([{ ...everyone, reason: "manual", at: 1 }], []), 0, "a known suppression")
    const ordered = (rows: ReadonlyArray<Suppression>) =>
      rows.toSorted((a, b) => (a.account === null ? 0 : 1) - (b.account === null ? 0 : 1))
    const read = (workspace: WorkspaceId) =>
      Effect.map(store.suppressions(workspace, [keyOf("a"), keyOf("a"), keyOf("b")]), ordered)
    Expect.equal(yield* read(mine), [everyone, one], "what is suppressed")
    Expect.equal((yield* events.read(mine, null, 9)).length, 1, "the events")
    yield* store.heed([{ workspace: mine, address: keyOf("a"), type: "start", at: Builders.start }])
    Expect.equal(yield* read(mine), [one], "what stays suppressed")
    Expect.equal(yield* read(other), [theirs], "what the other workspace suppressed")
    Expect.equal(yield* store.suppressions(mine, []), [], "suppressions of no address")
  }),

  storageCase("contacts: of each wish the last time is remembered, per address and workspace", function* () {
    const { mine, other, store } = yield* twoWithList("wishes")
    const at = (minutes: number) => Builders.start + minutes * 60_000
    const said = (type: "stop" | "start", minutes: number, workspace = mine) => ({
      workspace,
      address: keyOf("a"),
      type,
      at: at(minutes)
    })
    Expect.equal(yield* store.wishes(mine, [keyOf("a")]), [], "of whom nobody heard anything")
    yield* store.heed([said("start", 5), said("stop", 1)])
    yield* store.heed([said("stop", 9), said("start", 2), said("stop", 7, other)])
    const remembered = { workspace: mine, address: keyOf("a"), stopAt: at(9), startAt: at(5) }
    Expect.equal(yield* store.wishes(mine, [keyOf("a"), keyOf("b"), keyOf("a")]), [remembered], "what was said")
    const theirs = { workspace: other, address: keyOf("a"), stopAt: at(7), startAt: null }
    Expect.equal(yield* store.wishes(other, [keyOf("a")]), [theirs], "what was said to the other")
    Expect.equal(yield* store.wishes(mine, []), [], "of no address")
  }),

  storageCase("contacts: an import in a transaction that fails leaves nobody", function* () {
    const { build, list, mine, store } = yield* twoWithList("import rollback")
    const { within } = yield* Transaction
    const known = build.contact(mine)
    yield* store.import(mine, [known], null)
    const rows = [build.contact(mine), build.contact(mine, { addresses: known.addresses, tags: ["lost"] })]
    yield* fails(within(Effect.andThen(store.import(mine, rows, list.id), Effect.die("later"))), "the transaction")
    Expect.equal((yield* store.list(mine, {})).data, [known], "the contacts")
    Expect.equal(yield* membersOf(mine, list.id), [], "the members")
    Expect.ok(Option.isNone(yield* store.byAddress(mine, Builders.addressOf(rows[0]!))), "an address stayed")
  }),

  storageCase("contacts: two imports of the same people at the same time make each once", function* () {
    const { build, list, mine, store } = yield* twoWithList("import race")
    const people = Array.from({ length: 8 }, (_, index) => person(`same ${index}`))
    const rows = () => people.map((address) => build.contact(mine, { addresses: [address] }))
    const imports = [store.import(mine, rows(), list.id), store.import(mine, rows().toReversed(), list.id)]
    const [one, other] = yield* Effect.all(imports, { concurrency: "unbounded" })
    Expect.equal((one?.created ?? 0) + (other?.created ?? 0), people.length, "contacts created")
    Expect.equal((yield* store.list(mine, { count: true })).total, people.length, "contacts stored")
    Expect.equal((yield* membersOf(mine, list.id)).length, people.length, "members")
  }),

  ...People.cases
]
