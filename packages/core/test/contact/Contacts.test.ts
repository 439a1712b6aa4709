import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Contact from "../../src/contact/Contact.ts"
import * as ContactCsv from "../../src/contact/ContactCsv.ts"
import * as ContactRow from "../../src/contact/ContactRow.ts"
import { ContactReactions } from "../../src/contact/ContactReaction.ts"
import { ContactLists } from "../../src/contact/ContactLists.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { PersonParties } from "../../src/contact/PersonParty.ts"
import { AddressHash, isTombstone, tombstone } from "../../src/contact/Suppression.ts"
import { Suppressions } from "../../src/contact/Suppressions.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { ContactListId } from "../../src/workspace/Id.ts"
import { StorageError } from "../../src/workspace/StorageError.ts"
import * as Builders from "../../src/testing/Builders.ts"
import { layer, row, rules, scene } from "./people.ts"

const { start } = Builders
const hash = (address: string) => `hash${address.length}`

const person = (seed: string) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const { build, workspace } = yield* scene(seed)
    const store = yield* ContactStore
    const list = yield* store.createList(build.contactList(workspace))
    const contact = build.contact(workspace)
    yield* store.import(workspace, [contact], list.id)
    const address = contact.addresses[0]!
    return { contact, contacts: yield* Contacts, address, list, store, suppressions: yield* Suppressions, workspace }
  })

describe("rows of people", () => {
  it.effect("that can be nobody's are left out with the reason, whoever brings them", () =>
    Effect.gen(function* () {
      const { contacts, list, store, workspace } = yield* person("odd rows")
      const rows = [
        row(2, " "),
        row(3, "x".repeat(256)),
        row(4, "zoned", { timezone: "Mars/Olympus_Mons" }),
        row(5, "known", { timezone: "Europe/Berlin" }),
        row(6, " known ")
      ]
      const { created, merged, rejected } = yield* contacts.importRows(workspace, list.id, rows, rules)
      assert.deepStrictEqual([created, merged], [1, 1])
      assert.deepStrictEqual(
        rejected.map(({ column, line, value }) => [line, column, value]),
        [
          [2, "externalId", ""],
          [3, "externalId", "x".repeat(80)],
          [4, "timezone", "Mars/Olympus_Mons"]
        ]
      )
      const { data } = yield* store.list(workspace, { limit: 10 })
      assert.isFalse(data.some(({ timezone }) => timezone === "Mars/Olympus_Mons"))
    }).pipe(Effect.provide(layer))
  )

  it.effect("are refused whole where there is no such list in the workspace", () =>
    Effect.gen(function* () {
      const { contacts, store, workspace } = yield* person("no list")
      const nowhere = ContactListId.make(`lst_${"0".repeat(32)}`)
      const error = yield* Effect.flip(contacts.importRows(workspace, nowhere, [row(2, "new")], rules))
      assert.deepStrictEqual([error._tag, error.message], ["ListNotFound", `there is no list ${nowhere}`])
      const { data } = yield* store.list(workspace, { limit: 10 })
      assert.isFalse(data.some(({ addresses }) => addresses.some(({ externalId }) => externalId === "new")))
    }).pipe(Effect.provide(layer))
  )

  it.effect("that come again have done what follows from them, where that failed the first time", () => {
    const told: Array<ReadonlyArray<string>> = []
    const reaction = {
      changed: (_workspace: string, contacts: ReadonlyArray<string>) =>
        Effect.suspend(() => {
          told.push(contacts)
          return told.length === 1
            ? Effect.fail(new StorageError({ operation: "reaction", retryable: true, cause: null }))
            : Effect.void
        })
    }
    return Effect.gen(function* () {
      const { address, contact, contacts, list, store, workspace } = yield* person("rows")
      const rows = [row(2, address.externalId, { attributes: { city: "Lisbon" } }), row(3, "somebody new")]
      const importing = contacts.importRows(workspace, list.id, rows, rules)
      assert.strictEqual((yield* Effect.flip(importing))._tag, "StorageError")
      assert.deepStrictEqual(told, [[contact.id]])
      yield* importing
      assert.include([...(told[1] ?? [])], contact.id)
      const after = Option.getOrThrow(yield* store.get(workspace, contact.id))
      assert.deepStrictEqual(after.attributes, { ...contact.attributes, city: "Lisbon" })
    }).pipe(Effect.provide(layer), Effect.provideService(ContactReactions, [reaction]))
  })
})

