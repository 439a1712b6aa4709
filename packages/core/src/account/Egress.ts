/**
 * The way out to the network that an account uses: an HTTP or HTTPS proxy. Its URL may hold a name and a password, so the
 * whole of it is secret and sealed like credentials; what may be shown is kept beside it.
 */
import { Redacted, Result, Schema } from "effect"
import { Instant } from "../workspace/Instant.ts"

/** What a probe found the last time. */
export class EgressCheck extends Schema.Opaque<EgressCheck>()(
  Schema.Struct({
    at: Instant,
    /** From dialling the proxy to the answer through it, milliseconds; null where there was none. */
    delayMs: Schema.NullOr(Schema.Int),
    /** What was wrong, in words; null when it works. */
    error: Schema.NullOr(Schema.String)
  }).annotate({ identifier: "EgressCheck" })
) {}

/** What may be shown of it. */
export class Egress extends Schema.Opaque<Egress>()(
  Schema.Struct({
    protocol: Schema.Literals(["http", "https"]),
    host: Schema.NonEmptyString,
    port: Schema.Int,
    /** Whether it asks for a name and a password. */
    authenticated: Schema.Boolean,
    /** Null until it was probed. */
    check: Schema.NullOr(EgressCheck)
  }).annotate({ identifier: "Egress" })
) {}

const form = /^(https?):\/\/(?:([^/?#\s]*)@)?(\[[0-9a-f:.]+\]|[^:/?#@[\]\s]+)(?::(\d{1,5}))?\/?$/i

const expected = "expected http://host:port or https://user:password@host:port"

/** Whether a client can read the name and the password: what stands behind a % is a byte, and the bytes are text. */
const isReadable = (login: string): boolean => Result.isSuccess(Result.try(() => decodeURIComponent(login)))

/** What may be shown of the proxy that a URL names; where it names none, what was expected, in words that say nothing of it. */
export const parse = (url: Redacted.Redacted<string>): Egress | string => {
  const text = Redacted.value(url).trim()
  const match = form.exec(text)
  if (match === null) return expected
  const [, scheme = "", user, host = "", digits] = match
  const protocol = scheme.toLowerCase() === "https" ? "https" : "http"
  const port = digits !== undefined ? Number(digits) : protocol === "https" ? 443 : 80
  if (port < 1 || port > 65_535) return `expected a port between 1 and 65535, got ${port}`
  if (user !== undefined && !isReadable(user)) return `${expected}, with each % of name and password written as %25`
  if (!URL.canParse(text)) return expected
  return { protocol, host: host.toLowerCase(), port, authenticated: user !== undefined && user !== "", check: null }
}
