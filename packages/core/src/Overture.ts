/**
 * The engine as a host embeds it: give it a storage and channels and it is whole. `layer` is for hosts that use Effect,
 * `createOverture` gives promises to those that do not.
 */
import { Effect, Layer, ManagedRuntime } from "effect"
import { AccountGroups } from "./account/AccountGroups.ts"
import type { AccountGroupStore } from "./account/AccountGroupStore.ts"
import type { AccountStore } from "./account/AccountStore.ts"
import { Accounts } from "./account/Accounts.ts"
import { CampaignEdits } from "./campaign/CampaignEdits.ts"
import { CampaignAccounts } from "./campaign/CampaignAccounts.ts"
import { Campaigns } from "./campaign/Campaigns.ts"
import type { CampaignStore } from "./campaign/CampaignStore.ts"
import { Explanation } from "./campaign/Explanation.ts"
import { type AnyHostGate, HostGates } from "./campaign/HostGate.ts"
import { LeadPersons } from "./campaign/LeadPersons.ts"
import { Outreach } from "./campaign/Outreach.ts"
import { Previews } from "./campaign/Previews.ts"
import { Retries } from "./campaign/Retries.ts"
import type { Channel } from "./channel/Channel.ts"
import { Channels } from "./channel/Channel.ts"
import { ChatPersons } from "./chat/ChatPersons.ts"
import type { ChatStore } from "./chat/ChatStore.ts"
import { Inbox } from "./chat/Inbox.ts"
import { ContactImports } from "./contact/ContactImports.ts"
import { ContactLists } from "./contact/ContactLists.ts"
import { PersonParties } from "./contact/PersonParty.ts"
import { Contacts } from "./contact/Contacts.ts"
import type { ContactStore } from "./contact/ContactStore.ts"
import { AddressHash } from "./contact/Suppression.ts"
import { Suppressions } from "./contact/Suppressions.ts"
import type { EventStore } from "./event/EventStore.ts"
import { ForecastEngine } from "./forecast/ForecastEngine.ts"
import { Forecasts } from "./forecast/Forecasts.ts"
import { Driver } from "./outbox/Driver.ts"
import { Outbox } from "./outbox/Outbox.ts"
import { defaults, OutboxConfig, type OutboxOptions } from "./outbox/OutboxConfig.ts"
import type { OutboxStore } from "./outbox/OutboxStore.ts"
import type { ForecastStore } from "./stats/ForecastStore.ts"
import { Chores } from "./workspace/Chore.ts"
import { Ids } from "./workspace/Id.ts"
import { PacingTime } from "./workspace/PacingTime.ts"
import type { StorageError } from "./workspace/StorageError.ts"
import type { Transaction } from "./workspace/Transaction.ts"
import type { WorkspaceStore } from "./workspace/WorkspaceStore.ts"

/** What a storage provides. */
export type StoragePorts =
  | Transaction
  | WorkspaceStore
  | EventStore
  | AccountStore
  | AccountGroupStore
  | ContactStore
  | ChatStore
  | OutboxStore
  | CampaignStore
  | ForecastStore

/** What an engine provides: its services, and the ports for reading. */
export type Services =
  | StoragePorts
  | Accounts
  | AccountGroups
  | Campaigns
  | CampaignAccounts
  | CampaignEdits
  | Previews
  | Retries
  | Contacts
  | ContactImports
  | ContactLists
  | Suppressions
  | Inbox
  | Outbox
  | Outreach
  | Explanation
  | Forecasts
  | Driver
  | PacingTime
  | Channels
  | Ids

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
  /** How this process sends. */
  readonly outbox?: Partial<OutboxOptions> | undefined
}

/** The engine as a layer. Nothing is sent until its `Driver` runs or someone calls `Outbox.tick`. */
export const layer = <E = never>(options: Options<E>): Layer.Layer<Services, E | StorageError> => {
  const base = Layer.mergeAll(
    Layer.succeed(Channels, Channels.from(options.channels)),
    Ids.layer,
    options.gates === undefined ? Layer.empty : Layer.succeed(HostGates, options.gates),
    options.addressHash === undefined ? Layer.empty : Layer.succeed(AddressHash, options.addressHash),
    Layer.succeed(OutboxConfig, { ...defaults, ...options.outbox }),
    options.time ?? PacingTime.layer
  ).pipe(Layer.provideMerge(options.storage))
  const outreach = Outreach.layer.pipe(Layer.provideMerge(base))
  const parties = Layer.mergeAll(Outreach.layerParties, Outreach.layerInbound, Outreach.layerAccounts).pipe(
    Layer.provideMerge(outreach)
  )
  const edits = CampaignEdits.layer.pipe(Layer.provideMerge(parties))
  const held = Layer.effect(PersonParties, Effect.all([LeadPersons, ChatPersons])).pipe(
    Layer.provide(Layer.mergeAll(LeadPersons.layer, ChatPersons.layer))
  )
  const people = Layer.mergeAll(held, Contacts.layer, ContactImports.layer, ContactLists.layer, Suppressions.layer)
  const services = Layer.mergeAll(
    Accounts.layer,
    AccountGroups.layer,
    Campaigns.layer,
    CampaignAccounts.layer,
    people,
    Inbox.layer,
    Outbox.layer,
    Explanation.layer
  ).pipe(Layer.provideMerge(edits))
  const upper = Layer.mergeAll(Retries.layer, Previews.layer).pipe(Layer.provideMerge(services))
  const forecasts = Forecasts.layer.pipe(Layer.provide(ForecastEngine.layer))
  const driver = Driver.layer.pipe(Layer.provide(Layer.succeed(Chores, [])))
  return Layer.mergeAll(driver, forecasts).pipe(Layer.provideMerge(upper))
}

/** The engine for hosts that do not use Effect: every program runs as a promise, and `close` ends it in good order. */
export interface Overture {
  /** Runs an effect against the engine's services; rejects with the effect's own error. */
  run<A, E>(program: Effect.Effect<A, E, Services>, options?: { readonly signal?: AbortSignal }): Promise<A>
  /** One round of claiming and sending, all of it settled when the promise resolves. */
  tick(): Promise<{ readonly worked: boolean; readonly sent: number }>
  /** Sends in the background until `close`. */
  start(): void
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export const createOverture = <E>(options: Options<E>): Overture => {
  const runtime = ManagedRuntime.make(layer(options))
  let stop: (() => Promise<void>) | null = null
  const close = async () => {
    await stop?.()
    await runtime.dispose()
  }
  return {
    run: (program, settings) => runtime.runPromise(program, settings),
    tick: () => runtime.runPromise(Effect.flatMap(Outbox, (outbox) => outbox.tick)),
    start: () => {
      if (stop !== null) return
      const controller = new AbortController()
      const running = runtime
        .runPromise(
          Effect.flatMap(Driver, (driver) => driver.run),
          { signal: controller.signal }
        )
        .catch(() => undefined)
      stop = async () => {
        controller.abort()
        await running
      }
    },
    close,
    [Symbol.asyncDispose]: close
  }
}
