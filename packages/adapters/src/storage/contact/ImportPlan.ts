/**
 * What a batch of contacts comes to, worked out one row after the other as if each were imported by itself: who is new,
 * who becomes part of whom, and which rows could be two people. Pure; the store reads before and writes after it.
 */
import * as Address from "@overture/core/channel/Address"
import { type Contact, merge, type MergeMode } from "@overture/core/contact/Contact"
import type { Imported } from "@overture/core/contact/ContactStore"
import type { ContactId } from "@overture/core/workspace/Id"

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
  /** Addresses that nobody had. */
  readonly addresses: ReadonlyArray<{ readonly address: string; readonly contact_id: ContactId }>
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

export const plan = (rows: ReadonlyArray<Contact>, known: Known, mode: MergeMode): ImportPlan => {
  const byAddress = new Map(known.byAddress)
  const byRef = new Map(known.byRef)
  const contacts = new Map(known.contacts)
  const created = new Set<ContactId>()
  const changed = new Set<ContactId>()
  const members = new Set<ContactId>()
  const addresses: Array<ImportPlan["addresses"][number]> = []
  const ambiguous: Array<Imported["ambiguous"][number]> = []
  let merged = 0

  for (const [index, row] of rows.entries()) {
    const keys = row.addresses.map(Address.key)
    let owner = row.externalRef === null ? undefined : byRef.get(row.externalRef)
    let others: Set<ContactId> | undefined
    for (const key of keys) {
      const found = byAddress.get(key)
      if (found === undefined || found === owner) continue
      if (owner === undefined) owner = found
      else others = (others ?? new Set([owner])).add(found)
    }
    if (others !== undefined) {
      ambiguous.push({ index, contacts: [...others].sort() })
      continue
    }
    const before = owner === undefined ? undefined : contacts.get(owner)
    const after = before === undefined ? row : merge(before, row, mode)
    if (before === undefined) created.add(after.id)
    else {
      merged++
      if (!created.has(after.id) && !isSame(before, after)) changed.add(after.id)
    }
    contacts.set(after.id, after)
    members.add(after.id)
    if (after.externalRef !== null) byRef.set(after.externalRef, after.id)
    for (const key of keys) {
      if (byAddress.has(key)) continue
      byAddress.set(key, after.id)
      addresses.push({ address: key, contact_id: after.id })
    }
  }
  const written = (ids: ReadonlySet<ContactId>) => Array.from(ids, (id) => contacts.get(id)!)
  return {
    imported: { created: created.size, merged, ambiguous },
    created: written(created),
    changed: written(changed),
    // In the order of their index: its pages are written one after the other, and two imports never wait crosswise.
    addresses: addresses.sort((a, b) => (a.address < b.address ? -1 : 1)),
    members: [...members]
  }
}
