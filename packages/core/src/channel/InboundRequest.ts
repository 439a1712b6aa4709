/**
 * What a platform tells by HTTP, as it came in: the bytes that were signed, and what a channel makes of them. A request
 * whose signature is wrong, or that says something else than expected, changes nothing.
 */
import { Schema } from "effect"
import { ChannelName } from "./Address.ts"
import type { ChannelEvent } from "./ChannelEvent.ts"

export interface InboundRequest {
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Exactly the bytes that arrived: signatures are over these. */
  readonly body: Uint8Array
  /** As the platform called it, with its query. */
  readonly url: string
}

/** What a request tells of one account, by the platform's name for it. */
export interface AccountEvents {
  readonly account: string
  readonly events: ReadonlyArray<ChannelEvent>
}

/** The request is not the platform's, or too old to be believed. */
export class BadSignature extends Schema.TaggedError<BadSignature>()("BadSignature", {
  channel: ChannelName,
  reason: Schema.Literals(["missing", "malformed", "wrong", "expired"])
}) {
  override get message(): string {
    return `${this.channel}: the signature of the request is ${this.reason}`
  }
}

/** The request is the platform's, and says something that the channel does not understand. */
export class Undecodable extends Schema.TaggedError<Undecodable>()("Undecodable", {
  channel: ChannelName,
  /** Where in the body, `events[0].kind`. */
  field: Schema.String,
  /** What should be there. */
  expected: Schema.String
}) {
  override get message(): string {
    return `${this.channel}: ${this.field}: expected ${this.expected}`
  }
}
