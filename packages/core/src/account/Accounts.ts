/** Adds accounts, finds them, and changes what an operator may change; every change is an event. */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { type Actor, stamped } from "../event/DomainEvent.ts"
import type { AccountId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { format, type Instant } from "../workspace/Instant.ts"
import type { Metadata } from "../workspace/Json.ts"
import * as Paging from "../workspace/Page.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { RampUp } from "../workspace/RampUp.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { Vault, type VaultError } from "../workspace/Vault.ts"
import { needed, type WorkspaceNotFound } from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import type { Account, AccountLimits, AttentionReason } from "./Account.ts"
import * as Rules from "./Account.ts"
import type { InvalidAccess } from "./AccountAccess.ts"
import * as AccountAccess from "./AccountAccess.ts"
import { AccountChanges } from "./AccountChanges.ts"
import * as AccountInput from "./AccountInput.ts"
import { AccountSecretStore } from "./AccountSecretStore.ts"
import * as AccountSettings from "./AccountSettings.ts"
import { AccountFilter, AccountStore } from "./AccountStore.ts"
import { Connections } from "./Connections.ts"
import * as Sealing from "./Sealing.ts"
import * as WarmUp from "./WarmUp.ts"

export interface NewAccount extends Sealing.NewAccess {
  readonly workspace: WorkspaceId
  readonly channel: string
  readonly externalId: string
  readonly name?: string | undefined
  /** `Account.dailyCap`: 1 to 1 000 000 000; default none. */
  readonly dailyCap?: number | undefined
  /** `Account.minGapMs`: milliseconds, 0 to a day; default 20 000. */
  readonly minGapMs?: number | undefined
  /** A ramp over all its campaigns. */
  readonly warmUp?: RampUp | undefined
  /** IANA zone of its days; default the workspace's. */
  readonly timezone?: string | undefined
  readonly externalRef?: string | undefined
  readonly metadata?: Metadata | undefined
}

/** What an operator may change; what is left out stays. */
export interface AccountChange {
  readonly name?: string | undefined
  readonly enabled?: boolean | undefined
  readonly banned?: boolean | undefined
  /** The reasons that keep it from sending, in place of those it has. */
  readonly attention?: ReadonlyArray<AttentionReason> | undefined
  /** Reasons to set and to clear, one by one. */
  readonly setAttention?: ReadonlyArray<AttentionReason> | undefined
  readonly clearAttention?: ReadonlyArray<AttentionReason> | undefined
  /** Null ends its rest. */
  readonly restingUntil?: Instant | null | undefined
  readonly dailyCap?: number | null | undefined
  readonly minGapMs?: number | undefined
  /** Another ramp goes on from the day that the former one reached; null takes it away. */
  readonly warmUp?: RampUp | null | undefined
  /** Begins its warm-up again. */
  readonly restartWarmUp?: boolean | undefined
  readonly timezone?: string | null | undefined
  readonly metadata?: Metadata | undefined
}

export class Accounts extends Context.Service<
  Accounts,
  {
    /**
     * Adds an account, or returns the one that has its externalRef, or its channel and externalId; one that was removed comes
     * back. A reference and an externalId that are those of two accounts are refused. Secrets that are given are that one's
     * from then on; without a key to seal them with, nothing is added. Settings of one that is there stay: `differs` names
     * those that were given otherwise, for `change`.
     */
    connect(
      account: NewAccount,
      actor: Actor
    ): Effect.Effect<
      {
        readonly account: Account
        readonly created: boolean
        readonly differs: ReadonlyArray<keyof AccountSettings.AccountSettings>
      },
      StorageError | VaultError | InvalidAccess | WorkspaceNotFound | AccountInput.InvalidAccount
    >
    change(
      workspace: WorkspaceId,
      id: AccountId,
      change: AccountChange,
      actor: Actor
    ): Effect.Effect<Account, StorageError | Rules.AccountNotFound | AccountInput.InvalidAccount>
    /** By its id or its externalRef. */
    find(workspace: WorkspaceId, idOrRef: string): Effect.Effect<Account, StorageError | Rules.AccountNotFound>
    /** Best availability first. */
    list(
      workspace: WorkspaceId,
      filter: AccountFilter,
      page: PageRequest
    ): Effect.Effect<Page<Account>, StorageError | Paging.InvalidListRequest>
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
    name: change.name ?? before.name,
    enabled: change.enabled ?? before.enabled,
    banned: change.banned ?? before.banned,
    attention: Rules.attending(
      { ...before, attention: change.attention ?? before.attention },
      change.setAttention ?? [],
      change.clearAttention ?? []
    ).attention,
    restingUntil: change.restingUntil === undefined ? before.restingUntil : change.restingUntil,
    // Whoever ends a rest takes its reason away, too: the next one is an hour again.
    ...(change.restingUntil === null && { restedMs: 0, failuresInRow: 0 }),
    dailyCap: change.dailyCap === undefined ? before.dailyCap : change.dailyCap,
    minGapMs: change.minGapMs ?? before.minGapMs,
    timezone: change.timezone === undefined ? before.timezone : change.timezone,
    metadata: change.metadata ?? before.metadata,
    ...((before.limits !== undefined || change.warmUp !== undefined) && { limits: limitsAfter(before, change.warmUp) })
  }
  const isRestricted = (account: Account) => account.banned || account.attention.includes("restricted")
  return change.restartWarmUp === true || (isRestricted(after) && !isRestricted(before))
    ? Rules.restarted(after)
    : after
}

