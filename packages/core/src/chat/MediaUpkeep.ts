/**
 * What is to be done with files beside conversations: those of inbound messages are fetched before their URLs expire,
 * what was deleted, or was left behind by a process that is gone, is removed with its bytes. Every step may be interrupted:
 * the row stays due until it is done, and is taken up again once whoever had it is surely gone.
 */
import { Clock, Context, Effect, Layer, Option, Random, Stream } from "effect"
import { AccountStore } from "../account/AccountStore.ts"
import { Senders } from "../account/Senders.ts"
import { Channels } from "../channel/Channel.ts"
import { stamped, system } from "../event/DomainEvent.ts"
import { EventStore } from "../event/EventStore.ts"
import type { Chore } from "../workspace/Chore.ts"
import { Ids, type MediaId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { minute } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { Retained } from "../workspace/Retention.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import * as AttachedMedia from "./AttachedMedia.ts"
import { ChatStore } from "./ChatStore.ts"
import * as Media from "./Media.ts"
import { MediaMentions } from "./MediaMentions.ts"
import { MediaRecordStore } from "./MediaRecordStore.ts"
import { type Fetched, MediaSource, MediaUnavailable } from "./MediaSource.ts"
import { MediaStore } from "./MediaStore.ts"
import * as MediaType from "./MediaType.ts"

/** How many files a process sees to at the same time: a slow one holds up no other. */
const hands = 4

/** When the bytes of a file are to be removed again that could not be. */
const sweepAgainMs = 5 * minute

export class MediaUpkeep extends Context.Service<
  MediaUpkeep,
  {
    /** Empty where the host gave no `MediaStore`: what is due then waits. */
    readonly chores: ReadonlyArray<Chore>
    /** Files of chats, and files that nothing was made of, are kept for a time; the workspace's own until they are discarded. */
    readonly retained: ReadonlyArray<Retained>
  }
>()("@overture/core/MediaUpkeep") {
  static readonly layer = Layer.effect(
    MediaUpkeep,
    Effect.suspend(() => make)
  )
}

/** Somebody else has the row by now, or it is gone: what was done for it does not count. */
const superseded = "superseded" as const

const make = Effect.gen(function* () {
  const records = yield* MediaRecordStore
  const chats = yield* ChatStore
  const accounts = yield* AccountStore
  const channels = yield* Channels
  const senders = yield* Senders
  const transaction = yield* Transaction
  const feed = yield* EventStore
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const limits = yield* Media.MediaLimits
  const mentions = yield* MediaMentions
  const store = yield* Effect.serviceOption(MediaStore)
  const source = yield* Effect.serviceOption(MediaSource)

  const unavailable = (reason: Media.MediaTrouble, detail: string) => new MediaUnavailable({ reason, detail })

  /** The bytes of a file as its channel has them. */
  const download = Effect.fnUntraced(function* (media: Media.Media) {
    const { filename, kind, mime, url, workspace } = media
    const account = media.account === null ? null : Option.getOrNull(yield* accounts.get(workspace, media.account))
    const channel = account === null ? undefined : channels.all.get(account.channel)
    if (account === null || channel === undefined || url === null) {
      return yield* unavailable("unreachable", "its account or channel is not here")
    }
    const sender = yield* Effect.mapError(senders.of(account), () =>
      unavailable("unreachable", "the account's secrets cannot be read")
    )
    const file = { kind, url, ...(mime !== null && { mime }), ...(filename !== null && { filename }) }
    const found = yield* channel.download(sender, file)
    if (found.type === "unavailable") return yield* unavailable(found.reason, found.detail)
    const maxBytes = limits[kind]
    if (found.type === "bytes") {
      if (found.bytes.length > maxBytes) return yield* unavailable("tooLarge", `more than ${maxBytes} bytes`)
      return { bytes: found.bytes, mime: found.mime ?? null, filename: found.filename ?? null }
    }
    if (Option.isNone(source)) return yield* unavailable("unreachable", "there is no port MediaSource here")
    return yield* source.value.download({ url: found.url, headers: found.headers, maxBytes })
  })

  const keep = Effect.fnUntraced(function* (files: MediaStore["Service"], media: Media.Media, fetched: Fetched) {
    const { bytes, filename } = fetched
    const declared = MediaType.essence(media.mime) ?? fetched.mime
    const recognised = MediaType.recognise(bytes.subarray(0, MediaType.headBytes), media.kind, declared)
    if ("actual" in recognised) {
      return yield* unavailable("mismatch", `expected ${recognised.expected}, got ${recognised.actual}`)
    }
    const written = yield* Effect.mapError(
      files.put(media, Stream.make(bytes), { ...recognised, maxBytes: limits[media.kind] }),
      (error) => unavailable(error._tag === "MediaTooLarge" ? "tooLarge" : "notStored", error.message)
    )
    return Media.stored(media, { ...written, ...recognised }, filename)
  })

  /** Writes what became of a file, in its row and in its message, unless somebody else has it by now. */
  const conclude = (media: Media.Media, after: Media.Media) =>
    transaction
      .within(
        Effect.gen(function* () {
          // Messages are locked before their files.
          const [message] =
            media.message === null
              ? []
              : yield* chats.advance([{ id: media.message }], (before) => AttachedMedia.settled(before, after))
          // Nobody would see it: its person took the message back.
          const isUnwanted = message !== undefined && !AttachedMedia.has(message.after, media.id)
          const final = isUnwanted ? { ...Media.deleted(after, 0), dueAt: yield* Clock.currentTimeMillis } : after
          const [change] = yield* records.modify([media.id], (current) =>
            current.attempts === media.attempts && current.status === media.status ? final : current
          )
          if (change?.after !== final) return yield* Effect.fail(superseded)
          if (message !== undefined && message.before !== message.after) yield* tell(message.after.id, final)
        })
      )
      .pipe(Effect.catch((error) => (error === superseded ? Effect.void : Effect.fail(error))))

  const tell = Effect.fnUntraced(function* (message: string, media: Media.Media) {
    const { chat, id, kind, reason, workspace } = media
    yield* feed.append([
      stamped(yield* makeIds, yield* time.now, {
        workspace,
        type: media.status === "stored" ? "attachment.stored" : "attachment.failed",
        subject: message,
        actor: system,
        data: { chat, media: id, kind, ...(reason !== null && { reason }) }
      })
    ])
  })

  const mirror = Effect.fnUntraced(function* (files: MediaStore["Service"], media: Media.Media) {
    const after = yield* Effect.flatMap(download(media), (fetched) => keep(files, media, fetched)).pipe(
      Effect.timeoutOrElse({
        duration: Media.workMs,
        orElse: () => Effect.fail(unavailable("timeout", "it took too long"))
      }),
      // What a channel dies of may hold a secret.
      Effect.catchDefect(() => Effect.fail(unavailable("unreachable", "the channel failed"))),
      Effect.catchTag("MediaUnavailable", ({ reason }) =>
        Effect.map(Effect.all([Clock.currentTimeMillis, Random.next]), ([now, chance]) =>
          Media.missed(media, reason, now, chance)
        )
      )
    )
    yield* conclude(media, after)
  })

  /** Removes the bytes of a file and then its row. */
  const sweep = Effect.fnUntraced(function* (files: MediaStore["Service"], media: Media.Media) {
    const isGone = yield* Effect.match(files.delete(media), { onFailure: () => false, onSuccess: () => true })
    const now = yield* Clock.currentTimeMillis
    yield* records.modify([media.id], (current) =>
      current.attempts !== media.attempts
        ? current
        : isGone
          ? null
          : { ...Media.deleted({ ...current, dueAt: null }, now), dueAt: now + sweepAgainMs }
    )
  })

  /** Marks a file as deleted, and its attachment as what it is then. */
  const expire = (media: Media.Media, now: Instant) =>
    transaction.within(
      Effect.gen(function* () {
        const gone: Media.Media = { ...Media.deleted(media, now), dueAt: now }
        if (media.message !== null) {
          yield* chats.advance([{ id: media.message }], (before) => AttachedMedia.settled(before, gone))
        }
        const [change] = yield* records.modify([media.id], (current) =>
          current.status === "stored" || current.status === "failed" ? gone : current
        )
        return change?.after === gone
      })
    )

  const seeTo = (files: MediaStore["Service"], media: Media.Media, now: Instant): Effect.Effect<void, StorageError> => {
    switch (media.status) {
      case "remote":
        return mirror(files, media)
      case "pending":
      case "deleted":
        return sweep(files, media)
      case "stored":
      case "failed":
        return Effect.asVoid(expire(media, now))
    }
  }

  const round = (files: MediaStore["Service"]) =>
    Effect.fn("MediaUpkeep.round")(function* (now: Instant) {
      const nextDue = yield* records.nextDue
      if (nextDue === null || nextDue > now) return { worked: false, nextDue }
      const claimed = Option.getOrNull(yield* records.claim(now, now + Media.leaseMs))
      if (claimed === null) return { worked: false, nextDue: null }
      yield* seeTo(files, claimed, now)
      return { worked: true, nextDue: null }
    })

  return MediaUpkeep.of({
    chores: Option.match(store, {
      onNone: () => [],
      onSome: (files) =>
        Array.from({ length: hands }, (_, hand) => ({ name: `media ${hand + 1}`, round: round(files) }))
    }),
    retained: [
      {
        kind: "media",
        purge: Effect.fn("MediaUpkeep.purge")(function* (workspace, before, limit) {
          const now = yield* Clock.currentTimeMillis
          let purged = 0
          for (const media of yield* records.older(workspace, before, limit)) {
            if (yield* expire(media, now)) purged += 1
          }
          return purged
        })
      },
      {
        kind: "unusedMedia",
        purge: Effect.fn("MediaUpkeep.purgeUnused")(function* (workspace, before, limit) {
          const now = yield* Clock.currentTimeMillis
          let named: ReadonlySet<MediaId> | null = null
          // A page that is named throughout is passed by: it is used from then on, and no longer found.
          for (;;) {
            const found = yield* records.unused(workspace, before, limit)
            if (found.length === 0) return 0
            named ??= new Set((yield* Effect.forEach(mentions, (of) => of(workspace))).flatMap((ids) => [...ids]))
            const keeps: ReadonlySet<MediaId> = named
            const changes = yield* records.modify(
              found.map(({ id }) => id),
              (media) =>
                !Media.isUnused(media) ? media : keeps.has(media.id) ? Media.used(media) : Media.deleted(media, now)
            )
            const purged = changes.filter(
              ({ after, before: was }) => after !== was && after?.status === "deleted"
            ).length
            if (purged > 0) return purged
          }
        })
      }
    ]
  })
})
