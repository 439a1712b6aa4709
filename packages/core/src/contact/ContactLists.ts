/** Lists: their members, merging, renaming and deleting them, and their export as a stream. */
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import * as Address from "../channel/Address.ts"
import { Channels } from "../channel/Channel.ts"
import { type Actor, stamped } from "../event/DomainEvent.ts"
import type { ContactId, ContactListId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import * as Paging from "../workspace/Page.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import * as Workspace from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import type { Contact, ContactList } from "./Contact.ts"
import * as ContactCsv from "./ContactCsv.ts"
import { ContactNotFound, ListNotFound, ListNotReady } from "./Contacts.ts"
import { ContactStore } from "./ContactStore.ts"

/** How people call a list. */
export type ListName = { readonly number: number } | { readonly name: string }

/** Somebody who may be on a list: by their id, or by an address of theirs, such as a phone number. */
export type Member = ContactId | Address.Address

export interface ListWithCount extends ContactList {
  /** How many are on it now. */
  readonly members: number
}

export class ContactLists extends Context.Service<
  ContactLists,
  {
    /** In order of their numbers, with how many are on each. */
    page(
      workspace: WorkspaceId,
      page: PageRequest
    ): Effect.Effect<Page<ListWithCount>, StorageError | Paging.InvalidListRequest>
    get(workspace: WorkspaceId, id: ContactListId): Effect.Effect<ListWithCount, ListNotFound | StorageError>
    /** By its number or its name; of several with one name the first. */
    find(workspace: WorkspaceId, list: ListName): Effect.Effect<ListWithCount, ListNotFound | StorageError>
    /** Puts somebody on a list, as its last member; false when they were on it. */
    add(
      workspace: WorkspaceId,
      id: ContactListId,
      member: Member
    ): Effect.Effect<boolean, ListNotFound | ContactNotFound | StorageError>
    /** Takes somebody off a list; false when they were not on it. Their leads stay. */
    remove(
      workspace: WorkspaceId,
      id: ContactListId,
      member: Member
    ): Effect.Effect<boolean, ListNotFound | ContactNotFound | StorageError>
    /** Members in the order in which they joined; by cursor only. */
    members(
      workspace: WorkspaceId,
      id: ContactListId,
      page: Omit<PageRequest, "offset">
    ): Effect.Effect<Page<Contact>, ListNotFound | StorageError | Paging.InvalidListRequest>
    rename(
      workspace: WorkspaceId,
      id: ContactListId,
      name: string
    ): Effect.Effect<ContactList, ListNotFound | StorageError>
    /** Makes a new list of everyone on the others, each once; those stay as they are. */
    merge(
      workspace: WorkspaceId,
      name: string,
      sources: ReadonlyArray<ContactListId>,
      actor: Actor
    ): Effect.Effect<ContactList, Workspace.WorkspaceNotFound | ListNotFound | ListNotReady | StorageError>
    /** Removes the list, never its contacts, nor the leads of campaigns that used it. */
    delete(workspace: WorkspaceId, id: ContactListId): Effect.Effect<void, ListNotFound | StorageError>
    /** The list as CSV in pieces of about 64 KiB; a page of members is in memory at a time. */
    csv(
      workspace: WorkspaceId,
      id: ContactListId,
      options?: Pick<ContactCsv.CsvOptions, "forSpreadsheets">
    ): Stream.Stream<string, ListNotFound | StorageError>
  }
>()("@overture/core/ContactLists") {
  static readonly layer = Layer.effect(
    ContactLists,
    Effect.suspend(() => make)
  )
}

const exported = 200
const pieceSize = 65_536

const checkList = Paging.checkerOf([0])
/** Before the first member of a list. */
const firstMember = [0] as const
const { count, cursor, limit } = Paging.fieldsOf(firstMember)
const checkMembers = Paging.checker(Schema.Struct({ page: Schema.Struct({ count, cursor, limit }) }))

const make = Effect.gen(function* () {
  const store = yield* ContactStore
  const workspaces = yield* WorkspaceStore
  const channels = yield* Channels
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const phoneChannels = new Set<string>(
    [...channels.all.values()].filter(({ capabilities }) => capabilities.phoneNumbers).map(({ name }) => name)
  )

  const needed = Effect.fnUntraced(function* (workspace: WorkspaceId, id: ContactListId) {
    const list = yield* store.getList(workspace, id)
    return Option.isSome(list) ? list.value : yield* new ListNotFound({ list: id })
  })

  const contactOf = Effect.fnUntraced(function* (workspace: WorkspaceId, member: Member) {
    const found =
      typeof member === "string"
        ? yield* store.get(workspace, member)
        : yield* store.byAddress(workspace, Address.key(member))
    if (Option.isSome(found)) return found.value.id
    return yield* new ContactNotFound({ contact: typeof member === "string" ? member : Address.key(member) })
  })

  const counted = Effect.fnUntraced(function* (list: ContactList): Effect.fn.Return<ListWithCount, StorageError> {
    const [members = 0] = yield* store.countMembers(list.workspace, [list.id])
    return { ...list, members }
  })

  /** Texts of whole rows, page by page, put together to pieces. */
  const rows = (workspace: WorkspaceId, id: ContactListId, row: (contact: Contact) => string) =>
    Stream.paginate(0, (position) => {
      // On a database that answers at once, others get their turn between pages; the collector too, which saves 8 MB.
      const page = Effect.andThen(Effect.yieldNow, store.members(workspace, id, position, exported))
      return Effect.map(page, (members) => {
        const last = members.at(-1)
        let text = ""
        const pieces: Array<string> = []
        for (const { contact } of members) {
          text += row(contact)
          if (text.length < pieceSize) continue
          pieces.push(text)
          text = ""
        }
        if (text !== "") pieces.push(text)
        const more =
          members.length === exported && last !== undefined ? Option.some(last.position) : Option.none<number>()
        return [pieces, more] as const
      })
    })

  const membersOf = Effect.fnUntraced(function* (workspace: WorkspaceId, id: ContactListId, request: PageRequest) {
    const { after, limit } = Paging.placeOf(request, firstMember)
    const found = yield* store.members(workspace, id, Number((after ?? firstMember)[0]), limit + 1)
    const page = found.slice(0, limit)
    const last = page.at(-1)
    const total = request.count === true ? ((yield* store.countMembers(workspace, [id]))[0] ?? 0) : undefined
    return {
      data: page.map(({ contact }) => contact),
      nextCursor: found.length > limit && last !== undefined ? Paging.cursorOf([last.position]) : null,
      ...(total !== undefined && { total })
    }
  })

  return ContactLists.of({
    page: Effect.fn("ContactLists.page")(function* (workspace, request) {
      const asked = yield* Effect.fromResult(checkList({ page: request }))
      const page = yield* Paging.ofList("lists", asked.page, (own) => store.lists(workspace, own))
      const counts = yield* store.countMembers(
        workspace,
        page.data.map(({ id }) => id)
      )
      return { ...page, data: page.data.map((list, i) => ({ ...list, members: counts[i] ?? 0 })) }
    }),
    get: Effect.fn("ContactLists.get")(function* (workspace, id) {
      return yield* counted(yield* needed(workspace, id))
    }),
    find: Effect.fn("ContactLists.find")(function* (workspace, called) {
      const found =
        "number" in called
          ? yield* store.listByNumber(workspace, called.number)
          : yield* store.listByName(workspace, called.name)
      if (Option.isSome(found)) return yield* counted(found.value)
      return yield* new ListNotFound({ list: "number" in called ? `number ${called.number}` : called.name })
    }),
    add: Effect.fn("ContactLists.add")(function* (workspace, id, member) {
      yield* needed(workspace, id)
      return yield* store.joinList(workspace, id, yield* contactOf(workspace, member))
    }),
    remove: Effect.fn("ContactLists.remove")(function* (workspace, id, member) {
      yield* needed(workspace, id)
      return yield* store.leaveList(workspace, id, yield* contactOf(workspace, member))
    }),
    members: Effect.fn("ContactLists.members")(function* (workspace, id, request) {
      const asked = yield* Effect.fromResult(checkMembers({ page: request }))
      yield* needed(workspace, id)
      return yield* Paging.ofList(`members of ${id}`, asked.page, (own) => membersOf(workspace, id, own))
    }),
    rename: Effect.fn("ContactLists.rename")(function* (workspace, id, name) {
      const list = yield* store.renameList(workspace, id, name)
      return Option.isSome(list) ? list.value : yield* new ListNotFound({ list: id })
    }),
    merge: Effect.fn("ContactLists.merge")(function* (workspace, name, sources, actor) {
      yield* Workspace.needed(workspace)(yield* workspaces.get(workspace))
      for (const id of sources) {
        const source = yield* needed(workspace, id)
        if (source.status !== "ready") return yield* new ListNotReady({ list: source.name })
      }
      const ids = yield* makeIds
      const [id, at] = [ids.next("lst"), yield* time.now]
      const data = { merged: [...sources] }
      const merged = yield* store.mergeLists({ id, workspace, name, status: "ready", createdAt: at }, sources, [
        stamped(ids, at, { workspace, type: "list.ready", subject: id, actor, data })
      ])
      return Option.isSome(merged) ? merged.value : yield* new ListNotFound({ list: sources.join(", ") })
    }),
    delete: Effect.fn("ContactLists.delete")(function* (workspace, id) {
      if (!(yield* store.deleteList(workspace, id))) return yield* new ListNotFound({ list: id })
    }),
    csv: (workspace, id, options) =>
      Stream.unwrap(
        Effect.gen(function* () {
          yield* needed(workspace, id)
          const names = ContactCsv.attributeColumns(yield* store.attributeNames(workspace, id))
          const { header, row } = ContactCsv.encoder(names, { ...options, phoneChannels })
          return Stream.concat(Stream.succeed(header), rows(workspace, id, row))
        })
      )
  })
})
