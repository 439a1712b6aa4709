/**
 * People from a URL: CSV or JSON, decoded as files are. Pages follow one another by the `Link` header (`rel="next"`) or a
 * field of the JSON. What has not changed since the last time is not read again (`ETag`). Headers may hold secrets: they
 * are sealed before the query is stored, and go to the origin of the first page alone.
 */
import {
  type ContactSource,
  type FoundPage,
  type FoundPerson,
  SourceFailed,
  SourceRefused
} from "@overture/core/contact/ContactSource"
import { prefixOf, type Vault } from "@overture/core/workspace/Vault"
import { Effect, Redacted, Result, Schema, Stream } from "effect"
import { createHash } from "node:crypto"
import type { SafeHttp, SafeResponse } from "../net/SafeHttp.ts"
import type { SafeHttpError } from "../net/Target.ts"
import * as ContactFormat from "./ContactFormat.ts"
import type { ImportRow, Rejected } from "./ContactRow.ts"

export interface Options {
  /** The name by which gatherings ask for it. @default "http" */
  readonly name?: string | undefined
  readonly http: SafeHttp
  /** What seals the values of headers; without it queries with headers are refused. */
  readonly vault?: Vault["Service"] | undefined
  /** The most bytes of a page. @default 20 MiB */
  readonly maxBytes?: number | undefined
  /** From asking to the last byte of a page, milliseconds. @default 60000 */
  readonly timeoutMs?: number | undefined
}

const Path = Schema.String.check(
  Schema.isPattern(/^\w+(\.\w+)*$/, { expected: "a path of fields such as paging.next" })
)

const shape = {
  url: Schema.String.check(Schema.isMaxLength(2_048)),
  /** By default what the answer says of itself, else the ending of the URL. */
  format: Schema.optionalKey(Schema.Literals(["csv", "json"])),
  /** Where in a JSON object the people are: `data.people`. Without it the whole answer is the people. */
  items: Schema.optionalKey(Path),
  /** Where in a JSON object the URL of the next page is. */
  next: Schema.optionalKey(Path),
  /** What columns hold whose titles do not say it, as for files; beside their fields `text`, `location`, `country`, `joinedAt` are read. */
  mapping: Schema.optionalKey(Schema.Record(Schema.String, Schema.NullOr(Schema.String)))
}

/** What is asked for. */
export const HttpQuery = Schema.Struct({
  ...shape,
  /** Sent with every page, such as `authorization`. */
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String.check(Schema.isMaxLength(8_192))))
})
export type HttpQuery = typeof HttpQuery.Type

/** As it is stored: the headers sealed. */
const StoredQuery = Schema.Struct({ ...shape, sealedHeaders: Schema.NullOr(Schema.String) })
type StoredQuery = typeof StoredQuery.Type

const Headers = Schema.fromJsonString(Schema.Record(Schema.String, Schema.String))

/** Headers that are the request's own. */
const reserved =
  /^(host|connection|content-length|transfer-encoding|accept-encoding|if-none-match|upgrade|te|trailer)$/i
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Sealed headers open for the origin they were given for alone. */
const contextOf = (url: URL): string => `source:http:${url.origin}`

const isChecked = (given: unknown): boolean => typeof given === "object" && given !== null && "sealedHeaders" in given

const at = (value: unknown, path: string): unknown =>
  path
    .split(".")
    .reduce<unknown>(
      (inner, field) =>
        typeof inner === "object" && inner !== null && Object.hasOwn(inner, field)
          ? (inner as Record<string, unknown>)[field]
          : undefined,
      value
    )

/** The target of `rel="next"` in a `Link` header. */
export const nextIn = (header: string | undefined): string | null => {
  for (const match of (header ?? "").matchAll(/<([^>]*)>((?:\s*;\s*[\w*-]+(?:=(?:"[^"]*"|[^",;\s]*))?)*)/g)) {
    if (/;\s*rel=(?:"[^"]*\bnext\b[^"]*"|next\b)/i.test(match[2] ?? "")) return match[1] ?? null
  }
  return null
}

