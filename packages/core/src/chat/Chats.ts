/**
 * What members and the API do with chats: find or begin one, list, read and search them, and change one or many. Whatever
 * changes is an event that says who did it. Sending is `Messages`, which lies above.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { AccountStore } from "../account/AccountStore.ts"
import { Senders } from "../account/Senders.ts"
import * as Address from "../channel/Address.ts"
import type { Capabilities } from "../channel/Capability.ts"
import { Channels } from "../channel/Channel.ts"
import type { ContactNotFound } from "../contact/Contacts.ts"
import * as People from "../contact/Contacts.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { type Actor, stamped } from "../event/DomainEvent.ts"
import * as Bulk from "../job/Bulk.ts"
import { forGood } from "../job/JobHandler.ts"
import type { ChatId, ContactId, MemberId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { format, type Instant } from "../workspace/Instant.ts"
import { able, type MemberDisabled, type MemberNotFound } from "../workspace/Member.ts"
import { MemberStore } from "../workspace/MemberStore.ts"
import * as Paging from "../workspace/Page.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import * as Chat from "./Chat.ts"
import { ChatNotFound } from "./Chat.ts"
import * as ChatChange from "./ChatChange.ts"
import { ChatFilter } from "./ChatFilter.ts"
import * as ChatOpening from "./ChatOpening.ts"
import { ChatStore } from "./ChatStore.ts"
import { InboundReactions, type News, together } from "./InboundReaction.ts"
import { InboxStore, type UnreadCount } from "./InboxStore.ts"
import type { Message } from "./Message.ts"
import { Parties, type PlaceError } from "./Parties.ts"
import { check as checkParty, type Party } from "./Party.ts"
import * as ReplyWindow from "./ReplyWindow.ts"

/** A chat with all that says what may be done in it now. */
export interface ChatView {
  readonly chat: Chat.Chat
  /** Null where this process has not the account's channel. */
  readonly windows: ReturnType<typeof ReplyWindow.both> | null
  readonly capabilities: Capabilities | null
  /** The position of the member who asks; null = they never read it, or nobody in particular asks. */
  readonly readAt: Instant | null
  /** How many messages that member has not read; what nobody has, where nobody in particular asks. */
  readonly unread: number
}

export class Chats extends Context.Service<
  Chats,
  {
    /** The chat with a party, begun where there is none; a deleted one comes back empty. The same for the same party. */
    open(
      workspace: WorkspaceId,
      party: Party,
      actor: Actor
    ): Effect.Effect<{ readonly chat: Chat.Chat; readonly created: boolean }, PlaceError>
    /** Most recent first; a page may hold fewer than were asked for and still have a cursor (see `InboxStore`). */
    list(
      workspace: WorkspaceId,
      filter: ChatFilter,
      page: PageRequest
    ): Effect.Effect<Page<Chat.Chat>, StorageError | Paging.InvalidListRequest>
    get(workspace: WorkspaceId, id: ChatId, member?: MemberId): Effect.Effect<ChatView, StorageError | ChatNotFound>
    /** What was said, without what was deleted. */
    messages(
      workspace: WorkspaceId,
      id: ChatId,
      order: "oldest" | "newest",
      page: PageRequest
    ): Effect.Effect<Page<Message>, StorageError | ChatNotFound | Paging.InvalidListRequest>
    /** What was said with a contact on one channel by whichever account, as one. */
    thread(
      workspace: WorkspaceId,
      contact: ContactId,
      channel: Address.ChannelName,
      order: "oldest" | "newest",
      page: PageRequest
    ): Effect.Effect<Page<Message>, StorageError | ContactNotFound | Paging.InvalidListRequest>
    unread(workspace: WorkspaceId, assignee?: MemberId): Effect.Effect<UnreadCount, StorageError>
    /**
     * Marks chats as read, up to an instant or altogether: for all, and where a member says so for that member too. Returns
     * those there are. The platform is not told.
     */
    read(
      workspace: WorkspaceId,
      ids: ReadonlyArray<ChatId>,
      reading: ChatChange.ChatReading,
      actor: Actor
    ): Effect.Effect<ReadonlyArray<ChatId>, StorageError | ChatChange.InvalidChatChange>
    /** Does one thing to some chats, all or none of them; returns those there are. For more than a few see `bulk`. */
    change(
      workspace: WorkspaceId,
      ids: ReadonlyArray<ChatId>,
      change: ChatChange.ChatChange,
      actor: Actor
    ): Effect.Effect<
      ReadonlyArray<ChatId>,
      StorageError | ChatChange.InvalidChatChange | MemberNotFound | MemberDisabled
    >
    /** The same over any number of chats, for `Bulks`. */
    readonly bulk: Bulk.Bulk<ChatChange.ChatChange>
    /** Asks the platform who the participant is, at most once an hour; the chat as it is then. */
    refresh(workspace: WorkspaceId, id: ChatId): Effect.Effect<Chat.Chat, StorageError | ChatNotFound>
  }
