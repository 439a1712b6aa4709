/** Chats and their messages in memory. */
import { Option } from "effect"
import * as Chat from "../chat/Chat.ts"
import { type ChatOpening, ChatStore, type ChatTouch } from "../chat/ChatStore.ts"
import * as Message from "../chat/Message.ts"
import type { ChatId, MessageId, WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { by, byId, page } from "./Paging.ts"
import { giveBack } from "./Reservations.ts"
import { externalKey, nextNumber, type State } from "./State.ts"

/** Makes the chats that are missing; one chat for each opening, in their order. */
export const open = (state: State, openings: ReadonlyArray<ChatOpening>): ReadonlyArray<Chat.Chat> =>
  openings.map((opening) => {
    const known = state.chats.get(opening.id)
    if (known !== undefined) return known
    const chat: Chat.Chat = {
      id: opening.id,
      workspace: opening.workspace,
      number: nextNumber(state, opening.workspace, "chat"),
      account: opening.account,
      address: opening.address,
      contact: opening.contact,
      name: opening.name,
      lastAt: opening.at,
      lastText: "",
      lastDirection: "outbound",
      lastInboundAt: null,
      unread: 0,
      takenOverAt: null,
      closedAt: null,
      createdAt: opening.at
    }
    state.chats.set(chat.id, chat)
    return chat
  })

/** Writes what messages do to the rows of their chats. */
export const touch = (state: State, touches: ReadonlyArray<ChatTouch>): void => {
  for (const { at, chat: id, direction, text, unread } of touches) {
    const chat = state.chats.get(id)
    if (chat === undefined) continue
    state.chats.set(id, {
      ...chat,
      ...(at >= chat.lastAt ? { lastAt: at, lastText: text, lastDirection: direction } : {}),
      lastInboundAt: direction === "inbound" ? Math.max(at, chat.lastInboundAt ?? at) : chat.lastInboundAt,
      unread: chat.unread + unread
    })
  }
}

type Ref = { readonly id: MessageId } | { readonly chat: ChatId; readonly externalId: string }

const find = (state: State, ref: Ref): Message.Message | undefined => {
  if ("id" in ref) return state.messages.get(ref.id)
  const [message] = state.messagesByExternalId.get(externalKey(ref.chat, ref.externalId)).values()
  return message
}

const isKnown = (state: State, message: Message.Message): boolean =>
  find(state, { id: message.id }) !== undefined ||
  (message.externalId !== null && find(state, { chat: message.chat, externalId: message.externalId }) !== undefined)

const held = (state: State, workspace: WorkspaceId, ids: ReadonlyArray<ChatId>) => {
  const wanted = [...new Set(ids)]
  return {
    chats: wanted
      .flatMap((id) => state.chats.get(id) ?? [])
      .filter((chat) => chat.workspace === workspace)
      .sort(byId),
    messages: wanted
      .flatMap((id) => [...state.messagesByChat.get(id).values()])
      .filter((message) => message.workspace === workspace)
      .sort(byId)
  }
}

export const make = ({ state, verb }: Memory) =>
  ChatStore.of({
    admit: (keys) =>
      verb(() =>
        keys.flatMap(({ account, at, dedupeKey }, index) => {
          const key = `${account}|${dedupeKey}`
          if (state.admitted.get(key) !== undefined) return []
          state.admitted.set(key, { at })
          return [index]
        })
      ),
    open: (openings) =>
      verb(() => {
        open(state, openings)
        return openings.map((opening) => {
          const chat = Chat.opened(state.chats.need(opening.id), opening)
          state.chats.set(chat.id, chat)
          return chat
        })
      }),
    touch: (touches) => verb(() => touch(state, touches)),
    setTakenOver: (chats, at) =>
      verb(() => {
        for (const id of chats) {
          const chat = state.chats.get(id)
          if (chat !== undefined) state.chats.set(id, { ...chat, takenOverAt: at })
        }
      }),
    record: (messages) =>
      verb(() =>
        messages.flatMap((message) => {
          if (isKnown(state, message)) return []
          state.messages.set(message.id, message)
          return [message.id]
        })
      ),
    advance: (refs, change) =>
      verb(() =>
        refs.flatMap((ref, index) => {
          const before = find(state, ref)
          if (before === undefined) return []
          const after = change(before, index)
          state.messages.set(before.id, after)
          return [{ index, before, after }]
        })
      ),
    held: (workspace, ids) => verb(() => held(state, workspace, ids)),
    erase: (workspace, ids) =>
      verb(() => {
        const { chats, messages } = held(state, workspace, ids)
        for (const message of messages) {
          const after = Message.erase(message)
          if (after.reserved === null) giveBack(state, message)
          state.messages.set(message.id, after)
        }
        for (const chat of chats) state.chats.set(chat.id, Chat.erase(chat))
        return messages.map(({ id }) => id)
      }),
    unproven: (chat) =>
      verb(() =>
        [...state.messagesByChat.get(chat).values()].filter(Message.isUnproven).sort(
          by(
            (message) => message.createdAt,
            (message) => message.id
          )
        )
      ),
    get: (workspace, id) =>
      verb(() => {
        const chat = state.chats.get(id)
        return chat?.workspace === workspace ? Option.some(chat) : Option.none()
      }),
    list: (workspace, request) =>
      verb(() => {
        const chats = [...state.chats.values()].filter((chat) => chat.workspace === workspace)
        return page(chats, request, (chat) => [-chat.lastAt, chat.id])
      }),
    messages: (workspace, chat, request) =>
      verb(() => {
        const messages = [...state.messagesByChat.get(chat).values()].filter((row) => row.workspace === workspace)
        return page(messages, request, (message) => [message.createdAt, message.id])
      })
  })
