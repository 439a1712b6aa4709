/** One person in a campaign as text: what went out, what came back, and what comes next. Pure. */
import type { Account } from "@overture/core/account/Account"
import { type Campaign, seedKey } from "@overture/core/campaign/Campaign"
import type { Answer } from "@overture/core/campaign/Explanation"
import type { Lead } from "@overture/core/campaign/Lead"
import * as Content from "@overture/core/channel/Content"
import type { Message } from "@overture/core/chat/Message"
import type { Contact } from "@overture/core/contact/Contact"
import { format } from "@overture/core/workspace/Instant"
import { inWords } from "./CampaignPage.ts"
import * as Text from "./Text.ts"

export interface LeadStory {
  readonly lead: Lead
  readonly answer: Answer
  readonly campaign: Campaign
  readonly contact: Contact | null
  readonly account: Account | null
  /** Oldest first. */
  readonly messages: ReadonlyArray<Message>
}

const endings: Readonly<Record<string, string>> = {
  completed: "every step is done",
  replied: "the person replied",
  optedOut: "the person wants no more messages",
  takenOver: "someone of us writes to them by hand",
  failed: "a message failed",
  skipped: "it was skipped",
  cancelled: "it was cancelled",
  accountRemoved: "its account left the campaign",
  campaignNotRunning: "the campaign is not running",
  workspacePaused: "the workspace is paused",
  accountDisabled: "its account is disabled",
  needsAttention: "its account needs attention",
  banned: "its account is banned",
  channelMissing: "its channel is not connected in this process",
  accountResting: "its account rests",
  notStarted: "the campaign has not begun",
  notDue: "the next step is not due"
}

const said = (reason: string) => endings[reason] ?? inWords(reason)

/** The answer as a sentence. */
export const answerText = (answer: Answer, zone: string): string => {
  const until = (at: number | null) => (at === null ? "" : ` until ${Text.dateTime(at, zone)}`)
  switch (answer.type) {
    case "over":
      return `Nothing more is sent: ${said(answer.reason)}.`
    case "underWay":
      return "A message is being sent."
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

const line = (message: Message, zone: string, paint: Text.Paint): ReadonlyArray<string> => {
  const at = message.sentAt ?? message.failedAt ?? message.begunAt ?? message.createdAt
  const who = message.direction === "inbound" ? paint.cyan("they") : paint.bold("we  ")
  const status =
    message.direction === "inbound"
      ? ""
      : [message.status, ...(message.reason === null ? [] : [said(message.reason)])].join(": ")
  return [
    `  ${Text.dateTime(at, zone)}  ${who}  ${Content.preview(message.content)}${status === "" ? "" : paint.dim(`  (${status})`)}`
  ]
}

/** The lines of the page. */
export const render = (story: LeadStory, paint: Text.Paint): ReadonlyArray<string> => {
  const { account, answer, campaign, contact, lead, messages } = story
  const zone = campaign.settings.timezone
  const status = lead.reason === null ? lead.status : `${lead.status}: ${said(lead.reason)}`
  return [
    `${paint.bold(contact?.name ?? lead.contact)}  ${status}${lead.ended === null ? "" : paint.dim(` (ended: ${lead.ended})`)}`,
    paint.dim(
      `${lead.address} in ${campaign.name} (${seedKey(campaign)}), ${account === null ? "no account yet" : `by ${account.name}`}; ${lead.id}`
    ),
    ...(messages.length === 0 ? [] : ["", ...messages.flatMap((message) => line(message, zone, paint))]),
    "",
    answerText(answer, zone)
  ]
}

/** The same as JSON. */
export const encode = ({ account, answer, campaign, contact, lead, messages }: LeadStory) => ({
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
  campaign: { id: campaign.id, externalRef: campaign.externalRef, name: campaign.name, status: campaign.status },
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
  explanation: answerText(answer, campaign.settings.timezone)
})