>()("@overture/core/Chats") {
  static readonly layer = Layer.effect(
    Chats,
    Effect.suspend(() => make)
  )
}

const checkList = Paging.checker(Schema.Struct({ filter: ChatFilter, page: Paging.requestOf([0, ""]) }))
const messages = { order: Schema.Literals(["oldest", "newest"]), page: Paging.requestOf([0, ""]) }
const checkMessages = Paging.checker(Schema.Struct(messages))
const checkThread = Paging.checker(Schema.Struct({ channel: Address.ChannelName, ...messages }))

const make = Effect.gen(function* () {
  const store = yield* ChatStore
  const inbox = yield* InboxStore
  const accounts = yield* AccountStore
  const contacts = yield* ContactStore
  const parties = yield* Parties
  const members = yield* MemberStore
  const channels = yield* Channels
  const senders = yield* Senders
  const reactions = together(yield* InboundReactions)
  const { within } = yield* Transaction
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator

  /** The chat, which is not deleted. */
  const shown = Effect.fnUntraced(function* (workspace: WorkspaceId, id: ChatId) {
    const found = yield* store.get(workspace, id)
    if (Option.isNone(found) || Chat.isDeleted(found.value)) return yield* new ChatNotFound({ chat: id })
    return found.value
  })

  const open: Chats["Service"]["open"] = Effect.fn("Chats.open")(function* (workspace, given, actor) {
    const place = yield* parties.place(workspace, yield* Effect.fromResult(checkParty(given)))
    const { account, address, contact, id, name } = place
    const generator = yield* makeIds
    const now = yield* time.now
    const begun = { id, workspace, account: account.id, address, contact: contact?.id ?? null, name, at: now }
    const opening = ChatOpening.make(generator, begun, actor)
    return yield* within(
      Effect.gen(function* () {
        yield* People.keep(contacts, workspace, [contact?.id])
        const { chats, made } = yield* store.open([opening])
        const before = chats[0]!
        const chat = Chat.restored(before, now)
        if (chat !== before) yield* store.rewrite([chat])
        return { chat, created: made.has(id) }
      })
    )
  })

  const each = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    ids: ReadonlyArray<ChatId>,
    change: ChatChange.ChatChange,
    actor: Actor
  ) {
    const generator = yield* makeIds
    const now = yield* time.now
    const closes = ChatChange.closes(change)
    if (closes || (change.type === "book" && change.booked)) {
      const people = (yield* inbox.find(workspace, ids)).flatMap(({ contact }) => contact ?? [])
      const { messages } = yield* reactions.hold(workspace, people, [])
      // What the reactions will lock comes before chats in the order of locks.
      yield* store.advance(
        messages.map((id) => ({ id })),
        (message) => message
      )
    }
    const changed = yield* store.modify(workspace, ids, (before) => {
      if (Chat.isDeleted(before)) return { chat: before, events: [] }
      const { chat, event } = ChatChange.apply(before, change, now)
      return { chat, events: [stamped(generator, now, { workspace, subject: before.id, actor, ...event })] }
    })
    const news = changed.flatMap(({ after, before }): ReadonlyArray<News> => {
      const { bookedAt, contact, id: chat } = after
      if (contact === null || Chat.isDeleted(before)) return []
      if (closes) return [{ type: "closed", chat, contact, at: now }]
      return before.bookedAt === null && bookedAt !== null ? [{ type: "booked", chat, contact, at: bookedAt }] : []
    })
    yield* reactions.heard(workspace, news, now)
    return changed.flatMap(({ before }) => (Chat.isDeleted(before) ? [] : [before.id]))
  })

  /** Whoever is to have chats is one of the workspace's members who may. */
  const checkMember = Effect.fnUntraced(function* (workspace: WorkspaceId, change: ChatChange.ChatChange) {
    if (change.type !== "assign" || change.member === null) return
    yield* able(change.member, yield* members.get(workspace, change.member))
  })

  return Chats.of({
    open,
    list: Effect.fn("Chats.list")(function* (workspace, filter, page) {
      const asked = yield* Effect.fromResult(checkList({ filter, page }))
      return yield* Paging.ofList("chats", asked.page, (own) => inbox.chats(workspace, asked.filter, own))
    }),
    get: Effect.fn("Chats.get")(function* (workspace, id, member) {
      const chat = yield* shown(workspace, id)
      const account = Option.getOrNull(yield* accounts.get(workspace, chat.account))
      const channel = account === null ? undefined : channels.all.get(account.channel)
      const [readAt = null] = member === undefined ? [] : yield* inbox.readBy(workspace, member, [id])
      const after = readAt === null ? chat.deletedAt : Math.max(readAt, chat.deletedAt ?? readAt)
      const [unread = 0] =
        member === undefined ? [chat.unread] : yield* inbox.unreadAfter(workspace, [{ chat: id, after }])
      return {
        chat,
        windows: channel === undefined ? null : ReplyWindow.both(channel, chat, yield* time.now),
        capabilities: channel?.capabilities ?? null,
        readAt,
        unread
      }
    }),
    messages: Effect.fn("Chats.messages")(function* (workspace, id, order, page) {
      const asked = yield* Effect.fromResult(checkMessages({ order, page }))
      const { deletedAt } = yield* shown(workspace, id)
      const parts = [{ chat: id, after: deletedAt }]
      return yield* Paging.ofList(`messages of ${id}`, asked.page, (own) =>
        inbox.thread(workspace, parts, asked.order, own)
      )
    }),
    thread: Effect.fn("Chats.thread")(function* (workspace, id, channel, order, page) {
      const asked = yield* Effect.fromResult(checkThread({ channel, order, page }))
      const found = yield* parties.chatsOf(workspace, id, { channel })
      const parts = found.map((chat) => ({ chat: chat.id, after: chat.deletedAt }))
      return yield* Paging.ofList(`thread of ${id} on ${channel}`, asked.page, (own) =>
        inbox.thread(workspace, parts, asked.order, own)
      )
    }),
    unread: Effect.fn("Chats.unread")((workspace, assignee) => inbox.unread(workspace, assignee ?? null)),
    read: Effect.fn("Chats.read")(function* (workspace, ids, reading, actor) {
      const { member, upTo } = yield* Effect.fromResult(ChatChange.checkReading(reading))
      const generator = yield* makeIds
      const now = yield* time.now
      return yield* within(
        Effect.gen(function* () {
          // Locked first: what comes in meanwhile counts afterwards.
          const held = yield* store.modify(workspace, ids, (chat) => ({ chat, events: [] }))
          const chats = held.map(({ before }) => before).filter((chat) => !Chat.isDeleted(chat))
          const read = chats.map((chat) => ({ chat: chat.id, at: Math.min(upTo ?? chat.lastAt, chat.lastAt) }))
          const left = yield* inbox.unreadAfter(
            workspace,
            read.map(({ at, chat }) => ({ chat, after: at }))
          )
          if (member !== undefined) yield* inbox.markRead(workspace, member, read)
          const places = new Map(read.map(({ at, chat }, i) => [chat, { at, left: left[i] ?? 0 }]))
          yield* store.modify(workspace, [...places.keys()], (chat) => {
            const place = places.get(chat.id)
            if (place === undefined) return { chat, events: [] }
            const event = stamped(generator, now, {
              workspace,
              type: "chat.read",
              subject: chat.id,
              actor,
              data: { account: chat.account, until: format(place.at), unread: place.left }
            })
            return { chat: Chat.read(chat, place.at, place.left), events: [event] }
          })
          return [...places.keys()]
        })
      )
    }),
    change: Effect.fn("Chats.change")(function* (workspace, ids, given, actor) {
      const change = yield* Effect.fromResult(ChatChange.check(given))
      yield* checkMember(workspace, change)
      return yield* within(each(workspace, ids, change, actor))
    }),
    bulk: Bulk.make(within, {
      kind: "chats.change",
      with: ChatChange.ChatChange,
      each: ({ actor, ids, with: change, workspace }) =>
        checkMember(workspace, change).pipe(
          Effect.catchTag(["MemberNotFound", "MemberDisabled"], forGood),
          Effect.andThen(each(workspace, ids as ReadonlyArray<ChatId>, change, actor))
        )
    }),
    refresh: Effect.fn("Chats.refresh")(function* (workspace, id) {
      const chat = yield* shown(workspace, id)
      const account = Option.getOrNull(yield* accounts.get(workspace, chat.account))
      const channel = account === null ? undefined : channels.all.get(account.channel)
      if (account === null || channel === undefined || Address.isErased(chat.address)) return chat
      const now = yield* time.now
      // The right to ask is taken first, so that of two who want to know one asks.
      const [taken] = yield* store.modify(workspace, [id], (before) => ({
        chat: Chat.isProfileStale(before, now) ? Chat.profiled(before, null, now) : before,
        events: []
      }))
      if (taken === undefined || taken.after === taken.before) return taken?.after ?? chat
      const sender = yield* Effect.catchTag(senders.of(account), "VaultError", () => Effect.succeed(null))
      const profile = sender === null ? null : yield* channel.profileOf(sender, Address.parse(chat.address))
      if (profile === null) return taken.after
      const generator = yield* makeIds
      const [refreshed] = yield* store.modify(workspace, [id], (before) => {
        if (Address.isErased(before.address)) return { chat: before, events: [] }
        const chat = Chat.profiled(before, profile, now)
        const event = stamped(generator, now, {
          workspace,
          type: "chat.changed",
          subject: id,
          actor: { type: "channel", id: account.channel },
          data: { account: account.id, renamed: true }
        })
        return { chat, events: Chat.isRenamed(before, chat) ? [event] : [] }
      })
      return refreshed?.after ?? taken.after
    })
  })
})
