/**
 * What members and the API do with messages: send them (through the queue, like all that is sent), cancel, retry, list and
 * find them. What a channel, a window or an opt-out forbids is refused at once; the gates of the queue decide again.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import * as Address from "../channel/Address.ts"
import * as Chat from "../chat/Chat.ts"
import * as ChatOpening from "../chat/ChatOpening.ts"
import { ChatStore } from "../chat/ChatStore.ts"
import { InboundReactions, together } from "../chat/InboundReaction.ts"
import { InboxStore } from "../chat/InboxStore.ts"
import * as Media from "../chat/Media.ts"
import { type MediaFailure, MediaLibrary } from "../chat/MediaLibrary.ts"
import type { MediaUnavailable } from "../chat/MediaSource.ts"
import * as Message from "../chat/Message.ts"
import { MessageFilter } from "../chat/MessageFilter.ts"
import { Parties, type Place, type PlaceError } from "../chat/Parties.ts"
import { PrivateReplyStore } from "../chat/PrivateReplyStore.ts"
import * as People from "../contact/Contacts.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { AddressHash, keysOf } from "../contact/Suppression.ts"
import { type Actor, type DomainEvent, type EventType, stamped } from "../event/DomainEvent.ts"
import { EventStore } from "../event/EventStore.ts"
import type { AccountId, MessageId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { canonical } from "../workspace/Json.ts"
import { able, type MemberDisabled, type MemberNotFound } from "../workspace/Member.ts"
import { MemberStore } from "../workspace/MemberStore.ts"
import * as Paging from "../workspace/Page.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import * as Seed from "../workspace/Seed.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as MessageDraft from "./MessageDraft.ts"
import { SendRefused } from "./MessageDraft.ts"
import { AmbiguousId, MessageNotAble, MessageNotFound } from "./MessageRefusal.ts"
import { OutboxStore } from "./OutboxStore.ts"

/** Why a message cannot be queued. */
export type SendError = PlaceError | SendRefused | MemberNotFound | MemberDisabled | MediaFailure | MediaUnavailable

export class Messages extends Context.Service<
  Messages,
  {
    /**
     * Queues a message, in a chat that is begun where there is none. The author is who did it. A file is kept first: a data
     * URI, and a URL where the channel takes bytes. With a `key` that came before it is the message of that time, as it is
     * now.
     */
    send(workspace: WorkspaceId, draft: MessageDraft.MessageDraft): Effect.Effect<Message.Message, SendError>
    /** Takes back a message that is queued and not on its way; those of campaigns are their campaign's. */
    cancel(
      workspace: WorkspaceId,
      id: MessageId,
      actor: Actor
    ): Effect.Effect<void, StorageError | MessageNotFound | MessageNotAble>
    /**
     * Queues a message again that failed, under all gates. One of which nobody knows whether it went out is tried again only
     * where `includeUnknown` says that it did not; one of a campaign never (`Retries`).
     */
    retry(
      workspace: WorkspaceId,
      id: MessageId,
      includeUnknown: boolean,
      actor: Actor
    ): Effect.Effect<Message.Message, StorageError | MessageNotFound | MessageNotAble>
    /** Newest first; a page may hold fewer than were asked for and still have a cursor (see `InboxStore`). */
    list(
      workspace: WorkspaceId,
      filter: MessageFilter,
      page: Pick<PageRequest, "limit" | "cursor">
    ): Effect.Effect<Page<Message.Message>, StorageError | Paging.InvalidListRequest>
    /** A message by our id or the platform's; the latter must mean exactly one, of `account` where one is given. */
    find(
      workspace: WorkspaceId,
      id: string,
      account?: AccountId
    ): Effect.Effect<Message.Message, StorageError | MessageNotFound | AmbiguousId>
  }
>()("@overture/core/Messages") {
  static readonly layer = Layer.effect(
    Messages,
    Effect.suspend(() => make)
  )
}

/** How many messages of one id are told of. */
const candidatesTold = 10

const { cursor, limit } = Paging.fieldsOf([""])
const checkList = Paging.checker(Schema.Struct({ filter: MessageFilter, page: Schema.Struct({ cursor, limit }) }))

