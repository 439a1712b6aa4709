/** The gates of messages that are queued directly, or follow the first part of a touch: those that need no campaign. */
import { Result } from "effect"
import * as Accounts from "../account/Account.ts"
import type { ChannelName } from "../channel/Address.ts"
import * as Capability from "../channel/Capability.ts"
import type { Channel } from "../channel/Channel.ts"
import * as FirstWord from "../chat/FirstWord.ts"
import type { Message } from "../chat/Message.ts"
import * as OptOutReply from "../chat/OptOutReply.ts"
import * as ReplyWindow from "../chat/ReplyWindow.ts"
import { openly } from "../contact/Suppression.ts"
import { type DomainEvent, stamped, system } from "../event/DomainEvent.ts"
import type { IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { minute } from "../workspace/Instant.ts"
import type { Gate, Verdict } from "./Gate.ts"
import * as Gates from "./Gate.ts"
import type { QueuedCandidate, QueuedDecision } from "./OutboxStore.ts"
import * as SendBudget from "./SendBudget.ts"

export interface QueuedContext extends QueuedCandidate {
  readonly now: Instant
  readonly channel: Channel | undefined
}

/** How long a message waits whose account or workspace someone must see to first. */
const attentionMs = 15 * minute

/** How long a later part of a touch waits whose campaign is paused: soon after it runs again it goes on. */
const pausedMs = minute

/** Whoever comments may be answered once. */
const answersComment = ({ details }: Pick<Message, "details">): boolean => details?.comment !== undefined

/** Whether its person must have consented, unless they wrote; undefined = this process has not its channel. */
export const wantsConsent = (message: Pick<Message, "details">, channel: Channel | undefined): boolean =>
  channel !== undefined && channel.policy.optInRequired && !answersComment(message)

/** Whether a member wrote it: no pause of the workspace and no budget holds that, and it may answer who opted out. */
const isByMember = ({ message }: QueuedContext): boolean => message.author.type === "member"

export const queuedGates: ReadonlyArray<Gate<QueuedContext>> = [
  {
    name: "workspace",
    decide: (context) =>
      context.workspace.workspace.paused && !isByMember(context)
        ? Gates.defer("lead", context.now + attentionMs, "workspacePaused")
        : Gates.allow
  },
  {
    name: "campaign",
    decide: ({ campaignPaused, now }) =>
      campaignPaused === true ? Gates.defer("lead", now + pausedMs, "campaignNotRunning") : Gates.allow
  },
  {
    name: "account",
    decide: ({ account: { account }, channel, message, now }) =>
      // Its touch ends; what is of no campaign waits for the account to be connected again.
      account.removedAt !== undefined && message.lead !== null
        ? Gates.skip("accountRemoved")
        : !Accounts.isAble(account) || channel === undefined
          ? Gates.defer("lead", now + attentionMs, "accountUnable")
          : account.restingUntil !== null && account.restingUntil > now
            ? Gates.defer("lead", account.restingUntil, "accountResting")
            : Gates.allow
  },
  {
    name: "policy",
    decide: ({ channel, chat, contact, message, now }) => {
      if (channel === undefined || answersComment(message) || (chat !== null && chat.lastInboundAt !== null)) {
        return Gates.allow
      }
      const reason = FirstWord.refused(channel, contact, now)
      return reason === null ? Gates.allow : Gates.skip(reason)
    }
  },
  {
    name: "suppression",
    decide: (context) =>
      // A member may answer a person who wrote, also one who opted out; and that they opted out is acknowledged.
      (
        OptOutReply.isOne(context.message)
          ? OptOutReply.mayGo(context.message, context.suppressions, context.now)
          : context.suppressions.length === 0 || (isByMember(context) && isWindowOpen(context))
      )
        ? Gates.allow
        : Gates.skip("suppressed")
  },
  {
    name: "replyWindow",
    decide: (context) =>
      context.channel === undefined ||
      answersComment(context.message) ||
      ReplyWindow.permits(windowOf(context, context.channel), [context.message.content])
        ? Gates.allow
        : Gates.skip("replyWindowClosed")
  },
  {
    name: "capability",
    decide: ({ channel, message }) =>
      channel !== undefined && Capability.refusal(channel.capabilities, message.content) !== null
        ? Gates.skip("unsupported")
        : Gates.allow
  }
]

/** Why messages wait that an operator can let go: by a change of their workspace, account or group. */
export const liftable: ReadonlyArray<string> = [
  "workspacePaused",
  "accountUnable",
  "accountResting",
  ...SendBudget.budgetGates.map(({ name }) => name)
]

const windowOf = ({ chat, message, now }: QueuedContext, channel: Channel): ReplyWindow.ReplyWindow =>
  ReplyWindow.ofAuthor(channel.policy, message.author, chat, now)

const isWindowOpen = (context: QueuedContext): boolean =>
  context.channel === undefined || windowOf(context, context.channel).open

/** What budgets say of a message that reserved nothing yet: a member's is never held by one, nor what answers an opt-out. */
const budget = (context: QueuedContext, payers: SendBudget.Payers): Verdict =>
  !isByMember(context) && !OptOutReply.isOne(context.message)
    ? Gates.decide(SendBudget.budgetGates, {
        now: context.now,
        parts: 1,
        isTouch: false,
        payers,
        channelLimit: context.channel?.policy.dailyLimit
      })
    : Gates.allow

/** Decides every candidate in its order, keeping count of what budgets have left. A member's message is never held by one. */
export const decideQueued =
  (now: Instant, channels: ReadonlyMap<ChannelName, Channel>, ids: IdGenerator) =>
  (candidates: ReadonlyArray<QueuedCandidate>): QueuedDecision => {
    const take: Array<QueuedDecision["take"][number]> = []
    const defer: Array<QueuedDecision["defer"][number]> = []
    const cancel: Array<QueuedDecision["cancel"][number]> = []
    const events: Array<DomainEvent> = []
    const purse = SendBudget.purse()
    for (const candidate of candidates) {
      const {
        account: { account },
        message
      } = candidate
      const context = { ...candidate, now, channel: channels.get(account.channel) }
      const verdict = Result.getOrElse(
        Result.try(() => {
          const gates = Gates.decide(queuedGates, context)
          return message.reserved !== null ? gates : Gates.stronger(gates, budget(context, purse.of(candidate)))
        }),
        () => Gates.failed("lead", now)
      )
      if (verdict.type === "defer") defer.push({ id: message.id, until: verdict.until, reason: verdict.reason })
      else if (verdict.type === "block")
        defer.push({ id: message.id, until: now + attentionMs, reason: verdict.reason })
      else if (verdict.type === "skip") {
        cancel.push({ id: message.id, reason: verdict.reason })
        events.push(
          stamped(ids, now, {
            workspace: message.workspace,
            type: "message.cancelled",
            subject: message.id,
            actor: system,
            data: { chat: message.chat, reason: verdict.reason }
          })
        )
      } else {
        const reserved = message.reserved ?? purse.take(candidate, 1, now, null, false)
        take.push({ id: message.id, reserved, despite: openly(candidate.suppressions) })
      }
    }
    return { take, defer, cancel, events, ...purse.writes() }
  }
