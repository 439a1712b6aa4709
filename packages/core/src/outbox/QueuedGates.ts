/** The gates of messages that are queued directly, or follow the first part of a touch: those that need no campaign. */
import type { Account } from "../account/Account.ts"
import * as Accounts from "../account/Account.ts"
import type { ChannelName } from "../channel/Address.ts"
import * as Capability from "../channel/Capability.ts"
import type { Channel } from "../channel/Channel.ts"
import type { DomainEvent } from "../event/DomainEvent.ts"
import * as Budget from "../workspace/Budget.ts"
import type { IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { minute } from "../workspace/Instant.ts"
import * as Dates from "../workspace/LocalDate.ts"
import * as Zone from "../workspace/Zone.ts"
import type { Gate, Verdict } from "./Gate.ts"
import * as Gates from "./Gate.ts"
import type { QueuedCandidate, QueuedDecision } from "./OutboxStore.ts"

export interface QueuedContext extends QueuedCandidate {
  readonly now: Instant
  readonly channel: Channel | undefined
}

/** How long a message waits whose account or workspace someone must see to first. */
const attentionMs = 15 * minute

const isAutomated = ({ message }: QueuedContext): boolean =>
  message.author.type === "campaign" || message.author.type === "system"

export const queuedGates: ReadonlyArray<Gate<QueuedContext>> = [
  {
    name: "workspace",
    decide: (context) =>
      context.workspace.workspace.paused && isAutomated(context)
        ? Gates.defer("lead", context.now + attentionMs, "workspacePaused")
        : Gates.allow
  },
  {
    name: "account",
    decide: ({ account: { account }, channel, now }) =>
      !Accounts.isAble(account) || channel === undefined
        ? Gates.defer("lead", now + attentionMs, "accountUnable")
        : account.restingUntil !== null && account.restingUntil > now
        ? Gates.defer("lead", account.restingUntil, "accountResting")
        : Gates.allow
  },
  {
    name: "suppression",
    decide: (context) =>
      // A member may answer a person who wrote, also one who opted out.
      context.suppressions.length === 0 || (context.message.author.type === "member" && isWindowOpen(context))
        ? Gates.allow
        : Gates.skip("suppressed")
  },
  { name: "replyWindow", decide: (context) => isWindowOpen(context) ? Gates.allow : Gates.skip("replyWindowClosed") },
  {
    name: "capability",
    decide: ({ channel, message }) =>
      channel !== undefined && Capability.refusal(channel.capabilities, message.content) !== null
        ? Gates.skip("unsupported")
        : Gates.allow
  }
]

const isWindowOpen = (context: QueuedContext): boolean => {
  const { channel, chat, message, now } = context
  const window = channel?.policy.replyWindow
  const openMs = message.author.type === "member" ? window?.humanMs ?? null : window?.automatedMs ?? null
  return openMs === null || (chat !== null && chat.lastInboundAt !== null && chat.lastInboundAt + openMs > now)
}

/** The day of an account's budgets. */
const dayOf = (account: Account, zone: string, now: Instant) => Zone.localDate(Zone.make(account.timezone ?? zone), now)

/** Decides every candidate in its order, keeping count of what budgets have left. A member's message is never held by one. */
export const decideQueued = (
  now: Instant,
  channels: ReadonlyMap<ChannelName, Channel>,
  ids: IdGenerator
) =>
(candidates: ReadonlyArray<QueuedCandidate>): QueuedDecision => {
  const take: Array<QueuedDecision["take"][number]> = []
  const defer: Array<QueuedDecision["defer"][number]> = []
  const cancel: Array<QueuedDecision["cancel"][number]> = []
  const events: Array<DomainEvent> = []
  const accounts = new Map<string, QueuedDecision["accounts"][number]>()
  const workspaces = new Map<string, QueuedDecision["workspaces"][number]>()
  for (const candidate of candidates) {
    const { account: { account }, message, workspace: { workspace } } = candidate
    const context = { ...candidate, now, channel: channels.get(account.channel) }
    const verdict: Verdict = Gates.decide(queuedGates, context)
    if (verdict.type === "defer") defer.push({ id: message.id, until: verdict.until, reason: verdict.reason })
    else if (verdict.type !== "allow") {
      cancel.push({ id: message.id, reason: verdict.reason })
      events.push({
        id: ids.next("evt"),
        at: now,
        workspace: message.workspace,
        type: "message.cancelled",
        subject: message.id,
        actor: { type: "system", id: null },
        cause: null,
        data: { chat: message.chat, reason: verdict.reason }
      })
    } else if (message.reserved !== null) take.push({ id: message.id, reserved: message.reserved })
    else {
      const accountDay = dayOf(account, workspace.timezone, now)
      const workspaceDay = Zone.localDate(Zone.make(workspace.timezone), now)
      const held = accounts.get(account.id) ??
        { id: account.id, use: candidate.account.use, lastTouchAt: candidate.account.lastTouchAt }
      const tenant = workspaces.get(workspace.id) ?? { id: workspace.id, use: candidate.workspace.use }
      const isSpent = isAutomated(context) || message.author.type === "api"
        ? Budget.left(held.use, accountDay, account.dailyCap) < 1
          ? account.timezone ?? workspace.timezone
          : Budget.left(tenant.use, workspaceDay, workspace.dailyCap) < 1
          ? workspace.timezone
          : null
        : null
      if (isSpent !== null) {
        const zone = Zone.make(isSpent)
        const until = Zone.toInstant(zone, Dates.addDays(Zone.localDate(zone, now), 1), 0, "first")
        defer.push({ id: message.id, until, reason: "budgetSpent" })
        continue
      }
      accounts.set(account.id, { ...held, use: Budget.take(held.use, accountDay, 1) })
      workspaces.set(workspace.id, { id: workspace.id, use: Budget.take(tenant.use, workspaceDay, 1) })
      take.push({ id: message.id, reserved: { pace: null, account: accountDay, workspace: workspaceDay } })
    }
  }
  return { take, defer, cancel, events, accounts: [...accounts.values()], workspaces: [...workspaces.values()] }
}
