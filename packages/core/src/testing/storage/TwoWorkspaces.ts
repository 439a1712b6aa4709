/** Where cases begin that look at two workspaces: the other one sees and changes nothing of the first. */
import { Effect } from "effect"
import { AccountStore } from "../../account/AccountStore.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import type { ContactListId, WorkspaceId } from "../../workspace/Id.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"

/** Two workspaces with nothing in them. */
export const two = (seed: string) =>
  Effect.gen(function* () {
    const workspaces = yield* WorkspaceStore
    const build = Builders.make(seed)
    const [mine, other] = [build.workspace(), build.workspace()]
    yield* workspaces.create(mine)
    yield* workspaces.create(other)
    return { build, mine, other }
  })

/** The ids of two workspaces, and an empty list of the first. */
export const twoWithList = (seed: string) =>
  Effect.gen(function* () {
    const { build, mine, other } = yield* two(seed)
    const store = yield* ContactStore
    const list = yield* store.createList(build.contactList(mine.id))
    return { build, mine: mine.id, other: other.id, list, store }
  })

/** Who is on a list, in their order; 500 at most. */
export const membersOf = (workspace: WorkspaceId, list: ContactListId) =>
  Effect.flatMap(ContactStore, (store) =>
    Effect.map(store.members(workspace, list, 0, 500), (rows) => rows.map(({ contact }) => contact.id as string))
  )

/** The ids of two workspaces, with an account and five people of the first. */
export const twoWithPeople = (seed: string) =>
  Effect.gen(function* () {
    const { build, mine, other } = yield* two(seed)
    const account = build.account(mine.id)
    yield* (yield* AccountStore).connect(account, [])
    const person = () => build.contact(mine.id)
    const contacts = [person(), person(), person(), person(), person()] as const
    const store = yield* ContactStore
    yield* store.import(mine.id, contacts, null)
    return { build, mine: mine.id, other: other.id, account, contacts, store, chats: yield* ChatStore }
  })
