/**
 * How an account is changed by whoever is not its platform's outcome: what areas above do about it first, then the row and
 * what belongs to it, and an event of it, in one transaction.
 */
import { Context, Effect, Layer } from "effect"
import { type Actor, type DomainEvent, stamped } from "../event/DomainEvent.ts"
import type { AccountId, IdGenerator, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import type { Account } from "./Account.ts"
import { AccountNotFound, found, told } from "./Account.ts"
import { AccountReactions, modifyTurning, tellChanged, tellTurned } from "./AccountReaction.ts"
import { AccountStore } from "./AccountStore.ts"

/** One change. */
export interface Change<E = never> {
  readonly workspace: WorkspaceId
  readonly account: AccountId
  readonly actor: Actor
  /** The very object it was given means unchanged: then nothing is written or told. */
  rule(before: Account, now: Instant): Account
  /** What the event tells beside the state of the account. */
  data?(before: Account, after: Account): DomainEvent["data"]
  /** Whether it may be one that was removed; others are told that there is none. */
  readonly restores?: boolean
  /** Written while the account's row is locked. */
  beside?(after: Account, ids: IdGenerator, now: Instant): Effect.Effect<void, E>
}

export class AccountChanges extends Context.Service<
  AccountChanges,
  {
    /** The account as it is afterwards. */
    apply<E = never>(change: Change<E>): Effect.Effect<Account, E | AccountNotFound | StorageError>
  }
>()("@overture/core/AccountChanges") {
  static readonly layer = Layer.effect(
    AccountChanges,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* AccountStore
  const time = yield* PacingTime
  const transaction = yield* Transaction
  const reactions = yield* AccountReactions
  const makeIds = (yield* Ids).generator

  return AccountChanges.of({
    apply: <E = never>({ account: id, actor, beside, data, restores = false, rule, workspace }: Change<E>) =>
      transaction.within(
        Effect.gen(function* () {
          const { removedAt } = yield* found(id, yield* store.get(workspace, id))
          if (removedAt !== undefined && !restores) return yield* new AccountNotFound({ account: id })
          const ids = yield* makeIds
          const now = yield* time.now
          yield* Effect.forEach(reactions, (reaction) => reaction.changing([id], now), { discard: true })
          const { accounts, turned } = yield* modifyTurning(store, [id], (before) => {
            const account = rule(before, now)
            const event = stamped(ids, now, {
              workspace,
              type: "account.changed",
              subject: id,
              actor,
              data: { ...told(account), ...data?.(before, account) }
            })
            return { account, events: account === before ? [] : [event] }
          })
          const [after] = accounts
          if (after === undefined) return yield* new AccountNotFound({ account: id })
          if (beside !== undefined) yield* beside(after, ids, now)
          yield* tellChanged(reactions, [id], now)
          yield* tellTurned(reactions, turned, now)
          return after
        })
      )
  })
})
