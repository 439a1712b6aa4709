/**
 * The port to one messaging platform. What it can do and allows is data (`capabilities`, `policy`); what it does are a few
 * verbs. A channel never retries, paces or remembers: the ledger does.
 */
import { Context, Effect, type Redacted, Schema } from "effect"
import type { Instant } from "../workspace/Instant.ts"
import type { MessageId } from "../workspace/Id.ts"
import { storable } from "../workspace/Storable.ts"
import type { Address, ChannelName } from "./Address.ts"
import type { Capabilities } from "./Capability.ts"
import type { ChannelEvent, RemoteFile } from "./ChannelEvent.ts"
import type { ChannelPolicy } from "./ChannelPolicy.ts"
import type { Content } from "./Content.ts"
import type { Download } from "./Download.ts"
import { type AccountEvents, type BadSignature, type InboundRequest, Undecodable } from "./InboundRequest.ts"
import type { OutboundMedia } from "./MediaIntake.ts"
import type { Outcome } from "./Outcome.ts"
import type { ParticipantProfile } from "./ParticipantProfile.ts"
import type { ProfileResult, ProfileUpdate } from "./ProfileUpdate.ts"
import type { Sender } from "./Sender.ts"
import type { Verification } from "./Verification.ts"

/** One message on its way out. */
export interface Outbound {
  readonly message: MessageId
  /** The same for every try that may repeat a former one; a new one when the former is known not to have gone out. */
  readonly key: string
  readonly to: Address
  readonly content: Content
  /** The external id of the message this one answers. */
  readonly replyTo?: string | undefined
  /** The external id of the comment whose author this answers in private, where `capabilities.privateReplies`. */
  readonly comment?: string | undefined
  /** The file of a media content, where `capabilities.mediaIntake`: in the way it wants, within its limits. */
  readonly media?: OutboundMedia | undefined
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
   * has not, `outcomeUnknown` if it cannot say, which a limit and trouble of the account are taken for, too: then it is
   * asked a few times more, for an hour.
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
  /**
   * What a request of the platform tells, where it pushes its events: all that the request tells, or an error. `secret` is
   * what the platform signs with.
   */
  receive(
    request: InboundRequest,
    secret: Redacted.Redacted<string>
  ): Effect.Effect<ReadonlyArray<AccountEvents>, BadSignature | Undecodable>
  /** Where the bytes of a file are that came with a message. */
  download(sender: Sender, file: RemoteFile): Effect.Effect<Download>
  /** What the platform tells of a person now; null where it tells nothing, or not at the moment. */
  profileOf(sender: Sender, person: Address): Effect.Effect<ParticipantProfile | null>
  /** Whether the platform accepts the account's credentials, where `capabilities.verification`. */
  verify(sender: Sender): Effect.Effect<Verification>
  /** Changes how the account shows itself, within `capabilities.profile`. */
  applyProfile(sender: Sender, update: ProfileUpdate): Effect.Effect<ProfileResult>
}

/** A channel from what its platform offers: verbs it lacks answer as their capability says, before any I/O. */
export const make = (
  impl: Pick<Channel, "name" | "capabilities" | "policy" | "send"> &
    Partial<Pick<Channel, "lookup" | "poll" | "receive" | "download" | "profileOf" | "verify" | "applyProfile">>
): Channel => ({
  lookup: () => Effect.succeed({ type: "outcomeUnknown", detail: "this channel cannot look messages up" }),
  poll: (_sender, cursor) => Effect.succeed({ events: [], cursor, nextAt: null }),
  download: (_sender, { url }) => Effect.succeed({ type: "request", url }),
  profileOf: () => Effect.succeed(null),
  verify: () => Effect.succeed({ type: "transient", detail: "this channel cannot verify accounts" }),
  applyProfile: () =>
    Effect.succeed({ applied: [], refusal: { type: "rejected", detail: "this channel has no profiles" } }),
  receive: () =>
    Effect.fail(
      new Undecodable({ channel: impl.name, field: "request", expected: "none: this channel's events are not pushed" })
    ),
  ...impl
})

/** The channel, whose answers are as every database can keep them; of its events the inbox sees to that. */
const heard = (channel: Channel): Channel => ({
  name: channel.name,
  capabilities: channel.capabilities,
  policy: channel.policy,
  poll: (sender, cursor, now) => channel.poll(sender, cursor, now),
  receive: (request, secret) => channel.receive(request, secret),
  send: (sender, outbound) => Effect.map(channel.send(sender, outbound), storable),
  lookup: (sender, sent) => Effect.map(channel.lookup(sender, sent), storable),
  profileOf: (sender, person) => Effect.map(channel.profileOf(sender, person), storable),
  verify: (sender) => Effect.map(channel.verify(sender), storable),
  applyProfile: (sender, update) => Effect.map(channel.applyProfile(sender, update), storable),
  download: (sender, file) => Effect.map(channel.download(sender, file), storable)
})

/** No channel of this process has that name. */
export class ChannelNotFound extends Schema.TaggedError<ChannelNotFound>()("ChannelNotFound", {
  channel: Schema.String
}) {
  override get message(): string {
    return `there is no channel ${this.channel} here`
  }
}

/** The channels of this process, by name. */
export class Channels extends Context.Service<
  Channels,
  {
    readonly all: ReadonlyMap<ChannelName, Channel>
  }
>()("@overture/core/Channels") {
  static readonly from = (channels: ReadonlyArray<Channel>) =>
    Channels.of({ all: new Map(channels.map((channel) => [channel.name, heard(channel)])) })
}
