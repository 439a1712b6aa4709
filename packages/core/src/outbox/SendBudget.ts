/**
 * The budgets of one send: account, group, workspace and warm-up, each on the calendar day of its own zone. What is left
 * is asked, taken and written here alone, for touches of campaigns and for messages of the queue.
 */
import type { AccountState } from "../account/Account.ts"
import type { AccountGroupState } from "../account/AccountGroup.ts"
import * as WarmUp from "../account/WarmUp.ts"
import type { Reservation } from "../chat/Message.ts"
import * as Budget from "../workspace/Budget.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import * as Dates from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import type { WorkspaceState } from "../workspace/WorkspaceStore.ts"
import type { Gate, Verdict } from "./Gate.ts"
import { allow, block, defer } from "./Gate.ts"
import type { BudgetWrites } from "./OutboxStore.ts"

/** Whoever pays for a send, as the rows stand under their locks. */
export interface Payers {
  readonly account: AccountState
  readonly workspace: WorkspaceState
  /** Absent or null = the account is in no group. */
  readonly group?: AccountGroupState | null | undefined
}

export type Payer = "account" | "group" | "workspace"

export interface BudgetContext {
  readonly now: Instant
  /** Messages that are to be reserved: all or none, at least 1. */
  readonly parts: number
  /** Whether it is a touch of a campaign: one that the account's day has none of yet may pass the warm-up. */
  readonly isTouch: boolean
  readonly payers: Payers
  /** The channel's own limit of messages for one account and day; absent = it has none. */
  readonly channelLimit?: number | undefined
}

/** The payer's zone; of what no zone is called, the next above it, so that one row never stops a claim. */
const zoneOf = ({ account: { account }, group, workspace: { workspace } }: Payers, who: Payer): Zone.Zone =>
  who === "workspace"
    ? Zone.firstOf(workspace.timezone)
    : Zone.firstOf(who === "account" ? account.timezone : group?.group.timezone, workspace.timezone)

/** The calendar day at `now` by which one of the payers counts. */
export const dayOf = (payers: Payers, who: Payer, now: Instant): LocalDate => Zone.localDate(zoneOf(payers, who), now)

/** Midnight after `now` in the payer's zone. */
const nextDay = (payers: Payers, who: Payer, now: Instant): Instant =>
  Zone.toInstant(zoneOf(payers, who), Dates.addDays(dayOf(payers, who, now), 1), 0, "first")

/** Whatever caps the messages of an account's day, whoever used how much of it. */
export interface CapHolders {
  readonly account: { readonly dailyCap: number | null }
  /** Absent or null = the account is in no group. */
  readonly group?: { readonly dailyCap: number | null } | null | undefined
  readonly workspace: { readonly dailyCap: number | null }
  /** Of the channel; absent = it has none. */
  readonly channelLimit?: number | undefined
}

/** A cap that no send passes, by the name of its gate. */
export interface Cap {
  readonly name: "accountCap" | "channelLimit" | "groupCap" | "workspaceCap"
  readonly cap: number
}

/** The caps that no send passes, in the order in which they answer. */
const caps: ReadonlyArray<{
  readonly name: Cap["name"]
  readonly who: Payer
  readonly of: (holders: CapHolders) => number | null
}> = [
  { name: "accountCap", who: "account", of: ({ account }) => account.dailyCap },
  { name: "channelLimit", who: "account", of: ({ channelLimit }) => channelLimit ?? null },
  { name: "groupCap", who: "group", of: ({ group }) => group?.dailyCap ?? null },
  { name: "workspaceCap", who: "workspace", of: ({ workspace }) => workspace.dailyCap }
]

/** Who caps what these payers send. */
export const holders = ({ account, group, workspace }: Payers, channelLimit: number | undefined): CapHolders => ({
  account: account.account,
  group: group?.group,
  workspace: workspace.workspace,
  channelLimit
})

/** The reason of what has more messages than one of the caps: it never goes out, until someone raises that. */
export const partsOverCap = "partsOverCap"

/** The first cap that so many messages at once never pass; null = they pass all of them. */
export const capBelow = (parts: number, holding: CapHolders): Cap | null => {
  for (const { name, of } of caps) {
    const cap = of(holding)
    if (cap !== null && parts > cap) return { name, cap }
  }
  return null
}

const spent = ({ now, parts, payers }: BudgetContext, who: Payer, cap: number | null, reason: string): Verdict => {
  if (cap === null) return allow
  const use = who === "group" ? payers.group?.use : payers[who].use
  return use !== undefined && Budget.left(use, dayOf(payers, who, now), cap) < parts
    ? defer("pace", nextDay(payers, who, now), reason)
    : allow
}

