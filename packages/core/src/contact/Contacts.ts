/** People: rows of an import to contacts on a list, their consents, and what a person may ask of us: export and erasure. */
import { Context, Effect, Layer, Option, Schema } from "effect"
import * as Address from "../channel/Address.ts"
import { type Actor, type EventType, stamped } from "../event/DomainEvent.ts"
import { EventStore } from "../event/EventStore.ts"
import { WebhookStore } from "../event/WebhookStore.ts"
import type { ContactId, ContactListId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import * as Paging from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { needed, type WorkspaceNotFound } from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as ConsentInput from "./ConsentInput.ts"
import * as ContactRules from "./Contact.ts"
import type { Consent, Contact, ContactList, MergeMode } from "./Contact.ts"
import type { AddressRules, ContactRow } from "./ContactRow.ts"
import { ContactStore } from "./ContactStore.ts"
import { ContactReactions, tellChanged } from "./ContactReaction.ts"
import * as Erased from "./Erased.ts"
import { type PersonExport, PersonParties } from "./PersonParty.ts"
import { RowImports, type RowsImported } from "./RowImports.ts"
import {
  AddressHash,
  AddressHashMissing,
  AddressHashUnlike,
  keysOf,
  type Suppression,
  tombstone
} from "./Suppression.ts"
import * as Wish from "./Wish.ts"

export type { AddressRules, ContactRow, RowBatch, RowProblem } from "./ContactRow.ts"
export type { RowsImported } from "./RowImports.ts"

export class ListNotFound extends Schema.TaggedError<ListNotFound>()("ListNotFound", { list: Schema.String }) {
  override get message(): string {
    return `there is no list ${this.list}`
  }
}

export class ListNotReady extends Schema.TaggedError<ListNotReady>()("ListNotReady", { list: Schema.String }) {
  override get message(): string {
    return `the list ${this.list} is still being gathered`
  }
}

export class ContactNotFound extends Schema.TaggedError<ContactNotFound>()("ContactNotFound", {
  contact: Schema.String
}) {
  override get message(): string {
    return `there is no contact ${this.contact}`
  }
}

/**
 * Keeps people while something is written of them that names them nowhere yet, by whoever read them before their
 * transaction, at its beginning; fails with the first who is gone. An erasure that comes later waits, and finds it.
 */
export const keep = (
  store: Pick<ContactStore["Service"], "keep">,
  workspace: WorkspaceId,
  people: ReadonlyArray<ContactId | null | undefined>
): Effect.Effect<void, ContactNotFound | StorageError> => {
  const ids = people.flatMap((id) => id ?? [])
  if (ids.length === 0) return Effect.void
  return Effect.flatMap(store.keep(workspace, ids), (there) => {
    const gone = ids.find((id) => !there.has(id))
    return gone === undefined ? Effect.void : Effect.fail(new ContactNotFound({ contact: gone }))
  })
}

export class Contacts extends Context.Service<
  Contacts,
  {
    /** In order of their ids. */
    list(
      workspace: WorkspaceId,
      page: Paging.PageRequest
    ): Effect.Effect<Paging.Page<Contact>, StorageError | Paging.InvalidListRequest>
    /** The list of that name, made when it is missing. */
    listNamed(workspace: WorkspaceId, name: string): Effect.Effect<ContactList, WorkspaceNotFound | StorageError>
    /**
     * Adds rows to a list, in their order; rows of one address are one person, and one who was erased is rejected.
     * Idempotent.
     */
    importRows(
      workspace: WorkspaceId,
      list: ContactListId,
      rows: ReadonlyArray<ContactRow>,
      rules: AddressRules,
      mode?: MergeMode
    ): Effect.Effect<RowsImported, ListNotFound | WorkspaceNotFound | StorageError>
    /**
     * Records a permission, once. Like a start word it lifts what suppressed the addresses it speaks for before it was given,
     * and what of that time is told later.
     */
    recordConsent(
      workspace: WorkspaceId,
      contact: ContactId,
      consent: Consent,
      actor: Actor
    ): Effect.Effect<Contact, ConsentInput.InvalidConsent | ContactNotFound | StorageError>
    /** Ends the consents for a channel, `*` = all; they stay on record, with the proof of both. */
    withdrawConsent(
      workspace: WorkspaceId,
      contact: ContactId,
      channel: string,
      withdrawn: NonNullable<Consent["withdrawn"]>,
      actor: Actor
    ): Effect.Effect<Contact, ConsentInput.InvalidConsent | ContactNotFound | StorageError>
    /** Everything we hold of the person. */
    export(workspace: WorkspaceId, contact: ContactId): Effect.Effect<PersonExport, ContactNotFound | StorageError>
    /**
     * Removes the person everywhere, as erasing does, but they may be imported again: what suppresses their addresses stays
     * as it is, and nothing is added.
     */
    remove(
      workspace: WorkspaceId,
      contact: ContactId,
      actor: Actor
    ): Effect.Effect<void, ContactNotFound | StorageError>
    /** Removes the person everywhere; of their addresses a keyed hash stays in the suppressions. */
    erase(
      workspace: WorkspaceId,
      contact: ContactId,
      actor: Actor
    ): Effect.Effect<void, ContactNotFound | AddressHashMissing | AddressHashUnlike | StorageError>
  }
>()("@overture/core/Contacts") {
  static readonly layer = Layer.effect(
    Contacts,
    Effect.suspend(() => make)
  ).pipe(Layer.provide(RowImports.layer))
}

/** The external id as any JSON has it. */
const asJson = ({ externalId }: Address.Address): string => JSON.stringify(externalId)

const make = Effect.gen(function* () {
  const store = yield* ContactStore
  const feed = yield* EventStore
  const webhooks = yield* WebhookStore
  const workspaces = yield* WorkspaceStore
  const time = yield* PacingTime
  const transaction = yield* Transaction
  const makeIds = (yield* Ids).generator
  const hash = yield* AddressHash
  const { take } = yield* RowImports
  const reactions = yield* ContactReactions

  const found =
    (contact: ContactId) =>
    <E, R>(effect: Effect.Effect<Option.Option<Contact>, E, R>) =>
      Effect.flatMap(
        effect,
        Option.match({
          onNone: () => Effect.fail(new ContactNotFound({ contact })),
          onSome: (value) => Effect.succeed(value)
        })
      )

  const change = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    id: ContactId,
    type: EventType,
    actor: Actor,
    data: { readonly channel: string; readonly source: string },
    rule: (before: Contact) => Contact
  ) {
    const event = stamped(yield* makeIds, yield* time.now, { workspace, type, subject: id, actor, data })
    return yield* store.modify(workspace, id, (before) => {
      const contact = rule(before)
      return { contact, events: contact === before ? [] : [event] }
    })
  })

  /** Takes a person out of everything, and puts these in place of what suppressed their addresses (null = that stays). */
  const forget = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    id: ContactId,
    type: "contact.deleted" | "contact.erased",
    actor: Actor,
    tombstones: ((contact: Contact, at: Instant) => ReadonlyArray<Suppression>) | null
  ) {
    const parties = yield* PersonParties
    const at = yield* time.now
    const event = stamped(yield* makeIds, at, { workspace, type, subject: id, actor, data: {} })
    const forgotten = (contact: Contact) =>
      Effect.map(
        Effect.forEach(parties, (party) => party.erase(workspace, contact, at)),
        (subjects) => [id, ...subjects.flat()]
      )
    // That nobody is there is no failure in here: the transaction around this one may go on.
    const gone = yield* transaction.within(
      Effect.gen(function* () {
        yield* store.awaitKeepers(id)
        const contact = Option.getOrNull(yield* store.get(workspace, id))
        if (contact === null) return false
        const subjects = yield* forgotten(contact)
        yield* feed.erase(workspace, subjects)
        const erased = yield* store.erase(workspace, id, (before) => ({
          suppressions: tombstones === null ? null : tombstones(before, at),
          events: [event]
        }))
        if (Option.isNone(erased)) return false
        // Who enrolled them or gave them an address meanwhile was waited for; from here on nobody can.
        const addresses = erased.value.addresses.map(asJson)
        const late = yield* forgotten(erased.value)
        yield* feed.erase(workspace, late)
        yield* workspaces.forgetResponses(workspace, [...subjects, ...late, ...addresses])
        return true
      })
    )
    if (!gone) return yield* new ContactNotFound({ contact: id })
  })

  return Contacts.of({
    list: Effect.fn("Contacts.list")(function* (workspace, request) {
      const { page } = yield* Effect.fromResult(Paging.checkById({ page: request }))
      return yield* Paging.ofList("contacts", page, (own) => store.list(workspace, own))
    }),
    listNamed: Effect.fn("Contacts.listNamed")(function* (workspace: WorkspaceId, name: string) {
      const known = yield* store.listByName(workspace, name)
      if (Option.isSome(known)) return known.value
      yield* needed(workspace)(yield* workspaces.get(workspace))
      const ids = yield* makeIds
      return yield* store.createList({
        id: ids.next("lst"),
        workspace,
        name,
        status: "ready",
        createdAt: yield* time.now
      })
    }),
    importRows: Effect.fn("Contacts.importRows")(function* (workspace, list, rows, rules, mode = "update") {
      yield* needed(workspace)(yield* workspaces.get(workspace))
      if (Option.isNone(yield* store.getList(workspace, list))) return yield* new ListNotFound({ list })
      const { changed, known, ...imported } = yield* take(workspace, list, rows, rules, mode)
      // Rows that come again change nobody: what follows from them is seen to again, as it may not have been the first time.
      yield* tellChanged(reactions, workspace, [...new Set([...changed, ...known])], yield* time.now)
      return imported
    }),
    recordConsent: Effect.fn("Contacts.recordConsent")(function* (workspace, id, given, actor) {
      const consent = yield* Effect.fromResult(ConsentInput.checkGiven(given))
      const { channel, source } = consent
      const data = { channel, source }
      return yield* transaction
        .within(
          Effect.gen(function* () {
            let isNew = false
            const after = yield* change(workspace, id, "contact.consented", actor, data, (before) => {
              const contact = ContactRules.record(before, consent)
              isNew = contact !== before
              return contact
            })
            if (Option.isNone(after) || !isNew) return after
            const now = yield* time.now
            const spoken = ContactRules.consentedAddresses(after.value, consent).map(Address.key)
            // One of a time to come keeps nobody from stopping until then.
            const heeded = yield* store.heed(Wish.at(workspace, spoken, "start", Math.min(consent.at, now)), hash)
            if (heeded.some(({ lifted }) => lifted)) {
              const returned = { workspace, type: "contact.opted_in", subject: id, actor, data } as const
              yield* feed.append([stamped(yield* makeIds, now, returned)])
            }
            return after
          })
        )
        .pipe(found(id))
    }),
    withdrawConsent: Effect.fn("Contacts.withdrawConsent")(function* (workspace, id, channel, withdrawn, actor) {
      yield* Effect.fromResult(ConsentInput.checkWithdrawn({ channel, ...withdrawn }))
      const data = { channel, source: withdrawn.source }
      return yield* change(workspace, id, "contact.consent_withdrawn", actor, data, (before) =>
        ContactRules.withdraw(before, channel, withdrawn)
      ).pipe(found(id))
    }),
    export: Effect.fn("Contacts.export")(function* (workspace, id) {
      const parties = yield* PersonParties
      return yield* transaction.within(
        Effect.gen(function* () {
          const contact = yield* store.get(workspace, id).pipe(found(id))
          const keys = contact.addresses.flatMap((address) => keysOf(hash, Address.key(address)))
          const held = yield* Effect.forEach(parties, (party) => party.export(workspace, contact))
          const subjects = held.flatMap((one) => one.subjects)
          return {
            contact,
            lists: yield* store.listsOf(workspace, id),
            suppressions: yield* store.suppressions(workspace, keys),
            events: yield* feed.about(workspace, [id, ...subjects]),
            deliveries: yield* webhooks.about(workspace, [id, ...subjects]),
            more: Object.fromEntries(parties.map(({ name }, i) => [name, held[i]!.data]))
          }
        })
      )
    }),
    remove: Effect.fn("Contacts.remove")(function* (workspace, id, actor) {
      yield* forget(workspace, id, "contact.deleted", actor, null)
    }),
    erase: Effect.fn("Contacts.erase")(function* (workspace, id, actor) {
      if (hash === null) return yield* new AddressHashMissing()
      if ((yield* Erased.recognition(store, hash, workspace)) !== "recognised") return yield* new AddressHashUnlike()
      yield* forget(workspace, id, "contact.erased", actor, ({ addresses: all }, at) =>
        all.map((address) => ({
          workspace,
          address: tombstone(hash, Address.key(address)),
          account: null,
          reason: "erased",
          at
        }))
      )
    })
  })
})
