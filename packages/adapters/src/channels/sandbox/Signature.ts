/**
 * How the sandbox signs what it pushes: HMAC-SHA256 over the time, a dot and the bytes of the body, in two headers. Whoever
 * has not the secret can neither make such a request nor change one, and an old one is not believed again.
 */
import type { ChannelName } from "@overture/core/channel/Address"
import { BadSignature, type InboundRequest } from "@overture/core/channel/InboundRequest"
import type { Instant } from "@overture/core/workspace/Instant"
import { Clock, Effect, Redacted } from "effect"
import { createHmac, timingSafeEqual } from "node:crypto"

/** Seconds since the epoch, by the real clock. */
export const timeHeader = "x-sandbox-time"
/** `v1=` and the signature in hexadecimal digits. */
export const signatureHeader = "x-sandbox-signature"

/** How far the time of a request may be from ours, in milliseconds. */
export const toleranceMs = 300_000

const signature = (secret: Redacted.Redacted<string>, time: string, body: Uint8Array): Buffer =>
  createHmac("sha256", Redacted.value(secret)).update(`${time}.`).update(body).digest()

/** The headers of a body that is sent at `at`. */
export const sign = (
  secret: Redacted.Redacted<string>,
  at: Instant,
  body: Uint8Array
): Readonly<Record<string, string>> => {
  const time = String(Math.floor(at / 1_000))
  return { [timeHeader]: time, [signatureHeader]: `v1=${signature(secret, time, body).toString("hex")}` }
}

/** Fails unless the request was signed with `secret`, not longer ago than the tolerance. */
export const verify = Effect.fnUntraced(function* (
  channel: ChannelName,
  secret: Redacted.Redacted<string>,
  { body, headers }: InboundRequest
) {
  const time = headers[timeHeader]
  const given = headers[signatureHeader]
  if (time === undefined || given === undefined) return yield* new BadSignature({ channel, reason: "missing" })
  const digits = /^v1=([0-9a-f]{64})$/.exec(given)?.[1]
  if (digits === undefined || !/^\d{1,12}$/.test(time)) return yield* new BadSignature({ channel, reason: "malformed" })
  if (!timingSafeEqual(Buffer.from(digits, "hex"), signature(secret, time, body))) {
    return yield* new BadSignature({ channel, reason: "wrong" })
  }
  const now = yield* Clock.currentTimeMillis
  if (Math.abs(now - Number(time) * 1_000) > toleranceMs) return yield* new BadSignature({ channel, reason: "expired" })
})
