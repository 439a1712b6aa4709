/** What one settling transaction writes for a batch of results: messages, chats, suppressions and what is told of them. */
import * as Address from "../channel/Address.ts"
import * as Content from "../channel/Content.ts"
import * as ChatOpening from "../chat/ChatOpening.ts"
import type { Message } from "../chat/Message.ts"
import * as Messages from "../chat/Message.ts"
import * as Notice from "../chat/Notice.ts"
import type { Suppression } from "../contact/Suppression.ts"
import { type Actor, type DomainEvent, type EventType, stamped } from "../event/DomainEvent.ts"
import type { IdGenerator } from "../workspace/Id.ts"
import type { HeldResult, SettleWrites } from "./OutboxStore.ts"
import type { Settled } from "./Settling.ts"
import * as Settling from "./Settling.ts"

const eventType: Record<Settled["fate"], EventType | null> = {
  sent: "message.sent",
  failed: "message.failed",
  unknown: "message.failed",
  again: "message.retrying",
  returned: null
}

const suppressionOf = (settled: Settled, message: Message): Suppression | null => {
  const { type } = settled.outcome
  if (type !== "blocked" && type !== "optedOut") return null
  return {
    workspace: message.workspace,
    address: message.address,
    account: type === "blocked" ? message.account : null,
    reason: type,
    at: settled.at
  }
}

/** Judges what is still held. */
export const conclude =
  (ids: IdGenerator) =>
  (held: ReadonlyArray<HeldResult>): SettleWrites => {
    const settled: Array<Settled> = []
    const openings: Array<ChatOpening.ChatOpening> = []
    const touches: Array<SettleWrites["touches"][number]> = []
    const suppressions: Array<Suppression> = []
    const events: Array<DomainEvent> = []
    for (const { message: row, notices = [], result } of held) {
      const erased = Messages.isErased(row)
      const message = erased ? Messages.erase(row) : row
      const judged = Settling.settle(result, message)
      const settledMessage = erased ? Messages.erase(judged.message) : judged.message
      const told = erased || judged.fate !== "sent" ? [] : notices
      const one = { ...judged, message: told.reduce(Notice.applied, settledMessage) }
      const { at } = result
      settled.push(one)
      const { account, author, chat, contact, workspace } = message
      const actor: Actor = { type: author.type === "device" ? "channel" : author.type, id: author.id }
      if (one.fate === "sent" || one.fate === "unknown") {
        const address = erased ? Address.erased(chat) : message.address
        const place = { id: chat, workspace, account, address, contact, name: "", at }
        openings.push(ChatOpening.make(ids, place, actor))
        const text = erased ? "" : Content.preview(message.content)
        touches.push({ chat, at, text, direction: "outbound", unread: 0 })
      }
      const suppression = erased ? null : suppressionOf(one, message)
      if (suppression !== null) suppressions.push(suppression)
      const type = eventType[one.fate]
      if (type !== null) {
        const data = {
          chat,
          account,
          ...(message.lead !== null && { lead: message.lead, campaign: message.campaign, part: message.part }),
          ...(settledMessage.reason !== null && { reason: settledMessage.reason })
        }
        events.push(stamped(ids, at, { workspace, type, subject: message.id, actor, data }))
      }
      told.reduce((before, notice) => {
        const after = Notice.applied(before, notice)
        const event = Notice.eventOf(notice, before, after)
        if (event !== null) {
          const data = {
            ...Notice.dataOf(notice, after),
            account,
            ...(after.status !== before.status && { was: before.status }),
            ...(message.lead !== null && { lead: message.lead })
          }
          const channel: Actor = { type: "channel", id: null }
          events.push(stamped(ids, at, { workspace, type: event, subject: message.id, actor: channel, data }))
        }
        return after
      }, settledMessage)
    }
    return { settled, openings, touches, suppressions, events }
  }