describe("names", () => {
  for (const [name, first, last] of [
    ["Ana", "Ana", null],
    ["  Ana   Silva ", "Ana", "Silva"],
    ["María de Silva, Ana", "Ana", "María de Silva"],
    ["李小龍", "李小龍", null],
    ["", null, null]
  ] as const) {
    it(`${JSON.stringify(name)} is ${first} and ${last}`, () =>
      assert.deepEqual(Contact.splitName(name), { first, last }))
  }
})

describe("consents", () => {
  it.effect("lift an opt-out that is older, never one that is newer", () =>
    Effect.gen(function* () {
      const { address, contact, contacts, suppressions, workspace } = yield* person("lift")
      yield* suppressions.add(workspace, [address], system)
      const consent = { channel: "sandbox", scope: "", source: "form", evidence: "form 7" }
      yield* contacts.recordConsent(workspace, contact.id, { ...consent, at: start - 1 }, system)
      assert.lengthOf(yield* suppressions.of(workspace, [address]), 1)
      const given = yield* contacts.recordConsent(workspace, contact.id, { ...consent, at: start }, system)
      assert.lengthOf(yield* suppressions.of(workspace, [address]), 0)
      assert.isTrue(Contact.consented(given, "sandbox", start))
      yield* suppressions.add(workspace, [address], system)
      yield* contacts.recordConsent(workspace, contact.id, { ...consent, at: start }, system)
      assert.lengthOf(yield* suppressions.of(workspace, [address]), 1, "the same consent again is not a new one")
      const withdrawn = { at: start + 5, source: "letter", evidence: "page 1" }
      const after = yield* contacts.withdrawConsent(workspace, contact.id, "sandbox", withdrawn, system)
      assert.isFalse(Contact.consented(after, "sandbox", start + 5))
      assert.isTrue(Contact.consented(after, "sandbox", start + 4))
      const types = (yield* (yield* EventStore).read(workspace, null, 99)).map(({ event }) => event.type)
      assert.deepEqual(
        types.filter((type) => type.includes("consent")),
        ["contact.consented", "contact.consented", "contact.consent_withdrawn"]
      )
    }).pipe(Effect.provide(layer))
  )
})

describe("what a person may ask", () => {
  it.effect("is exported, and erased in every area or not at all", () =>
    Effect.gen(function* () {
      const { address, contact, contacts, list, store, suppressions, workspace } = yield* person("asked")
      yield* suppressions.add(workspace, [address], system)
      const held = yield* contacts.export(workspace, contact.id)
      assert.deepEqual([held.contact, held.lists, held.more], [contact, [list], { chats: ["hello"] }])
      assert.lengthOf(held.suppressions, 1)
      const erase = contacts.erase(workspace, contact.id, system)
      const broken = { name: "chats", export: () => Effect.die("not asked for"), erase: () => Effect.die("broken") }
      yield* Effect.exit(Effect.provideService(erase, PersonParties, [broken]))
      assert.isTrue(Option.isSome(yield* store.get(workspace, contact.id)))
      yield* erase
      assert.isTrue(Option.isNone(yield* store.get(workspace, contact.id)))
      const left = yield* suppressions.of(workspace, [address])
      assert.deepEqual(
        left.map(({ address: key, reason }) => [isTombstone(key), reason]),
        [[true, "erased"]]
      )
      assert.strictEqual((yield* Effect.flip(erase))._tag, "ContactNotFound")
      const rows = [row(2, address.externalId, { name: "Ana" }), row(3, "another")]
      assert.deepEqual(yield* contacts.importRows(workspace, list.id, rows, rules), {
        created: 1,
        merged: 0,
        rejected: [{ line: 2, column: "externalId", value: "", reason: "this person was erased" }]
      })
      const events = yield* (yield* EventStore).read(workspace, null, 99)
      assert.notInclude(JSON.stringify(events), address.externalId)
    }).pipe(
      Effect.provide(Layer.provide(layer, Layer.succeed(AddressHash, hash))),
      Effect.provideService(PersonParties, [
        {
          name: "chats",
          export: () => Effect.succeed({ data: ["hello"], subjects: [] }),
          erase: () => Effect.succeed([])
        }
      ])
    )
  )

  it.effect("is not erased where nothing could recognise them later", () =>
    Effect.gen(function* () {
      const { contact, contacts, workspace } = yield* person("no hash")
      assert.strictEqual((yield* Effect.flip(contacts.erase(workspace, contact.id, system)))._tag, "AddressHashMissing")
    }).pipe(Effect.provide(layer))
  )
})

