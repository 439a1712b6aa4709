/**
 * Our sending identity on one channel. Whether it may send is `enabled` (ours) × `health` (the platform's word) ×
 * `restingUntil`; what is shown is derived from these, never stored beside them.
 */
import { Effect, Option, Schema } from "effect"
import type { Address } from "../channel/Address.ts"
import { ChannelName, reach } from "../channel/Address.ts"
import type { Capabilities } from "../channel/Capability.ts"
import type { Sender } from "../channel/Sender.ts"
import type { Outcome } from "../channel/Outcome.ts"
import { isAccountTrouble, isContacts } from "../channel/Outcome.ts"
import { Cap, type DayUse } from "../workspace/Budget.ts"
import { AccountGroupId, AccountId, WorkspaceId } from "../workspace/Id.ts"
import { day, hour, Instant } from "../workspace/Instant.ts"
import { Metadata } from "../workspace/Json.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import { ZoneName } from "../workspace/Zone.ts"
import * as AccountAccess from "./AccountAccess.ts"
import * as WarmUp from "./WarmUp.ts"

export const AttentionReason = Schema.Literals(["unauthorized", "restricted", "challenge", "misconfigured"])
export type AttentionReason = typeof AttentionReason.Type

/** Milliseconds between two automated touches of an account. */
export const MinGap = Schema.Int.check(
  Schema.isBetween({ minimum: 0, maximum: day }, { expected: `a whole number of milliseconds from 0 to ${day}` })
)

/** Limits of an account beside its daily cap, as one document: what is absent does not limit it. */
export class AccountLimits extends Schema.Opaque<AccountLimits>()(
  Schema.Struct({
    warmUp: Schema.optionalKey(WarmUp.WarmUp)
  }).annotate({ identifier: "AccountLimits" })
) {}

export class Account extends Schema.Opaque<Account>()(
  Schema.Struct({
    id: AccountId,
    workspace: WorkspaceId,
    channel: ChannelName,
    /** The platform's name for it: a page id, a number, a handle. */
    externalId: Schema.NonEmptyString,
    name: Schema.String,
    group: Schema.NullOr(AccountGroupId),
    enabled: Schema.Boolean,
    banned: Schema.Boolean,
    attention: Schema.Array(AttentionReason),
    restingUntil: Schema.NullOr(Instant),
    /** How long the breaker rested it the last time, in milliseconds; 0 = never. */
    restedMs: Schema.Int,
    /** Final failures in a row that are not the contact's. */
    failuresInRow: Schema.Int,
    /**
     * The most messages a day over all campaigns, by its zone, 1 to 1 000 000 000; null = none. Members' replies count and
     * are never held. A touch of more parts than this waits until someone raises it (`partsOverCap`).
     */
    dailyCap: Schema.NullOr(Cap),
    /** The least time between two automated touches, milliseconds, 0 (none) to a day; 20 000 where it is not said. */
    minGapMs: MinGap,
    /** Absent = none. */
    limits: Schema.optionalKey(AccountLimits),
    /** What may be shown of its credentials and its way out; absent = it never had any. */
    access: Schema.optionalKey(AccountAccess.AccountAccess),
    /** IANA zone of its days; null = the workspace's. */
    timezone: Schema.NullOr(ZoneName),
    externalRef: Schema.NullOr(Schema.String),
    metadata: Metadata,
    createdAt: Instant,
    /** When somebody removed it, until it is connected again: it is off, without secrets, and in no list. Absent = it was not. */
    removedAt: Schema.optionalKey(Instant)
  }).annotate({ identifier: "Account" })
) {}

/** An account as a claim holds it: the row is locked. */
export interface AccountState {
  readonly account: Account
  readonly use: DayUse
  readonly lastTouchAt: Instant | null
}

export const defaultMinGapMs = 20_000

export const AccountHealth = Schema.Literals(["ready", "needsAttention", "banned"])
export type AccountHealth = typeof AccountHealth.Type

/** What the platform lets it do. */
export const health = (self: Account): AccountHealth =>
  self.banned ? "banned" : self.attention.length > 0 ? "needsAttention" : "ready"

/** Whether it may be counted on: resting, spent or closed-for-today accounts are still able. */
export const isAble = (self: Account): boolean => self.enabled && health(self) === "ready"

/** Whether its platform is asked for news: it is on, and nothing keeps it from being let in. A restricted one still hears. */
export const isHeard = (self: Account): boolean =>
  self.enabled && !self.banned && self.attention.every((reason) => reason === "restricted")

/** What seeds its chance: the host's reference given at creation, else the id. */
export const seedKey = (self: Account): string => self.externalRef ?? self.id

/** The scope in which ids mean something to it: everywhere, to itself, or to its group. */
export const reaches = (self: Account, address: Address): boolean =>
  address.channel === self.channel &&
  (address.scope === "" || address.scope === self.externalId || address.scope === self.group)

/** The scope of the people it writes to, by where ids of its channel mean something. */
export const scopeOf = (
  self: Pick<Account, "externalId" | "group">,
  scope: Capabilities["addressScope"]
): Address["scope"] => {
  switch (scope) {
    case "channel":
      return ""
    case "account":
      return self.externalId
    case "group":
      return self.group ?? self.externalId
  }
}

/** The reaches of addresses (`Address.reach`) it can write to. */
export const reachesOf = (self: Account): ReadonlyArray<string> =>
  ["", self.externalId, ...(self.group === null ? [] : [self.group])].map((scope) =>
    reach({ channel: self.channel, scope })
  )