/** What its event tells beside the account's state. */
const changeTold = (before: Account, after: Account) => ({
  ...(before.restingUntil !== after.restingUntil && {
    restingUntil: after.restingUntil === null ? null : format(after.restingUntil)
  }),
  ...Rules.warmUpTold(before, after)
})

const checkList = Paging.checker(Schema.Struct({ filter: AccountFilter, page: Paging.requestOf([0, ""]) }))

const make = Effect.gen(function* () {
  const store = yield* AccountStore
  const secrets = yield* AccountSecretStore
  const connections = yield* Connections
  const changes = yield* AccountChanges
  const vault = yield* Vault
  const workspaces = yield* WorkspaceStore
  const time = yield* PacingTime
  const transaction = yield* Transaction
  const makeIds = (yield* Ids).generator

  const add = Effect.fnUntraced(function* (input: NewAccount, actor: Actor) {
    const ids = yield* makeIds
    const id = ids.next("acc")
    const sealed = yield* Sealing.seal(vault, id, input)
    const hasSecrets = Object.keys(sealed.change).length > 0
    const account: Account = {
      id,
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
      minGapMs: input.minGapMs ?? Rules.defaultMinGapMs,
      ...(input.warmUp !== undefined && { limits: { warmUp: WarmUp.begin(input.warmUp) } }),
      ...(hasSecrets && { access: AccountAccess.changed(AccountAccess.none, sealed.change) }),
      timezone: input.timezone ?? null,
      externalRef: input.externalRef ?? null,
      metadata: input.metadata ?? {},
      createdAt: yield* time.now
    }
    const connected = yield* store.connect(account, [
      stamped(ids, account.createdAt, {
        workspace: account.workspace,
        type: "account.changed",
        subject: account.id,
        actor,
        data: { ...Rules.told(account), created: true, connected: sealed.change.credentials === true }
      })
    ])
    if (connected.created && account.access !== undefined) {
      const { version } = account.access
      const texts = { credentials: null, egress: null, ...sealed.texts }
      yield* secrets.put({ account: id, workspace: account.workspace, version, ...texts })
    }
    return connected
  })

  return Accounts.of({
    connect: Effect.fn("Accounts.connect")(function* (given: NewAccount, actor: Actor) {
      const { credentials, egress, workspace, ...settings } = given
      const access = { credentials, egress }
      const input = { ...(yield* Effect.fromResult(AccountInput.checkNew(settings))), ...access, workspace }
      yield* needed(workspace)(yield* workspaces.get(workspace))
      return yield* transaction
        .within(
          Effect.gen(function* () {
            const known =
              input.externalRef === undefined
                ? Option.none()
                : yield* store.byExternalRef(input.workspace, input.externalRef)
            const found = Option.isSome(known) ? { account: known.value, created: false } : yield* add(input, actor)
            if (found.created) return { ...found, differs: [] }
            const mistaken = AccountSettings.mistaken(found.account, input)
            if (mistaken !== null) return yield* mistaken
            if (found.account.removedAt !== undefined) {
              yield* connections.restore(input.workspace, found.account.id, actor)
            }
            const account = yield* connections.set(input.workspace, found.account.id, access, actor)
            return { account, created: false, differs: AccountSettings.differing(account, input) }
          })
        )
        .pipe(
          // It was there within this transaction.
          Effect.catchTag("AccountNotFound", Effect.die)
        )
    }),
    change: Effect.fn("Accounts.change")(function* (workspace, account, given, actor) {
      const change = yield* Effect.fromResult(AccountInput.checkChange(given))
      return yield* changes.apply({
        workspace,
        account,
        actor,
        rule: (before) => changed(before, change),
        data: changeTold
      })
    }),
    find: Effect.fn("Accounts.find")(function* (workspace, idOrRef) {
      const byId = yield* store.get(workspace, idOrRef as AccountId)
      return yield* Rules.found(idOrRef, Option.isSome(byId) ? byId : yield* store.byExternalRef(workspace, idOrRef))
    }),
    list: Effect.fn("Accounts.list")(function* (workspace, filter, page) {
      const asked = yield* Effect.fromResult(checkList({ filter, page }))
      const now = yield* time.now
      return yield* Paging.ofList("accounts", asked.page, (own) => store.search(workspace, asked.filter, now, own))
    })
  })
})
