/**
 * Files that are given to us, and those we have: an upload, a URL and a data URI all become a file with an id, which
 * contents name as `media:med_…`. Its row is written before its bytes, so what an interrupted upload leaves is found and
 * removed. A file that belongs to a chat goes with its person.
 */
import { Clock, Context, Effect, Layer, Option, Schema, Stream } from "effect"
import type { Content, MediaKind } from "../channel/Content.ts"
import type { MediaIntake } from "../channel/MediaIntake.ts"
import { Unsupported } from "../channel/Unsupported.ts"
import type { ChatId, MediaId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import * as Workspace from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as DataUri from "./DataUri.ts"
import * as Media from "./Media.ts"
import { MediaRecordStore } from "./MediaRecordStore.ts"
import { MediaSource, type MediaUnavailable } from "./MediaSource.ts"
import { type ByteRange, type MediaBytes, MediaStore, MediaStoreError, MediaTooLarge } from "./MediaStore.ts"
import * as MediaType from "./MediaType.ts"

/** What was given cannot be taken. Names the field, never what was in it. */
export class MediaRejected extends Schema.TaggedError<MediaRejected>()("MediaRejected", {
  field: Schema.String,
  expected: Schema.String,
  actual: Schema.String
}) {
  override get message(): string {
    return `${this.field}: expected ${this.expected}, got ${this.actual}`
  }
}

/** There is no such file in this workspace, or its bytes are not here. */
export class MediaNotFound extends Schema.TaggedError<MediaNotFound>()("MediaNotFound", { media: Schema.String }) {
  override get message(): string {
    return `there is no file ${this.media} in this workspace`
  }
}

/** Where a new file belongs, and what is said of it. */
export interface MediaPlacing {
  /** What it must be; without it, what its bytes show. */
  readonly kind?: MediaKind | undefined
  /** The chat that it is for: it goes with that person. Without it, it is the workspace's own. */
  readonly chat?: ChatId | undefined
  readonly filename?: string | undefined
  readonly mime?: string | undefined
  readonly expiresAt?: Instant | undefined
  /** How the caller's input names it, for errors: `content.url`. */
  readonly field?: string | undefined
}

/** Why a new file is not kept. */
export type MediaFailure = MediaRejected | Unsupported | MediaStoreError | Workspace.WorkspaceNotFound | StorageError

export class MediaLibrary extends Context.Service<
  MediaLibrary,
  {
    /** Keeps a file that is sent to us. */
    upload<E, R>(
      workspace: WorkspaceId,
      content: Stream.Stream<Uint8Array, E, R>,
      placing: MediaPlacing
    ): Effect.Effect<Media.Media, MediaFailure | E, R>
    /** Fetches a file once and keeps it. */
    download(
      workspace: WorkspaceId,
      url: string,
      placing: MediaPlacing
    ): Effect.Effect<Media.Media, MediaFailure | MediaUnavailable>
    /** Keeps the file in a data URI. */
    decode(workspace: WorkspaceId, uri: string, placing: MediaPlacing): Effect.Effect<Media.Media, MediaFailure>
    /**
     * A content as it can be queued for a channel: a data URI becomes a file of ours, and so does a URL where the channel
     * wants bytes; else a URL stays as it is. A file of ours must exist, and is used from then on.
     */
    accept(
      workspace: WorkspaceId,
      content: Content,
      intake: MediaIntake | undefined,
      placing: MediaPlacing
    ): Effect.Effect<Content, MediaFailure | MediaUnavailable>
    get(workspace: WorkspaceId, id: MediaId): Effect.Effect<Media.Media, MediaNotFound | StorageError>
    /** The file with its bytes, or a part of them. */
    read(
      workspace: WorkspaceId,
      id: MediaId,
      range?: ByteRange
    ): Effect.Effect<
      MediaBytes & { readonly media: Media.Media },
      MediaNotFound | Unsupported | MediaStoreError | StorageError
    >
    /** A URL at which anyone may fetch the file until then; null where the store has none to give. */
    url(
      workspace: WorkspaceId,
      id: MediaId,
      until: Instant
    ): Effect.Effect<string | null, MediaNotFound | Unsupported | MediaStoreError | StorageError>
    /** Removes a file; its bytes follow. */
    discard(workspace: WorkspaceId, id: MediaId): Effect.Effect<void, MediaNotFound | StorageError>
  }
>()("@overture/core/MediaLibrary") {
  static readonly layer = Layer.effect(
    MediaLibrary,
    Effect.suspend(() => make)
  )
}

const needed = <A>(port: Option.Option<A>, what: string, missing: string): Effect.Effect<A, Unsupported> =>
  Option.match(port, { onNone: () => Effect.fail(new Unsupported({ what, missing })), onSome: Effect.succeed })

const make = Effect.gen(function* () {
  const records = yield* MediaRecordStore
  const workspaces = yield* WorkspaceStore
  const makeIds = (yield* Ids).generator
  const limits = yield* Media.MediaLimits
  const store = needed(yield* Effect.serviceOption(MediaStore), "keep files", "the port MediaStore")
  const source = needed(yield* Effect.serviceOption(MediaSource), "fetch files", "the port MediaSource")

  const found = Effect.fnUntraced(function* (workspace: WorkspaceId, id: MediaId) {
    const media = Option.getOrNull(yield* records.get(workspace, id))
    return media === null || media.status === "deleted" ? yield* new MediaNotFound({ media: id }) : media
  })

  const stored = (workspace: WorkspaceId, id: MediaId) =>
    Effect.filterOrFail(
      found(workspace, id),
      ({ status }) => status === "stored",
      () => new MediaNotFound({ media: id })
    )

  /** Writes the row, the bytes, and what they are; whatever ends it before that leaves a row to be swept. */
  const keep = Effect.fnUntraced(function* <E, R>(
    workspace: WorkspaceId,
    origin: Media.Media["source"],
    content: Stream.Stream<Uint8Array, E, R>,
    placing: MediaPlacing
  ) {
    const files = yield* store
    yield* Workspace.needed(workspace)(yield* workspaces.get(workspace))
    const field = placing.field ?? "file"
    const at = yield* Clock.currentTimeMillis
    const row: Media.Media = {
      ...Media.unsettled,
      id: (yield* makeIds).next("med"),
      workspace,
      kind: placing.kind ?? "file",
      status: "pending",
      filename: Media.filename(placing.filename),
      source: origin,
      chat: placing.chat ?? null,
      dueAt: at + Media.uploadLeaseMs,
      createdAt: at,
      expiresAt: placing.expiresAt ?? null
    }
    const { id } = row
    const head = new Uint8Array(MediaType.headBytes)
    let seen = 0
    const observed = Stream.tap(content, (chunk) =>
      Effect.sync(() => {
        const part = chunk.subarray(0, head.length - seen)
        head.set(part, seen)
        seen += part.length
      })
    )
    const declared = MediaType.essence(placing.mime)
    const maxBytes = placing.kind === undefined ? Math.max(...Object.values(limits)) : limits[placing.kind]
    const tooLarge = (most: number) => new MediaRejected({ field, expected: `at most ${most} bytes`, actual: "more" })

    const write = Effect.gen(function* () {
      const written = yield* files.put(row, observed, { mime: declared ?? "application/octet-stream", maxBytes }).pipe(
        Effect.timeoutOrElse({
          duration: Media.uploadWorkMs,
          orElse: () =>
            Effect.fail(
              new MediaStoreError({
                operation: "MediaLibrary.upload",
                retryable: true,
                cause: new Error(`the file did not come within ${Media.uploadWorkMs / 60_000} minutes`)
              })
            )
        }),
        Effect.mapError((error) => (error instanceof MediaTooLarge ? tooLarge(maxBytes) : error))
      )
      const first = head.subarray(0, seen)
      const kind = placing.kind ?? MediaType.kindOf(MediaType.sniff(first) ?? declared ?? "")
      const recognised = MediaType.recognise(first, kind, declared)
      if ("actual" in recognised) return yield* new MediaRejected({ field, ...recognised })
      if (written.bytes > limits[kind]) return yield* tooLarge(limits[kind])
      const [change] = yield* records.modify([id], (media) =>
        media.status === "pending" ? { ...Media.stored(media, { ...written, ...recognised }, null), kind } : media
      )
      const after = change?.after ?? null
      if (after?.status !== "stored") {
        const actual = "one whose person was erased meanwhile"
        return yield* new MediaRejected({ field, expected: "a file of a chat", actual })
      }
      return after
    })

    yield* records.add([row])
    return yield* Effect.onError(write, () =>
      records
        .modify([id], (media) => (media.status === "pending" ? { ...Media.deleted(media, at), dueAt: at } : media))
        // It is found without this, too, only later.
        .pipe(Effect.ignore)
    )
  })

  const download = Effect.fnUntraced(function* (workspace: WorkspaceId, url: string, placing: MediaPlacing) {
    const field = placing.field ?? "url"
    yield* store
    const maxBytes = limits[placing.kind ?? "file"]
    const { bytes, filename, mime } = yield* (yield* source)
      .download({ url, maxBytes })
      .pipe(
        Effect.mapError((error) =>
          error.reason === "timeout" || error.reason === "unreachable"
            ? error
            : new MediaRejected({ field, expected: "the URL of a public file", actual: error.detail })
        )
      )
    return yield* keep(workspace, "url", Stream.make(bytes), {
      ...placing,
      field,
      filename: placing.filename ?? filename ?? undefined,
      mime: placing.mime ?? mime ?? undefined
    })
  })

  const decode = Effect.fnUntraced(function* (workspace: WorkspaceId, uri: string, placing: MediaPlacing) {
    const field = placing.field ?? "url"
    const parsed = DataUri.parse(uri, limits[placing.kind ?? "file"])
    if (!("bytes" in parsed)) return yield* new MediaRejected({ field, ...parsed })
    const { bytes, mime } = parsed
    return yield* keep(workspace, "data", Stream.make(bytes), { ...placing, field, mime: placing.mime ?? mime })
  })

  return MediaLibrary.of({
    upload: (workspace, content, placing) => keep(workspace, "upload", content, placing),
    download,
    decode,
    accept: Effect.fn("MediaLibrary.accept")(function* (workspace, content, intake, placing) {
      if (content.type !== "media") return content
      const { kind, url } = content
      const place = { ...placing, kind, filename: content.filename, field: placing.field ?? "url" }
      const use = (id: MediaId) => records.modify([id], Media.used)
      const own = ({ id }: Media.Media) => Effect.as(use(id), { ...content, url: Media.reference(id) })
      if (DataUri.isDataUri(url)) return yield* own(yield* decode(workspace, url, place))
      if (Media.isReference(url)) {
        const id = Media.referred(url)
        const media = id === null ? null : Option.getOrNull(yield* records.get(workspace, id))
        // Under its lock: it may be about to be removed.
        const [held] = media?.kind === kind && media.status === "stored" ? yield* use(media.id) : []
        if (held?.after?.status === "stored") return content
        const actual = media === null ? "no file of this workspace" : `a ${media.kind} that is ${media.status}`
        return yield* new MediaRejected({ field: place.field, expected: `a stored ${kind}`, actual })
      }
      if (URL.parse(url) === null || !/^https?:/i.test(url)) {
        const expected = "an https: URL, a data URI or the id of a file as media:med_…"
        return yield* new MediaRejected({ field: place.field, expected, actual: "something else" })
      }
      return intake?.by === "bytes" ? yield* own(yield* download(workspace, url, place)) : content
    }),
    get: found,
    read: Effect.fn("MediaLibrary.read")(function* (workspace, id, range) {
      const media = yield* stored(workspace, id)
      const content = yield* (yield* store)
        .get(media, range)
        .pipe(Effect.catchTag("MediaMissing", () => Effect.fail(new MediaNotFound({ media: id }))))
      return { ...content, media }
    }),
    url: Effect.fn("MediaLibrary.url")(function* (workspace, id, until) {
      const media = yield* stored(workspace, id)
      const { filename, mime } = media
      return yield* (yield* store).url(media, { until, mime: mime ?? "application/octet-stream", filename })
    }),
    discard: Effect.fn("MediaLibrary.discard")(function* (workspace, id) {
      yield* found(workspace, id)
      const now = yield* Clock.currentTimeMillis
      yield* records.modify([id], (media) => Media.discarded(media, now))
    })
  })
})
