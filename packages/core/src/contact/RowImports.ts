/**
 * Rows become contacts on a list, in one transaction or in that of the caller. What follows from it for others is not done
 * here: they are told once the transaction has committed (`ContactReaction`).
 */
import { Context, Effect, Layer } from "effect"
import * as Address from "../channel/Address.ts"
import { Channels } from "../channel/Channel.ts"
import type { ContactId, ContactListId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { needed, type WorkspaceNotFound } from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import type { Contact, MergeMode } from "./Contact.ts"
import { type AddressRules, addresses, contactOf, type ContactRow, type RowProblem } from "./ContactRow.ts"
import { ContactStore } from "./ContactStore.ts"
import * as Erased from "./Erased.ts"
import { AddressHash } from "./Suppression.ts"

export interface RowsImported {
  readonly created: number
  readonly merged: number
  readonly rejected: ReadonlyArray<RowProblem>
}

/** What became of rows, and of which contacts others may want to hear. */
export interface Taken extends RowsImported {
  /** Those that are others now. */
  readonly changed: ReadonlyArray<ContactId>
  /** Those that were there before, changed or not. */
  readonly known: ReadonlyArray<ContactId>
}

export class RowImports extends Context.Service<
  RowImports,
  {
    /** Takes rows onto a list, in their order, as `Contacts.importRows` says. */
    take(
      workspace: WorkspaceId,
      list: ContactListId,
      rows: ReadonlyArray<ContactRow>,
      rules: AddressRules,
      mode: MergeMode
    ): Effect.Effect<Taken, WorkspaceNotFound | StorageError>
  }
>()("@overture/core/RowImports") {
  static readonly layer = Layer.effect(
    RowImports,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* ContactStore
  const workspaces = yield* WorkspaceStore
  const channels = yield* Channels
  const time = yield* PacingTime
  const { within } = yield* Transaction
  const makeIds = (yield* Ids).generator
  const hold = Erased.holder(store, yield* AddressHash)

  const take: RowImports["Service"]["take"] = Effect.fn("RowImports.take")(
    function* (workspace, list, rows, rules, mode) {
      yield* needed(workspace)(yield* workspaces.get(workspace))
      const ids = yield* makeIds
      const at = yield* time.now
      const addressOf = addresses(channels.all, rules)
      const rejected: Array<RowProblem> = []
      const given = { contacts: Array<Contact>(), lines: Array<number>() }
      for (const row of rows) {
        const address = addressOf(row)
        if (!("channel" in address)) rejected.push({ line: row.line, ...address })
        else {
          given.lines.push(row.line)
          given.contacts.push(contactOf(row, address, { id: ids.next("con"), workspace, at }))
        }
      }
      const known = yield* store.byAddresses(
        workspace,
        given.contacts.flatMap(({ addresses }) => addresses.map(Address.key))
      )
      const { contacts, erased, imported, lines } = yield* within(
        Effect.gen(function* () {
          const { contacts, lines, rejected: erased } = yield* hold(workspace, given)
          const nobody = { ambiguous: [], changed: [], created: 0, merged: 0 }
          const imported = contacts.length === 0 ? nobody : yield* store.import(workspace, contacts, list, mode)
          return { contacts, erased, imported, lines }
        })
      )
      rejected.push(...erased)
      const { ambiguous, changed, created, merged } = imported
      for (const { contacts: several, index } of ambiguous) {
        rejected.push({
          line: lines[index] ?? 0,
          column: "externalId",
          value: contacts[index]?.addresses[0]?.externalId ?? "",
          reason: `matches ${several.length} contacts`
        })
      }
      return { created, merged, rejected, changed, known: Array.from(known.values(), ({ id }) => id) }
    }
  )
  return RowImports.of({ take })
})
