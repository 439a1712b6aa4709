/**
 * What a batch of contacts comes to, worked out one row after the other as if each were imported by itself: who is new,
 * who becomes part of whom, and which rows could be two people. Pure; the store reads before and writes after it.
 */
import * as Address from "@overture/core/channel/Address"
import { type Contact, merge } from "@overture/core/contact/Contact"
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

export const plan = (rows: ReadonlyArray<Contact>, known: Known): ImportPlan => {
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
    const owners = new Set<ContactId>()
    for (const key of keys) {
      const owner = byAddress.get(key)
      if (owner !== undefined) owners.add(owner)
    }
    const named = row.externalRef === null ? undefined : byRef.get(row.externalRef)
    if (named !== undefined) owners.add(named)
    if (owners.size > 1) {
      ambiguous.push({ index, contacts: [...owners].sort() })
      continue
    }
    const [owner] = owners
    const before = owner === undefined ? undefined : contacts.get(owner)
    const after = before === undefined ? row : merge(before, row)
    if (before === undefined) created.add(after.id)
    else {
      merged++
      if (!created.has(after.id)) changed.add(after.id)
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
    addresses,
    members: [...members]
  }
}
