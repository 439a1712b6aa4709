/**
 * What a channel is handed for a media content: the file itself, or a URL at which it is, as the channel wants it and
 * within its limits. Whatever is wrong with a file is known before anything is sent.
 */
import { Clock, Context, Effect, Layer, Option, Stream } from "effect"
import { ImageResizer } from "../account/ImageResizer.ts"
import type { Content } from "../channel/Content.ts"
import * as MediaIntake from "../channel/MediaIntake.ts"
import type { OutboundMedia } from "../channel/MediaIntake.ts"
import type { Outcome } from "../channel/Outcome.ts"
import * as DataUri from "../chat/DataUri.ts"
import * as Media from "../chat/Media.ts"
import { MediaRecordStore } from "../chat/MediaRecordStore.ts"
import { MediaSource } from "../chat/MediaSource.ts"
import { MediaStore } from "../chat/MediaStore.ts"
import * as MediaType from "../chat/MediaType.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import { hour } from "../workspace/Instant.ts"

type MediaContent = Extract<Content, { readonly type: "media" }>

export class MediaHandover extends Context.Service<
  MediaHandover,
  {
    /** The file of a content, or what its send comes to without being tried. */
    of(
      workspace: WorkspaceId,
      content: MediaContent,
      intake: MediaIntake.MediaIntake
    ): Effect.Effect<{ readonly media: OutboundMedia } | { readonly outcome: Outcome }>
  }
>()("@overture/core/MediaHandover") {
  static readonly layer = Layer.effect(
    MediaHandover,
    Effect.suspend(() => make)
  )

  /** Looks at no file: for an engine that sends nothing. */
  static readonly asTheyAre = MediaHandover.of({
    of: (_workspace, { filename = null, kind, url }) =>
      Effect.succeed({ media: { kind, mime: null, filename, source: { type: "url", url, until: null } } })
  })
}

/** How long a URL answers that is handed out: platforms fetch at once, and again after a failure of theirs. */
const urlMs = hour

/** Longest side of an image that has to become smaller, in pixels. */
const longestSide = 4_096

const rejected = (detail: string) => Effect.fail<Outcome>({ type: "contentRejected", detail })
const later = (detail: string) => Effect.fail<Outcome>({ type: "transient", detail })

interface File {
  readonly bytes: Uint8Array
  readonly mime: string
}

