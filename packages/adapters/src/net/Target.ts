/**
 * Where this process may connect on behalf of a user: names and addresses of the open internet, over HTTPS. What lies
 * inward (loopback, private, link-local, shared, reserved and multicast ranges, in any spelling) is refused, unless the
 * operator allows it.
 */
import { Result, Schema } from "effect"
import ipaddr from "ipaddr.js"

/** What an operator allows beyond the open internet. */
export interface Allowance {
  /** Inward addresses: all of them, or those of some ranges such as `10.1.0.0/16`. */
  readonly allowInward?: boolean | ReadonlyArray<string> | undefined
  /** `http:` URLs. */
  readonly allowHttp?: boolean | undefined
}

/** Why there was no answer. Names the origin at most, as a path may be a secret. */
export class SafeHttpError extends Schema.TaggedError<SafeHttpError>()("SafeHttpError", {
  kind: Schema.Literals(["forbiddenUrl", "forbiddenAddress", "timeout", "tooLarge", "network"]),
  /** Scheme, host and port; empty where the URL has none. */
  origin: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return this.origin === "" ? this.detail : `${this.origin}: ${this.detail}`
  }
}

/** The well-known prefix by which IPv6 networks reach IPv4: the last four bytes are the address that is meant. */
const translated = ipaddr.IPv6.parseCIDR("64:ff9b::/96")
const global = ipaddr.IPv6.parseCIDR("2000::/3")

/** Whether an address, as text, belongs to the open internet. What is no address does not. */
export const isOutward = (address: string): boolean => {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv4) return parsed.range() === "unicast"
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().range() === "unicast"
  if (parsed.match(translated)) return new ipaddr.IPv4(parsed.toByteArray().slice(12)).range() === "unicast"
  return parsed.match(global) && parsed.range() === "unicast"
}

/** The address that a URL's host spells, null where the host is a name. */
const literalOf = ({ hostname }: URL): string | null => {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname
  return ipaddr.isValid(bare) ? bare : null
}

/** The rule by which one client dials. */
export interface Target {
  /** Whether an address, as text, may be dialled. */
  mayDial(address: string): boolean
  /** The URL, if it may be asked as far as its text tells; a name may still turn out to lead inward. */
  parse(text: string): Result.Result<URL, SafeHttpError>
}

const rangeOf = (text: string) => {
  if (!ipaddr.isValidCIDR(text)) throw new RangeError(`allowInward: expected ranges such as 10.1.0.0/16, got ${text}`)
  return ipaddr.parseCIDR(text)
}

/** Throws a RangeError where `allowInward` names no range. */
export const make = ({ allowHttp = false, allowInward = false }: Allowance): Target => {
  const ranges = typeof allowInward === "boolean" ? [] : allowInward.map(rangeOf)
  const isAllowed = (address: string) => {
    if (ranges.length === 0 || !ipaddr.isValid(address)) return false
    // A mapped address is the one that is meant.
    const parsed = ipaddr.process(address)
    return ranges.some((range) => parsed.kind() === range[0].kind() && parsed.match(range))
  }
  const mayDial = (address: string) => allowInward === true || isOutward(address) || isAllowed(address)
  const refuse = (kind: "forbiddenUrl" | "forbiddenAddress", detail: string, origin = "") =>
    Result.fail(new SafeHttpError({ kind, origin, detail }))
  return {
    mayDial,
    parse: (text) => {
      const url = URL.parse(text)
      if (url === null) return refuse("forbiddenUrl", "expected an absolute URL, such as https://example.com/hook")
      const { origin, protocol } = url
      if (protocol !== "https:" && !(allowHttp && protocol === "http:")) {
        const expected = allowHttp ? "https: or http:" : "https:"
        return refuse("forbiddenUrl", `expected a URL that begins with ${expected}, got ${protocol}`)
      }
      if (url.username !== "" || url.password !== "")
        return refuse("forbiddenUrl", "expected a URL without user name and password", origin)
      const literal = literalOf(url)
      if (literal !== null && !mayDial(literal))
        return refuse("forbiddenAddress", "the address is not one of the open internet", origin)
      return Result.succeed(url)
    }
  }
}
