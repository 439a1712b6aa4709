/**
 * Addresses that must not be written to. Anyone of ours may add some; only the person takes them away, by a start word or
 * a consent newly given (`Contacts.recordConsent`), so there is no verb that lifts. A person who wants no more messages is
 * opted out as a whole (`OptOuts`): what is added here stops its addresses alone.
 */
import { Context, Effect, Layer } from "effect"
import * as Address from "../channel/Address.ts"
import { Channels } from "../channel/Channel.ts"
import { type Actor, stamped } from "../event/DomainEvent.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import * as Paging from "../workspace/Page.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { needed, type WorkspaceNotFound } from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import { type AddressRules, addresses, type ContactRow, type RowProblem } from "./ContactRow.ts"
import { ContactStore } from "./ContactStore.ts"
import { AddressHash, keysOf, type Suppression } from "./Suppression.ts"

export interface RowsSuppressed {
  /** Addresses that were not suppressed before. */
  readonly added: number
  readonly rejected: ReadonlyArray<RowProblem>
}

export class Suppressions extends Context.Service<
  Suppressions,
  {
    /** All of the workspace, by address; of people who were erased only a hash. */
    page(
      workspace: WorkspaceId,
      page: PageRequest
    ): Effect.Effect<Page<Suppression>, StorageError | Paging.InvalidListRequest>
    /** What stops these addresses, those of erased people included. */
    of(
      workspace: WorkspaceId,
      addresses: ReadonlyArray<Address.Address>
    ): Effect.Effect<ReadonlyArray<Suppression>, StorageError>
    /** Suppresses addresses for every account, as `manual`; those that are suppressed already stay as they are. */
    add(
      workspace: WorkspaceId,
      addresses: ReadonlyArray<Address.Address>,
      actor: Actor
    ): Effect.Effect<number, WorkspaceNotFound | StorageError>
    /** The same from the rows of a file; names and attributes are not looked at. */
    addRows(
      workspace: WorkspaceId,
      rows: ReadonlyArray<ContactRow>,
      rules: AddressRules,
      actor: Actor
    ): Effect.Effect<RowsSuppressed, WorkspaceNotFound | StorageError>
  }
>()("@overture/core/Suppressions") {
  static readonly layer = Layer.effect(
    Suppressions,
    Effect.suspend(() => make)
  )
}

const checkList = Paging.checkerOf(["", ""])

const make = Effect.gen(function* () {
  const store = yield* ContactStore
  const workspaces = yield* WorkspaceStore
  const channels = yield* Channels
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const hash = yield* AddressHash

  const add = Effect.fn("Suppressions.add")(function* (
    workspace: WorkspaceId,
    given: ReadonlyArray<Address.Address>,
    actor: Actor
  ) {
    yield* needed(workspace)(yield* workspaces.get(workspace))
    if (given.length === 0) return 0
    const at = yield* time.now
    const ids = yield* makeIds
    const keys = [...new Set(given.map(Address.key))]
    return yield* store.suppress(
      keys.map((address): Suppression => ({ workspace, address, account: null, reason: "manual", at })),
      [
        stamped(ids, at, {
          workspace,
          type: "contact.suppressed",
          subject: workspace,
          actor,
          data: { asked: keys.length }
        })
      ]
    )
  })

  return Suppressions.of({
    page: Effect.fn("Suppressions.page")(function* (workspace, request) {
      const { page } = yield* Effect.fromResult(checkList({ page: request }))
      return yield* Paging.ofList("suppressions", page, (own) => store.allSuppressions(workspace, own))
    }),
    of: Effect.fn("Suppressions.of")(function* (workspace, given) {
      return yield* store.suppressions(
        workspace,
        given.flatMap((address) => keysOf(hash, Address.key(address)))
      )
    }),
    add,
    addRows: Effect.fn("Suppressions.addRows")(function* (workspace, rows, rules, actor) {
      const addressOf = addresses(channels.all, rules)
      const good: Array<Address.Address> = []
      const rejected: Array<RowProblem> = []
      for (const row of rows) {
        const address = addressOf(row)
        if ("channel" in address) good.push(address)
        else rejected.push({ line: row.line, ...address })
      }
      return { added: yield* add(workspace, good, actor), rejected }
    })
  })
})
