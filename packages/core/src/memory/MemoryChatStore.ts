/** Chats and their messages in memory. */
import { Effect, Option } from "effect"
import * as Chat from "../chat/Chat.ts"
import type { ChatOpening } from "../chat/ChatOpening.ts"
import { ChatStore, type ChatTouch, type ExternalRef, type MessageRef } from "../chat/ChatStore.ts"
import * as Message from "../chat/Message.ts"
import type { EarlyNotice } from "../chat/Notice.ts"
import type { AccountId, ChatId, WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { append } from "./MemoryEventStore.ts"
import { by, byId, page } from "./Paging.ts"
import { giveBack } from "./Reservations.ts"
import { externalKey, nextNumber, type State } from "./State.ts"

/** Makes the chats that are missing and tells of them; their ids. */
export const open = (state: State, openings: ReadonlyArray<ChatOpening>): ReadonlyArray<ChatId> => {
  const made: Array<ChatOpening> = []
  for (const opening of openings) {
    if (state.chats.get(opening.id) !== undefined) continue
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
      ...Chat.untended,
      openedAt: opening.at,
      createdAt: opening.at
    }
    state.chats.set(chat.id, chat)
    made.push(opening)
  }
  append(
    state,
    made.map(({ created }) => created)
  )
  return made.map(({ id }) => id)
}

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

const find = (state: State, ref: MessageRef): Message.Message | undefined => {
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
      .sort(byId),
    notices: wanted
      .flatMap((id) => [...state.noticesByChat.get(id).values()])
      .filter((notice) => notice.workspace === workspace)
      .sort(byPlace)
  }
}

const byPlace = by<EarlyNotice>(
  (notice) => notice.chat,
  (notice) => notice.externalId,
  (notice) => notice.key
)

const noticeKey = ({ chat, externalId, key }: EarlyNotice): string => `${externalKey(chat, externalId)}|${key}`

/** Gives out the notices that wait for these messages, and keeps them no more. */
export const takeNotices = (state: State, refs: ReadonlyArray<ExternalRef>): ReadonlyArray<EarlyNotice> => {
  const keys = new Set(refs.map(({ chat, externalId }) => externalKey(chat, externalId)))
  const taken = [...keys].flatMap((key) => [...state.noticesByRef.get(key).values()]).sort(byPlace)
  for (const notice of taken) state.notices.delete(noticeKey(notice))
  return taken
}

export const make = ({ state, verb }: Memory) =>
  ChatStore.of({
    awaitTurn: () => Effect.void,
    admit: (keys) =>
      verb(() =>
        keys.flatMap(({ account, at, dedupeKey }, index) => {
          const key = `${account}|${dedupeKey}`
          if (state.admitted.get(key) !== undefined) return []
          state.admitted.set(key, { at })
          return [index]
        })
      ),
    purgeAdmitted: (workspace, before, limit) =>
      verb(() => {
        const own = (key: string) => state.accounts.get(key.slice(0, key.indexOf("|")) as AccountId)?.account.workspace
        const old = state.admitted.entries().filter(([key, { at }]) => at < before && own(key) === workspace)
        for (const [key] of old.slice(0, limit)) state.admitted.delete(key)
        return Math.min(limit, old.length)
      }),
    open: (openings, others = []) =>
      verb(() => {
        const made = new Set(open(state, openings))
        const chats = openings.map((opening) => {
          const chat = Chat.opened(state.chats.need(opening.id), opening)
          state.chats.set(chat.id, chat)
          return chat
        })
        return { chats, made, others: [...new Set(others)].flatMap((id) => state.chats.get(id) ?? []) }
      }),
    touch: (touches) => verb(() => touch(state, touches)),
    modify: (workspace, ids, change) =>
      verb(() =>
        held(state, workspace, ids).chats.map((before) => {
          const after = change(before)
          if (after.chat !== before) {
            state.chats.set(before.id, after.chat)
            append(state, after.events)
          }
          return { before, after: after.chat }
        })
      ),
    rewrite: (chats) =>
      verb(() => {
        for (const chat of chats) state.chats.set(chat.id, chat)
      }),
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
    showing: (workspace, contact) =>
      verb(() =>
        [...state.messages.values()]
          .filter((message) => message.workspace === workspace && Message.shows(message, contact))
          .sort(byId)
      ),
    erase: (workspace, ids, alone = []) =>
      verb(() => {
        const { chats, messages: own, notices } = held(state, workspace, ids)
        const named = alone.flatMap((id) => state.messages.get(id) ?? []).filter((row) => row.workspace === workspace)
        const messages = [...new Map([...own, ...named].map((message) => [message.id, message])).values()].sort(byId)
        for (const message of named) {
          const chat = state.chats.get(message.chat)
          if (chat !== undefined) state.chats.set(chat.id, Chat.withoutShown(chat, message))
        }
        for (const notice of notices) state.notices.delete(noticeKey(notice))
        for (const message of messages) {
          const after = Message.erase(message)
          if (after.reserved === null) giveBack(state, message)
          state.messages.set(message.id, after)
        }
        for (const chat of chats) state.chats.set(chat.id, Chat.erase(chat))
        return messages.map(({ id }) => id)
      }),
    find: (workspace, refs) =>
      verb(() =>
        refs.map((ref) => {
          const message = find(state, ref)
          return message?.workspace === workspace ? message : null
        })
      ),
    holdSending: () => verb(() => undefined),
    createdAt: (places) =>
      verb(() =>
        places.flatMap(({ at, chat }) =>
          [...state.messagesByChat.get(chat).values()].filter((message) => message.createdAt === at).sort(byId)
        )
      ),
    keepNotices: (notices) =>
      verb(() => {
        for (const notice of notices) {
          const key = noticeKey(notice)
          if (state.notices.get(key) === undefined) state.notices.set(key, notice)
        }
      }),
    purgeNotices: (workspace, before, limit) =>
      verb(() => {
        const old = [...state.notices.values()]
          .filter((notice) => notice.workspace === workspace && notice.toldAt < before)
          .slice(0, limit)
        for (const notice of old) state.notices.delete(noticeKey(notice))
        return old.length
      }),
    takeNotices: (refs) => verb(() => takeNotices(state, refs)),
    unproven: (chats) =>
      verb(() =>
        [...new Set(chats)]
          .flatMap((chat) => [...state.messagesByChat.get(chat).values()])
          .filter(Message.isUnproven)
          .sort(
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
