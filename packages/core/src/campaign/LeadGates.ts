/**
 * The gates of campaign touches, in the order of the rules. Those of the pace decide whether anything of it may go out
 * now; those of the lead whether this person may be written to.
 */
import type { AccountState } from "../account/Account.ts"
import * as Account from "../account/Account.ts"
import type { Address } from "../channel/Address.ts"
import { key } from "../channel/Address.ts"
import type { Channel } from "../channel/Channel.ts"
import type { Chat } from "../chat/Chat.ts"
import * as Contact from "../contact/Contact.ts"
import type { Suppression } from "../contact/Suppression.ts"
import type { Gate } from "../outbox/Gate.ts"
import { allow, block, defer, skip } from "../outbox/Gate.ts"
import type { Instant } from "../workspace/Instant.ts"
import { day } from "../workspace/Instant.ts"
import type { WorkspaceState } from "../workspace/WorkspaceStore.ts"
import type { Campaign } from "./Campaign.ts"
import type { Lead } from "./Lead.ts"

export interface PaceContext {
  readonly now: Instant
  readonly campaign: Campaign
  readonly account: AccountState
  readonly workspace: WorkspaceState
  /** Undefined when this process has no such channel. */
  readonly channel: Channel | undefined
}

/** Whether anything of a pace may go out now. */
export const paceGates: ReadonlyArray<Gate<PaceContext>> = [
  {
    name: "workspace",
    decide: ({ workspace }) => workspace.workspace.paused ? block("workspacePaused") : allow
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
    decide: ({ account: { account }, now }) =>
      !account.enabled
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
      channel === undefined ? block("channelMissing") : channel.policy.automationAllowed ? allow : block("policy")
  }
]

export interface LeadContext extends PaceContext {
  readonly lead: Lead
  readonly contact: Contact.Contact
  /** The address it would be written to; null when none of the contact's may be. */
  readonly address: Address | null
  readonly chat: Chat | null
}

/** The first of the contact's addresses that the account reaches and nothing suppresses; the lead's own first. */
export const chooseAddress = (
  lead: Pick<Lead, "address">,
  contact: Contact.Contact,
  account: Account.Account,
  suppressions: ReadonlyArray<Suppression>
): { readonly address: Address | null; readonly isSuppressed: boolean } => {
  const reached = contact.addresses.filter((address) => Account.reaches(account, address))
  const suppressed = new Set(suppressions.map((suppression) => suppression.address))
  const free = reached.filter((address) => !suppressed.has(key(address)))
  return {
    address: free.find((address) => key(address) === lead.address) ?? free[0] ?? null,
    isSuppressed: reached.length > 0 && free.length === 0
  }
}

/** How long a lead whose chat a member holds waits before it is looked at again. */
const takeoverMs = day

/** Whether this person may be written to now. */
export const leadGates: ReadonlyArray<Gate<LeadContext & { readonly isSuppressed: boolean }>> = [
  {
    name: "policy",
    decide: ({ channel, chat, contact, now }) => {
      if (channel === undefined) return allow
      const wrote = chat !== null && chat.lastInboundAt !== null
      if (channel.policy.personWritesFirst && !wrote) return skip("policy")
      return channel.policy.optInRequired && !wrote && !Contact.consented(contact, channel.name, now)
        ? skip("noConsent")
        : allow
    }
  },
  { name: "suppression", decide: ({ isSuppressed }) => isSuppressed ? skip("suppressed") : allow },
  {
    name: "replyWindow",
    decide: ({ channel, chat, now }) => {
      const openMs = channel?.policy.replyWindow.automatedMs ?? null
      if (openMs === null) return allow
      return (chat?.lastInboundAt ?? -Infinity) + openMs > now ? allow : skip("replyWindowClosed")
    }
  },
  {
    name: "takeover",
    decide: ({ chat, now }) =>
      chat !== null && chat.takenOverAt !== null ? defer("lead", now + takeoverMs, "takenOver") : allow
  },
  { name: "reach", decide: ({ address, isSuppressed }) => address === null && !isSuppressed ? skip("unreachable") : allow }
]