const make = Effect.gen(function* () {
  const records = yield* MediaRecordStore
  const limits = yield* Media.MediaLimits
  const resizer = yield* Effect.serviceOption(ImageResizer)
  const store = yield* Effect.serviceOption(MediaStore)
  const source = yield* Effect.serviceOption(MediaSource)

  /** Bytes that the platform takes: an image may be made smaller, everything else is as it is or not at all. */
  const fitted = Effect.fnUntraced(function* (
    { filename, kind }: MediaContent,
    intake: MediaIntake.MediaIntake,
    file: File
  ) {
    const problem = MediaIntake.refusal(intake, kind, { bytes: file.bytes.length, mime: file.mime })
    const handed = ({ bytes, mime }: File): OutboundMedia => ({
      kind,
      mime,
      filename: filename ?? null,
      source: { type: "bytes", bytes }
    })
    if (problem === null) return handed(file)
    const limit = intake.limits?.[kind]
    const mime = (["image/jpeg", "image/png"] as const).find((one) => limit?.mimes?.includes(one) ?? true)
    if (kind !== "image" || limit === undefined || mime === undefined || Option.isNone(resizer)) {
      return yield* rejected(problem)
    }
    const { maxBytes } = limit
    return yield* resizer.value
      .resize(file.bytes, { mime, maxWidth: longestSide, maxHeight: longestSide, maxBytes, cut: false })
      .pipe(
        Effect.map(handed),
        Effect.catch(() => rejected(problem))
      )
  })

  const recognised = ({ kind }: MediaContent, bytes: Uint8Array, declared: string | null) => {
    const found = MediaType.recognise(bytes.subarray(0, MediaType.headBytes), kind, declared)
    return "mime" in found
      ? Effect.succeed({ bytes, ...found })
      : rejected(`expected ${found.expected}, got ${found.actual}`)
  }

  /** A file of ours. */
  const kept = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    content: MediaContent,
    intake: MediaIntake.MediaIntake
  ) {
    const id = Media.referred(content.url)
    const media =
      id === null
        ? null
        : Option.getOrNull(
            yield* Effect.catch(records.get(workspace, id), () => later("the file could not be looked up"))
          )
    if (media?.status === "pending") return yield* later("the file is still being written")
    if (media?.status !== "stored" || Option.isNone(store)) return yield* rejected("the file is not here any more")
    // By a campaign whose text names the file through an attribute. Where it cannot be noted now, the next send does.
    if (!media.used) yield* Effect.ignore(records.modify([media.id], Media.used))
    const mime = media.mime ?? "application/octet-stream"
    const named = { ...content, filename: content.filename ?? media.filename ?? undefined } as MediaContent
    const problem = MediaIntake.refusal(intake, content.kind, { bytes: media.bytes, mime })
    if (intake.by !== "bytes" && problem === null) {
      const until = (yield* Clock.currentTimeMillis) + urlMs
      const filename = named.filename ?? null
      const url = yield* Effect.catch(store.value.url(media, { until, mime, filename }), () =>
        later("the media store did not answer")
      )
      if (url !== null) return { kind: content.kind, mime, filename, source: { type: "url" as const, url, until } }
    }
    if (intake.by === "url") {
      return yield* rejected(problem ?? "this channel takes files by URL, and the media store has none to give")
    }
    const bytes = yield* store.value.get(media).pipe(
      Effect.flatMap(({ content: chunks }) => Stream.runCollect(chunks)),
      Effect.catch((error) =>
        error._tag === "MediaMissing"
          ? rejected("the file is not here any more")
          : later("the media store did not answer")
      )
    )
    return yield* fitted(named, intake, { bytes: concat(bytes), mime })
  })

  /** A file at a URL of somebody else's, for a channel that does not fetch. */
  const fetched = Effect.fnUntraced(function* (content: MediaContent, intake: MediaIntake.MediaIntake) {
    if (Option.isNone(source)) return yield* rejected("this channel takes bytes, and there is no port MediaSource here")
    const { bytes, filename, mime } = yield* Effect.catch(
      source.value.download({ url: content.url, maxBytes: limits[content.kind] }),
      ({ detail, reason }) => (reason === "timeout" || reason === "unreachable" ? later(detail) : rejected(detail))
    )
    const file = yield* recognised(content, bytes, mime)
    return yield* fitted(
      { ...content, ...(content.filename === undefined && filename !== null && { filename }) },
      intake,
      file
    )
  })

  return MediaHandover.of({
    of: (workspace, content, intake) =>
      Effect.gen(function* (): Effect.fn.Return<OutboundMedia, Outcome> {
        if (Media.isReference(content.url)) return yield* kept(workspace, content, intake)
        if (DataUri.isDataUri(content.url)) {
          if (intake.by === "url") return yield* rejected("this channel takes files by URL: upload the file first")
          const parsed = DataUri.parse(content.url, limits[content.kind])
          if (!("bytes" in parsed)) return yield* rejected(`expected ${parsed.expected}, got ${parsed.actual}`)
          return yield* fitted(content, intake, yield* recognised(content, parsed.bytes, parsed.mime))
        }
        if (intake.by === "bytes") return yield* fetched(content, intake)
        const { filename = null, kind, url } = content
        return { kind, mime: null, filename, source: { type: "url", url, until: null } }
      }).pipe(
        Effect.match({ onFailure: (outcome) => ({ outcome }), onSuccess: (media) => ({ media }) }),
        // What a port dies of may hold a secret. Nothing was sent.
        Effect.catchDefect(() =>
          Effect.succeed({ outcome: { type: "transient" as const, detail: "the file could not be read" } })
        )
      )
  })
})

const concat = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
