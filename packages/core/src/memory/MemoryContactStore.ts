/** Contacts and suppressions in memory. */
import { Option } from "effect"
import * as Address from "../channel/Address.ts"
import * as Contact from "../contact/Contact.ts"
import { ContactStore, type Imported } from "../contact/ContactStore.ts"
import type { Suppression } from "../contact/Suppression.ts"
import type { ContactId, ContactListId, WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { append } from "./MemoryEventStore.ts"
import * as MemoryContactImports from "./MemoryContactImports.ts"
import * as MemoryContactLists from "./MemoryContactLists.ts"
import { by, page } from "./Paging.ts"
import { type State, suppressionKey, within } from "./State.ts"

/** Adds suppressions and leaves those that exist as they are; says how many are new. */
export const suppress = (state: State, suppressions: ReadonlyArray<Suppression>): number => {
  const before = state.suppressions.size
  for (const row of suppressions) {
    const key = suppressionKey(row)
    if (state.suppressions.get(key) === undefined) state.suppressions.set(key, row)
  }
  return state.suppressions.size - before
}

/** The contacts that have an address or the externalRef of a row. */
const matches = (state: State, workspace: WorkspaceId, row: Contact.Contact): ReadonlyArray<ContactId> => {
  const found = row.addresses.flatMap((address) => [
    ...state.contactsByAddress.get(within(workspace, Address.key(address))).keys()
  ])
  const named = row.externalRef === null ? [] : [...state.contactsByRef.get(within(workspace, row.externalRef)).keys()]
  return [...new Set([...found, ...named])].sort()
}

const importContacts = (
  state: State,
  workspace: WorkspaceId,
  rows: ReadonlyArray<Contact.Contact>,
  list: ContactListId | null,
  mode: Contact.MergeMode
): Imported => {
  let created = 0
  let merged = 0
  const ambiguous: Array<{ readonly index: number; readonly contacts: ReadonlyArray<ContactId> }> = []
  const isJoining = list !== null && state.lists.get(list)?.workspace === workspace
  for (const [index, given] of rows.entries()) {
    const row = given.workspace === workspace ? given : { ...given, workspace }
    const known = matches(state, workspace, row)
    if (known.length > 1) {
      ambiguous.push({ index, contacts: known })
      continue
    }
    const id = known[0] ?? row.id
    const existing = known.length === 0 ? undefined : state.contacts.get(id)
    if (existing === undefined) {
      state.contacts.set(id, { contact: row, touches: [] })
      created++
    } else {
      state.contacts.set(id, { ...existing, contact: Contact.merge(existing.contact, row, mode) })
      merged++
    }
    if (isJoining) MemoryContactLists.join(state, list, id)
  }
  return { created, merged, ambiguous }
}

const bySuppressed = by<Suppression>(
  (row) => row.address,
  (row) => row.account ?? ""
)

export const make = (memory: Memory) => {
  const { state, verb } = memory
  const of = (workspace: WorkspaceId) =>
    Array.from(state.contacts.values(), (row) => row.contact).filter((contact) => contact.workspace === workspace)
  return ContactStore.of({
    ...MemoryContactImports.make(memory, importContacts),
    ...MemoryContactLists.make(memory),
    import: (workspace, contacts, list, mode = "update") =>
      verb(() => importContacts(state, workspace, contacts, list, mode)),
    modify: (workspace, id, change) =>
      verb(() => {
        const row = state.contacts.get(id)
        if (row === undefined || row.contact.workspace !== workspace) return Option.none()
        const { contact, events, lift } = change(row.contact)
        const { addresses, externalRef } = row.contact
        const after = { ...contact, id, workspace, addresses, externalRef }
        state.contacts.set(id, { ...row, contact: after })
        for (const address of new Set(lift?.addresses ?? [])) {
          const key = suppressionKey({ workspace, address, account: null })
          const held = state.suppressions.get(key)
          if (held !== undefined && held.at <= (lift?.until ?? 0)) state.suppressions.delete(key)
        }
        append(state, events)
        return Option.some(after)
      }),
    erase: (workspace, id, erasure) =>
      verb(() => {
        const row = state.contacts.get(id)
        if (row === undefined || row.contact.workspace !== workspace) return Option.none()
        const { events, suppressions } = erasure(row.contact)
        for (const address of row.contact.addresses) {
          for (const held of Array.from(
            state.suppressionsByAddress.get(within(workspace, Address.key(address))).values()
          )) {
            state.suppressions.delete(suppressionKey(held))
          }
        }
        for (const list of state.lists.values()) {
          if (list.workspace === workspace) state.members.delete(`${list.id}|${id}`)
        }
        state.contacts.delete(id)
        suppress(state, suppressions)
        append(state, events)
        return Option.some(row.contact)
      }),
    get: (workspace, id) =>
      verb(() => {
        const contact = state.contacts.get(id)?.contact
        return contact?.workspace === workspace ? Option.some(contact) : Option.none()
      }),
    byAddress: (workspace, address) =>
      verb(() => {
        const [row] = state.contactsByAddress.get(within(workspace, address)).values()
        return Option.fromUndefinedOr(row?.contact)
      }),
    list: (workspace, request) => verb(() => page(of(workspace), request, (contact) => [contact.id])),
    suppress: (suppressions, events) =>
      verb(() => {
        append(state, events)
        return suppress(state, suppressions)
      }),
    lift: (workspace, addresses) =>
      verb(() => {
        const before = state.suppressions.size
        for (const address of addresses)
          state.suppressions.delete(suppressionKey({ workspace, address, account: null }))
        return before - state.suppressions.size
      }),
    suppressions: (workspace, addresses) =>
      verb(() =>
        [...new Set(addresses)]
          .flatMap((address) => [...state.suppressionsByAddress.get(within(workspace, address)).values()])
          .sort(bySuppressed)
      ),
    allSuppressions: (workspace, request) =>
      verb(() =>
        page(
          [...state.suppressions.values()].filter((row) => row.workspace === workspace),
          request,
          (row) => [row.address, row.account ?? ""]
        )
      )
  })
}
