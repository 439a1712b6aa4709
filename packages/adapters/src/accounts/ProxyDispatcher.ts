/**
 * Undici through the proxy of an account. The proxy is a place that users name: the address that is really dialled is
 * looked at, whatever its name resolved to before. What lies behind it is the proxy's to reach.
 */
import { Data, Effect, Redacted, type Scope } from "effect"
import { Pool, ProxyAgent, type Dispatcher } from "undici"
import * as Lookup from "../net/Lookup.ts"
import { connector } from "../net/SafeHttp.ts"
import * as Target from "../net/Target.ts"

export interface Options {
  /** Proxies at inward addresses: all of them, or those of some ranges such as `10.1.0.0/16`. */
  readonly allowInward?: Target.Allowance["allowInward"]
  /** Certificates to trust beside the usual ones, PEM, for an HTTPS proxy and for what is behind it. */
  readonly ca?: string | undefined
}

/** The URL is not that of a proxy. Says nothing of it, as it may hold a password. */
export class ProxyUnusable extends Data.TaggedError("ProxyUnusable") {
  override get message(): string {
    return "the proxy cannot be used: expected http://host:port or https://user:password@host:port"
  }
}

/** A dispatcher through `proxy`; closed with the scope. */
export const make = (
  proxy: Redacted.Redacted<string>,
  options: Options = {}
): Effect.Effect<Dispatcher, ProxyUnusable, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => agentOf(proxy, options),
      // What is thrown repeats the URL.
      catch: () => new ProxyUnusable()
    }),
    (agent) => Effect.promise(() => agent.destroy().catch(() => undefined))
  )

const agentOf = (proxy: Redacted.Redacted<string>, options: Options): ProxyAgent => {
  const uri = new URL(Redacted.value(proxy).trim()).href
  const tls = options.ca === undefined ? {} : { ca: options.ca }
  const { allowInward } = options
  const lookup = allowInward === undefined || allowInward === false ? Lookup.byNameServers() : Lookup.bySystem
  const connect = connector(Target.make({ allowInward }), lookup, tls)
  return new ProxyAgent({
    uri,
    requestTls: tls,
    // With HTTP beyond the proxy its own connections are made here, with HTTPS those of the tunnel: leave these alone.
    factory: (origin, made) => new Pool(origin, String(origin) === uri ? { ...made, connect } : made),
    clientFactory: (origin, made) => new Pool(origin, { ...made, connect })
  })
}
