/** Contacts and suppressions in memory. */
import { Option } from "effect"
import * as Address from "../channel/Address.ts"
import * as Contact from "../contact/Contact.ts"
import { ContactStore, type Imported } from "../contact/ContactStore.ts"
import { type AddressHash, isOf, isTombstone, keysOf, type Suppression } from "../contact/Suppression.ts"
import * as Wish from "../contact/Wish.ts"
import type { ContactId, ContactListId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
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

/** Whether there was something to lift. */
const liftUntil = (state: State, workspace: WorkspaceId, address: string, until: Instant): boolean => {
  const key = suppressionKey({ workspace, address, account: null })
  const held = state.suppressions.get(key)
  if (held === undefined || held.at > until) return false
  state.suppressions.delete(key)
  return true
}

const heed = (state: State, wishes: ReadonlyArray<Wish.Wish>, hash: AddressHash | null): ReadonlyArray<Wish.Heeded> =>
  Wish.collected(wishes).map((own) => {
    const { address, workspace } = own
    const wish = Wish.joined(state.wishes.get(within(workspace, address)), own)
    state.wishes.set(within(workspace, address), wish)
    const at = Wish.stopped(wish)
    if (at === null) {
      const lifted = keysOf(hash, address).filter((key) => liftUntil(state, workspace, key, wish.startAt ?? 0))
      return { ...wish, lifted: lifted.length > 0 }
    }
    const row: Suppression = { workspace, address, account: null, reason: "optedOut", at }
    const held = state.suppressions.get(suppressionKey(row))
    if (held === undefined || held.at < at) state.suppressions.set(suppressionKey(row), row)
    return { ...wish, lifted: false }
  })

/** What stands at one address of these people goes for all of them. */
const share = (state: State, workspace: WorkspaceId, people: ReadonlyArray<Contact.Contact>): void => {
  if (state.workspaces.get(workspace)?.workspace.optOutScope === "address") return
  const addresses = people.map((contact) => contact.addresses.map(Address.key))
  const stops = new Map<string, Instant>()
  for (const address of addresses.flat()) {
    const held = state.suppressions.get(suppressionKey({ workspace, address, account: null }))
    if (held?.reason === "optedOut") stops.set(address, held.at)
  }
  heed(state, Wish.shared(workspace, addresses, stops), null)
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
  const created = new Set<ContactId>()
  let merged = 0
  const before = new Map<ContactId, Contact.Contact>()
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
      created.add(id)
    } else {
      if (!before.has(id) && !created.has(id)) before.set(id, existing.contact)
      state.contacts.set(id, { ...existing, contact: Contact.merge(existing.contact, row, mode) })
      merged++
    }
    if (isJoining) MemoryContactLists.join(state, list, id)
  }
  const after = (id: ContactId) => state.contacts.need(id).contact
  const changed = Array.from(before).flatMap(([id, former]) =>
    JSON.stringify(after(id)) === JSON.stringify(former) ? [] : [id]
  )
  const gained = changed.filter((id) => after(id).addresses.length > (before.get(id)?.addresses.length ?? 0))
  share(state, workspace, [...created, ...gained].map(after))
  return { created: created.size, merged, changed, ambiguous }
}

const bySuppressed = by<Suppression>(
  (row) => row.address,
  (row) => row.account ?? ""
)

export const make = (memory: Memory) => {
  const { state, verb } = memory
  const of = (workspace: WorkspaceId) =>
    Array.from(state.contacts.values(), (row) => row.contact).filter((contact) => contact.workspace === workspace)
  const there = (workspace: WorkspaceId, ids: ReadonlyArray<ContactId>) =>
    verb(() => new Set(ids.filter((id) => state.contacts.get(id)?.contact.workspace === workspace)))
  return ContactStore.of({
    ...MemoryContactImports.make(memory, importContacts),
    ...MemoryContactLists.make(memory),
    import: (workspace, contacts, list, mode = "update") =>
      verb(() => importContacts(state, workspace, contacts, list, mode)),
    modify: (workspace, id, change) =>
      verb(() => {
        const row = state.contacts.get(id)
        if (row === undefined || row.contact.workspace !== workspace) return Option.none()
        const { contact, events } = change(row.contact)
        const { addresses, externalRef } = row.contact
        const after = { ...contact, id, workspace, addresses, externalRef }
        state.contacts.set(id, { ...row, contact: after })
        append(state, events)
        return Option.some(after)
      }),
    erase: (workspace, id, erasure) =>
      verb(() => {
        const row = state.contacts.get(id)
        if (row === undefined || row.contact.workspace !== workspace) return Option.none()
        const { events, suppressions } = erasure(row.contact)
        for (const address of row.contact.addresses) {
          const held = state.suppressionsByAddress.get(within(workspace, Address.key(address)))
          if (suppressions !== null)
            for (const one of Array.from(held.values())) state.suppressions.delete(suppressionKey(one))
          state.wishes.delete(within(workspace, Address.key(address)))
        }
        for (const list of state.lists.values()) {
          if (list.workspace === workspace) state.members.delete(`${list.id}|${id}`)
        }
        state.contacts.delete(id)
        suppress(state, suppressions ?? [])
        append(state, events)
        return Option.some(row.contact)
      }),
    get: (workspace, id) =>
      verb(() => {
        const contact = state.contacts.get(id)?.contact
        return contact?.workspace === workspace ? Option.some(contact) : Option.none()
      }),
    among: (workspace, ids) =>
      verb(() =>
        [...new Set(ids)].flatMap((id) => {
          const contact = state.contacts.get(id)?.contact
          return contact?.workspace === workspace ? [contact] : []
        })
      ),
    byAddress: (workspace, address) =>
      verb(() => {
        const [row] = state.contactsByAddress.get(within(workspace, address)).values()
        return Option.fromUndefinedOr(row?.contact)
      }),
    hold: there,
    keep: there,
    awaitKeepers: () => verb(() => undefined),
    holdAddresses: () => verb(() => undefined),
    byAddresses: (workspace, addresses) =>
      verb(
        () =>
          new Map(
            addresses.flatMap((address) => {
              const [row] = state.contactsByAddress.get(within(workspace, address)).values()
              return row === undefined ? [] : [[address, row.contact] as const]
            })
          )
      ),
    list: (workspace, request) => verb(() => page(of(workspace), request, (contact) => [contact.id])),
    noteUnreachable: (found) =>
      verb(() => {
        for (const { address, contact, workspace } of found) {
          const row = state.contacts.get(contact)
          const isTheirs =
            row?.contact.workspace === workspace && row.contact.addresses.some((one) => Address.key(one) === address)
          if (row === undefined || !isTheirs || row.unreachable?.includes(address) === true) continue
          state.contacts.set(contact, { ...row, unreachable: [...(row.unreachable ?? []), address] })
        }
      }),
    suppress: (suppressions, events) =>
      verb(() => {
        append(state, events)
        return suppress(state, suppressions)
      }),
    heed: (wishes, addressHash = null) => verb(() => heed(state, wishes, addressHash)),
    wishes: (workspace, addresses) =>
      verb(() => [...new Set(addresses)].flatMap((address) => state.wishes.get(within(workspace, address)) ?? [])),
    suppressions: (workspace, addresses) =>
      verb(() =>
        [...new Set(addresses)]
          .flatMap((address) => [...state.suppressionsByAddress.get(within(workspace, address)).values()])
          .sort(bySuppressed)
      ),
    hasUnrecognised: (hash) =>
      verb(() =>
        Array.from(state.suppressions.values()).some(
          ({ address }) => isTombstone(address) && (hash === null || !isOf(hash, address))
        )
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
