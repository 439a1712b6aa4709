/**
 * Media in a bucket of Amazon S3, or of what speaks like it. An object is put in one request, signed over its bytes, so it
 * is there whole or not at all; what is larger than `maxBytes` is refused, as it is held in memory on its way. Answers
 * that say "later" are met by asking again. Keep versions and object locks off: what is deleted must be gone.
 */
import {
  checked,
  type MediaKey,
  MediaMissing,
  MediaStore,
  MediaStoreError,
  MediaTooLarge
} from "@overture/core/chat/MediaStore"
import { format, type Instant } from "@overture/core/workspace/Instant"
import { AwsV4Signer } from "aws4fetch"
import { Clock, Effect, Layer, Redacted, Schedule, Stream } from "effect"
import { createHash } from "node:crypto"
import { fetch, type Response } from "undici"

export interface Options {
  /** `https://s3.eu-central-1.amazonaws.com`, or where a service of that kind answers. */
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted<string>
  readonly sessionToken?: Redacted.Redacted<string> | undefined
  /** Where the bucket's name stands in a URL: in its path (default), or before the host as Amazon wants it. */
  readonly style?: "path" | "virtual" | undefined
  /** Before the names of all objects, `media/`. */
  readonly prefix?: string | undefined
  /** Where others reach the bucket, if not at `endpoint`: URLs that are given out begin with it. */
  readonly publicEndpoint?: string | undefined
  /** The largest object; 128 MiB by default. */
  readonly maxBytes?: number | undefined
  /** For one request until its answer begins, with what it sends; milliseconds, 60 s by default. */
  readonly timeoutMs?: number | undefined
  /** How often a request is made again after an answer that may pass; 4 by default. */
  readonly retries?: number | undefined
}

/** The longest that such a URL can be good for: a week. */
const longestUrlMs = 604_800_000

/** An answer that is a failure. Its words stay unread beyond the code: they repeat what was sent. */
class S3Failure extends Error {
  readonly status: number
  constructor(status: number, code: string) {
    super(`the store answered ${status}${code === "" ? "" : ` ${code}`}`)
    this.status = status
  }
}

const codes = new Set(["RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable"])

const emptyHash = createHash("sha256").digest("hex")

/** `20261121T101500Z` */
const stamp = (at: Instant): string => format(at).replaceAll(/[:-]|\.\d{3}/g, "")

/** A name that every header takes, and the same in UTF-8. */
const disposition = (filename: string): string =>
  `attachment; filename="${filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_")}"; filename*=UTF-8''${encodeURIComponent(filename).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)}`