describe("another secret", () => {
  it.effect("erases nobody where others were erased", () =>
    Effect.gen(function* () {
      const { contact, contacts, store, workspace } = yield* person("two secrets")
      const other = tombstone((address) => `other ${address}`, "sandbox//gone")
      yield* store.suppress([{ workspace, address: other, account: null, reason: "erased", at: start }], [])
      assert.strictEqual((yield* Effect.flip(contacts.erase(workspace, contact.id, system)))._tag, "AddressHashUnlike")
      assert.isTrue(Option.isSome(yield* store.get(workspace, contact.id)))
    }).pipe(Effect.provide(Layer.provide(layer, Layer.succeed(AddressHash, hash))))
  )
})

describe("suppressions from a file", () => {
  it.effect("are added once, with the rows that name no address", () =>
    Effect.gen(function* () {
      const { address, suppressions, workspace } = yield* person("file")
      const rows = [row(2, address.externalId), row(3, address.externalId), row(4, "x", { channel: "pages" })]
      const added = yield* suppressions.addRows(workspace, rows, rules, system)
      assert.deepInclude(added, { added: 1 })
      assert.deepEqual(
        added.rejected.map(({ line }) => line),
        [4]
      )
      assert.strictEqual((yield* suppressions.page(workspace, { count: true })).total, 1)
    }).pipe(Effect.provide(layer))
  )
})

