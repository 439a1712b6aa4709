/** One person in a campaign as text: what went out, what came back, and what comes next. Pure. */
import type { Account } from "@overture/core/account/Account"
import { type Campaign, seedKey } from "@overture/core/campaign/Campaign"
import type { CampaignStanding } from "@overture/core/campaign/CampaignStanding"
import type { Answer } from "@overture/core/campaign/Explanation"
import type { Verdict } from "@overture/core/outbox/Gate"
import { noSlot } from "@overture/core/campaign/PaceGates"
import type { Lead } from "@overture/core/campaign/Lead"
import * as Content from "@overture/core/channel/Content"
import type { Message } from "@overture/core/chat/Message"
import type { Contact } from "@overture/core/contact/Contact"
import { format } from "@overture/core/workspace/Instant"
import { inWords } from "./Reasons.ts"
import * as Text from "./Text.ts"

export interface LeadStory {
  readonly lead: Lead
  readonly answer: Answer
  /** Whether its account's turn has come in the campaign, or what it waits for; null where that does not matter. */
  readonly pace: Verdict | null
  readonly campaign: Campaign
  readonly standing: CampaignStanding
  readonly contact: Contact | null
  readonly account: Account | null
  /** Oldest first. */
  readonly messages: ReadonlyArray<Message>
}

/** How a lead ended, and what a reason means where nothing follows. */
const endings: Readonly<Record<string, string>> = {
  completed: "every step is done",
  replied: "the person replied",
  optedOut: "the person wants no more messages",
  failed: "a message failed",
  skipped: "it was skipped",
  cancelled: "it was cancelled",
  accountRemoved: "its account left the campaign",
  booked: "the person booked",
  closed: "their chat was closed"
}

const said = (reason: string) => endings[reason] ?? inWords(reason)

/** The answer as a sentence. */
export const answerText = (answer: Answer, zone: string): string => {
  const until = (at: number | null) => (at === null ? "" : ` until ${Text.dateTime(at, zone)}`)
  switch (answer.type) {
    case "over":
      return `Nothing more is sent: ${said(answer.reason)}.`
    case "underWay":
      return "A message is being sent, or its channel could not tell what became of it and is asked again."
    case "inPool":
      return "Waits in the pool until an account has room for it."
    case "waits":
      return `Waits${until(answer.at)}: ${said(answer.reason)}.`
    case "skipped":
      return `Would be skipped: ${said(answer.reason)}${answer.detail === null ? "" : ` (${answer.detail})`}.`
    case "blocked":
      return `Waits until someone acts: ${said(answer.reason)}.`
    case "ready":
      return answer.at === null
        ? "Ready: in its turn, at the account's next slot."
        : `Ready: in its turn, from the account's slot at ${Text.dateTime(answer.at, zone)} on.`
  }
}

/** What holds up the account in this campaign, where the answer does not say so itself. */
export const paceText = (pace: Verdict | null, answer: Answer, zone: string): string | null => {
  if (pace === null || pace.type === "allow" || ("reason" in answer && answer.reason === pace.reason)) return null
  const until = pace.type === "defer" ? `until ${Text.dateTime(pace.until, zone)}` : "until someone acts"
  return pace.reason === noSlot ? null : `Its account waits ${until}: ${said(pace.reason)}.`
}

const line = (message: Message, zone: string, paint: Text.Paint): ReadonlyArray<string> => {
  const at = message.sentAt ?? message.failedAt ?? message.begunAt ?? message.createdAt
  const who = message.direction === "inbound" ? paint.cyan("they") : paint.bold("we  ")
  const status =
    message.direction === "inbound"
      ? ""
      : [message.status, ...(message.reason === null ? [] : [said(message.reason)])].join(": ")
  const when = Text.dateTime(at, zone)
  const words = Text.indented(Content.preview(message.content), when.length + 10)
  return [`  ${when}  ${who}  ${words}${status === "" ? "" : paint.dim(`  (${status})`)}`]
}

/** The lines of the page. */
export const render = (story: LeadStory, paint: Text.Paint): ReadonlyArray<string> => {
  const { account, answer, campaign, contact, lead, messages, pace } = story
  const zone = campaign.settings.timezone
  const held = paceText(pace, answer, zone)
  const status = lead.reason === null ? lead.status : `${lead.status}: ${said(lead.reason)}`
  return [
    `${paint.bold(Text.onOneLine(contact?.name || lead.address))}  ${status}${lead.ended === null ? "" : paint.dim(` (ended: ${lead.ended})`)}`,
    paint.dim(
      `${lead.address} in ${campaign.name} (${seedKey(campaign)}), ${account === null ? "no account yet" : `by ${account.name}`}; ${lead.id}`
    ),
    ...(messages.length === 0 ? [] : ["", ...messages.flatMap((message) => line(message, zone, paint))]),
    "",
    answerText(answer, zone),
    ...(held === null ? [] : [held])
  ]
}

/** The same as JSON. */
export const encode = ({ account, answer, campaign, contact, lead, messages, pace, standing }: LeadStory) => ({
  lead: {
    id: lead.id,
    status: lead.status,
    reason: lead.reason,
    ended: lead.ended,
    address: lead.address,
    dueAt: lead.dueAt === null ? null : format(lead.dueAt),
    repliedAt: lead.repliedAt === null ? null : format(lead.repliedAt),
    touches: lead.touches.map((touch) => ({ ...touch, at: format(touch.at) }))
  },
  contact:
    contact === null ? null : { id: contact.id, name: contact.name, timezone: contact.timezone, tags: contact.tags },
  campaign: {
    id: campaign.id,
    externalRef: campaign.externalRef,
    name: campaign.name,
    status: campaign.status,
    standing
  },
  account: account === null ? null : { id: account.id, externalRef: account.externalRef, name: account.name },
  messages: messages.map((message) => ({
    id: message.id,
    direction: message.direction,
    status: message.status,
    reason: message.reason,
    errorCode: message.errorCode,
    errorDetail: message.errorDetail,
    text: Content.preview(message.content),
    at: format(message.sentAt ?? message.failedAt ?? message.begunAt ?? message.createdAt)
  })),
  answer: "at" in answer ? { ...answer, at: answer.at === null ? null : format(answer.at) } : answer,
  pace: pace !== null && pace.type === "defer" ? { ...pace, until: format(pace.until) } : pace,
  explanation: answerText(answer, campaign.settings.timezone)
})
