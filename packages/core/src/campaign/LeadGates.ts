/**
 * The gates of one lead, in the order of the rules, once its pace may send: whether this person may be written to now, and
 * whether the budgets have room for it. The same list answers claims, explanations, dry runs and forecasts.
 */
import * as Account from "../account/Account.ts"
import type { Address } from "../channel/Address.ts"
import { key } from "../channel/Address.ts"
import * as FirstWord from "../chat/FirstWord.ts"
import * as ReplyWindow from "../chat/ReplyWindow.ts"
import type { Contact } from "../contact/Contact.ts"
import type { Suppression } from "../contact/Suppression.ts"
import type { Gate } from "../outbox/Gate.ts"
import { allow, block, defer, skip } from "../outbox/Gate.ts"
import * as SendBudget from "../outbox/SendBudget.ts"
import { hour } from "../workspace/Instant.ts"
import type { LeadCandidate } from "./CampaignStore.ts"
import * as Frequency from "./Frequency.ts"
import * as Lead from "./Lead.ts"
import { takeoverMs } from "./LeadStopping.ts"
import type { PaceContext } from "./PaceGates.ts"
import * as PacePlan from "./PacePlan.ts"
import * as QuietHours from "./QuietHours.ts"
import * as RecipientHours from "./RecipientHours.ts"
import type { Step } from "./Step.ts"
import type { RenderedTouch } from "./TouchRendering.ts"
import * as TouchRendering from "./TouchRendering.ts"

/** A lead with everything that decides about its next touch. `pace` and `payers` are as the sends before left them. */
export interface LeadContext extends PaceContext, LeadCandidate {
  readonly step: Step
  /** Messages that are to be sent: those of the step, without what went out at an earlier try. */
  readonly parts: number
  readonly payers: SendBudget.Payers
  /** The address it would be written to; null when none of the contact's may be. */
  readonly address: Address | null
  /** Whether every address that the account reaches is suppressed. */
  readonly isSuppressed: boolean
  /** What it would say; null where there is no address or no channel. */
  readonly contents: RenderedTouch | null
}

/**
 * The first of the contact's addresses that the account reaches and nothing suppresses, the lead's own before the others.
 * Where a message found nobody, the others go before it: it is tried again once none of them has proved better.
 */
export const chooseAddress = (
  lead: Pick<Lead.Lead, "address">,
  contact: Contact,
  account: Account.Account,
  suppressions: ReadonlyArray<Suppression>,
  unreachable: ReadonlyArray<string> = []
): { readonly address: Address | null; readonly isSuppressed: boolean } => {
  const reached = contact.addresses.filter((address) => Account.reaches(account, address))
  const suppressed = new Set(suppressions.map((suppression) => suppression.address))
  const free = reached.filter((address) => !suppressed.has(key(address)))
  const better = unreachable.length === 0 ? free : free.filter((address) => !unreachable.includes(key(address)))
  const choice = better.length > 0 ? better : free
  return {
    address: choice.find((address) => key(address) === lead.address) ?? choice[0] ?? null,
    isSuppressed: reached.length > 0 && free.length === 0
  }
}

/** How long after the next touch of another campaign's sequence a lead is looked at again. */
const elsewhereMs = hour

const wrote = ({ chat }: LeadContext): boolean => chat !== null && chat.lastInboundAt !== null

const budgetContext = ({ channel, now, parts, payers }: LeadContext): SendBudget.BudgetContext => ({
  now,
  parts,
  isTouch: true,
  payers,
  channelLimit: channel?.policy.dailyLimit
})

/** When the person was touched by any campaign, leaving aside earlier tries of this very touch. */
const touchedAt = ({ lead, step, touches }: LeadContext): ReadonlyArray<number> =>
  touches.filter((touch) => touch.lead !== lead.id || touch.step !== step.id).map(({ at }) => at)

