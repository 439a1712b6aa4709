/** People and lists: from the rows of an import to contacts with addresses, merged and put on a list. */
import { Context, Effect, Layer, Option, Schema } from "effect"
import type { Account } from "../account/Account.ts"
import type { Address } from "../channel/Address.ts"
import { ChannelName } from "../channel/Address.ts"
import { Channels } from "../channel/Channel.ts"
import type { ContactListId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Contact, ContactList } from "./Contact.ts"
import { ContactStore } from "./ContactStore.ts"

/** One row as a source read it. */
export interface ContactRow {
  /** Where it stands in its source, from 1. */
  readonly line: number
  readonly channel?: string | undefined
  readonly externalId?: string | undefined
  /** E.164. */
  readonly phone?: string | undefined
  readonly name?: string | undefined
  readonly first?: string | undefined
  readonly last?: string | undefined
  readonly timezone?: string | undefined
  readonly tags: ReadonlyArray<string>
  readonly attributes: Readonly<Record<string, string>>
}

/** Why a row was left out. */
export interface RowProblem {
  readonly line: number
  readonly column: string
  readonly reason: string
  readonly value: string
}

export interface RowsImported {
  readonly created: number
  readonly merged: number
  readonly rejected: ReadonlyArray<RowProblem>
}

/** What decides the address of a row that names no channel, or ids that belong to one account. */
export interface AddressRules {
  /** For rows without a channel: a flag, else the only one of the campaign's accounts. */
  readonly channel: string | null
  readonly accounts: ReadonlyArray<Account>
}

export class ListNotReady extends Schema.TaggedError<ListNotReady>()("ListNotReady", { list: Schema.String }) {
  override get message(): string {
    return `the list ${this.list} is still being gathered`
  }
}

export class Contacts extends Context.Service<Contacts, {
  /** The list of that name, made when it is missing. */
  listNamed(workspace: WorkspaceId, name: string): Effect.Effect<ContactList, StorageError>
  /** Adds rows to a list, in their order; rows of one address are one person. Idempotent. */
  importRows(
    workspace: WorkspaceId,
    list: ContactListId,
    rows: ReadonlyArray<ContactRow>,
    rules: AddressRules
  ): Effect.Effect<RowsImported, StorageError>
}>()("@overture/core/Contacts") {
  static readonly layer = Layer.effect(Contacts, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const store = yield* ContactStore
  const channels = yield* Channels
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator

  const addressOf = (row: ContactRow, rules: AddressRules): Address | Omit<RowProblem, "line"> => {
    const name = row.channel ?? rules.channel
    if (name === null) {
      return { column: "channel", value: "", reason: "names no channel, and the accounts are of several: add a column channel" }
    }
    const channel = channels.all.get(name)
    if (channel === undefined || !Schema.is(ChannelName)(name)) {
      return { column: "channel", value: name, reason: `there is no such channel here, only ${[...channels.all.keys()].join(", ")}` }
    }
    const { addressScope, phoneNumbers } = channel.capabilities
    const externalId = phoneNumbers ? row.phone ?? row.externalId : row.externalId ?? row.phone
    if (externalId === undefined) {
      return phoneNumbers
        ? { column: "phone", value: "", reason: `${name} reaches people by phone number` }
        : { column: "externalId", value: "", reason: `${name} reaches people by its own id` }
    }
    const scopes = new Set(
      rules.accounts.filter((account) => account.channel === name)
        .map((account) => addressScope === "channel" ? "" : addressScope === "group" ? account.group ?? account.externalId : account.externalId)
    )
    const [scope] = addressScope === "channel" ? [""] : [...scopes]
    if (scope === undefined || (addressScope !== "channel" && scopes.size > 1)) {
      return {
        column: "externalId",
        value: externalId,
        reason: `ids of ${name} belong to one account: import them for exactly one`
      }
    }
    return { channel: name, scope, externalId }
  }

  return Contacts.of({
    listNamed: Effect.fn("Contacts.listNamed")(function*(workspace: WorkspaceId, name: string) {
      const known = yield* store.listByName(workspace, name)
      if (Option.isSome(known)) return known.value
      const ids = yield* makeIds
      return yield* store.createList({ id: ids.next("lst"), workspace, name, status: "ready", createdAt: yield* time.now })
    }),
    importRows: Effect.fn("Contacts.importRows")(function*(
      workspace: WorkspaceId,
      list: ContactListId,
      rows: ReadonlyArray<ContactRow>,
      rules: AddressRules
    ) {
      const ids = yield* makeIds
      const now = yield* time.now
      const rejected: Array<RowProblem> = []
      const lines: Array<number> = []
      const contacts: Array<Contact> = []
      for (const row of rows) {
        const address = addressOf(row, rules)
        if (!("channel" in address)) {
          rejected.push({ line: row.line, ...address })
          continue
        }
        lines.push(row.line)
        contacts.push({
          id: ids.next("con"),
          workspace,
          name: row.name ?? [row.first, row.last].filter(Boolean).join(" "),
          first: row.first ?? null,
          last: row.last ?? null,
          addresses: [address],
          tags: row.tags,
          attributes: row.attributes,
          timezone: row.timezone ?? null,
          consents: [],
          externalRef: null,
          metadata: {},
          createdAt: now
        })
      }
      const { ambiguous, created, merged } = contacts.length === 0
        ? { ambiguous: [], created: 0, merged: 0 }
        : yield* store.import(workspace, contacts, list)
      for (const { contacts: several, index } of ambiguous) {
        rejected.push({
          line: lines[index] ?? 0,
          column: "externalId",
          value: contacts[index]?.addresses[0]?.externalId ?? "",
          reason: `matches ${several.length} contacts`
        })
      }
      return { created, merged, rejected }
    })
  })
})
