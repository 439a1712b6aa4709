/** The port for people, their lists, and the addresses that must not be written to. */
import { Context, type Effect, type Option } from "effect"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { ContactId, ContactListId, WorkspaceId } from "../workspace/Id.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Contact, ContactList } from "./Contact.ts"
import type { Suppression } from "./Suppression.ts"

export interface Imported {
  readonly created: number
  readonly merged: number
  /** Rows that matched two different contacts; nothing was written for them. */
  readonly ambiguous: ReadonlyArray<{ readonly index: number; readonly contacts: ReadonlyArray<ContactId> }>
}

export class ContactStore extends Context.Service<ContactStore, {
  /**
   * Adds contacts in one transaction. A row whose address or externalRef is known becomes part of that contact
   * (`Contact.merge`), also when two rows of the batch share one: as if each row were imported by itself, in this order.
   * Every contact ends as a member of `list`, in order of first appearance.
   */
  import(
    workspace: WorkspaceId,
    contacts: ReadonlyArray<Contact>,
    list: ContactListId | null
  ): Effect.Effect<Imported, StorageError>
  get(workspace: WorkspaceId, id: ContactId): Effect.Effect<Option.Option<Contact>, StorageError>
  byAddress(workspace: WorkspaceId, address: string): Effect.Effect<Option.Option<Contact>, StorageError>
  /** In order of their ids. */
  list(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<Contact>, StorageError>
  createList(list: Omit<ContactList, "number">): Effect.Effect<ContactList, StorageError>
  getList(workspace: WorkspaceId, id: ContactListId): Effect.Effect<Option.Option<ContactList>, StorageError>
  listByName(workspace: WorkspaceId, name: string): Effect.Effect<Option.Option<ContactList>, StorageError>
  /** Once: a list that is ready already stays as it is, and no event is written. */
  setListReady(workspace: WorkspaceId, id: ContactListId, events: ReadonlyArray<DomainEvent>): Effect.Effect<void, StorageError>
  /** Members in the order in which they joined, at most `limit` after `after` (the joining number; 0 = from the start). */
  members(workspace: WorkspaceId, list: ContactListId, after: number, limit: number): Effect.Effect<
    ReadonlyArray<{ readonly position: number; readonly contact: Contact }>,
    StorageError
  >
  /** Adds suppressions; those that exist stay as they are. Returns how many are new; the events are written in any case. */
  suppress(suppressions: ReadonlyArray<Suppression>, events: ReadonlyArray<DomainEvent>): Effect.Effect<number, StorageError>
  /** Lifts what suppresses these addresses for the whole workspace. */
  lift(workspace: WorkspaceId, addresses: ReadonlyArray<string>): Effect.Effect<number, StorageError>
  suppressions(workspace: WorkspaceId, addresses: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Suppression>, StorageError>
}>()("@overture/core/ContactStore") {}
