/**
 * The gates of a pace, in the order of the rules: whether anything of it may go out now. While one of them answers, a
 * claim looks at none of its leads.
 */
import * as Account from "../account/Account.ts"
import type { Channel } from "../channel/Channel.ts"
import type { Gate } from "../outbox/Gate.ts"
import { allow, block, defer } from "../outbox/Gate.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { DuePace } from "./CampaignStore.ts"
import * as PacePlan from "./PacePlan.ts"
import * as SendWindow from "./SendWindow.ts"

export interface PaceContext extends DuePace {
  readonly now: Instant
  /** Undefined when this process has no such channel. */
  readonly channel: Channel | undefined
  /** What its alarm means at `now`. */
  readonly planned: PacePlan.PacePlan
}

/** The reason of a pace that waits for its next slot: it is as it should be. */
export const noSlot = "noSlot"

/** The reason of a pace whose channel this process does not have; another one may. */
export const channelMissing = "channelMissing"

const isOpen = ({ now, planned: { plan } }: PaceContext): boolean =>
  plan.open.some(({ end, start }) => start <= now && now < end)

/** Whether anything of a pace may go out now. */
export const paceGates: ReadonlyArray<Gate<PaceContext>> = [
  {
    name: "workspace",
    decide: ({ workspace }) => (workspace.workspace.paused ? block("workspacePaused") : allow)
  },
  {
    name: "campaign",
    decide: ({ campaign, now }) =>
      campaign.status !== "running"
        ? block("campaignNotRunning")
        : campaign.settings.startAt !== null && campaign.settings.startAt > now
          ? defer("pace", campaign.settings.startAt, "notStarted")
          : allow
  },
  {
    name: "account",
    decide: ({ account: { account }, now, pace }) =>
      pace.leftAt !== null
        ? block("accountLeft")
        : !account.enabled
          ? block("accountDisabled")
          : Account.health(account) !== "ready"
            ? block(Account.health(account))
            : account.restingUntil !== null && account.restingUntil > now
              ? defer("pace", account.restingUntil, "accountResting")
              : allow
  },
  {
    name: "channel",
    decide: ({ channel }) =>
      channel === undefined ? block(channelMissing) : channel.policy.automationAllowed ? allow : block("policy")
  },
  {
    name: "sendWindow",
    decide: (context) => {
      if (context.planned.due > 0 || isOpen(context)) return allow
      const { window, zone } = PacePlan.dayPlanSettings(context.campaign.settings)
      const opening = SendWindow.nextOpen(window, zone, context.now)
      return opening === null
        ? block("neverOpens")
        : opening > context.now
          ? defer("pace", opening, "windowClosed")
          : allow
    }
  },
  {
    name: "pace",
    decide: ({ now, pace, planned }) => {
      if (planned.due > 0) return pace.nextAt !== null && pace.nextAt > now ? defer("pace", pace.nextAt, noSlot) : allow
      const { nextAt, quota, used } = planned.pace
      return nextAt === null ? block("neverOpens") : defer("pace", nextAt, used > 0 && used >= quota ? "quota" : noSlot)
    }
  }
]
