/** Lists and their members in memory. */
import { Option } from "effect"
import type { ContactList } from "../contact/Contact.ts"
import type { ListVerbs } from "../contact/ContactStore.ts"
import type { ContactListId, WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { append } from "./MemoryEventStore.ts"
import { by, firstOf, page } from "./Paging.ts"
import { type MemberRow, nextNumber, type State } from "./State.ts"

const byPosition = by<MemberRow>((member) => member.position)
const byNumber = by<ContactList>((list) => list.number)

/** The last place that was given on a list. */
export const lastPlace = (state: State, list: ContactListId): number => state.numbers.get(`${list}|member`)?.last ?? 0

/** Puts a contact on a list, once. Positions are never given twice, also where a member has left. */
export const join = (state: State, list: ContactListId, contact: MemberRow["contact"]): void => {
  const key = `${list}|${contact}`
  if (state.members.get(key) !== undefined) return
  const position = lastPlace(state, list) + 1
  state.numbers.set(`${list}|member`, { last: position })
  state.members.set(key, { list, contact, position })
}

export const make = ({ state, verb }: Memory): ListVerbs => {
  const listOf = (workspace: WorkspaceId, id: ContactListId) => {
    const list = state.lists.get(id)
    return list?.workspace === workspace ? list : undefined
  }
  const all = (workspace: WorkspaceId) =>
    [...state.lists.values()].filter((list) => list.workspace === workspace).sort(byNumber)
  const membersOf = (id: ContactListId) => [...state.membersByList.get(id).values()].sort(byPosition)
  const create = (list: Omit<ContactList, "number">): ContactList => {
    const created = { ...list, number: nextNumber(state, list.workspace, "list") }
    state.lists.set(list.id, created)
    return created
  }
  return {
    createList: (list) => verb(() => create(list)),
    getList: (workspace, id) => verb(() => Option.fromUndefinedOr(listOf(workspace, id))),
    listByName: (workspace, name) =>
      verb(() => Option.fromUndefinedOr(all(workspace).find((list) => list.name === name))),
    listByNumber: (workspace, number) =>
      verb(() => Option.fromUndefinedOr(all(workspace).find((list) => list.number === number))),
    joinList: (workspace, list, contact) =>
      verb(() => {
        const isThere = state.contacts.get(contact)?.contact.workspace === workspace
        if (!isThere || listOf(workspace, list) === undefined) return false
        const isNew = state.members.get(`${list}|${contact}`) === undefined
        join(state, list, contact)
        return isNew
      }),
    leaveList: (workspace, list, contact) =>
      verb(() => {
        const key = `${list}|${contact}`
        const isMember = listOf(workspace, list) !== undefined && state.members.get(key) !== undefined
        if (isMember) state.members.delete(key)
        return isMember
      }),
    lists: (workspace, request) => verb(() => page(all(workspace), request, (list) => [list.number])),
    listsOf: (workspace, contact) =>
      verb(() => all(workspace).filter((list) => state.members.get(`${list.id}|${contact}`) !== undefined)),
    renameList: (workspace, id, name) =>
      verb(() => {
        const list = listOf(workspace, id)
        if (list === undefined) return Option.none()
        const renamed = { ...list, name }
        state.lists.set(id, renamed)
        return Option.some(renamed)
      }),
    deleteList: (workspace, id) =>
      verb(() => {
        if (listOf(workspace, id) === undefined) return false
        for (const member of membersOf(id)) state.members.delete(`${id}|${member.contact}`)
        state.lists.delete(id)
        return true
      }),
    mergeLists: (list, sources, events) =>
      verb(() => {
        if (sources.some((id) => listOf(list.workspace, id) === undefined)) return Option.none()
        const created = create(list)
        for (const id of sources) for (const { contact } of membersOf(id)) join(state, list.id, contact)
        append(state, events)
        return Option.some(created)
      }),
    gatherList: (workspace, id, empty) =>
      verb(() => {
        const list = listOf(workspace, id)
        if (list === undefined) return false
        if (empty) for (const member of membersOf(id)) state.members.delete(`${id}|${member.contact}`)
        state.lists.set(id, { ...list, status: "gathering" })
        return true
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
    countMembers: (workspace, lists) =>
      verb(() => lists.map((id) => (listOf(workspace, id) === undefined ? 0 : state.membersByList.get(id).size))),
    attributeNames: (workspace, list) =>
      verb(() => {
        if (listOf(workspace, list) === undefined) return []
        const names = membersOf(list).flatMap(({ contact }) =>
          Object.keys(state.contacts.need(contact).contact.attributes)
        )
        return [...new Set(names)].sort(by((name) => name))
      })
  }
}
