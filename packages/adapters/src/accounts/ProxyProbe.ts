/**
 * Tries the way out of an account: one GET of a page that the host names, through the proxy. Anything below 400 that comes
 * back proves the way; what does not is told in words of ours, as the texts of others may repeat what was sent.
 */
import { EgressFailed, EgressProbe } from "@overture/core/account/EgressProbe"
import { Effect } from "effect"
import { request } from "undici"
import { InwardAddress } from "../net/SafeHttp.ts"
import * as ProxyDispatcher from "./ProxyDispatcher.ts"

export interface Options extends ProxyDispatcher.Options {
  /** A small page that is always there, `https://example.com/`. */
  readonly probeUrl: string
  /** Milliseconds, default 10 000. */
  readonly timeoutMs?: number | undefined
}

const failed = (reason: EgressFailed["reason"], detail: string) => new EgressFailed({ reason, detail })

const byCode: Readonly<Record<string, readonly [EgressFailed["reason"], string]>> = {
  ECONNREFUSED: ["refused", "the proxy refused the connection"],
  ENOTFOUND: ["notFound", "the name of the proxy leads nowhere"],
  ENODATA: ["notFound", "the name of the proxy leads nowhere"],
  EAI_AGAIN: ["notFound", "the name of the proxy could not be looked up"],
  ETIMEDOUT: ["timeout", "the proxy did not answer in time"],
  UND_ERR_CONNECT_TIMEOUT: ["timeout", "the proxy did not answer in time"],
  UND_ERR_HEADERS_TIMEOUT: ["timeout", "nothing came through the proxy in time"],
  UND_ERR_BODY_TIMEOUT: ["timeout", "nothing came through the proxy in time"],
  UND_ERR_PRX_TLS: ["tls", "the certificate of the proxy is not its own"]
}

/** What an answer of the proxy itself means. */
const refusedWith = (status: number): EgressFailed =>
  status === 407
    ? failed("unauthorized", "the proxy wants another name or password")
    : failed("refused", `the proxy refused to go on, with status ${status}`)

const failureOf = (error: unknown): EgressFailed => {
  const chain: Array<NodeJS.ErrnoException> = []
  for (let one = error; one instanceof Error && chain.length < 5; one = one.cause) chain.push(one)
  if (chain.some((one) => one instanceof InwardAddress)) {
    return failed("forbidden", "the proxy is not at an address of the open internet")
  }
  for (const { code = "", message } of chain) {
    const status = /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(message)?.[1]
    if (status !== undefined) return refusedWith(Number(status))
    const known = byCode[code]
    if (known !== undefined) return failed(...known)
    if (/CERT|^ERR_TLS|^ERR_SSL|^EPROTO|SELF_SIGNED|UNABLE_TO_/.test(code)) {
      return failed("tls", `no trusted connection could be made (${code})`)
    }
  }
  return failed("network", "the connection through the proxy broke")
}

/** Throws a TypeError where `probeUrl` is no URL. */
export const make = (options: Options): EgressProbe["Service"] => {
  const url = new URL(options.probeUrl)
  const timeoutMs = options.timeoutMs ?? 10_000
  return EgressProbe.of({
    probe: Effect.fn("ProxyProbe.probe")(function* (proxy) {
      const dispatcher = yield* Effect.mapError(ProxyDispatcher.make(proxy, options), ({ message }) =>
        failed("network", message)
      )
      const began = performance.now()
      const status = yield* Effect.tryPromise({
        try: async (signal) => {
          const { body, statusCode } = await request(url, { dispatcher, signal, method: "GET" })
          await body.dump({ limit: 65_536, signal })
          return statusCode
        },
        catch: failureOf
      }).pipe(
        Effect.timeoutOrElse({
          duration: timeoutMs,
          orElse: () => Effect.fail(failed("timeout", `nothing came through the proxy within ${timeoutMs} ms`))
        })
      )
      if (status === 407) return yield* refusedWith(status)
      if (status >= 400) {
        return yield* failed("probeUrl", `the page asked for through the proxy answered with status ${status}`)
      }
      return { delayMs: performance.now() - began }
    }, Effect.scoped)
  })
}
