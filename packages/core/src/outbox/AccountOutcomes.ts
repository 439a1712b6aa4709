/**
 * What outcomes do to the accounts they came from: warm-up, troubles, rests and the breaker; what shows is an event, and
 * what went wrong an entry of the account's error log. A batch in which all went well writes nothing of this.
 */
import { Effect } from "effect"
import type { AccountStore } from "../account/AccountStore.ts"
import * as Account from "../account/Account.ts"
import * as AccountLog from "../account/AccountLog.ts"
import { modifyTurning } from "../account/AccountReaction.ts"
import type { AccountLogStore } from "../account/AccountLogStore.ts"
import type { Outcome } from "../channel/Outcome.ts"
import * as Message from "../chat/Message.ts"
import { stamped } from "../event/DomainEvent.ts"
import type { AccountGroupId, AccountId, IdGenerator } from "../workspace/Id.ts"
import { format, type Instant } from "../workspace/Instant.ts"
import { everything } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Settled } from "./Settling.ts"

const after = (account: Account.Account, one: Settled, now: Instant): Account.Account => {
  // Its credentials were changed while it was being sent: this was said of the former ones.
  const { type } = one.outcome
  const isOfCredentials = type === "unauthorized" || type === "challenge"
  if (isOfCredentials && one.claimed.account.access?.version !== account.access?.version) return account
  const judged = Account.afterOutcome(account, one.outcome, one.fate === "failed", now)
  const { lead, reserved } = one.claimed.message
  // A warm-up counts the days of campaigns, by the day that the message was reserved from.
  return lead !== null && reserved !== null && (one.fate === "sent" || one.fate === "unknown")
    ? Account.wentOut(judged, reserved.account)
    : judged
}

/** Accounts that a batch changes, judged as its claim saw them, and those that are `suspect`; the others cost nothing. */
const changed = (
  settled: ReadonlyArray<Settled>,
  suspect: ReadonlySet<AccountId>,
  now: Instant
): ReadonlyMap<AccountId, ReadonlyArray<Settled>> => {
  const byAccount = new Map<AccountId, Array<Settled>>()
  for (const one of settled) {
    const { account } = one.claimed
    const known = byAccount.get(account.id)
    if (known !== undefined) known.push(one)
    else if (suspect.has(account.id) || after(account, one, now) !== account) byAccount.set(account.id, [one])
  }
  return byAccount
}

type RateLimited = Extract<Outcome, { readonly type: "rateLimited" }>

const isOfGroup = (one: Settled): one is Settled & { readonly outcome: RateLimited } =>
  one.outcome.type === "rateLimited" && one.outcome.scope === "group"

/** What goes into the accounts' error logs. Platforms' words about a person who was erased meanwhile do not. */
const entriesOf = (settled: ReadonlyArray<Settled>, ids: IdGenerator, now: Instant) =>
  AccountLog.distinct(
    settled.flatMap(({ claimed, message, outcome }) => {
      const trouble = Message.isErased(message) ? null : AccountLog.troubleOf(outcome)
      return trouble === null ? [] : [AccountLog.entry(ids, claimed.account, now, trouble, message.address)]
    })
  )

/** Joins the caller's transaction. Answers the accounts that became able to send or unable: they are told of at its end. */
export const make = (
  accounts: AccountStore["Service"],
  logs: AccountLogStore["Service"],
  makeIds: Effect.Effect<IdGenerator>
) => {
  const log = (settled: ReadonlyArray<Settled>, now: Instant): Effect.Effect<void, StorageError> =>
    settled.every(({ outcome }) => outcome.type === "accepted")
      ? Effect.void
      : Effect.flatMap(makeIds, (ids) => logs.append(entriesOf(settled, ids, now)))

  /**
   * Accounts of which a failure was counted since claims that are still worked on: the next send that went well takes it
   * back, whatever its claim saw. Until their row is found without any, so a transaction that comes to nothing loses none.
   */
  const suspect = new Set<AccountId>()

  /** A limit of a group rests all its accounts: by each, the outcomes of the others. */
  const ofGroups = Effect.fnUntraced(function* (settled: ReadonlyArray<Settled>, now: Instant) {
    const longest = new Map<AccountGroupId, Settled & { readonly outcome: RateLimited }>()
    for (const one of settled) {
      const { group } = one.claimed.account
      if (group === null || !isOfGroup(one)) continue
      if ((longest.get(group)?.outcome.retryAfterMs ?? -1) < one.outcome.retryAfterMs) longest.set(group, one)
    }
    const rests = new Map<AccountId, Outcome>()
    for (const [group, { claimed, outcome }] of longest) {
      const { workspace } = claimed.account
      const members = yield* everything((page) => accounts.search(workspace, { group }, now, page))
      for (const { id } of members) rests.set(id, outcome)
    }
    return rests
  })

  const change = Effect.fnUntraced(function* (settled: ReadonlyArray<Settled>, now: Instant) {
    const byAccount = changed(settled, suspect, now)
    if (byAccount.size === 0) return []
    const rests = settled.some(isOfGroup) ? yield* ofGroups(settled, now) : new Map<AccountId, Outcome>()
    const ids = yield* makeIds
    const touched = [...new Set([...byAccount.keys(), ...rests.keys()])]
    const { turned } = yield* modifyTurning(accounts, touched, (before) => {
      const limit = rests.get(before.id)
      const rested = limit === undefined ? before : Account.afterOutcome(before, limit, false, now)
      const account = (byAccount.get(before.id) ?? []).reduce((state, one) => after(state, one, now), rested)
      if (Account.hasFailures(account)) suspect.add(account.id)
      else if (!Account.hasFailures(before)) suspect.delete(account.id)
      const shows =
        account.attention.length !== before.attention.length ||
        account.banned !== before.banned ||
        account.restingUntil !== before.restingUntil
      const event = stamped(ids, now, {
        workspace: account.workspace,
        type: "account.changed",
        subject: account.id,
        actor: { type: "channel", id: account.channel },
        data: {
          health: Account.health(account),
          attention: [...account.attention],
          restingUntil: account.restingUntil === null ? null : format(account.restingUntil),
          ...Account.warmUpTold(before, account)
        }
      })
      return { account, events: shows ? [event] : [] }
    })
    return turned
  })

  return (settled: ReadonlyArray<Settled>, now: Instant): Effect.Effect<ReadonlyArray<Account.Account>, StorageError> =>
    Effect.tap(change(settled, now), log(settled, now))
}
