/** What a host gives an engine: storage, channels, and what it may leave out. */
import { Effect, Layer } from "effect"
import { EgressProbe } from "./account/EgressProbe.ts"
import { ImageResizer } from "./account/ImageResizer.ts"
import { type AnyHostGate, HostGates } from "./campaign/HostGate.ts"
import type { Channel } from "./channel/Channel.ts"
import { Channels } from "./channel/Channel.ts"
import { type InboundHook, InboundHooks } from "./chat/InboundHook.ts"
import { MediaLimits } from "./chat/Media.ts"
import { MediaJobFiles } from "./chat/MediaJobFiles.ts"
import type { MediaSource } from "./chat/MediaSource.ts"
import type { MediaStore } from "./chat/MediaStore.ts"
import { ContactFileSource } from "./contact/ContactFileSource.ts"
import { type ContactSource, ContactSources } from "./contact/ContactSource.ts"
import { AddressHash } from "./contact/Suppression.ts"
import { standard, type WebhookFormat, WebhookFormats } from "./event/WebhookFormat.ts"
import { WebhookTransport } from "./event/WebhookTransport.ts"
import { JobFileNotes } from "./job/JobFileNotes.ts"
import { JobFileStore } from "./job/JobFileStore.ts"
import type { JobHandler } from "./job/JobHandler.ts"
import { JobOptions } from "./job/JobRunner.ts"
import { defaults, OutboxConfig, type OutboxOptions } from "./outbox/OutboxConfig.ts"
import { Ids } from "./workspace/Id.ts"
import { PacingTime } from "./workspace/PacingTime.ts"
import type { StorageError } from "./workspace/StorageError.ts"
import type { Transaction } from "./workspace/Transaction.ts"
import { Vault } from "./workspace/Vault.ts"
import type { WorkspaceStore } from "./workspace/WorkspaceStore.ts"
import type { StoragePorts } from "./memory/MemoryStorage.ts"

export interface Options<E = never> {
  readonly storage: Layer.Layer<StoragePorts, E>
  readonly channels: ReadonlyArray<Channel>
  /** The clock that pacing follows; the real one by default. */
  readonly time?: Layer.Layer<PacingTime, StorageError, WorkspaceStore> | undefined
  /** Gates of the host's own, after the engine's: the same in every process of a database. */
  readonly gates?: ReadonlyArray<AnyHostGate> | undefined
  /**
   * How people who were erased are recognised: the same, with the same secret, in every process of a database. Without it
   * nobody can be erased.
   */
  readonly addressHash?: AddressHash | undefined
  /** What encrypts secrets, with the same keys in every process of a database. Without it nothing secret can be stored. */
  readonly vault?: Vault["Service"] | undefined
  /** What tries the way out of an account; without it `Connections.probe` answers that it cannot. */
  readonly egressProbe?: EgressProbe["Service"] | undefined
  /** What makes images of profiles fit; without it they are refused. */
  readonly imageResizer?: ImageResizer["Service"] | undefined
  /** What delivers webhooks; without it endpoints cannot be made here, and another process delivers. */
  readonly webhooks?: Layer.Layer<WebhookTransport> | undefined
  /** How deliveries may be written and signed, beside `standard`. */
  readonly webhookFormats?: ReadonlyArray<WebhookFormat> | undefined
  /** Where files are kept, and what fetches them; without it those of messages stay at their platforms. */
  readonly media?: Layer.Layer<MediaStore | MediaSource, E> | undefined
  /** The largest files that are kept, bytes by kind. */
  readonly mediaLimits?: Partial<MediaLimits> | undefined
  /** Where people may be gathered from. */
  readonly contactSources?: ReadonlyArray<ContactSource> | undefined
  /** What reads contact files, given where uploaded ones are; without it imports are no jobs. */
  readonly contactFiles?: ((files: JobFileStore | null) => ContactFileSource) | undefined
  /** Where jobs keep their files, if not where media are; without either nothing is exported to one. */
  readonly jobFiles?: JobFileStore | undefined
  /** Kinds of jobs of the host's own; `progress` within this transaction commits with what was done. */
  readonly jobHandlers?: ((transaction: Transaction["Service"]) => ReadonlyArray<JobHandler>) | undefined
  /** How this process runs jobs. */
  readonly jobs?: Partial<JobOptions> | undefined
  /** What judges messages before sequences stop for them, and may answer them: the same in every process of a database. */
  readonly inbound?: ReadonlyArray<InboundHook> | undefined
  /** How this process sends. */
  readonly outbox?: Partial<OutboxOptions> | undefined
}

/** What the host gave, as services; what it left out does nothing or says that it is missing. */
export const configured = <E>(options: Options<E>) => {
  const jobFiles = Layer.effect(
    JobFileStore,
    Effect.gen(function* () {
      const files = options.jobFiles ?? (yield* MediaJobFiles)
      return files === null ? null : (yield* JobFileNotes).of(files)
    })
  ).pipe(
    Layer.provide(MediaJobFiles.layer),
    Layer.provide(options.media ?? Layer.empty),
    Layer.provide(JobFileNotes.layer),
    Layer.provide(options.time ?? PacingTime.layer)
  )
  return Layer.mergeAll(
    Layer.succeed(Channels, Channels.from(options.channels)),
    Ids.layer,
    options.gates === undefined ? Layer.empty : Layer.succeed(HostGates, options.gates),
    options.inbound === undefined ? Layer.empty : Layer.succeed(InboundHooks, options.inbound),
    options.addressHash === undefined ? Layer.empty : Layer.succeed(AddressHash, options.addressHash),
    Layer.succeed(Vault, options.vault ?? Vault.without("the engine's option vault")),
    options.webhooks ?? Layer.succeed(WebhookTransport, WebhookTransport.without),
    Layer.succeed(WebhookFormats, [standard, ...(options.webhookFormats ?? [])]),
    Layer.succeed(EgressProbe, options.egressProbe ?? EgressProbe.without),
    Layer.succeed(ImageResizer, options.imageResizer ?? ImageResizer.without),
    Layer.succeed(ContactSources, new Map(options.contactSources?.map((source) => [source.name, source]))),
    Layer.effect(
      ContactFileSource,
      Effect.map(JobFileStore, (files) => options.contactFiles?.(files) ?? null)
    ).pipe(Layer.provideMerge(jobFiles)),
    Layer.effect(
      JobOptions,
      Effect.map(JobOptions, (usual) => ({ ...usual, ...options.jobs }))
    ),
    options.media ?? Layer.empty,
    Layer.effect(
      MediaLimits,
      Effect.map(MediaLimits, (usual) => ({ ...usual, ...options.mediaLimits }))
    ),
    Layer.succeed(OutboxConfig, { ...defaults, ...options.outbox }),
    options.time ?? PacingTime.layer
  ).pipe(Layer.provideMerge(options.storage))
}
