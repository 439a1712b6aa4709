/** Adds accounts and changes what an operator may change; every change is an event. */
import { Context, Effect, Layer, Option } from "effect"
import type { Actor, DomainEvent } from "../event/DomainEvent.ts"
import type { AccountId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import type { RampUp } from "../workspace/RampUp.ts"
import type { Account, AccountLimits, AttentionReason } from "./Account.ts"
import { AccountNotFound, defaultMinGapMs, health, restarted } from "./Account.ts"
import { AccountReactions } from "./AccountReaction.ts"
import { AccountStore } from "./AccountStore.ts"
import * as WarmUp from "./WarmUp.ts"

export interface NewAccount {
  readonly workspace: WorkspaceId
  readonly channel: string
  readonly externalId: string
  readonly name?: string | undefined
  readonly dailyCap?: number | undefined
  readonly minGapMs?: number | undefined
  /** A ramp over all its campaigns. */
  readonly warmUp?: RampUp | undefined
  readonly timezone?: string | undefined
  readonly externalRef?: string | undefined
}

/** What an operator may change; what is left out stays. */
export interface AccountChange {
  readonly enabled?: boolean | undefined
  readonly banned?: boolean | undefined
  readonly attention?: ReadonlyArray<AttentionReason> | undefined
  readonly dailyCap?: number | null | undefined
  readonly minGapMs?: number | undefined
  /** Another ramp goes on from the day that the former one reached; null takes it away. */
  readonly warmUp?: RampUp | null | undefined
}

export class Accounts extends Context.Service<
  Accounts,
  {
    /** Adds an account, or returns the one that has its channel and externalId, or its externalRef. */
    connect(
      account: NewAccount,
      actor: Actor
    ): Effect.Effect<{ readonly account: Account; readonly created: boolean }, StorageError>
    change(
      workspace: WorkspaceId,
      id: AccountId,
      change: AccountChange,
      actor: Actor
    ): Effect.Effect<Account, StorageError | AccountNotFound>
  }
>()("@overture/core/Accounts") {
  static readonly layer = Layer.effect(
    Accounts,
    Effect.suspend(() => make)
  )
}

const limitsAfter = (before: Account, warmUp: RampUp | null | undefined): AccountLimits => {
  const { warmUp: former, ...others } = before.limits ?? {}
  if (warmUp === null) return others
  const next = warmUp === undefined ? former : { ...(former ?? WarmUp.begin(warmUp)), ramp: warmUp }
  return next === undefined ? others : { ...others, warmUp: next }
}

/** What an operator's change makes of an account. */
const changed = (before: Account, change: AccountChange): Account => {
  const after: Account = {
    ...before,
    enabled: change.enabled ?? before.enabled,
    banned: change.banned ?? before.banned,
    attention: change.attention ?? before.attention,
    dailyCap: change.dailyCap === undefined ? before.dailyCap : change.dailyCap,
    minGapMs: change.minGapMs ?? before.minGapMs,
    ...((before.limits !== undefined || change.warmUp !== undefined) && { limits: limitsAfter(before, change.warmUp) })
  }
  const isRestricted = (account: Account) => account.banned || account.attention.includes("restricted")
  return isRestricted(after) && !isRestricted(before) ? restarted(after) : after
}

const make = Effect.gen(function* () {
  const store = yield* AccountStore
  const time = yield* PacingTime
  const transaction = yield* Transaction
  const reactions = yield* AccountReactions
  const makeIds = (yield* Ids).generator

  return Accounts.of({
    connect: Effect.fn("Accounts.connect")(function* (input: NewAccount, actor: Actor) {
      if (input.externalRef !== undefined) {
        const known = yield* store.byExternalRef(input.workspace, input.externalRef)
        if (Option.isSome(known)) return { account: known.value, created: false }
      }
      const ids = yield* makeIds
      const now = yield* time.now
      const account: Account = {
        id: ids.next("acc"),
        workspace: input.workspace,
        channel: input.channel,
        externalId: input.externalId,
        name: input.name ?? input.externalId,
        group: null,
        enabled: true,
        banned: false,
        attention: [],
        restingUntil: null,
        restedMs: 0,
        failuresInRow: 0,
        dailyCap: input.dailyCap ?? null,
        minGapMs: input.minGapMs ?? defaultMinGapMs,
        ...(input.warmUp !== undefined && { limits: { warmUp: WarmUp.begin(input.warmUp) } }),
        timezone: input.timezone ?? null,
        externalRef: input.externalRef ?? null,
        metadata: {},
        createdAt: now
      }
      return yield* store.connect(account, [
        {
          id: ids.next("evt"),
          workspace: account.workspace,
          type: "account.changed",
          at: now,
          subject: account.id,
          actor,
          cause: null,
          data: { health: "ready", enabled: true, created: true }
        }
      ])
    }),
    change: Effect.fn("Accounts.change")(function* (
      workspace: WorkspaceId,
      id: AccountId,
      change: AccountChange,
      actor: Actor
    ) {
      const found = yield* store.get(workspace, id)
      if (Option.isNone(found)) return yield* new AccountNotFound({ account: id })
      const ids = yield* makeIds
      const now = yield* time.now
      return yield* transaction.within(
        Effect.gen(function* () {
          yield* Effect.forEach(reactions, (reaction) => reaction.changing(id, now), { discard: true })
          const [after] = yield* store.modify([id], (before) => {
            const account = changed(before, change)
            const events: ReadonlyArray<DomainEvent> = [
              {
                id: ids.next("evt"),
                workspace,
                type: "account.changed",
                at: now,
                subject: id,
                actor,
                cause: null,
                data: { health: health(account), enabled: account.enabled, attention: [...account.attention] }
              }
            ]
            return { account, events }
          })
          return after ?? found.value
        })
      )
    })
  })
})