const make = Effect.gen(function* () {
  const outbox = yield* OutboxStore
  const chats = yield* ChatStore
  const inbox = yield* InboxStore
  const parties = yield* Parties
  const contacts = yield* ContactStore
  const members = yield* MemberStore
  const workspaces = yield* WorkspaceStore
  const replies = yield* PrivateReplyStore
  const files = yield* MediaLibrary
  const feed = yield* EventStore
  const reactions = together(yield* InboundReactions)
  const { within } = yield* Transaction
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const addressHash = yield* AddressHash

  const checkAuthor = Effect.fnUntraced(function* (workspace: WorkspaceId, { author }: MessageDraft.MessageDraft) {
    if (author.type === "member") yield* able(author.id, yield* members.get(workspace, author.id))
  })

  /** What the draft's key belongs to: the message that was queued under it, or this one, if the transaction commits. */
  const keyed = Effect.fnUntraced(function* (workspace: WorkspaceId, { key, ...draft }: MessageDraft.MessageDraft) {
    if (key === undefined) return { former: null, remember: () => Effect.void }
    const name = `message ${key}`
    const known = yield* workspaces.idempotent(workspace, name, Seed.digest(canonical(draft)), yield* time.now)
    if (known.type === "mismatch") {
      const detail = "another message was sent with this key in the last 24 hours; give new ones a key of their own"
      return yield* new SendRefused({ field: "key", reason: "keyTaken", detail })
    }
    const former = known.type === "new" ? Option.none() : yield* inbox.message(workspace, known.response as MessageId)
    return {
      former: Option.getOrNull(former),
      remember: (id: MessageId) => workspaces.remember(workspace, name, id)
    }
  })

  /** The platform's id of the message that is answered. */
  const answered = Effect.fnUntraced(function* (workspace: WorkspaceId, place: Place, replyTo: string | undefined) {
    if (replyTo === undefined) return null
    const ref = replyTo.startsWith("msg_") ? { id: replyTo as MessageId } : { chat: place.id, externalId: replyTo }
    const [found] = yield* chats.find(workspace, [ref])
    if (found?.chat === place.id && found.externalId !== null) return found.externalId
    return yield* new SendRefused({
      field: "replyTo",
      reason: "messageNotFound",
      detail: `the chat has no message ${replyTo} that the platform knows`
    })
  })

  const stopping = Effect.fnUntraced(function* (workspace: WorkspaceId, { account, address }: Place) {
    const held = yield* contacts.suppressions(workspace, keysOf(addressHash, address))
    return held.filter((row) => row.account === null || row.account === account.id)
  })

  const send: Messages["Service"]["send"] = Effect.fn("Messages.send")(function* (workspace, given) {
    const draft = yield* Effect.fromResult(MessageDraft.check(given))
    // What was queued stays queued, also where it would be refused today.
    const { former } = yield* keyed(workspace, draft)
    if (former !== null) return former
    yield* checkAuthor(workspace, draft)
    const place = yield* parties.place(workspace, draft.to)
    const now = yield* time.now
    const at = Math.max(now, draft.notBefore ?? now)
    const { account, address, channel, contact, id: chat } = place
    const said: Chat.Chat | null = place.chat !== null && Address.isErased(place.chat.address) ? null : place.chat
    const suppressions = yield* stopping(workspace, place)
    const context = { channel, chat: said, contact, suppressions, at }
    const refused = MessageDraft.refusal(draft, context)
    if (refused !== null) return yield* refused
    const replyTo = yield* answered(workspace, place, draft.replyTo)
    const content = yield* files.accept(workspace, draft.content, channel.capabilities.mediaIntake, {
      chat,
      field: "content.url"
    })
    const isDespiteOptOut = MessageDraft.isDespiteOptOut(draft, context)
    const ids = yield* makeIds
    const message: Message.Message = {
      ...Message.untried,
      ...Message.single,
      id: ids.next("msg"),
      workspace,
      account: account.id,
      chat,
      contact: contact?.id ?? null,
      address,
      direction: "outbound",
      author: draft.author,
      content,
      status: "queued",
      replyTo,
      notBefore: draft.notBefore ?? null,
      dueAt: at,
      createdAt: now,
      externalRef: draft.externalRef ?? null,
      metadata: draft.metadata ?? {},
      details:
        draft.comment === undefined && !isDespiteOptOut
          ? null
          : {
              ...(draft.comment !== undefined && { comment: draft.comment }),
              ...(isDespiteOptOut && { optedOut: true })
            }
    }
    const opening = ChatOpening.make(
      ids,
      { id: chat, workspace, account: account.id, address, contact: contact?.id ?? null, name: place.name, at: now },
      draft.author
    )
    const data = { chat, account: account.id, ...(isDespiteOptOut && { optedOut: true }) }
    const isTakeover =
      (draft.author.type === "member" || draft.takeOver === true) && (said === null || said.takenOverAt === null)
    const event = (type: EventType, subject: string, more: DomainEvent["data"]) =>
      stamped(ids, now, { workspace, type, subject, actor: draft.author, data: more })
    const queue = within(
      Effect.gen(function* () {
        const { former, remember } = yield* keyed(workspace, draft)
        if (former !== null) return former
        yield* People.keep(contacts, workspace, [contact?.id])
        yield* remember(message.id)
        // Leads are locked before messages, these before chats, and these before what campaigns count by.
        const held = yield* reactions.hold(workspace, isTakeover && contact !== null ? [contact.id] : [], [])
        yield* chats.advance(
          held.messages.map((id) => ({ id })),
          (other) => other
        )
        if (draft.comment !== undefined) yield* reserve(message, draft.comment, now)
        yield* outbox.enqueue([message], [opening], [event("message.queued", message.id, data)])
        if (place.chat !== null && Chat.isDeleted(place.chat)) {
          yield* chats.modify(workspace, [chat], (before) => ({ chat: Chat.restored(before, now), events: [] }))
        }
        if (!isTakeover) return message
        yield* chats.setTakenOver([chat], now)
        yield* feed.append([event("chat.taken_over", chat, { account: account.id, by: draft.author.type })])
        yield* reactions.holdCounts(held.leads)
        if (contact !== null) {
          yield* reactions.heard(workspace, [{ type: "takenOver", contact: contact.id, chat, at: now }], now)
        }
        return message
      })
    )
    return yield* Effect.tapError(queue, ({ _tag }) =>
      _tag === "ContactNotFound" && content !== draft.content ? forgotten(workspace, content) : Effect.void
    )
  })

  /** The file that was kept for somebody who is gone goes, too. */
  const forgotten = (workspace: WorkspaceId, content: Message.Message["content"]) => {
    const file = content.type === "media" ? Media.referred(content.url) : null
    return file === null ? Effect.void : Effect.ignore(files.discard(workspace, file))
  }

  /** Takes the place of the private reply to a comment, or fails. Platforms make the ids of comments of people's. */
  const reserve = Effect.fnUntraced(function* (message: Message.Message, comment: string, at: Instant) {
    const { account, id, workspace } = message
    const holder = yield* replies.reserve({ workspace, account, comment: Seed.digest(comment), message: id, at })
    if (holder === id) return
    return yield* new SendRefused({
      field: "comment",
      reason: "alreadyAnswered",
      detail: `the comment was answered in private before, by ${holder}`
    })
  })

  const known = Effect.fnUntraced(function* (workspace: WorkspaceId, id: MessageId) {
    const found = yield* inbox.message(workspace, id)
    return Option.isSome(found) ? found.value : yield* new MessageNotFound({ id })
  })

  return Messages.of({
    send,
    cancel: Effect.fn("Messages.cancel")(function* (workspace, id, actor) {
      const ids = yield* makeIds
      const now = yield* time.now
      const message = yield* known(workspace, id)
      const data = { chat: message.chat, account: message.account, reason: "cancelled" }
      yield* within(
        Effect.gen(function* () {
          const event = stamped(ids, now, { workspace, type: "message.cancelled", subject: id, actor, data })
          const isCancelled = yield* outbox.cancel(workspace, id, "cancelled", [event])
          if (isCancelled) return yield* replies.release(message.details?.comment === undefined ? [] : [id])
          const { lead, status } = yield* known(workspace, id)
          const detail =
            lead !== null ? "its campaign decides about it" : "only what is queued and not on its way can be cancelled"
          return yield* new MessageNotAble({ id, status, detail })
        })
      )
    }),
    retry: Effect.fn("Messages.retry")(function* (workspace, id, includeUnknown, actor) {
      const ids = yield* makeIds
      const now = yield* time.now
      yield* known(workspace, id)
      return yield* within(
        Effect.gen(function* () {
          const [found] = yield* chats.advance([{ id }], (message) =>
            Message.isRetryable(message, includeUnknown) ? Message.retried(message, now) : message
          )
          if (found === undefined) return yield* new MessageNotFound({ id })
          const { after, before } = found
          if (after === before) {
            const { lead, reason, status } = before
            const detail =
              lead !== null
                ? "its campaign retries it"
                : Message.isErased(before)
                  ? "the person was erased"
                  : reason === "outcomeUnknown" && status === "failed"
                    ? "nobody knows whether it went out: say that it did not"
                    : "only what failed is tried again"
            return yield* new MessageNotAble({ id, status, detail })
          }
          const comment = after.details?.comment
          if (comment !== undefined) {
            yield* Effect.catchTag(reserve(after, comment, now), "SendRefused", ({ detail }) =>
              Effect.fail(new MessageNotAble({ id, status: before.status, detail }))
            )
          }
          const data = { chat: after.chat, account: after.account, reason: before.reason }
          yield* feed.append([stamped(ids, now, { workspace, type: "message.retrying", subject: id, actor, data })])
          return after
        })
      )
    }),
    list: Effect.fn("Messages.list")(function* (workspace, filter, page) {
      const asked = yield* Effect.fromResult(checkList({ filter, page }))
      return yield* Paging.ofList("messages", asked.page, (own) => inbox.messages(workspace, asked.filter, own))
    }),
    find: Effect.fn("Messages.find")(function* (workspace, id, account) {
      if (id.startsWith("msg_")) {
        const found = yield* inbox.message(workspace, id as MessageId)
        if (Option.isSome(found)) return found.value
      }
      const found = yield* inbox.byExternalId(workspace, id, account ?? null, candidatesTold)
      const [only] = found
      if (only === undefined) return yield* new MessageNotFound({ id })
      if (found.length === 1) return only
      return yield* new AmbiguousId({ externalId: id, candidates: found.map((message) => message.id) })
    })
  })
})
