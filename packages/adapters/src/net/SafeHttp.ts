/**
 * HTTP to places that users name: webhook endpoints, media, sources of contacts. The address that is really dialled is
 * looked at, whatever a name resolved to before. Redirects are answers and never followed, proxies of the environment are
 * not used, and a request ends in time with no more of a body than was asked for.
 *
 * @example
 * const http = yield* SafeHttp.make({})
 * const { status } = yield* http.request({ method: "POST", url, headers: {}, body, timeoutMs: 15_000, maxBytes: 4_096 })
 */
import { Effect, Result, type Scope } from "effect"
import { isIP, type LookupFunction } from "node:net"
import { Agent, buildConnector, type Dispatcher } from "undici"
import * as Lookup from "./Lookup.ts"
import * as Target from "./Target.ts"

export interface SafeRequest {
  readonly method: Dispatcher.HttpMethod
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | Uint8Array | undefined
  /** From the call to the last byte of the answer, milliseconds. Connecting has at most 10 s of it, a silence 30 s. */
  readonly timeoutMs: number
  /** The most of a body that is read. */
  readonly maxBytes: number
  /** What becomes of a longer body: `fail` (default) with `tooLarge`, or `cut` to its first `maxBytes`. */
  readonly overflow?: "fail" | "cut" | undefined
}

export interface SafeResponse {
  /** 200–599; a redirect is one of them. */
  readonly status: number
  /** By lower-case name; values of a repeated header are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  /** As it came: nothing is decompressed. */
  readonly body: Uint8Array
}

export interface SafeHttp {
  /** Interrupted, it closes the connection. */
  request(request: SafeRequest): Effect.Effect<SafeResponse, Target.SafeHttpError>
}

export interface Options extends Target.Allowance {
  /** How names are resolved, if not as `Lookup` does. */
  readonly lookup?: Lookup.Lookup | undefined
}

const connectMs = 10_000
const silenceMs = 30_000
const maxHeaderSize = 16_384

/** What a connection fails with before it is made. */
export class InwardAddress extends Error {
  constructor(hostname: string) {
    super(`${hostname} leads to no address of the open internet`)
  }
}

/** Dials only what may be dialled, and looks at what it got. */
export const connector = (
  { mayDial }: Target.Target,
  lookup: Lookup.Lookup,
  tls: buildConnector.BuildOptions = {}
): buildConnector.connector => {
  const guarded: LookupFunction = (hostname, options, callback) => {
    lookup(hostname).then(
      (addresses) => {
        const allowed = addresses.filter(mayDial).map((address) => ({ address, family: isIP(address) }))
        const [first] = allowed
        if (first === undefined) callback(new InwardAddress(hostname), "")
        else if (options.all === true) callback(null, allowed)
        else callback(null, first.address, first.family)
      },
      (cause: NodeJS.ErrnoException) => callback(cause, "")
    )
  }
  const connect = buildConnector({ ...tls, lookup: guarded, timeout: connectMs, allowH2: false })
  return (options, callback) => {
    if (isIP(options.hostname) !== 0 && !mayDial(options.hostname)) {
      return callback(new InwardAddress(options.hostname), null)
    }
    connect(options, (...[error, socket]) => {
      if (error !== null) return callback(error, null)
      if (mayDial(socket.remoteAddress ?? "")) return callback(null, socket)
      socket.destroy()
      callback(new InwardAddress(options.hostname), null)
    })
  }
}

const timeouts = new Set(["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "ETIMEDOUT"])

/** What went wrong by its code alone: texts of others may repeat what was sent. */
const errorOf = (origin: string, cause: Error): Target.SafeHttpError => {
  const code = String((cause as NodeJS.ErrnoException).code ?? cause.name)
  if (cause instanceof InwardAddress)
    return new Target.SafeHttpError({ kind: "forbiddenAddress", origin, detail: cause.message })
  if (timeouts.has(code)) return new Target.SafeHttpError({ kind: "timeout", origin, detail: `no answer (${code})` })
  if (code === "UND_ERR_HEADERS_OVERFLOW")
    return new Target.SafeHttpError({ kind: "tooLarge", origin, detail: `more than ${maxHeaderSize} bytes of headers` })
  return new Target.SafeHttpError({ kind: "network", origin, detail: `no valid answer (${code})` })
}

const joined = (headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : (value ?? []).join(", ")])
  )

/** One request under way. Whatever ends it first is its result. */
const dispatch = (agent: Agent, url: URL, request: SafeRequest) =>
  Effect.callback<SafeResponse, Target.SafeHttpError>((resume) => {
    const { origin } = url
    const { maxBytes, timeoutMs } = request
    let controller: Dispatcher.DispatchController | null = null
    let isOver = false
    let response: { readonly status: number; readonly headers: Record<string, string> } | null = null
    const chunks: Array<Buffer> = []
    let size = 0

    const giveUp = () => {
      isOver = true
      clearTimeout(timer)
      controller?.abort(new Error("given up"))
    }
    const end = (result: Effect.Effect<SafeResponse, Target.SafeHttpError>) => {
      if (isOver) return
      giveUp()
      resume(result)
    }
    const fail = (kind: Target.SafeHttpError["kind"], detail: string) =>
      end(Effect.fail(new Target.SafeHttpError({ kind, origin, detail })))
    const succeed = () => {
      if (response === null) return fail("network", "no valid answer")
      end(Effect.succeed({ ...response, body: Buffer.concat(chunks) }))
    }
    const timer = setTimeout(() => fail("timeout", `no answer within ${timeoutMs} ms`), timeoutMs)
    const isTooLarge = () => fail("tooLarge", `more than ${maxBytes} bytes of body`)

    agent.dispatch(
      {
        origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: request.headers ?? {},
        body: request.body ?? null,
        headersTimeout: Math.min(timeoutMs, silenceMs),
        bodyTimeout: Math.min(timeoutMs, silenceMs)
      },
      {
        onRequestStart: (started) => {
          controller = started
          if (isOver) started.abort(new Error("given up"))
        },
        onResponseStart: (_, status, headers) => {
          if (status < 200) return
          response = { status, headers: joined(headers) }
          if (request.overflow !== "cut" && Number(headers["content-length"] ?? 0) > maxBytes) isTooLarge()
        },
        onResponseData: (_, chunk) => {
          if (isOver) return
          size += chunk.length
          if (size <= maxBytes) return void chunks.push(chunk)
          if (request.overflow !== "cut") return isTooLarge()
          chunks.push(chunk.subarray(0, chunk.length - (size - maxBytes)))
          succeed()
        },
        onResponseEnd: () => {
          controller = null
          succeed()
        },
        onResponseError: (_, cause) => {
          controller = null
          end(Effect.fail(errorOf(origin, cause)))
        }
      }
    )
    return Effect.sync(giveUp)
  })

/** A client with connections of its own, which close with the scope. */
export const make = (options: Options): Effect.Effect<SafeHttp, never, Scope.Scope> => {
  const isOpen = options.allowInward === undefined || options.allowInward === false
  const lookup = options.lookup ?? (isOpen ? Lookup.byNameServers() : Lookup.bySystem)
  const target = Target.make(options)
  return Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Agent({ connect: connector(target, lookup), maxHeaderSize, allowH2: false })),
      (agent) => Effect.promise(() => agent.destroy())
    ),
    (agent): SafeHttp => ({
      request: (request) =>
        Result.match(target.parse(request.url), {
          onFailure: Effect.fail,
          onSuccess: (url) => dispatch(agent, url, request)
        })
    })
  )
}