export const make = (options: Options): MediaStore["Service"] => {
  const { bucket, endpoint, maxBytes: largest = 2 ** 27, prefix = "", retries = 4, timeoutMs = 60_000 } = options
  const credentials = {
    accessKeyId: options.accessKeyId,
    secretAccessKey: Redacted.value(options.secretAccessKey),
    ...(options.sessionToken !== undefined && { sessionToken: Redacted.value(options.sessionToken) }),
    service: "s3",
    region: options.region
  }

  const urlOf = ({ id, workspace }: MediaKey, base = endpoint): URL => {
    const url = new URL(base)
    const folder = url.pathname.replace(/\/+$/, "")
    if (options.style === "virtual") url.hostname = `${bucket}.${url.hostname}`
    const name = `${options.style === "virtual" ? "" : `${bucket}/`}${prefix}${workspace}/${id}`
    url.pathname = `${folder}/${name.split("/").map(encodeURIComponent).join("/")}`
    return url
  }

  const failed = (operation: string, cause: unknown): MediaStoreError =>
    new MediaStoreError({
      operation: `S3Media.${operation}`,
      retryable: !(cause instanceof S3Failure) || cause.status >= 500 || cause.status === 429 || cause.status === 408,
      cause
    })

  /** One request and the beginning of its answer, whose body is still to be read. */
  const ask = (
    operation: string,
    method: string,
    key: MediaKey,
    more: Readonly<Record<string, string>>,
    body?: Uint8Array
  ) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const hash = body === undefined ? emptyHash : createHash("sha256").update(body).digest("hex")
      return yield* Effect.tryPromise({
        try: async (signal) => {
          const signed = await new AwsV4Signer({
            ...credentials,
            method,
            url: urlOf(key).href,
            headers: { ...more, "x-amz-content-sha256": hash },
            datetime: stamp(now)
          }).sign()
          return fetch(signed.url, {
            method,
            headers: Object.fromEntries(signed.headers),
            body: body ?? null,
            redirect: "manual",
            signal
          })
        },
        // What fetch says of a failure names the URL at most; its cause says what it was.
        catch: (cause) =>
          failed(operation, cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause)
      }).pipe(
        Effect.timeoutOrElse({
          duration: timeoutMs,
          orElse: () => Effect.fail(failed(operation, new Error(`no answer within ${timeoutMs} ms`)))
        })
      )
    })

  /** The answer, if its status is one of these; what may pass is asked for again. */
  const request = (
    operation: string,
    method: string,
    key: MediaKey,
    accepted: ReadonlyArray<number>,
    more: Readonly<Record<string, string>> = {},
    body?: Uint8Array
  ) =>
    ask(operation, method, key, more, body).pipe(
      Effect.flatMap((response) =>
        accepted.includes(response.status)
          ? Effect.succeed(response)
          : Effect.flatMap(
              Effect.promise(() => response.text().catch(() => "")),
              (text) => {
                const code = /<Code>(\w{1,64})<\/Code>/.exec(text)?.[1] ?? ""
                return Effect.fail(failed(operation, new S3Failure(codes.has(code) ? 503 : response.status, code)))
              }
            )
      ),
      Effect.retry({
        while: ({ retryable }) => retryable,
        times: retries,
        schedule: Schedule.jittered(Schedule.exponential("100 millis"))
      })
    )

  const discard = (response: Response) =>
    Effect.promise(() => response.body?.cancel().catch(() => undefined) ?? Promise.resolve())

  const collect = <E, R>(content: Stream.Stream<Uint8Array, E, R>, maxBytes: number) =>
    Effect.gen(function* () {
      const chunks: Array<Uint8Array> = []
      let bytes = 0
      yield* Stream.runForEach(content, (chunk) => {
        bytes += chunk.length
        if (bytes > maxBytes) return Effect.fail(new MediaTooLarge({ maxBytes }))
        chunks.push(chunk)
        return Effect.void
      })
      return Buffer.concat(chunks)
    })

  return MediaStore.of({
    put: <E, R>(
      key: MediaKey,
      content: Stream.Stream<Uint8Array, E, R>,
      { maxBytes, mime }: { readonly maxBytes: number; readonly mime: string }
    ) =>
      Effect.gen(function* () {
        yield* checked("S3Media.put", key)
        const body = yield* collect(content, Math.min(maxBytes, largest))
        yield* Effect.flatMap(request("put", "PUT", key, [200], { "content-type": mime }, body), discard)
        return { bytes: body.length, sha256: createHash("sha256").update(body).digest("hex") }
      }),
    get: (key, range) =>
      Effect.gen(function* () {
        yield* checked("S3Media.get", key)
        const head = yield* request("get", "HEAD", key, [200, 404])
        if (head.status === 404) return yield* new MediaMissing({ media: key.id })
        const bytes = Number(head.headers.get("content-length"))
        const start = range?.start ?? 0
        const end = Math.min(range?.end ?? bytes, bytes)
        if (start >= end) return { bytes, content: Stream.empty }
        const part = range === undefined ? {} : { range: `bytes=${start}-${end - 1}` }
        const content = Stream.unwrap(
          Effect.map(request("get", "GET", key, [range === undefined ? 200 : 206], part), (response) =>
            response.body === null
              ? Stream.empty
              : Stream.fromReadableStream({
                  evaluate: () => response.body as ReadableStream<Uint8Array>,
                  onError: (cause) => failed("get", cause)
                })
          )
        )
        return { bytes, content }
      }),
    delete: (key) =>
      checked("S3Media.delete", key).pipe(
        Effect.flatMap(() => request("delete", "DELETE", key, [200, 204, 404])),
        Effect.flatMap(discard)
      ),
    url: (key, { filename, mime, until }) =>
      Effect.gen(function* () {
        yield* checked("S3Media.url", key)
        const now = yield* Clock.currentTimeMillis
        const url = urlOf(key, options.publicEndpoint)
        url.searchParams.set(
          "X-Amz-Expires",
          String(Math.max(1, Math.floor(Math.min(until - now, longestUrlMs) / 1000)))
        )
        url.searchParams.set("response-content-type", mime)
        if (filename !== null) url.searchParams.set("response-content-disposition", disposition(filename))
        return yield* Effect.tryPromise({
          try: async () =>
            (
              await new AwsV4Signer({
                ...credentials,
                method: "GET",
                url: url.href,
                signQuery: true,
                datetime: stamp(now)
              }).sign()
            ).url.href,
          catch: (cause) => failed("url", cause)
        })
      })
  })
}

export const layer = (options: Options): Layer.Layer<MediaStore> => Layer.sync(MediaStore, () => make(options))
