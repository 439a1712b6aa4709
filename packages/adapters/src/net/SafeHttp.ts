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
import type { IncomingHttpHeaders } from "node:http"
import { isIP, type LookupFunction } from "node:net"
import { buildConnector, type Dispatcher } from "undici"
import { Connections } from "./Connections.ts"
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

/** What one request came to. */
export type SafeResult = Result.Result<SafeResponse, Target.SafeHttpError>

export interface SafeHttp {
  /** Interrupted, it closes the connection. */
  request(request: SafeRequest): Effect.Effect<SafeResponse, Target.SafeHttpError>
  /**
   * The same for callers with many requests under way, without a fiber for each: tells `ended` once, maybe at once. What it
   * returns closes the connection, and then `ended` is told nothing.
   */
  send(request: SafeRequest, ended: (result: SafeResult) => void): () => void
}

export interface Options extends Target.Allowance {
  /** How names are resolved, if not as `Lookup` does. */
  readonly lookup?: Lookup.Lookup | undefined
}

const connectMs = 10_000
const silenceMs = 30_000
const maxHeaderSize = 16_384
const nothing = new Uint8Array()

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

/** Values of a repeated header are joined. */
const joined = (headers: IncomingHttpHeaders): Readonly<Record<string, string>> => {
  for (const name in headers) {
    const value = headers[name]
    if (Array.isArray(value)) headers[name] = value.join(", ")
  }
  return headers as Readonly<Record<string, string>>
}

/** One request under way. Whatever ends it first is its result. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #origin: string
  readonly #request: SafeRequest
  readonly #ended: (result: SafeResult) => void
  readonly #freed: () => void
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | null = null
  #isOver = false
  #status = 0
  #headers: IncomingHttpHeaders = {}
  #chunks: Array<Buffer> = []
  #size = 0

  /**
   * `ended` is told the result. `freed` is told after it, maybe much later, that the connection is done with it: who asks
   * again at once gets another one, as the other side may be closing this one behind its answer.
   */
  constructor(origin: string, request: SafeRequest, ended: (result: SafeResult) => void, freed: () => void) {
    this.#origin = origin
    this.#request = request
    this.#ended = ended
    this.#freed = freed
    const { timeoutMs } = request
    this.#timer = setTimeout(() => this.#fail("timeout", `no answer within ${timeoutMs} ms`), timeoutMs)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) controller.abort(new Error("given up"))
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    this.#status = status
    this.#headers = headers
    const { maxBytes, overflow } = this.#request
    if (overflow !== "cut" && Number(headers["content-length"] ?? 0) > maxBytes) this.#failAsTooLarge()
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return
    const { maxBytes, overflow } = this.#request
    this.#size += chunk.length
    if (this.#size <= maxBytes) return void this.#chunks.push(chunk)
    if (overflow !== "cut") return this.#failAsTooLarge()
    this.#chunks.push(chunk.subarray(0, chunk.length - (this.#size - maxBytes)))
    this.#succeed()
  }

  onResponseEnd(): void {
    this.#controller = null
    this.#succeed()
    this.#freed()
  }

  onResponseError(_: Dispatcher.DispatchController, cause: Error): void {
    this.#controller = null
    this.#end(Result.fail(errorOf(this.#origin, cause)))
    this.#freed()
  }

  /** Closes the connection, unless all is over. */
  giveUp(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#controller?.abort(new Error("given up"))
  }

  #succeed(): void {
    if (this.#status === 0) return this.#fail("network", "no valid answer")
    const body = this.#chunks.length === 0 ? nothing : Buffer.concat(this.#chunks)
    this.#end(Result.succeed({ status: this.#status, headers: joined(this.#headers), body }))
  }

  #failAsTooLarge(): void {
    this.#fail("tooLarge", `more than ${this.#request.maxBytes} bytes of body`)
  }

  #fail(kind: Target.SafeHttpError["kind"], detail: string): void {
    this.#end(Result.fail(new Target.SafeHttpError({ kind, origin: this.#origin, detail })))
  }

  #end(result: SafeResult): void {
    if (this.#isOver) return
    this.giveUp()
    this.#ended(result)
  }
}

/** Where a URL leads. */
interface Place {
  readonly origin: string
  readonly path: string
}

/** Sends a request on a connection of its own for that time; what it gives back closes that. */
const dispatch = (
  connections: Connections,
  { origin, path }: Place,
  request: SafeRequest,
  ended: (result: SafeResult) => void
): (() => void) => {
  const connection = connections.take(origin)
  const exchange = new Exchange(origin, request, ended, () => connections.giveBack(origin, connection))
  const longestSilenceMs = Math.min(request.timeoutMs, silenceMs)
  connection.dispatch(
    {
      path,
      method: request.method,
      headers: request.headers ?? {},
      body: request.body ?? null,
      headersTimeout: longestSilenceMs,
      bodyTimeout: longestSilenceMs
    },
    exchange
  )
  return () => exchange.giveUp()
}

/** How many URLs are remembered with what was said of them: it depends on their text alone. */
const mostUrls = 1_000

const remembering = (parse: Target.Target["parse"]) => {
  const placeOf = ({ origin, pathname, search }: URL): Place => ({ origin, path: pathname + search })
  const known = new Map<string, Result.Result<Place, Target.SafeHttpError>>()
  return (text: string) => {
    let result = known.get(text)
    if (result === undefined) {
      if (known.size >= mostUrls) known.clear()
      result = Result.map(parse(text), placeOf)
      known.set(text, result)
    }
    return result
  }
}

const nothingToClose = () => {}

/** A client with connections of its own, which close with the scope. */
export const make = (options: Options): Effect.Effect<SafeHttp, never, Scope.Scope> => {
  const isOpen = options.allowInward === undefined || options.allowInward === false
  const lookup = options.lookup ?? (isOpen ? Lookup.byNameServers() : Lookup.bySystem)
  const target = Target.make(options)
  const parse = remembering(target.parse)
  return Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Connections({ connect: connector(target, lookup), maxHeaderSize, allowH2: false })),
      (connections) => Effect.promise(() => connections.close())
    ),
    (connections): SafeHttp => {
      const send: SafeHttp["send"] = (request, ended) => {
        const place = parse(request.url)
        if (Result.isFailure(place)) {
          ended(Result.fail(place.failure))
          return nothingToClose
        }
        return dispatch(connections, place.success, request, ended)
      }
      return {
        request: (request) =>
          Effect.callback((resume) => Effect.sync(send(request, (result) => resume(Effect.fromResult(result))))),
        send
      }
    }
  )
}