/** A person with what the source tells beside the row. */
const personOf = (row: ImportRow): FoundPerson => {
  const { country, joinedAt, location, text, ...attributes } = row.attributes
  const joined = joinedAt === undefined ? Number.NaN : Date.parse(joinedAt)
  return {
    row: { ...row, attributes },
    text: text ?? "",
    location: location ?? null,
    country: country !== undefined && /^[a-z]{2}$/i.test(country) ? country.toUpperCase() : null,
    joinedAt: Number.isNaN(joined) ? null : joined
  }
}

export const make = (options: Options): ContactSource => {
  const { http, maxBytes = 20 * 1_048_576, name = "http", timeoutMs = 60_000, vault } = options
  const refused = (problem: string) => new SourceRefused({ source: name, problem })

  /** Where a query leads, also one that says of itself that it was checked. */
  const urlOf = Effect.fnUntraced(function* (text: string): Effect.fn.Return<URL, SourceRefused> {
    const url = URL.parse(text)
    if (url === null || !/^https?:$/.test(url.protocol)) return yield* refused("url: expected an https URL")
    if (url.username !== "" || url.password !== "") {
      return yield* refused("url: it has a password in it; give it in headers.authorization")
    }
    return url
  })
  const failed = (problem: string, retryable = false) => new SourceFailed({ source: name, problem, retryable })

  const read = <A>(schema: Schema.Codec<A, unknown>, given: unknown) =>
    Schema.decodeUnknownEffect(schema, { errors: "all", onExcessProperty: "error" })(given).pipe(
      Effect.mapError(({ message }) => refused(message))
    )

  const seal = Effect.fnUntraced(function* (url: URL, headers: Readonly<Record<string, string>>) {
    for (const [header, value] of Object.entries(headers)) {
      if (!headerName.test(header) || reserved.test(header)) return yield* refused(`headers: ${header} cannot be set`)
      if (!headerValue.test(value)) return yield* refused(`headers.${header}: has characters that no header may have`)
    }
    if (vault === undefined) return yield* refused("headers: nothing here could encrypt them; they need a Vault")
    return yield* vault
      .seal(Redacted.make(JSON.stringify(headers)), contextOf(url))
      .pipe(Effect.mapError(({ message }) => refused(`headers: ${message}`)))
  })

  /** The stored query, with its headers under the vault's present key where a former one opens them. */
  const resealed = Effect.fnUntraced(function* (query: StoredQuery, url: URL) {
    const { sealedHeaders } = query
    const key = vault?.currentKey ?? null
    if (vault === undefined || key === null || sealedHeaders === null || sealedHeaders.startsWith(prefixOf(key))) {
      return query
    }
    const context = contextOf(url)
    return yield* vault.open(sealedHeaders, context).pipe(
      Effect.flatMap((plain) => vault.seal(plain, context)),
      Effect.map((again) => ({ ...query, sealedHeaders: again })),
      // The page says so when it is asked for.
      Effect.orElseSucceed(() => query)
    )
  })

  const headersIn = ({ sealedHeaders, url }: StoredQuery) =>
    sealedHeaders === null
      ? Effect.succeed<Readonly<Record<string, string>>>({})
      : vault === undefined
        ? Effect.fail(failed("its headers cannot be read: they need a Vault"))
        : vault.open(sealedHeaders, contextOf(new URL(url))).pipe(
            Effect.flatMap((plain) => Schema.decodeUnknownEffect(Headers)(Redacted.value(plain))),
            Effect.mapError(() => failed("its headers cannot be read: they were encrypted with another key"))
          )

  const answered = ({ kind, message }: SafeHttpError) => failed(message, kind === "timeout" || kind === "network")

  const problemIn = ({ status }: SafeResponse): SourceFailed | null => {
    if (status === 200) return null
    if (status >= 300 && status < 400)
      return failed(`it answers ${status}: redirects are not followed, give the URL they lead to`)
    return failed(`it answers ${status}`, status === 408 || status === 429 || status >= 500)
  }

  /** The people of an answer and the URL of the next page, as the answer has it. */
  const decode = Effect.fnUntraced(function* (query: StoredQuery, url: URL, { body, headers }: SafeResponse) {
    const format =
      query.format ?? ContactFormat.byMediaType(headers["content-type"] ?? "") ?? ContactFormat.byName(url.pathname)
    let next = nextIn(headers["link"])
    let bytes = body
    if (format === "json" && (query.items !== undefined || query.next !== undefined)) {
      const read = Result.try(() => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as unknown)
      if (Result.isFailure(read)) return yield* failed("its answer is no JSON object")
      const items = query.items === undefined ? read.success : at(read.success, query.items)
      if (!Array.isArray(items)) return yield* failed(`its answer has no array at ${query.items ?? "its top"}`)
      bytes = new TextEncoder().encode(JSON.stringify(items))
      const link = query.next === undefined ? null : at(read.success, query.next)
      if (typeof link === "string" && link !== "") next = link
    }
    const rows: Array<ImportRow> = []
    const rejected: Array<Rejected> = []
    // A page without people is none to CSV and JSON files, but nothing wrong here.
    if (!/^\s*(\[\s*\])?\s*$/.test(new TextDecoder().decode(bytes.subarray(0, 64))) || bytes.length > 64) {
      yield* ContactFormat.read(format, Stream.succeed(bytes), {
        name: url.origin,
        ...(query.mapping !== undefined && { mapping: query.mapping })
      }).pipe(
        Stream.runForEach((batch) =>
          Effect.sync(() => {
            for (const row of batch.rows) rows.push(row)
            for (const problem of batch.rejected) rejected.push(problem)
          })
        ),
        Effect.mapError(({ message }) => failed(message))
      )
    }
    return { next, rows, rejected }
  })

  return {
    name,
    check: Effect.fn("HttpSource.check")(function* (given): Effect.fn.Return<StoredQuery, SourceRefused> {
      if (isChecked(given)) {
        const stored = yield* read(StoredQuery, given)
        return yield* resealed(stored, yield* urlOf(stored.url))
      }
      const { headers = {}, ...query } = yield* read(HttpQuery, given)
      const url = yield* urlOf(query.url)
      const isBare = Object.keys(headers).length === 0
      return { ...query, sealedHeaders: isBare ? null : yield* seal(url, headers) }
    }),
    page: Effect.fn("HttpSource.page")(function* ({ cursor, query: given, version }) {
      const query = yield* Schema.decodeUnknownEffect(StoredQuery)(given).pipe(
        Effect.mapError(() => failed("its stored query cannot be read"))
      )
      const first = new URL(query.url)
      const url = cursor === null ? first : new URL(cursor)
      const etag = version?.startsWith("etag:") === true ? version.slice("etag:".length) : null
      const response = yield* http
        .request({
          method: "GET",
          url: url.href,
          headers: {
            accept: "text/csv, application/json, application/x-ndjson",
            "accept-encoding": "identity",
            ...(yield* headersIn(query)),
            ...(etag !== null && { "if-none-match": etag })
          },
          timeoutMs,
          maxBytes
        })
        .pipe(Effect.mapError(answered))
      if (response.status === 304 && etag !== null) return "unchanged" as const
      const problem = problemIn(response)
      if (problem !== null) return yield* problem
      const stands = versionOf(response)
      if (stands === version) return "unchanged" as const
      const { next, rejected, rows } = yield* decode(query, url, response)
      const following = next === null ? null : Result.try(() => new URL(next, url))
      if (following !== null && (Result.isFailure(following) || following.success.origin !== first.origin))
        return yield* failed("its next page lies elsewhere, where the request may not go")
      const page: FoundPage = {
        people: rows.map(personOf),
        rejected,
        cursor: following === null || Result.isFailure(following) ? null : following.success.href,
        total: null,
        version: stands
      }
      return page
    })
  }
}

/** What the answer says of its version, else the digest of its body. */
const versionOf = ({ body, headers }: SafeResponse): string => {
  const etag = headers["etag"]
  return etag === undefined ? `body:${createHash("sha256").update(body).digest("hex")}` : `etag:${etag}`
}
