/** Which chats a list shows. What is left out does not matter; all that is given must hold. */
import type { ChannelName } from "../channel/Address.ts"
import type { AccountId, MemberId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as Chat from "./Chat.ts"

export interface ChatFilter {
  readonly account?: AccountId | undefined
  readonly channel?: ChannelName | undefined
  /** Whether the person wrote since anybody last read the chat. */
  readonly unread?: boolean | undefined
  /** The person wrote since this member last read the chat. */
  readonly unreadBy?: MemberId | undefined
  /** Null = nobody. */
  readonly assignee?: MemberId | null | undefined
  readonly tag?: string | undefined
  readonly open?: boolean | undefined
  readonly archived?: boolean | undefined
  /** Whether it is open and the last message is the person's. */
  readonly waiting?: boolean | undefined
  readonly responded?: boolean | undefined
  readonly booked?: boolean | undefined
  readonly pinned?: boolean | undefined
  /** The last message came at that time or later. */
  readonly after?: Instant | undefined
  /** The last message came before that time. */
  readonly before?: Instant | undefined
  /** Words in the name of the chat or its contact, in a tag, or in what was said (`SearchText`). */
  readonly search?: string | undefined
}

/** Whether a chat that is not deleted passes all but `unreadBy` and `search`, which need more than its row. */
export const admits = (self: ChatFilter, chat: Chat.Chat): boolean => {
  const is = (wanted: boolean | undefined, actual: boolean) => wanted === undefined || wanted === actual
  return (
    (self.account === undefined || chat.account === self.account) &&
    (self.channel === undefined || chat.address.startsWith(`${self.channel}/`)) &&
    is(self.unread, chat.unread > 0) &&
    (self.assignee === undefined || chat.assignee === self.assignee) &&
    (self.tag === undefined || chat.tags.includes(self.tag)) &&
    is(self.open, Chat.isOpen(chat)) &&
    is(self.archived, chat.archivedAt !== null) &&
    is(self.waiting, Chat.isWaiting(chat)) &&
    is(self.responded, chat.respondedAt !== null) &&
    is(self.booked, chat.bookedAt !== null) &&
    is(self.pinned, chat.pinnedAt !== null) &&
    (self.after === undefined || chat.lastAt >= self.after) &&
    (self.before === undefined || chat.lastAt < self.before)
  )
}
