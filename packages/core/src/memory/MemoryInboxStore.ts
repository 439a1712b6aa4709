/** What an inbox shows, in memory. */
import { Option } from "effect"
import * as Chat from "../chat/Chat.ts"
import * as ChatFilter from "../chat/ChatFilter.ts"
import { chatsByText, InboxStore, type ThreadPart, textsLookedAt } from "../chat/InboxStore.ts"
import type { Message } from "../chat/Message.ts"
import * as Content from "../channel/Content.ts"
import * as MessageFilter from "../chat/MessageFilter.ts"
import * as SearchText from "../chat/SearchText.ts"
import type { ChatId, MemberId, WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { byId, page } from "./Paging.ts"
import { readKey, type State } from "./State.ts"

/** Messages that no campaign sent, the newest first. */
const talk = (state: State, workspace: WorkspaceId): ReadonlyArray<Message> =>
  [...state.messages.values()]
    .filter((message) => message.workspace === workspace && message.lead === null)
    .sort((a, b) => byId(b, a))

const chatsSaying = (state: State, workspace: WorkspaceId, search: string): ReadonlySet<ChatId> =>
  new Set(
    talk(state, workspace)
      .slice(0, textsLookedAt)
      .filter(({ content }) => SearchText.isIn(Content.words(content), search))
      .slice(0, chatsByText)
      .map(({ chat }) => chat)
  )

const isUnreadBy = (state: State, member: MemberId, chat: Chat.Chat): boolean =>
  chat.lastInboundAt !== null && chat.lastInboundAt > (state.reads.get(readKey(member, chat.id))?.at ?? -Infinity)

const listed = (state: State, workspace: WorkspaceId, filter: ChatFilter.ChatFilter): ReadonlyArray<Chat.Chat> => {
  const { search = "", unreadBy } = filter
  const saying = search.trim() === "" ? new Set<ChatId>() : chatsSaying(state, workspace, search)
  const isNamed = (chat: Chat.Chat) => {
    const contact = chat.contact === null ? undefined : state.contacts.get(chat.contact)?.contact
    return [chat.name, contact?.name ?? "", ...chat.tags].some((text) => SearchText.isIn(text, search))
  }
  return [...state.chats.values()].filter(
    (chat) =>
      chat.workspace === workspace &&
      !Chat.isDeleted(chat) &&
      ChatFilter.admits(filter, chat) &&
      (unreadBy === undefined || isUnreadBy(state, unreadBy, chat)) &&
      (saying.has(chat.id) || isNamed(chat))
  )
}

const said = (state: State, workspace: WorkspaceId, { after, chat }: ThreadPart): ReadonlyArray<Message> =>
  [...state.messagesByChat.get(chat).values()].filter(
    (message) => message.workspace === workspace && (after === null || message.createdAt > after)
  )

export const make = ({ state, verb }: Memory) =>
  InboxStore.of({
    chats: (workspace, filter, request) =>
      verb(() => page(listed(state, workspace, filter), request, (chat) => [-chat.lastAt, chat.id])),
    find: (workspace, chats) =>
      verb(() =>
        [...new Set(chats)]
          .flatMap((id) => state.chats.get(id) ?? [])
          .filter((chat) => chat.workspace === workspace)
          .sort(byId)
      ),
    unread: (workspace, assignee) =>
      verb(() => {
        const unread = listed(state, workspace, { unread: true, ...(assignee !== null && { assignee }) })
        return { chats: unread.length, messages: unread.reduce((sum, chat) => sum + chat.unread, 0) }
      }),
    loads: (workspace) =>
      verb(() => {
        const loads = new Map<MemberId, number>()
        for (const { assignee, closedAt, workspace: of } of state.chats.values()) {
          if (of !== workspace || assignee === null || closedAt !== null) continue
          loads.set(assignee, (loads.get(assignee) ?? 0) + 1)
        }
        return Array.from(loads, ([member, load]) => ({ member, load }))
      }),
    thread: (workspace, parts, order, request) =>
      verb(() => {
        const messages = parts.flatMap((part) => said(state, workspace, part))
        const direction = order === "oldest" ? "ascending" : "descending"
        return page(messages, request, ({ createdAt, id }) => [createdAt, id], direction)
      }),
    message: (workspace, id) =>
      verb(() => {
        const message = state.messages.get(id)
        return message?.workspace === workspace ? Option.some(message) : Option.none()
      }),
    messages: (workspace, filter, request) =>
      verb(() => {
        const matching = [...state.messages.values()].filter(
          (message) => message.workspace === workspace && MessageFilter.admits(filter, message)
        )
        const { cursor, limit } = request
        return page(matching, { cursor, limit }, ({ id }) => [id], "descending")
      }),
    byExternalId: (workspace, externalId, account, limit) =>
      verb(() =>
        [...state.messages.values()]
          .filter(
            (message) =>
              message.workspace === workspace &&
              message.externalId === externalId &&
              (account === null || message.account === account)
          )
          .sort(byId)
          .slice(0, limit)
      ),
    unreadAfter: (workspace, parts) =>
      verb(() => parts.map((part) => said(state, workspace, part).filter((row) => row.direction === "inbound").length)),
    markRead: (workspace, member, positions) =>
      verb(() => {
        for (const { at, chat } of positions) {
          const key = readKey(member, chat)
          const known = state.reads.get(key)
          state.reads.set(key, { workspace, member, chat, at: Math.max(at, known?.at ?? at) })
        }
      }),
    readBy: (workspace, member, chats) =>
      verb(() =>
        chats.map((chat) => {
          const row = state.reads.get(readKey(member, chat))
          return row?.workspace === workspace ? row.at : null
        })
      )
  })
