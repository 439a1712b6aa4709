/** Makes account groups and says which accounts are in them; a change of an account is an event. */
import { Context, Effect, Layer, Option } from "effect"
import type { Actor } from "../event/DomainEvent.ts"
import type { AccountGroupId, AccountId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import * as Account from "./Account.ts"
import type { AccountGroup } from "./AccountGroup.ts"
import { AccountGroupNotFound } from "./AccountGroup.ts"
import { AccountGroupStore } from "./AccountGroupStore.ts"
import { AccountStore } from "./AccountStore.ts"

export interface NewAccountGroup {
  readonly workspace: WorkspaceId
  readonly name: string
  /** The most messages a day over all its accounts. */
  readonly dailyCap?: number | undefined
  /** IANA zone of its days. */
  readonly timezone?: string | undefined
}

/** What an operator may change; what is left out stays, null takes it away. */
export interface AccountGroupChange {
  readonly name?: string | undefined
  readonly dailyCap?: number | null | undefined
}

export class AccountGroups extends Context.Service<
  AccountGroups,
  {
    create(group: NewAccountGroup): Effect.Effect<AccountGroup, StorageError>
    change(
      workspace: WorkspaceId,
      id: AccountGroupId,
      change: AccountGroupChange
    ): Effect.Effect<AccountGroup, StorageError | AccountGroupNotFound>
    /** Puts accounts of the workspace into a group, or out of theirs (null). What they used today stays where it counted. */
    assign(
      workspace: WorkspaceId,
      group: AccountGroupId | null,
      accounts: ReadonlyArray<AccountId>,
      actor: Actor
    ): Effect.Effect<ReadonlyArray<Account.Account>, StorageError | AccountGroupNotFound>
  }
>()("@overture/core/AccountGroups") {
  static readonly layer = Layer.effect(
    AccountGroups,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* AccountGroupStore
  const accounts = yield* AccountStore
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const missing = (id: AccountGroupId) => Effect.fail(new AccountGroupNotFound({ group: id }))

  return AccountGroups.of({
    create: Effect.fn("AccountGroups.create")(function* (input: NewAccountGroup) {
      const group: AccountGroup = {
        id: (yield* makeIds).next("agr"),
        workspace: input.workspace,
        name: input.name,
        dailyCap: input.dailyCap ?? null,
        timezone: input.timezone ?? null,
        metadata: {},
        createdAt: yield* time.now
      }
      yield* store.create(group)
      return group
    }),
    change: Effect.fn("AccountGroups.change")(
      (workspace: WorkspaceId, id: AccountGroupId, change: AccountGroupChange) =>
        Effect.flatMap(
          store.modify(workspace, id, (group) => ({
            ...group,
            name: change.name ?? group.name,
            dailyCap: change.dailyCap === undefined ? group.dailyCap : change.dailyCap
          })),
          Option.match({ onNone: () => missing(id), onSome: Effect.succeed })
        )
    ),
    assign: Effect.fn("AccountGroups.assign")(function* (
      workspace: WorkspaceId,
      group: AccountGroupId | null,
      ids: ReadonlyArray<AccountId>,
      actor: Actor
    ) {
      if (group !== null && Option.isNone(yield* store.get(workspace, group))) return yield* missing(group)
      const made = yield* makeIds
      const now = yield* time.now
      const changed = yield* accounts.modify(ids, (account) =>
        account.workspace !== workspace || account.group === group
          ? { account, events: [] }
          : {
              account: { ...account, group },
              events: [
                {
                  id: made.next("evt"),
                  workspace,
                  type: "account.changed",
                  at: now,
                  subject: account.id,
                  actor,
                  cause: null,
                  data: { health: Account.health(account), enabled: account.enabled, group }
                }
              ]
            }
      )
      return changed.filter((account) => account.workspace === workspace)
    })
  })
})