describe("lists", () => {
  it.effect("are found by number and name, and take or lose one person by id or address", () =>
    Effect.gen(function* () {
      const { build, workspace } = yield* scene("one by one")
      const [contacts, lists] = [yield* Contacts, yield* ContactLists]
      const [guests, friends] = [
        yield* contacts.listNamed(workspace, "guests"),
        yield* contacts.listNamed(workspace, "friends")
      ]
      yield* contacts.importRows(workspace, guests.id, [row(1, "ana"), row(2, "ben")], rules)
      const [ana] = (yield* lists.members(workspace, guests.id, {})).data
      assert.strictEqual((yield* lists.find(workspace, { number: friends.number })).name, "friends")
      assert.deepInclude(yield* lists.find(workspace, { name: "guests" }), { id: guests.id, members: 2 })
      const ben = { channel: "sandbox", scope: "", externalId: "ben" } as const
      assert.isTrue(yield* lists.add(workspace, friends.id, ana!.id))
      assert.isTrue(yield* lists.add(workspace, friends.id, ben))
      assert.isFalse(yield* lists.add(workspace, friends.id, ben))
      assert.isTrue(yield* lists.remove(workspace, friends.id, ana!.id))
      assert.isFalse(yield* lists.remove(workspace, friends.id, ana!.id))
      const left = (yield* lists.members(workspace, friends.id, {})).data
      assert.deepStrictEqual(
        left.map(({ addresses }) => addresses[0]?.externalId),
        ["ben"]
      )
      const refused = yield* Effect.forEach(
        [
          lists.find(workspace, { number: 99 }),
          lists.find(workspace, { name: "enemies" }),
          lists.add(workspace, build.ids.next("lst"), ana!.id),
          lists.add(workspace, friends.id, { ...ben, externalId: "nobody" }),
          lists.remove(workspace, friends.id, build.ids.next("con"))
        ],
        (one) => Effect.map(Effect.flip(one as Effect.Effect<unknown, { readonly _tag: string }>), ({ _tag }) => _tag)
      )
      assert.deepStrictEqual(refused, [
        "ListNotFound",
        "ListNotFound",
        "ListNotFound",
        "ContactNotFound",
        "ContactNotFound"
      ])
    }).pipe(Effect.provide(layer))
  )

  it.effect("are exported as CSV, safe for spreadsheets when asked", () =>
    Effect.gen(function* () {
      const { build, workspace } = yield* scene("csv")
      const store = yield* ContactStore
      const list = yield* store.createList(build.contactList(workspace, { status: "ready" }))
      yield* store.import(
        workspace,
        [
          build.contact(workspace, {
            name: '=HYPERLINK("x")',
            first: null,
            last: null,
            addresses: [{ channel: "phones", scope: "", externalId: "+491701234567" }],
            tags: ["a", "b"],
            attributes: { "a,b": "x\ny", city: " Köln" },
            timezone: "Europe/Berlin"
          })
        ],
        list.id
      )
      const lists = yield* ContactLists
      const csv = (options?: { readonly forSpreadsheets: boolean }) =>
        Effect.map(Stream.runCollect(lists.csv(workspace, list.id, options)), (pieces) => pieces.join(""))
      assert.strictEqual(
        yield* csv(),
        'externalId,channel,name,first,last,phone,timezone,externalRef,tags,"a,b",city\r\n' +
          '+491701234567,phones,"=HYPERLINK(""x"")",,,+491701234567,Europe/Berlin,,"a;b","x\ny"," Köln"\r\n'
      )
      assert.include(yield* csv({ forSpreadsheets: true }), "'+491701234567,phones,\"'=HYPERLINK")
      const members = yield* lists.members(workspace, list.id, { count: true })
      assert.deepEqual([members.data.length, members.nextCursor, members.total], [1, null, 1])
      assert.strictEqual((yield* lists.get(workspace, list.id)).members, 1)
      const gathering = yield* store.createList(build.contactList(workspace, { status: "gathering" }))
      const refused = yield* Effect.flip(lists.merge(workspace, "both", [list.id, gathering.id], system))
      assert.strictEqual(refused._tag, "ListNotReady")
      const merged = yield* lists.merge(workspace, "both", [list.id, list.id], system)
      assert.strictEqual((yield* lists.get(workspace, merged.id)).members, 1)
      yield* lists.delete(workspace, list.id)
      assert.strictEqual((yield* Effect.flip(lists.rename(workspace, list.id, "x")))._tag, "ListNotFound")
    }).pipe(Effect.provide(layer))
  )

  it("keep a phone number that is no address", () => {
    const ids = Builders.ids("kept")
    const made = { id: ids.next("con"), workspace: ids.next("wsp"), at: 0 }
    const row = { line: 2, externalId: "b0", phone: "+14155000000", tags: [], attributes: { city: "Oakland" } }
    const contact = ContactRow.contactOf(row, { channel: "sandbox", scope: "", externalId: "b0" }, made)
    assert.deepStrictEqual(contact.attributes, { phone: "+14155000000", city: "Oakland" })
    const { row: line } = ContactCsv.encoder(["city"], { phoneChannels: new Set() })
    assert.strictEqual(line(contact), "b0,sandbox,,,,+14155000000,,,,Oakland\r\n")
  })

  it("keep an id beside the phone number that is the address, there and back", () => {
    const ids = Builders.ids("kept id")
    const made = { id: ids.next("con"), workspace: ids.next("wsp"), at: 0 }
    const address = { channel: "phones", scope: "", externalId: "+14155000000" }
    const row = { line: 2, externalId: "b0", phone: "+14155000000", tags: [], attributes: { city: "Oakland" } }
    const contact = ContactRow.contactOf(row, address, made)
    // No externalRef: the ids of two lists may be the same and mean two people.
    assert.deepStrictEqual([contact.attributes, contact.externalRef], [{ externalId: "b0", city: "Oakland" }, null])
    const { row: line } = ContactCsv.encoder(["city"], { phoneChannels: new Set(["phones"]) })
    assert.strictEqual(line(contact), "b0,phones,,,,+14155000000,,,,Oakland\r\n")
    const referred = ContactRow.contactOf({ ...row, externalRef: "b0" }, address, made)
    assert.deepStrictEqual([referred.attributes, referred.externalRef], [{ city: "Oakland" }, "b0"])
  })

  it("leave out attributes that would be read as a column of another meaning", () =>
    assert.deepEqual(ContactCsv.attributeColumns(["city", "Phone", "email", "Email", " x"]), ["city", "email"]))
})
