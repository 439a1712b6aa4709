/**
 * Fetches files at URLs that others name, by HTTP that dials only the open internet. At most five redirects are followed,
 * each checked like the first; what is sent to let us in goes to the first host alone.
 */
import { essence } from "@overture/core/chat/MediaType"
import * as Media from "@overture/core/chat/Media"
import { type Fetched, type FetchRequest, MediaSource, MediaUnavailable } from "@overture/core/chat/MediaSource"
import { Effect, Layer } from "effect"
import { promisify } from "node:util"
import { brotliDecompress, gunzip, inflate } from "node:zlib"
import * as SafeHttp from "../net/SafeHttp.ts"

export interface Options {
  /** From the call to the last byte, each redirect anew, milliseconds; 60 s by default. */
  readonly timeoutMs?: number | undefined
}

const mostRedirects = 5

const troubles: Readonly<Record<string, Media.MediaTrouble>> = {
  forbiddenUrl: "forbidden",
  forbiddenAddress: "forbidden",
  timeout: "timeout",
  tooLarge: "tooLarge",
  network: "unreachable"
}

/** What a status that brings no file means. */
const troubleOf = (status: number): Media.MediaTrouble => {
  if (status === 404 || status === 410) return "gone"
  if (status === 401 || status === 403 || status === 451) return "refused"
  if (status === 413) return "tooLarge"
  return status === 408 || status === 504 ? "timeout" : "unreachable"
}

/** The name that a server gives a file, by RFC 6266. */
export const filenameOf = (disposition: string | undefined): string | null => {
  if (disposition === undefined) return null
  const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;]+)/i.exec(disposition)?.[1]?.trim()
  const plain = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]+))/i.exec(disposition)
  const given = extended === undefined ? (plain?.[1]?.replaceAll(/\\(.)/g, "$1") ?? plain?.[2]) : decoded(extended)
  return Media.filename(given)
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return ""
  }
}

const decoders = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress)
}

export const make = (http: SafeHttp.SafeHttp, { timeoutMs = 60_000 }: Options = {}): MediaSource["Service"] => {
  const fail = (reason: Media.MediaTrouble, detail: string) => Effect.fail(new MediaUnavailable({ reason, detail }))

  /** Undoes what a server did to the bytes though it was asked not to; never to more than `maxBytes`. */
  const plain = (body: Uint8Array, encoding: string, maxBytes: number): Effect.Effect<Uint8Array, MediaUnavailable> => {
    if (encoding === "" || encoding === "identity") return Effect.succeed(body)
    const decode = decoders[encoding as keyof typeof decoders]
    if (decode === undefined) return fail("mismatch", "it came in an unknown encoding")
    return Effect.tryPromise({
      try: () => decode(body, { maxOutputLength: maxBytes }),
      catch: (cause) =>
        cause instanceof RangeError
          ? new MediaUnavailable({ reason: "tooLarge", detail: `it has more than ${maxBytes} bytes` })
          : new MediaUnavailable({ reason: "mismatch", detail: "its encoding is broken" })
    })
  }

  const ask = (url: string, request: FetchRequest, redirects: number): Effect.Effect<Fetched, MediaUnavailable> =>
    Effect.gen(function* () {
      const isFirstHost = URL.parse(url)?.origin === URL.parse(request.url)?.origin
      const { body, headers, status } = yield* http
        .request({
          method: "GET",
          url,
          headers: { ...(isFirstHost && request.headers), accept: "*/*", "accept-encoding": "identity" },
          timeoutMs,
          maxBytes: request.maxBytes
        })
        .pipe(
          Effect.mapError(
            ({ detail, kind }) => new MediaUnavailable({ reason: troubles[kind] ?? "unreachable", detail })
          )
        )
      if (status >= 300 && status < 400 && headers["location"] !== undefined) {
        const next = URL.parse(headers["location"], url)
        if (next === null) return yield* fail("forbidden", "it redirects to what is no URL")
        if (redirects === mostRedirects) return yield* fail("unreachable", `more than ${mostRedirects} redirects`)
        return yield* ask(next.href, request, redirects + 1)
      }
      if (status !== 200) return yield* fail(troubleOf(status), `the server answered ${status}`)
      return {
        bytes: yield* plain(body, headers["content-encoding"]?.trim().toLowerCase() ?? "", request.maxBytes),
        mime: essence(headers["content-type"]),
        filename: filenameOf(headers["content-disposition"])
      }
    })

  return MediaSource.of({ download: (request) => ask(request.url, request, 0) })
}

/** Over a client of its own, which dials what `allowance` allows. */
export const layer = (allowance: SafeHttp.Options = {}, options: Options = {}): Layer.Layer<MediaSource> =>
  Layer.effect(
    MediaSource,
    Effect.map(SafeHttp.make(allowance), (http) => make(http, options))
  )
