/** Makes account groups and says which accounts are in them; every change is an event, and wakes what a cap held back. */
import { Context, Effect, Layer, Option } from "effect"
import { type Actor, type DomainEvent, stamped } from "../event/DomainEvent.ts"
import { EventStore } from "../event/EventStore.ts"
import type { AccountGroupId, AccountId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { changedFields } from "../workspace/Json.ts"
import { everything } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { needed, type WorkspaceNotFound } from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as Account from "./Account.ts"
import type { AccountGroup } from "./AccountGroup.ts"
import { AccountGroupNotFound } from "./AccountGroup.ts"
import { AccountGroupStore } from "./AccountGroupStore.ts"
import * as AccountInput from "./AccountInput.ts"
import type { InvalidAccountGroup } from "./AccountInput.ts"
import { AccountReactions, tellChanged } from "./AccountReaction.ts"
import { AccountStore } from "./AccountStore.ts"

export interface NewAccountGroup {
  readonly workspace: WorkspaceId
  readonly name: string
  /** The most messages a day over all its accounts, 1 to 1 000 000 000; default none. */
  readonly dailyCap?: number | null | undefined
  /** IANA zone of its days; default the workspace's. */
  readonly timezone?: string | null | undefined
}

/** What an operator may change; what is left out stays, null takes it away. */
export interface AccountGroupChange {
  readonly name?: string | undefined
  readonly dailyCap?: number | null | undefined
  readonly timezone?: string | null | undefined
}

export class AccountGroups extends Context.Service<
  AccountGroups,
  {
    create(
      group: NewAccountGroup,
      actor: Actor
    ): Effect.Effect<AccountGroup, StorageError | WorkspaceNotFound | InvalidAccountGroup>
    /** What its cap held back goes on where it is raised. */
    change(
      workspace: WorkspaceId,
      id: AccountGroupId,
      change: AccountGroupChange,
      actor: Actor
    ): Effect.Effect<AccountGroup, StorageError | AccountGroupNotFound | InvalidAccountGroup>
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
  const workspaces = yield* WorkspaceStore
  const feed = yield* EventStore
  const reactions = yield* AccountReactions
  const time = yield* PacingTime
  const { within } = yield* Transaction
  const makeIds = (yield* Ids).generator
  const missing = (id: AccountGroupId) => Effect.fail(new AccountGroupNotFound({ group: id }))

  /** Before the rows of accounts and groups are locked. */
  const wake = (ids: ReadonlyArray<AccountId>, now: Instant) =>
    Effect.forEach(reactions, (reaction) => reaction.changing(ids, now), { discard: true })

  const tell = Effect.fnUntraced(function* (
    type: "account_group.created" | "account_group.changed",
    { dailyCap, id, name, timezone, workspace }: AccountGroup,
    actor: Actor,
    data: DomainEvent["data"] = {}
  ) {
    yield* feed.append([
      stamped(yield* makeIds, yield* time.now, {
        workspace,
        type,
        subject: id,
        actor,
        data: { ...data, name, dailyCap, timezone }
      })
    ])
  })

  return AccountGroups.of({
    create: Effect.fn("AccountGroups.create")(function* ({ workspace, ...given }: NewAccountGroup, actor: Actor) {
      const { dailyCap = null, name, timezone = null } = yield* Effect.fromResult(AccountInput.checkNewGroup(given))
      yield* needed(workspace)(yield* workspaces.get(workspace))
      const group: AccountGroup = {
        id: (yield* makeIds).next("agr"),
        workspace,
        name,
        dailyCap,
        timezone,
        metadata: {},
        createdAt: yield* time.now
      }
      yield* within(Effect.andThen(store.create(group), tell("account_group.created", group, actor)))
      return group
    }),
    change: Effect.fn("AccountGroups.change")(function* (workspace, id, given, actor) {
      const change = yield* Effect.fromResult(AccountInput.checkGroupChange(given))
      return yield* within(
        Effect.gen(function* () {
          if (Option.isNone(yield* store.get(workspace, id))) return yield* missing(id)
          const now = yield* time.now
          const members = yield* everything((page) => accounts.search(workspace, { group: id }, now, page))
          const ids = members.map((account) => account.id)
          yield* wake(ids, now)
          let fields: ReadonlyArray<string> = []
          const changed = yield* store.modify(workspace, id, (before) => {
            const after = {
              ...before,
              name: change.name ?? before.name,
              dailyCap: change.dailyCap === undefined ? before.dailyCap : change.dailyCap,
              timezone: change.timezone === undefined ? before.timezone : change.timezone
            }
            fields = changedFields(before, after).toSorted()
            return after
          })
          if (Option.isNone(changed)) return yield* missing(id)
          if (fields.length > 0) yield* tell("account_group.changed", changed.value, actor, { fields })
          yield* tellChanged(reactions, ids, now)
          return changed.value
        })
      )
    }),
    assign: Effect.fn("AccountGroups.assign")((workspace, group, ids, actor) =>
      within(
        Effect.gen(function* () {
          if (group !== null && Option.isNone(yield* store.get(workspace, group))) return yield* missing(group)
          const made = yield* makeIds
          const now = yield* time.now
          const mine = (yield* accounts.among(workspace, ids)).map(({ id }) => id)
          yield* wake(mine, now)
          const changed = yield* accounts.modify(mine, (account) =>
            account.group === group
              ? { account, events: [] }
              : {
                  account: { ...account, group },
                  events: [
                    stamped(made, now, {
                      workspace,
                      type: "account.changed",
                      subject: account.id,
                      actor,
                      data: { ...Account.told(account), group }
                    })
                  ]
                }
          )
          yield* tellChanged(reactions, mine, now)
          return changed
        })
      )
    )
  })
})
