/**
 * The port to one messaging platform. What it can do and allows is data (`capabilities`, `policy`); what it does are four
 * verbs. A channel never retries, paces or remembers: the ledger does.
 */
import { Context, Effect } from "effect"
import type { Instant } from "../workspace/Instant.ts"
import type { MessageId } from "../workspace/Id.ts"
import type { Address, ChannelName } from "./Address.ts"
import type { Capabilities } from "./Capability.ts"
import type { ChannelEvent } from "./ChannelEvent.ts"
import type { ChannelPolicy } from "./ChannelPolicy.ts"
import type { Content } from "./Content.ts"
import type { Outcome } from "./Outcome.ts"
import type { Sender } from "./Sender.ts"

/** One message on its way out. */
export interface Outbound {
  readonly message: MessageId
  /** The same for every try that may repeat a former one; a new one when the former is known not to have gone out. */
  readonly key: string
  readonly to: Address
  readonly content: Content
  /** The external id of the message this one answers. */
  readonly replyTo?: string | undefined
}

/** A message whose outcome is to be looked up. */
export interface Sent {
  readonly key: string
  readonly to: Address
  readonly content: Content
  /** When the send began, by the database's real clock. */
  readonly at: Instant
}

export interface Channel {
  readonly name: ChannelName
  readonly capabilities: Capabilities
  readonly policy: ChannelPolicy
  /** Sends once and says what it came to. Interrupting it means that nobody waits for the answer any more. */
  send(sender: Sender, outbound: Outbound): Effect.Effect<Outcome>
  /**
   * What became of a send, where `capabilities.lookup` is set: `accepted` if the platform has it, `transient` if it surely
   * has not, `outcomeUnknown` if it cannot say.
   */
  lookup(sender: Sender, sent: Sent): Effect.Effect<Outcome>
  /** Events since `cursor`, where `capabilities.polling`; `now` is the pacing time of the caller. */
  poll(
    sender: Sender,
    cursor: string | null,
    now: Instant
  ): Effect.Effect<{
    readonly events: ReadonlyArray<ChannelEvent>
    readonly cursor: string | null
    /** When something more is known to come; null = ask again as usual. */
    readonly nextAt: Instant | null
  }>
}

/** A channel from what its platform offers: verbs it lacks answer as their capability says, before any I/O. */
export const make = (
  impl: Pick<Channel, "name" | "capabilities" | "policy" | "send"> & Partial<Pick<Channel, "lookup" | "poll">>
): Channel => ({
  lookup: () => Effect.succeed({ type: "outcomeUnknown", detail: "this channel cannot look messages up" }),
  poll: (_sender, cursor) => Effect.succeed({ events: [], cursor, nextAt: null }),
  ...impl
})

/** The channels of this process, by name. */
export class Channels extends Context.Service<
  Channels,
  {
    readonly all: ReadonlyMap<ChannelName, Channel>
  }
>()("@overture/core/Channels") {
  static readonly from = (channels: ReadonlyArray<Channel>) =>
    Channels.of({ all: new Map(channels.map((channel) => [channel.name, channel])) })
}
