/**
 * What outcomes do to the accounts they came from: warm-up, troubles, rests and the breaker; what shows is an event, and
 * what went wrong an entry of the account's error log. A batch in which all went well writes nothing of this.
 */
import { Effect } from "effect"
import type { AccountStore } from "../account/AccountStore.ts"
import * as Account from "../account/Account.ts"
import * as AccountLog from "../account/AccountLog.ts"
import type { AccountLogStore } from "../account/AccountLogStore.ts"
import * as Message from "../chat/Message.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { AccountId, IdGenerator } from "../workspace/Id.ts"
import { format, type Instant } from "../workspace/Instant.ts"
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

/** What goes into the accounts' error logs. Platforms' words about a person who was erased meanwhile do not. */
const entriesOf = (settled: ReadonlyArray<Settled>, ids: IdGenerator, now: Instant) =>
  AccountLog.distinct(
    settled.flatMap(({ claimed, message, outcome }) => {
      const trouble = Message.isErased(message) ? null : AccountLog.troubleOf(outcome)
      return trouble === null ? [] : [AccountLog.entry(ids, claimed.account, now, trouble, message.address)]
    })
  )

/** Joins the caller's transaction. */
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

  const change = (settled: ReadonlyArray<Settled>, now: Instant): Effect.Effect<void, StorageError> => {
    const byAccount = changed(settled, suspect, now)
    if (byAccount.size === 0) return Effect.void
    return Effect.flatMap(makeIds, (ids) =>
      Effect.asVoid(
        accounts.modify([...byAccount.keys()], (before) => {
          const account = (byAccount.get(before.id) ?? []).reduce((state, one) => after(state, one, now), before)
          if (Account.hasFailures(account)) suspect.add(account.id)
          else if (!Account.hasFailures(before)) suspect.delete(account.id)
          const shows =
            account.attention.length !== before.attention.length ||
            account.banned !== before.banned ||
            account.restingUntil !== before.restingUntil
          const event: DomainEvent = {
            id: ids.next("evt"),
            workspace: account.workspace,
            type: "account.changed",
            at: now,
            subject: account.id,
            actor: { type: "channel", id: account.channel },
            cause: null,
            data: {
              health: Account.health(account),
              attention: [...account.attention],
              restingUntil: account.restingUntil === null ? null : format(account.restingUntil),
              ...Account.warmUpTold(before, account)
            }
          }
          return { account, events: shows ? [event] : [] }
        })
      )
    )
  }

  return (settled: ReadonlyArray<Settled>, now: Instant): Effect.Effect<void, StorageError> =>
    Effect.andThen(change(settled, now), log(settled, now))
}
