/** Accounts as a table and as JSON: what each may do now, and what keeps it from more. Pure. */
import * as Account from "@overture/core/account/Account"
import type { Campaign } from "@overture/core/campaign/Campaign"
import type { Pace } from "@overture/core/campaign/Pace"
import { type Instant, second } from "@overture/core/workspace/Instant"
import { instant } from "./Json.ts"
import type { PageOptions } from "./Page.ts"
import * as Text from "./Text.ts"

/** An account, with its place in a campaign where one was asked for. */
export interface Listed {
  readonly account: Account.Account
  readonly pace: Pace | null
}

/** `resting until Mon 2 Mar 2026 09:14` */
export const stateOf = (account: Account.Account, now: Instant, zone: string): string => {
  switch (Account.availability(account, now)) {
    case "able":
      return "ready"
    case "resting":
      return `resting until ${Text.dateTime(account.restingUntil ?? now, zone)}`
    case "needsAttention":
      return account.attention.join(", ")
    case "disabled":
      return account.attention.length === 0 ? "disabled" : `disabled; ${account.attention.join(", ")}`
    case "banned":
      return "banned"
  }
}

const limits = ({ dailyCap, limits: own, minGapMs }: Account.Account): string =>
  [
    ...(dailyCap === null ? [] : [`${Text.number(dailyCap)} a day`]),
    ...(own?.warmUp === undefined ? [] : [`warm-up day ${own.warmUp.day}`]),
    ...(minGapMs === 0 ? [] : [`every ${Text.number(minGapMs / second)} s`])
  ].join(", ")

const inCampaign = (pace: Pace | null): string =>
  pace === null ? "" : pace.leftAt === null ? `${Text.number(pace.counts.touched)} touches` : "left"

/** The lines of the table; times are in `zone`. */
export const render = (
  listed: ReadonlyArray<Listed>,
  campaign: Campaign | null,
  now: Instant,
  zone: string,
  { paint }: Pick<PageOptions, "paint">
): ReadonlyArray<string> => {
  const head = ["account", "name", "channel", "limits", ...(campaign === null ? [] : [campaign.name]), "now"]
  const rows = listed.map(({ account, pace }) => [
    Account.seedKey(account),
    account.name,
    account.channel,
    limits(account),
    ...(campaign === null ? [] : [inCampaign(pace)]),
    stateOf(account, now, zone)
  ])
  return Text.headed(head, rows, paint, { most: 44 })
}

const egressOf = ({ access }: Account.Account) => {
  if (access?.egress == null) return null
  const { check, ...proxy } = access.egress
  return { ...proxy, check: check === null ? null : { ...check, at: instant(check.at) } }
}

/** The same as JSON; nothing secret is in it. */
export const encode = ({ account, pace }: Listed, now: Instant) => ({
  id: account.id,
  externalRef: account.externalRef,
  name: account.name,
  channel: account.channel,
  externalId: account.externalId,
  enabled: account.enabled,
  health: Account.health(account),
  attention: account.attention,
  availability: Account.availability(account, now),
  restingUntil: instant(account.restingUntil),
  credentials: account.access?.credentials ?? false,
  egress: egressOf(account),
  dailyCap: account.dailyCap,
  minGap: account.minGapMs / second,
  warmUp: account.limits?.warmUp?.ramp ?? null,
  timezone: account.timezone,
  ...(pace !== null && {
    campaign: { left: instant(pace.leftAt), counts: pace.counts }
  })
})
