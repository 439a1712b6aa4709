/** Recognises people who were erased among those who are to be imported, so that no import brings them back. */
import { Effect } from "effect"
import * as Address from "../channel/Address.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Contact } from "./Contact.ts"
import type { RowProblem } from "./ContactRow.ts"
import type { ContactStore } from "./ContactStore.ts"
import { type AddressHash, isOf, isTombstone, tombstone } from "./Suppression.ts"

/** Contacts to be imported, with the line of each. */
export interface Rows {
  readonly contacts: ReadonlyArray<Contact>
  readonly lines: ReadonlyArray<number>
}

/** The rows without those of people who were erased, and what is said of these. */
export interface Sifted extends Rows {
  readonly rejected: ReadonlyArray<RowProblem>
}

/** The value is not repeated: it is what was to be forgotten. */
const problem = (line: number): RowProblem => ({
  line,
  column: "externalId",
  value: "",
  reason: "this person was erased"
})

/** Whether the people who were erased from a workspace are recognised; all of them were erased with one hash. */
export type Recognition = "recognised" | "noHash" | "anotherHash"

/** One of the erased of a workspace, null where there is none: their hashes sort before all addresses. */
const someoneErased = (store: Pick<ContactStore["Service"], "allSuppressions">, workspace: WorkspaceId) =>
  Effect.map(store.allSuppressions(workspace, { limit: 1 }), ({ data: [first] }) =>
    first !== undefined && isTombstone(first.address) ? first.address : null
  )

/** What a hash is worth where people may have been erased. */
export const recognition = (
  store: Pick<ContactStore["Service"], "allSuppressions">,
  hash: AddressHash | null,
  workspace: WorkspaceId
): Effect.Effect<Recognition, StorageError> =>
  Effect.map(someoneErased(store, workspace), (erased) =>
    erased === null || (hash !== null && isOf(hash, erased)) ? "recognised" : hash === null ? "noHash" : "anotherHash"
  )

/** Sifts rows by what the suppressions of a workspace tell. Without a hash nobody can have been erased. */
export const sifter =
  (store: Pick<ContactStore["Service"], "allSuppressions" | "suppressions">, hash: AddressHash | null) =>
  (workspace: WorkspaceId, { contacts, lines }: Rows): Effect.Effect<Sifted, StorageError> =>
    Effect.gen(function* () {
      const all: Sifted = { contacts, lines, rejected: [] }
      if (hash === null || contacts.length === 0) return all
      if ((yield* someoneErased(store, workspace)) === null) return all
      const keys = contacts.map(({ addresses }) => addresses.map((address) => tombstone(hash, Address.key(address))))
      const gone = new Set((yield* store.suppressions(workspace, keys.flat())).map(({ address }) => address))
      const isGone = keys.map((own) => own.some((key) => gone.has(key)))
      return {
        contacts: contacts.filter((_, i) => !isGone[i]),
        lines: lines.filter((_, i) => !isGone[i]),
        rejected: lines.filter((_, i) => isGone[i]).map(problem)
      }
    })

/**
 * Sifts rows in the transaction that imports them, with everyone held who is known by their addresses: who is erased
 * meanwhile is recognised, or erased once that transaction has ended.
 */
export const holder = (
  store: Pick<ContactStore["Service"], "allSuppressions" | "holdAddresses" | "suppressions">,
  hash: AddressHash | null
) => {
  const sift = sifter(store, hash)
  return (workspace: WorkspaceId, rows: Rows): Effect.Effect<Sifted, StorageError> => {
    const held =
      hash === null
        ? Effect.void
        : store.holdAddresses(
            workspace,
            rows.contacts.flatMap(({ addresses }) => addresses.map(Address.key))
          )
    return Effect.andThen(held, sift(workspace, rows))
  }
}