export const leadGates: ReadonlyArray<Gate<LeadContext>> = [
  {
    name: "policy",
    decide: (context) => {
      const { channel, contact, now } = context
      if (channel === undefined || wrote(context)) return allow
      const reason = FirstWord.refused(channel, contact, now)
      return reason === null ? allow : skip(reason)
    }
  },
  {
    name: "condition",
    decide: ({ chat, lead, step }) =>
      (step.type === "noReply" && lead.repliedAt !== null) ||
      (step.type === "noReplyResponded" && chat?.lastDirection === "inbound")
        ? skip("replied")
        : allow
  },
  { name: "suppression", decide: ({ isSuppressed }) => (isSuppressed ? skip("suppressed") : allow) },
  {
    name: "reach",
    decide: ({ address, isSuppressed }) => (address === null && !isSuppressed ? skip("unreachable") : allow)
  },
  {
    name: "quietHours",
    decide: ({ campaign: { settings }, contact, lead, now }) => {
      const zone = RecipientHours.zoneOf(settings, contact)
      if (settings.quietHours == null || QuietHours.endOf(settings.quietHours, zone, now) === null) return allow
      const until = RecipientHours.next(settings, zone, now)
      if (until === null) return skip("quietHours")
      const since = Lead.deferredSince(lead, "quietHours")
      const hasWaited = since !== null && RecipientHours.horizon(settings, since) <= now
      return hasWaited && RecipientHours.isRare(settings, zone, now)
        ? skip("quietHours")
        : defer("lead", until, "quietHours")
    }
  },
  {
    name: "quota",
    decide: ({ campaign, pace, parts, planned }) => {
      if (pace.used === 0 || pace.used + parts <= pace.quota) return allow
      const until = PacePlan.nextDayOf(planned, campaign)
      return until === null ? block("neverOpens") : defer("pace", until, "quota")
    }
  },
  ...[...SendBudget.budgetGates, SendBudget.gapGate].map(
    (gate): Gate<LeadContext> => ({
      name: gate.name,
      decide: (context) => gate.decide(budgetContext(context))
    })
  ),
  {
    name: "frequency",
    decide: (context) => {
      const { campaign, lead, now } = context
      const { frequency } = campaign.settings
      if (frequency === undefined || frequency === null) return allow
      const allowedAt = Frequency.allowedAt(frequency, touchedAt(context), now)
      if (allowedAt <= now) return allow
      const waitsUntil = (Lead.deferredSince(lead, "frequencyCapped") ?? now) + Frequency.mostWaitMs
      return waitsUntil <= now
        ? skip("frequencyCapped")
        : defer("lead", Math.min(allowedAt, waitsUntil), "frequencyCapped")
    }
  },
  {
    name: "contactedElsewhere",
    decide: ({ campaign, lead, now, sequences }) => {
      // Only a lead that nothing was said to waits: two begun sequences would wait for each other for ever.
      if (sequences.length === 0 || Lead.isTouched(lead)) return allow
      // What is being sent just now may be the last of its sequence: that is known in a while.
      if (campaign.settings.skipContacted === true && sequences.some(({ dueAt }) => dueAt !== null)) {
        return skip("contactedElsewhere")
      }
      const next = sequences.reduce((latest, { dueAt }) => Math.max(latest, dueAt ?? now), now)
      return defer("lead", next + elsewhereMs, "contactedElsewhere")
    }
  },
  {
    name: "replyWindow",
    decide: ({ channel, chat, contents, now }) => {
      if (channel === undefined) return allow
      const window = ReplyWindow.of(channel.policy, "automated", chat, now)
      const said = contents?.type === "rendered" ? contents.contents : []
      return ReplyWindow.permits(window, said) ? allow : skip("replyWindowClosed")
    }
  },
  {
    name: "takeover",
    decide: ({ campaign, chat, now, takenOver }) => {
      const isElsewhere = campaign.settings.stopOn === "contact" && takenOver.length > 0
      const isHere = chat !== null && chat.takenOverAt !== null
      return isHere || isElsewhere ? defer("lead", now + takeoverMs, "takenOver") : allow
    }
  },
  {
    name: "content",
    decide: ({ contents }) => (contents === null ? allow : TouchRendering.contentGate.decide(contents))
  }
]
