/** The port for people, their lists, their imports, and the addresses that must not be written to. */
import { Context, type Effect, type Option } from "effect"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { ContactId, ContactListId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Contact, ContactList, MergeMode } from "./Contact.ts"
import type { ContactImport, ImportChunk } from "./ContactImport.ts"
import type { AddressHash, Suppression } from "./Suppression.ts"
import type { Heeded, Wish, WishState } from "./Wish.ts"

export interface Imported {
  readonly created: number
  readonly merged: number
  /** People who were known and of whom something is different now. */
  readonly changed: ReadonlyArray<ContactId>
  /** Rows that matched two different contacts; nothing was written for them. */
  readonly ambiguous: ReadonlyArray<{ readonly index: number; readonly contacts: ReadonlyArray<ContactId> }>
}

/** What a rule makes of a contact. Its addresses and externalRef stay as they are. */
export interface ContactChange {
  readonly contact: Contact
  readonly events: ReadonlyArray<DomainEvent>
}

/** What is written when a person goes. */
export interface Erasure {
  /** What replaces the suppressions of the addresses; null = they stay as they are. */
  readonly suppressions: ReadonlyArray<Suppression> | null
  readonly events: ReadonlyArray<DomainEvent>
}

/** The place of a contact on a list. */
export interface ListMember {
  readonly position: number
  readonly contact: Contact
}

