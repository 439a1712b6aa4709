/** Contacts, lists and suppressions in memory. */
import { Option } from "effect"
import * as Address from "../channel/Address.ts"
import * as Contact from "../contact/Contact.ts"
import { ContactStore, type Imported } from "../contact/ContactStore.ts"
import type { Suppression } from "../contact/Suppression.ts"
import type { ContactId, ContactListId, WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { append } from "./MemoryEventStore.ts"
import { by, firstOf, page } from "./Paging.ts"
import { type MemberRow, nextNumber, type State, suppressionKey, within } from "./State.ts"

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

const join = (state: State, list: ContactListId, contact: ContactId): void => {
  const key = `${list}|${contact}`
  if (state.members.get(key) !== undefined) return
  state.members.set(key, { list, contact, position: state.membersByList.get(list).size + 1 })
}

const importContacts = (
  state: State,
  workspace: WorkspaceId,
  rows: ReadonlyArray<Contact.Contact>,
  list: ContactListId | null
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
      state.contacts.set(id, { ...existing, contact: Contact.merge(existing.contact, row) })
      merged++
    }
    if (isJoining) join(state, list, id)
  }
  return { created, merged, ambiguous }
}

const bySuppressed = by<Suppression>(
  (row) => row.address,
  (row) => row.account ?? ""
)
const byPosition = by<MemberRow>((member) => member.position)

export const make = ({ state, verb }: Memory) => {
  const listOf = (workspace: WorkspaceId, id: ContactListId) => {
    const list = state.lists.get(id)
    return list?.workspace === workspace ? list : undefined
  }
  const of = (workspace: WorkspaceId) =>
    Array.from(state.contacts.values(), (row) => row.contact).filter((contact) => contact.workspace === workspace)
  return ContactStore.of({
    import: (workspace, contacts, list) => verb(() => importContacts(state, workspace, contacts, list)),
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
    createList: (list) =>
      verb(() => {
        const created = { ...list, number: nextNumber(state, list.workspace, "list") }
        state.lists.set(list.id, created)
        return created
      }),
    getList: (workspace, id) => verb(() => Option.fromUndefinedOr(listOf(workspace, id))),
    listByName: (workspace, name) =>
      verb(() => {
        const [list] = [...state.lists.values()]
          .filter((row) => row.workspace === workspace && row.name === name)
          .sort(by((row) => row.number))
        return Option.fromUndefinedOr(list)
      }),
    setListReady: (workspace, id, events) =>
      verb(() => {
        const list = listOf(workspace, id)
        if (list === undefined || list.status === "ready") return
        state.lists.set(id, { ...list, status: "ready" })
        append(state, events)
      }),
    members: (workspace, list, after, limit) =>
      verb(() => {
        if (listOf(workspace, list) === undefined) return []
        const later = [...state.membersByList.get(list).values()].filter((member) => member.position > after)
        return firstOf(later, limit, byPosition).map(({ contact, position }) => ({
          position,
          contact: state.contacts.need(contact).contact
        }))
      }),
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
      )
  })
}
