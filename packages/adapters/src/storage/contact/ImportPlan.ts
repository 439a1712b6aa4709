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
  /** Of each row. */
  readonly keys: ReadonlyArray<ReadonlyArray<string>>
  /** All of them, each once, in the order of their index: its pages are read and written one after the other. */
  readonly addresses: ReadonlyArray<string>
}

export const batchOf = (rows: ReadonlyArray<Contact>): ImportBatch => {
  const keys = rows.map(({ addresses }) => addresses.map(Address.key))
  return { rows, keys, addresses: [...new Set(keys.flat())].sort() }
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

export const plan = ({ addresses, keys, rows }: ImportBatch, known: Known, mode: MergeMode): ImportPlan => {
  const byAddress = new Map(known.byAddress)
  const byRef = new Map(known.byRef)
  // In order of first appearance, as they are after the rows so far.
  const created = new Map<ContactId, Contact>()
  const found = new Map<ContactId, Contact>()
  const members: Array<ContactId> = []
  const ambiguous: Array<Imported["ambiguous"][number]> = []
  let merged = 0

  for (const [index, row] of rows.entries()) {
    const own = keys[index]!
    let owner = row.externalRef === null ? undefined : byRef.get(row.externalRef)
    let others: Set<ContactId> | undefined
    for (const key of own) {
      const has = byAddress.get(key)
      if (has === undefined || has === owner) continue
      if (owner === undefined) owner = has
      else others = (others ?? new Set([owner])).add(has)
    }
    if (others !== undefined) {
      ambiguous.push({ index, contacts: [...others].sort() })
      continue
    }
    const id = owner ?? row.id
    const isNew = created.get(id)
    const before = isNew ?? found.get(id) ?? known.contacts.get(id)
    const after = before === undefined ? row : merge(before, row, mode)
    if (before === undefined || isNew !== undefined) created.set(id, after)
    else {
      if (!found.has(id)) members.push(id)
      found.set(id, after)
    }
    if (before === undefined) members.push(id)
    else merged++
    if (after.externalRef !== null) byRef.set(after.externalRef, id)
    for (const key of own) if (!byAddress.has(key)) byAddress.set(key, id)
  }
  // By what they are in the end: rows of one person may say one thing and then another.
  const changed = Array.from(found).flatMap(([id, after]) => (isSame(known.contacts.get(id)!, after) ? [] : [after]))
  return {
    imported: { created: created.size, merged, changed: changed.map(({ id }) => id), ambiguous },
    created: [...created.values()],
    changed,
    addresses: addresses.flatMap((address) => {
      const owner = known.byAddress.has(address) ? undefined : byAddress.get(address)
      return owner === undefined ? [] : [[address, owner] as const]
    }),
    members
  }
}
