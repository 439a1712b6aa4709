/**
 * From the accounts of a campaign to those that may draw, how much each can use on its next active day, and which parts of
 * the pool are open to whom. Pure.
 */
import * as Account from "../account/Account.ts"
import type { Channel } from "../channel/Channel.ts"
import * as SendBudget from "../outbox/SendBudget.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Campaign } from "./Campaign.ts"
import { seedKey } from "./Campaign.ts"
import * as DayPlan from "./DayPlan.ts"
import * as Distribution from "./Distribution.ts"
import type { Drawer, PoolPart, PoolRange } from "./Draw.ts"
import type { DrawAccount, PacedAccount } from "./PacedAccount.ts"
import * as PacePlan from "./PacePlan.ts"
import * as SendWindow from "./SendWindow.ts"

/** By seed key, not by id: the same file draws the same leads on every machine. */
export const ordered = <A extends { readonly account: Account.Account }>(
  accounts: ReadonlyArray<A>
): ReadonlyArray<A> => accounts.toSorted((a, b) => (Account.seedKey(a.account) < Account.seedKey(b.account) ? -1 : 1))

/** The accounts that are in the campaign, in the order in which they draw. */
export const members = (paces: ReadonlyArray<Pick<PacedAccount, "account" | "pace">>): ReadonlyArray<Account.Account> =>
  ordered(paces).flatMap(({ account, pace }) => (pace.leftAt === null ? [account] : []))

/** The ranges of the pool whose routes lead to an account that left: those that want it, and those that only it reached. */
export const strandedBy = (
  left: Account.Account,
  members: ReadonlyArray<Account.Account>
): ReadonlyArray<PoolRange> => {
  const reached = new Set(members.flatMap(Account.reachesOf))
  return Account.reachesOf(left).flatMap((reach) => [
    { reach, wanted: left.id },
    ...(reached.has(reach) ? [] : [{ reach, wanted: null }])
  ])
}

/** Whether it is in the campaign and may be counted on. */
const isAble = ({ account, pace }: Pick<PacedAccount, "account" | "pace">): boolean =>
  pace.leftAt === null && Account.isAble(account)

/** The channels of this process, by name. */
export type Channels = ReadonlyMap<string, Pick<Channel, "policy">>

/** The cap that so many messages of an account at once never pass; null = they pass all of them. */
export const capBelow = (
  parts: number,
  { account, groupCap, workspaceCap }: Pick<PacedAccount, "account" | "groupCap" | "workspaceCap">,
  channels: Channels
): SendBudget.Cap | null =>
  SendBudget.capBelow(parts, {
    account,
    group: { dailyCap: groupCap },
    workspace: { dailyCap: workspaceCap },
    channelLimit: channels.get(account.channel)?.policy.dailyLimit
  })

/**
 * How many touches accounts have on the campaign's next active day; 0 = it left, is not able, has no channel here, or a cap
 * lets none of them pass.
 */
export const touchesOf = (campaign: Campaign, channels: Channels, now: Instant): ((one: PacedAccount) => number) => {
  const settings = PacePlan.dayPlanSettings(campaign.settings)
  const at = SendWindow.nextOpen(settings.window, settings.zone, now)
  const date = at === null ? null : SendWindow.dateOf(settings.window, settings.zone, at)
  return (one) =>
    date === null ||
    !isAble(one) ||
    !channels.has(one.account.channel) ||
    capBelow(settings.parts, one, channels) !== null
      ? 0
      : DayPlan.make({
          campaign: seedKey(campaign),
          account: Account.seedKey(one.account),
          date,
          settings,
          rampDay: PacePlan.rampDayOn(one.pace, date),
          from: null,
          used: 0
        }).slotCount
}

/** What each account holds and can use. */
export const drawers = (
  campaign: Campaign,
  accounts: ReadonlyArray<DrawAccount>,
  channels: Channels,
  now: Instant
): ReadonlyArray<Drawer> => {
  const touches = touchesOf(campaign, channels, now)
  return accounts.map((one) => ({
    account: one.account.id,
    holding: one.holding - one.deferred,
    given: one.given,
    weight: Distribution.weightOf(campaign.settings.distribution, one.account),
    touches: touches(one)
  }))
}

/** Whether caps let no account that could draw leads of a reach make a first touch of the campaign. */
export const isBelowParts = (
  { settings: { steps } }: Campaign,
  paces: ReadonlyArray<PacedAccount>,
  reach: string,
  channels: Channels
): boolean => {
  const able = paces.filter((one) => isAble(one) && Account.reachesOf(one.account).includes(reach))
  return able.length > 0 && able.every((one) => capBelow(steps[0].parts.length, one, channels) !== null)
}

/**
 * Whether leads that want an account wait for it. With `sticky` they do while it can send; with `byAttribute` while it is
 * in the campaign, unless what a lost account had is to go to others.
 */
const isAwaited = ({ settings }: Campaign, one: DrawAccount): boolean =>
  isAble(one) ||
  (settings.distribution.strategy === "byAttribute" &&
    one.pace.leftAt === null &&
    settings.onAccountLost !== "reassign")

/** The ranges of the pool with the accounts, by place, that may draw from each. */
export const parts = (campaign: Campaign, accounts: ReadonlyArray<DrawAccount>): ReadonlyArray<PoolPart> => {
  const reaching = new Map<string, Array<number>>()
  accounts.forEach(({ account, pace }, place) => {
    for (const reach of Account.reachesOf(account)) {
      const places = reaching.get(reach) ?? []
      reaching.set(reach, places)
      if (pace.leftAt === null) places.push(place)
    }
  })
  const anyone = Array.from(reaching, ([reach, drawers]): PoolPart => ({ reach, wanted: null, drawers }))
  if (!Distribution.wants(campaign.settings.distribution)) return anyone.filter(({ drawers }) => drawers.length > 0)
  const wanting = accounts.flatMap((one, place) =>
    Account.reachesOf(one.account).map(
      (reach): PoolPart => ({
        reach,
        wanted: one.account.id,
        drawers: isAwaited(campaign, one) ? [place] : (reaching.get(reach) ?? [])
      })
    )
  )
  return [...anyone, ...wanting].filter(({ drawers }) => drawers.length > 0)
}