export class ContactStore extends Context.Service<
  ContactStore,
  {
    /**
     * Adds contacts in one transaction. A row whose address or externalRef is known becomes part of that contact
     * (`Contact.merge`), also when two rows of the batch share one: as if each row were imported by itself, in this order.
     * Every contact ends as a member of `list`, in order of first appearance. Where one of the addresses that are a
     * person's from then on is suppressed as `optedOut` for the workspace, the others are, too, as if that stop had been said
     * of all of them, but for a workspace whose `optOutScope` is the address.
     */
    import(
      workspace: WorkspaceId,
      contacts: ReadonlyArray<Contact>,
      list: ContactListId | null,
      mode?: MergeMode
    ): Effect.Effect<Imported, StorageError>
    /** Begins an import, or finds the one of that id as it stands; what the two differ in is for the caller to see. */
    beginImport(begin: ContactImport): Effect.Effect<ContactImport, StorageError>
    /**
     * `import` of the next chunk and how far the import came, in one transaction. None, and nothing is written, when the
     * import does not stand where `at` says or is finished: another process was first.
     */
    importChunk(
      at: ContactImport,
      chunk: ImportChunk
    ): Effect.Effect<Option.Option<{ readonly at: ContactImport; readonly imported: Imported }>, StorageError>
    /**
     * People whom the last chunk of an import changed, as it was taken: what was to follow from that may not have been done
     * by who took it. Nobody once it is finished.
     */
    changedLast(workspace: WorkspaceId, id: string): Effect.Effect<ReadonlyArray<ContactId>, StorageError>
    /** Once: an import that is finished stays so. */
    finishImport(workspace: WorkspaceId, id: string, at: Instant): Effect.Effect<void, StorageError>
    getImport(workspace: WorkspaceId, id: string): Effect.Effect<Option.Option<ContactImport>, StorageError>
    get(workspace: WorkspaceId, id: ContactId): Effect.Effect<Option.Option<Contact>, StorageError>
    /** Those of these that there are, in no order. */
    among(workspace: WorkspaceId, ids: ReadonlyArray<ContactId>): Effect.Effect<ReadonlyArray<Contact>, StorageError>
    byAddress(workspace: WorkspaceId, address: string): Effect.Effect<Option.Option<Contact>, StorageError>
    /** Who has each of these addresses, by its key; without those nobody has. */
    byAddresses(
      workspace: WorkspaceId,
      addresses: ReadonlyArray<string>
    ): Effect.Effect<ReadonlyMap<string, Contact>, StorageError>
    /**
     * Which of these contacts there are; none of them is deleted or erased before this transaction ends. For whoever is
     * about to write of them what names them nowhere yet; to be called before anything is locked.
     */
    keep(workspace: WorkspaceId, ids: ReadonlyArray<ContactId>): Effect.Effect<ReadonlySet<ContactId>, StorageError>
    /** Waits for those who `keep` this contact, and has others wait until this transaction ends. Before all locks. */
    awaitKeepers(contact: ContactId): Effect.Effect<void, StorageError>
    /** As `keep`, for whoever has locked messages and chats of them already. */
    hold(workspace: WorkspaceId, ids: ReadonlyArray<ContactId>): Effect.Effect<ReadonlySet<ContactId>, StorageError>
    /** Locks who has one of these addresses, as an import of them does: nobody of them is erased before this transaction ends. */
    holdAddresses(workspace: WorkspaceId, addresses: ReadonlyArray<string>): Effect.Effect<void, StorageError>
    /** In order of their ids. */
    list(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<Contact>, StorageError>
    /** Applies a rule to the locked contact, with what it tells; none when there is no such contact. */
    modify(
      workspace: WorkspaceId,
      id: ContactId,
      change: (before: Contact) => ContactChange
    ): Effect.Effect<Option.Option<Contact>, StorageError>
    /**
     * Removes a contact, its addresses and its places on lists; of its addresses, what suppresses them as the erasure says.
     * The contact as it was, or none when there is no such contact.
     */
    erase(
      workspace: WorkspaceId,
      id: ContactId,
      erasure: (before: Contact) => Erasure
    ): Effect.Effect<Option.Option<Contact>, StorageError>
    createList(list: Omit<ContactList, "number">): Effect.Effect<ContactList, StorageError>
    getList(workspace: WorkspaceId, id: ContactListId): Effect.Effect<Option.Option<ContactList>, StorageError>
    listByName(workspace: WorkspaceId, name: string): Effect.Effect<Option.Option<ContactList>, StorageError>
    listByNumber(workspace: WorkspaceId, number: number): Effect.Effect<Option.Option<ContactList>, StorageError>
    /** Puts a contact on a list, as its last member; false when they were on it, or there is no such list or contact. */
    joinList(workspace: WorkspaceId, list: ContactListId, contact: ContactId): Effect.Effect<boolean, StorageError>
    /** Takes a contact off a list, never their leads; false when they were not on it. */
    leaveList(workspace: WorkspaceId, list: ContactListId, contact: ContactId): Effect.Effect<boolean, StorageError>
    /** In order of their numbers. */
    lists(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<ContactList>, StorageError>
    /** The lists a contact is on, in order of their numbers. */
    listsOf(workspace: WorkspaceId, contact: ContactId): Effect.Effect<ReadonlyArray<ContactList>, StorageError>
    renameList(
      workspace: WorkspaceId,
      id: ContactListId,
      name: string
    ): Effect.Effect<Option.Option<ContactList>, StorageError>
    /** Removes a list, never its contacts nor their leads; false when there was none. */
    deleteList(workspace: WorkspaceId, id: ContactListId): Effect.Effect<boolean, StorageError>
    /**
     * Makes a list of everyone on `sources`, each once: those of the first source in their order, then who only the next
     * one has. None, and nothing is written, when a source does not exist.
     */
    mergeLists(
      list: Omit<ContactList, "number">,
      sources: ReadonlyArray<ContactListId>,
      events: ReadonlyArray<DomainEvent>
    ): Effect.Effect<Option.Option<ContactList>, StorageError>
    /** The list is being gathered from now on, and everyone leaves it where `empty`; false when there is none. */
    gatherList(workspace: WorkspaceId, id: ContactListId, empty: boolean): Effect.Effect<boolean, StorageError>
    /** Once: a list that is ready already stays as it is, and no event is written. */
    setListReady(
      workspace: WorkspaceId,
      id: ContactListId,
      events: ReadonlyArray<DomainEvent>
    ): Effect.Effect<void, StorageError>
    /** Members in the order in which they joined, at most `limit` after `after` (the joining number; 0 = from the start). */
    members(
      workspace: WorkspaceId,
      list: ContactListId,
      after: number,
      limit: number
    ): Effect.Effect<ReadonlyArray<ListMember>, StorageError>
    /** How many are on each list, in the order asked for; 0 for a list that does not exist. */
    countMembers(
      workspace: WorkspaceId,
      lists: ReadonlyArray<ContactListId>
    ): Effect.Effect<ReadonlyArray<number>, StorageError>
    /** The names of the attributes that anyone on the list has, in byte order. */
    attributeNames(workspace: WorkspaceId, list: ContactListId): Effect.Effect<ReadonlyArray<string>, StorageError>
    /**
     * Remembers addresses at which a message found nobody, of contacts that have them: leads take another one first. Locks
     * the contacts in id order.
     */
    noteUnreachable(
      found: ReadonlyArray<{
        readonly workspace: WorkspaceId
        readonly contact: ContactId
        /** Its key. */
        readonly address: string
      }>
    ): Effect.Effect<void, StorageError>
    /** Adds suppressions; those that exist stay as they are. Returns how many are new; the events are written in any case. */
    suppress(
      suppressions: ReadonlyArray<Suppression>,
      events: ReadonlyArray<DomainEvent>
    ): Effect.Effect<number, StorageError>
    /**
     * Remembers what people said of being written to. Whose last word is stop is suppressed as `optedOut` since then, also
     * where something older suppressed them; whose last word is start is suppressed by nothing older for the whole
     * workspace, nor under their hash. Any order of the same wishes leaves the same. Answers what came of each address, in no
     * order.
     */
    heed(
      wishes: ReadonlyArray<Wish>,
      addressHash?: AddressHash | null
    ): Effect.Effect<ReadonlyArray<Heeded>, StorageError>
    /** What is remembered of what people said of being written to, of each of these addresses that said anything. */
    wishes(
      workspace: WorkspaceId,
      addresses: ReadonlyArray<string>
    ): Effect.Effect<ReadonlyArray<WishState>, StorageError>
    suppressions(
      workspace: WorkspaceId,
      addresses: ReadonlyArray<string>
    ): Effect.Effect<ReadonlyArray<Suppression>, StorageError>
    /**
     * Whether any workspace has people who were erased with another secret than this hash's (null = with any at all). Costs
     * one look-up per workspace.
     */
    hasUnrecognised(hash: AddressHash | null): Effect.Effect<boolean, StorageError>
    /** All of the workspace, by address and account; those of erased people come first. */
    allSuppressions(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<Suppression>, StorageError>
  }
>()("@overture/core/ContactStore") {}

/** Of its verbs, those of lists and their members. */
export type ListVerbs = Pick<
  ContactStore["Service"],
  | "createList"
  | "getList"
  | "listByName"
  | "listByNumber"
  | "joinList"
  | "leaveList"
  | "lists"
  | "listsOf"
  | "renameList"
  | "deleteList"
  | "mergeLists"
  | "gatherList"
  | "setListReady"
  | "members"
  | "countMembers"
  | "attributeNames"
>