/** What a channel sees of it. */
export const sender = (self: Account, credentials: Sender["credentials"], egress: Sender["egress"] = null): Sender => ({
  account: self.id,
  externalId: self.externalId,
  credentials,
  egress
})

const breakerFailures = 5

/** Whether failures are counted against it that a send which goes well takes back. */
export const hasFailures = (self: Account): boolean => self.failuresInRow > 0 || self.restedMs > 0

/** The account with another warm-up; the very object where it is the same one. */
const warmed = (self: Account, warmUp: WarmUp.WarmUp | undefined): Account =>
  warmUp === self.limits?.warmUp || warmUp === undefined ? self : { ...self, limits: { ...self.limits, warmUp } }

/** After the platform restricted it: its warm-up begins again. */
export const restarted = (self: Account): Account =>
  self.limits?.warmUp === undefined ? self : warmed(self, WarmUp.restart(self.limits.warmUp))

/** A message of a campaign went out on `date`, a day of its budgets, or may have. The same object when nothing changed. */
export const wentOut = (self: Account, date: LocalDate): Account =>
  self.limits?.warmUp === undefined ? self : warmed(self, WarmUp.wentOut(self.limits.warmUp, date))

/**
 * The account after an attempt: troubles set their reason, a rate limit rests it, and the fifth final failure in a row
 * that is not the contact's rests it an hour, doubling to a day. The same object when nothing changed.
 */
export const afterOutcome = (self: Account, outcome: Outcome, isFinal: boolean, now: Instant): Account => {
  if (isAccountTrouble(outcome.type)) {
    if (outcome.type === "banned") return self.banned ? self : restarted({ ...self, banned: true })
    if (self.attention.includes(outcome.type)) return self
    const troubled: Account = { ...self, attention: [...self.attention, outcome.type] }
    return outcome.type === "restricted" ? restarted(troubled) : troubled
  }
  if (outcome.type === "rateLimited") {
    if (outcome.scope === "recipient") return self
    const until = now + outcome.retryAfterMs
    return (self.restingUntil ?? 0) >= until ? self : { ...self, restingUntil: until }
  }
  if (outcome.type === "accepted") return hasFailures(self) ? { ...self, failuresInRow: 0, restedMs: 0 } : self
  if (!isFinal || isContacts(outcome.type)) return self
  const failuresInRow = self.failuresInRow + 1
  if (failuresInRow < breakerFailures) return { ...self, failuresInRow }
  const restedMs = Math.min(day, self.restedMs === 0 ? hour : self.restedMs * 2)
  return { ...self, failuresInRow: 0, restedMs, restingUntil: Math.max(self.restingUntil ?? 0, now + restedMs) }
}

/** With other credentials or another way out. New credentials clear what the former ones were refused for. */
export const accessed = (self: Account, change: AccountAccess.AccessChange): Account => {
  const account = { ...self, access: AccountAccess.changed(self.access ?? AccountAccess.none, change) }
  return change.credentials === true ? verified(account) : account
}

/** The account once somebody removed it: off, and without what it reached its platform with. What it did stays. */
export const removed = (self: Account, now: Instant): Account => ({
  ...accessed(self, { credentials: null, egress: null }),
  enabled: false,
  removedAt: now
})

/** One that was removed as it comes back, with the secrets that it is given then. The same object where it never went. */
export const restored = (self: Account): Account => {
  const { removedAt, ...others } = self
  return removedAt === undefined ? self : { ...others, enabled: true }
}

/** The platform accepts its credentials. The same object where nothing was doubted. */
export const verified = (self: Account): Account => attending(self, [], ["unauthorized", "challenge"])

/** With some of the reasons set that keep it from sending, and others cleared. The same object where that changes nothing. */
export const attending = (
  self: Account,
  set: ReadonlyArray<AttentionReason>,
  clear: ReadonlyArray<AttentionReason>
): Account => {
  const added = set.filter((reason, i) => !self.attention.includes(reason) && set.indexOf(reason) === i)
  const attention = [...self.attention.filter((reason) => !clear.includes(reason)), ...added]
  return added.length === 0 && attention.length === self.attention.length ? self : { ...self, attention }
}

/** What an event tells of its state. */
export const told = (self: Account) => ({
  health: health(self),
  enabled: self.enabled,
  attention: [...self.attention]
})

/** What an event tells of a warm-up that changed: the day it has reached; 0 = it begins again, null = there is none. */
export const warmUpTold = (before: Account, after: Account) =>
  before.limits?.warmUp === after.limits?.warmUp ? {} : { warmUpDay: after.limits?.warmUp?.day ?? null }

/** How near it is to sending, best first: the order in which people look at accounts. */
export const availabilities = ["able", "resting", "needsAttention", "disabled", "banned"] as const
export type Availability = (typeof availabilities)[number]

export const availability = (self: Account, now: Instant): Availability => {
  if (self.banned) return "banned"
  if (!self.enabled) return "disabled"
  if (self.attention.length > 0) return "needsAttention"
  return (self.restingUntil ?? 0) > now ? "resting" : "able"
}

export class AccountNotFound extends Schema.TaggedError<AccountNotFound>()("AccountNotFound", {
  account: Schema.String
}) {
  override get message(): string {
    return `there is no account ${this.account} in this workspace`
  }
}

/** The account that was looked for; fails where there is none. */
export const found = (id: string, account: Option.Option<Account>): Effect.Effect<Account, AccountNotFound> =>
  Option.isSome(account) ? Effect.succeed(account.value) : Effect.fail(new AccountNotFound({ account: id }))