/** Whether it is the first message of the account's day, or the first touch of a day on which members wrote. */
const isDaysFirst = ({ isTouch, now, payers }: BudgetContext): boolean => {
  const { lastTouchAt, use } = payers.account
  const today = dayOf(payers, "account", now)
  if (Budget.usedOn(use, today) === 0) return true
  return isTouch && (lastTouchAt === null || Zone.localDate(zoneOf(payers, "account"), lastTouchAt) < today)
}

/** Of caps that a send must not pass, and of the warm-up, which yields to the account's first touch of the day. */
export const budgetGates: ReadonlyArray<Gate<BudgetContext>> = [
  {
    name: partsOverCap,
    decide: ({ channelLimit, parts, payers }) =>
      capBelow(parts, holders(payers, channelLimit)) === null ? allow : block(partsOverCap)
  },
  ...caps.map(
    ({ name, of, who }): Gate<BudgetContext> => ({
      name,
      decide: (context) => spent(context, who, of(holders(context.payers, context.channelLimit)), name)
    })
  ),
  {
    name: "warmUp",
    decide: (context) => {
      const { now, parts, payers } = context
      const warmUp = payers.account.account.limits?.warmUp
      if (warmUp === undefined) return allow
      const today = dayOf(payers, "account", now)
      const left = Budget.left(payers.account.use, today, WarmUp.cap(warmUp, today))
      return left >= parts || isDaysFirst(context) ? allow : defer("pace", nextDay(payers, "account", now), "warmUp")
    }
  }
]

/** Between two automated touches of an account lies its gap, over all its campaigns. */
export const gapGate: Gate<BudgetContext> = {
  name: "minGap",
  decide: ({
    now,
    payers: {
      account: { account, lastTouchAt }
    }
  }) =>
    account.minGapMs > 0 && lastTouchAt !== null && lastTouchAt + account.minGapMs > now
      ? defer("pace", lastTouchAt + account.minGapMs, "minGap")
      : allow
}

/** The payers after `parts` messages were taken; an automated touch (`isTouch`) also begins the account's gap. */
const taken = (before: Payers, parts: number, now: Instant, isTouch: boolean) => {
  const { account, group, workspace } = before
  return {
    account: {
      account: account.account,
      use: Budget.take(account.use, dayOf(before, "account", now), parts),
      lastTouchAt: isTouch ? now : account.lastTouchAt
    },
    workspace: { ...workspace, use: Budget.take(workspace.use, dayOf(before, "workspace", now), parts) },
    group:
      group === null || group === undefined
        ? null
        : { ...group, use: Budget.take(group.use, dayOf(before, "group", now), parts) }
  }
}

/** What payers hold while one claim decides: two paces of an account, or two accounts of a group, pay from one purse. */
export interface Purse {
  /** The payers as the sends before have left them. */
  of(payers: Payers): Payers
  /** Takes messages and says from which days. `pace` is the campaign's day, null for messages of no pace. */
  take(payers: Payers, parts: number, now: Instant, pace: LocalDate | null, isTouch: boolean): Reservation
  /** What is to be written: accounts that paid, and those workspaces and groups that are locked because they have a cap. */
  writes(): BudgetWrites
}

export const purse = (): Purse => {
  const accounts = new Map<string, AccountState>()
  const groups = new Map<string, AccountGroupState>()
  const workspaces = new Map<string, WorkspaceState>()
  const of: Purse["of"] = ({ account, group, workspace }) => ({
    account: accounts.get(account.account.id) ?? account,
    workspace: workspaces.get(workspace.workspace.id) ?? workspace,
    group: group === null || group === undefined ? null : (groups.get(group.group.id) ?? group)
  })
  return {
    of,
    take: (payers, parts, now, pace, isTouch) => {
      const { account, group, workspace } = taken(of(payers), parts, now, isTouch)
      accounts.set(account.account.id, account)
      workspaces.set(workspace.workspace.id, workspace)
      if (group !== null && group !== undefined) groups.set(group.group.id, group)
      return {
        pace,
        account: account.use.day,
        workspace: workspace.use.day,
        ...(group !== null && group !== undefined && { group: { id: group.group.id, day: group.use.day } })
      }
    },
    writes: () => ({
      accounts: Array.from(accounts.values(), ({ account, lastTouchAt, use }) => ({
        id: account.id,
        use,
        lastTouchAt
      })),
      workspaces: [...workspaces.values()].flatMap(({ use, workspace }) =>
        workspace.dailyCap === null ? [] : [{ id: workspace.id, use }]
      ),
      groups: [...groups.values()].flatMap(({ group, use }) => (group.dailyCap === null ? [] : [{ id: group.id, use }]))
    })
  }
}
