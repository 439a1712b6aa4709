/**
 * What a batch of contacts comes to, worked out one row after the other as if each were imported by itself: who is new,
 * who becomes part of whom, and which rows could be two people. Pure; the store reads before and writes after it.
 */
import * as Address from "@overture/core/channel/Address"
import { type Contact, merge, type MergeMode } from "@overture/core/contact/Contact"
import type { Imported } from "@overture/core/contact/ContactStore"
import type { ContactId } from "@overture/core/workspace/Id"

/** Rows with the texts of their addresses, which are looked up, compared and written. */
export interface ImportBatch {
  readonly rows: ReadonlyArray<Contact>
  /** A number for each text: what is compared row by row. */
  readonly places: ReadonlyMap<string, number>
  /** Those of each row. */
  readonly keys: ReadonlyArray<ReadonlyArray<number>>
  /** All texts, each once, in the order of their index: its pages are read and written one after the other. */
  readonly addresses: ReadonlyArray<string>
}

export const batchOf = (rows: ReadonlyArray<Contact>): ImportBatch => {
  const places = new Map<string, number>()
  const placeOf = (address: Address.Address) => {
    const text = Address.key(address)
    const known = places.get(text)
    if (known !== undefined) return known
    places.set(text, places.size)
    return places.size - 1
  }
  const keys = rows.map(({ addresses }) => addresses.map(placeOf))
  return { rows, places, keys, addresses: [...places.keys()].sort() }
}

/** The contacts that have an address or an externalRef of the batch. */
export interface Known {
  readonly byAddress: ReadonlyMap<string, ContactId>
  readonly byRef: ReadonlyMap<string, ContactId>
  readonly contacts: ReadonlyMap<ContactId, Contact>
}

export interface ImportPlan {
  readonly imported: Imported
  /** As they are to be written. */
  readonly created: ReadonlyArray<Contact>
  readonly changed: ReadonlyArray<Contact>
  /** Addresses that nobody had, in the order of their index, so that two imports never wait crosswise; and who has them. */
  readonly addresses: ReadonlyArray<readonly [address: string, contact: ContactId]>
  /** All addresses of each person who has more of them now than before, and several: what stands at one may go for all. */
  readonly joined: ReadonlyArray<ReadonlyArray<string>>
  /** Everyone that the rows stand for, in order of first appearance. */
  readonly members: ReadonlyArray<ContactId>
}

const sameTexts = (one: ReadonlyArray<string>, other: ReadonlyArray<string>) =>
  one.length === other.length && one.every((text, i) => text === other[i])
const sameRecord = (one: object, other: object) => JSON.stringify(one) === JSON.stringify(other)

/** Whether a merge changed nothing: then nothing is written. Addresses are only ever added. */
const isSame = (one: Contact, other: Contact): boolean =>
  one.name === other.name &&
  one.first === other.first &&
  one.last === other.last &&
  one.timezone === other.timezone &&
  one.externalRef === other.externalRef &&
  one.addresses.length === other.addresses.length &&
  sameTexts(one.tags, other.tags) &&
  sameRecord(one.attributes, other.attributes) &&
  sameRecord(one.metadata, other.metadata)

/** Someone whom rows of the batch stand for. */
interface Person {
  readonly id: ContactId
  /** As they were before the batch; null when they come with it. */
  readonly before: Contact | null
  /** As they are after the rows so far. */
  after: Contact
}

export const plan = ({ addresses, keys, places, rows }: ImportBatch, known: Known, mode: MergeMode): ImportPlan => {
  const people = new Map<ContactId, Person>()
  for (const [id, contact] of known.contacts) people.set(id, { id, before: contact, after: contact })
  const byRef = new Map<string, Person>()
  for (const [ref, id] of known.byRef) byRef.set(ref, people.get(id)!)
  /** Of each place. */
  const owners: Array<Person | undefined> = addresses.map(() => undefined)
  for (const [address, id] of known.byAddress) owners[places.get(address)!] = people.get(id)!
  // In order of first appearance.
  const created: Array<Person> = []
  const found = new Set<Person>()
  const members: Array<ContactId> = []
  const ambiguous: Array<Imported["ambiguous"][number]> = []
  let merged = 0

  for (const [index, row] of rows.entries()) {
    const own = keys[index]!
    let owner = row.externalRef === null ? undefined : byRef.get(row.externalRef)
    let others: Set<Person> | undefined
    for (const place of own) {
      const has = owners[place]
      if (has === undefined || has === owner) continue
      if (owner === undefined) owner = has
      else others = (others ?? new Set([owner])).add(has)
    }
    if (others !== undefined) {
      ambiguous.push({ index, contacts: Array.from(others, ({ id }) => id).sort() })
      continue
    }
    const person = owner ?? { id: row.id, before: null, after: row }
    if (owner === undefined) {
      created.push(person)
      members.push(person.id)
    } else {
      if (person.before !== null && !found.has(person)) {
        found.add(person)
        members.push(person.id)
      }
      person.after = merge(person.after, row, mode)
      merged++
    }
    if (person.after.externalRef !== null) byRef.set(person.after.externalRef, person)
    for (const place of own) owners[place] ??= person
  }
  // By what they are in the end: rows of one person may say one thing and then another.
  const changed = Array.from(found).flatMap(({ after, before }) => (isSame(before!, after) ? [] : [after]))
  const joined: Array<ReadonlyArray<string>> = []
  for (const people of [created, found]) {
    for (const { after, before } of people) {
      const count = after.addresses.length
      if (count > 1 && count > (before?.addresses.length ?? 0)) joined.push(after.addresses.map(Address.key))
    }
  }
  return {
    imported: { created: created.length, merged, changed: changed.map(({ id }) => id), ambiguous },
    created: created.map(({ after }) => after),
    changed,
    addresses: addresses.flatMap((address) => {
      const owner = owners[places.get(address)!]
      return owner === undefined || (owner.before !== null && known.byAddress.has(address))
        ? []
        : [[address, owner.id] as const]
    }),
    joined,
    members
  }
}
