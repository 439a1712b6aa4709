/**
 * The engine as a host embeds it: give it a storage and channels and it is whole. `layer` is for hosts that use Effect,
 * `createOverture` gives promises to those that do not.
 */
import { Effect, Layer } from "effect"
import { AccountGroups } from "./account/AccountGroups.ts"
import { AccountChanges } from "./account/AccountChanges.ts"
import { AccountReports } from "./account/AccountReports.ts"
import { AccountSecretRows } from "./account/AccountSecretRows.ts"
import { Accounts } from "./account/Accounts.ts"
import { Connections } from "./account/Connections.ts"
import { Profiles } from "./account/Profiles.ts"
import { Senders } from "./account/Senders.ts"
import { Workspaces } from "./account/Workspaces.ts"
import { CampaignEdits } from "./campaign/CampaignEdits.ts"
import { CampaignMedia } from "./campaign/CampaignMedia.ts"
import { CampaignAccounts } from "./campaign/CampaignAccounts.ts"
import { Campaigns } from "./campaign/Campaigns.ts"
import { Explanation } from "./campaign/Explanation.ts"
import { LeadPersons } from "./campaign/LeadPersons.ts"
import { Outreach } from "./campaign/Outreach.ts"
import { Previews } from "./campaign/Previews.ts"
import { Retries } from "./campaign/Retries.ts"
import { Assignments } from "./chat/Assignments.ts"
import { ChatPersons } from "./chat/ChatPersons.ts"
import { Chats } from "./chat/Chats.ts"
import { ChatStore } from "./chat/ChatStore.ts"
import { Inbox } from "./chat/Inbox.ts"
import { Ingress } from "./chat/Ingress.ts"
import { MediaLibrary } from "./chat/MediaLibrary.ts"
import { MessageTexts } from "./chat/MessageTexts.ts"
import { OptOuts } from "./chat/OptOuts.ts"
import { MediaPersons } from "./chat/MediaPersons.ts"
import { MediaUpkeep } from "./chat/MediaUpkeep.ts"
import { AccountLogPersons } from "./contact/AccountLogPersons.ts"
import { ContactHandlers } from "./contact/ContactHandlers.ts"
import { ContactImports } from "./contact/ContactImports.ts"
import { ContactJobs } from "./contact/ContactJobs.ts"
import { ContactLists } from "./contact/ContactLists.ts"
import { GatherSecretRows } from "./contact/GatherSecretRows.ts"
import { PersonParties } from "./contact/PersonParty.ts"
import { Contacts } from "./contact/Contacts.ts"
import { JobPersons } from "./contact/JobPersons.ts"
import { Suppressions } from "./contact/Suppressions.ts"
import { EventDetails } from "./event/EventDetail.ts"
import { EventFeed, type Following } from "./event/EventFeed.ts"
import type { FeedEvent } from "./event/EventStore.ts"
import { WebhookDeliveries } from "./event/WebhookDeliveries.ts"
import { Webhooks } from "./event/Webhooks.ts"
import { WebhookSecretRows } from "./event/WebhookSecretRows.ts"
import { WebhookStore } from "./event/WebhookStore.ts"
import { ForecastEngine } from "./forecast/ForecastEngine.ts"
import { Forecasts } from "./forecast/Forecasts.ts"
import { Bulks } from "./job/Bulks.ts"
import { JobHandlers } from "./job/JobHandler.ts"
import { JobRunner } from "./job/JobRunner.ts"
import { Jobs } from "./job/Jobs.ts"
import { Retentions } from "./job/Retentions.ts"
import { Driver } from "./outbox/Driver.ts"
import { Poller } from "./outbox/Poller.ts"
import { Messages } from "./outbox/Messages.ts"
import { Members } from "./chat/Members.ts"
import { Parties } from "./chat/Parties.ts"
import { PrivateReplies } from "./outbox/PrivateReplies.ts"
import { Templates } from "./campaign/Templates.ts"
import { OptOutReplies } from "./outbox/OptOutReplies.ts"
import { HookReplies } from "./outbox/HookReplies.ts"
import { Outbox } from "./outbox/Outbox.ts"
import { OutboxStore } from "./outbox/OutboxStore.ts"
import { MediaHandover } from "./outbox/MediaHandover.ts"
import { Chores } from "./workspace/Chore.ts"
import { SealedRowSets } from "./workspace/SealedRows.ts"
import { SecretRotation } from "./workspace/SecretRotation.ts"
import { AllRetained } from "./workspace/Retention.ts"
import type { StorageError } from "./workspace/StorageError.ts"
import { Transaction } from "./workspace/Transaction.ts"
import type { WorkspaceId } from "./workspace/Id.ts"
import * as Accepted from "./Accepted.ts"
import * as EngineLife from "./EngineLife.ts"
import { configured, type Options } from "./Options.ts"
import * as Promises from "./Promises.ts"
import type { Services } from "./Services.ts"

export type { Options } from "./Options.ts"
export type { StoragePorts } from "./memory/MemoryStorage.ts"
export type { Services } from "./Services.ts"

/** The engine as a layer. Nothing is sent until its `Driver` runs or someone calls `Outbox.tick`. */
export const layer = <E = never>(options: Options<E>): Layer.Layer<Services, E | StorageError> => {
  const base = configured(options)
  const outreach = Outreach.layer.pipe(
    Layer.provideMerge(Senders.layer),
    Layer.provideMerge(MediaHandover.layer),
    Layer.provideMerge(base)
  )
  const details = Layer.effect(EventDetails, Effect.all([MessageTexts])).pipe(Layer.provide(MessageTexts.layer))
  const mentions = CampaignMedia.layerMentions.pipe(Layer.provide(CampaignMedia.layer))
  const parties = Layer.mergeAll(
    PrivateReplies.layerParties.pipe(Layer.provide(Layer.mergeAll(Outreach.layerParties, PrivateReplies.layer))),
    HookReplies.layerInbound.pipe(Layer.provide(HookReplies.layer)),
    OptOutReplies.layerInbound.pipe(
      Layer.provide(OptOutReplies.layer),
      Layer.provide(Assignments.layerInbound),
      Layer.provide(Layer.mergeAll(Outreach.layerInbound, Assignments.layer))
    ),
    Outbox.layerAccounts.pipe(Layer.provide(Outreach.layerAccounts)),
    Outreach.layerPeople,
    details,
    mentions
  ).pipe(Layer.provideMerge(outreach))
  const edits = CampaignEdits.layer.pipe(Layer.provideMerge(parties))
  const held = Layer.effect(
    PersonParties,
    Effect.all([LeadPersons, ChatPersons, MediaPersons, AccountLogPersons, JobPersons])
  ).pipe(
    Layer.provide(
      Layer.mergeAll(
        LeadPersons.layer,
        ChatPersons.layer,
        MediaPersons.layer,
        AccountLogPersons.layer,
        JobPersons.layer
      )
    )
  )
  const people = Layer.mergeAll(held, Contacts.layer, ContactImports.layer, ContactLists.layer, Suppressions.layer)
  const accounts = Layer.mergeAll(Accounts.layer, Profiles.layer, AccountReports.layer).pipe(
    Layer.provideMerge(Connections.layer),
    Layer.provide(AccountChanges.layer)
  )
  const services = Layer.mergeAll(
    accounts,
    AccountGroups.layer,
    Workspaces.layer,
    Campaigns.layer,
    CampaignAccounts.layer,
    people,
    Inbox.layer,
    OptOuts.layer,
    MediaLibrary.layer,
    MediaUpkeep.layer,
    EventFeed.layer,
    Webhooks.layer,
    WebhookDeliveries.layer,
    Outbox.layer,
    Explanation.layer
  ).pipe(Layer.provideMerge(edits))
  const desk = Templates.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(Chats.layer, Messages.layer, Members.layer)),
    Layer.provideMerge(Parties.layer)
  )
  const upper = Layer.mergeAll(Retries.layer, Previews.layer, Ingress.layer, desk).pipe(Layer.provideMerge(services))
  const forecasts = Forecasts.layer.pipe(Layer.provide(ForecastEngine.layer))
  const sealed = Layer.effect(SealedRowSets, Effect.all([AccountSecretRows, WebhookSecretRows, GatherSecretRows])).pipe(
    Layer.provide(Layer.mergeAll(AccountSecretRows.layer, WebhookSecretRows.layer, GatherSecretRows.layer))
  )
  const rotation = SecretRotation.layer.pipe(Layer.provide(sealed))
  const retained = Layer.effect(
    AllRetained,
    Effect.gen(function* () {
      const [chats, media, webhooks] = [yield* ChatStore, yield* MediaUpkeep, yield* WebhookStore]
      return [
        ...media.retained,
        { kind: "deliveries", purge: webhooks.purge },
        { kind: "channelEvents", purge: chats.purgeAdmitted },
        { kind: "notices", purge: chats.purgeNotices }
      ]
    })
  )
  const kinds = Layer.effect(
    JobHandlers,
    Effect.gen(function* () {
      const { bulk } = yield* Chats
      return JobHandlers.from([
        ...(options.jobHandlers?.(yield* Transaction) ?? []),
        ...(yield* ContactHandlers),
        bulk.handler,
        (yield* Retentions).handler
      ])
    })
  ).pipe(Layer.provideMerge(Layer.mergeAll(ContactHandlers.layer, Retentions.layer)))
  const jobs = ContactJobs.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(Bulks.layer, JobRunner.layer)),
    Layer.provideMerge(Jobs.layer),
    Layer.provideMerge(kinds),
    Layer.provide(retained)
  )
  const chores = Layer.effect(
    Chores,
    Effect.gen(function* () {
      return [
        (yield* CampaignEdits).chore,
        (yield* Campaigns).chore,
        (yield* Profiles).chore,
        (yield* AccountReports).chore,
        (yield* SecretRotation).chore,
        ...(yield* JobRunner).chores,
        ...(yield* MediaUpkeep).chores,
        ...(yield* WebhookDeliveries).chores,
        (yield* EventFeed).chore,
        (yield* Retentions).chore
      ]
    })
  )
  const driver = Driver.layer.pipe(
    Layer.provide(Poller.layer),
    Layer.provideMerge(chores),
    Layer.provideMerge(rotation),
    Layer.provideMerge(jobs)
  )
  return Accepted.layer.pipe(Layer.provideMerge(Layer.mergeAll(driver, forecasts).pipe(Layer.provideMerge(upper))))
}

/**
 * The engine for hosts that do not use Effect: every verb of its services is a promise, which rejects with the error that
 * the verb names, and with `EngineClosed` once it was closed. The database is opened by the first call.
 */
export interface Overture extends Promises.Promises {
  /** Runs an effect against the engine's services; rejects with the effect's own error. */
  run<A, E>(program: Effect.Effect<A, E, Services>, options?: { readonly signal?: AbortSignal }): Promise<A>
  /** Every event of a workspace after a position (null = all that are kept), and then those that happen. Ends with the engine. */
  follow(workspace: WorkspaceId, following: Following): AsyncIterable<FeedEvent>
  /** One round of claiming and sending, all of it settled when the promise resolves. */
  tick(): Promise<{ readonly worked: boolean; readonly sent: number }>
  /**
   * Sends in the background until `close`. It waits for a database that is away. What makes it end by itself, such as a
   * database that was restored or cannot be opened, is given to `onEnd`, or else logged as an error; it may be started again.
   */
  start(onEnd?: (error: unknown) => void): void
  /** Lets a database that was restored from a backup send again. */
  acknowledge(): Promise<void>
  /**
   * Ends it in good order: what is being sent is settled, what was claimed is given back, and calls under way have five
   * seconds to settle before they are given up. Asked again, it is the same end.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export const createOverture = <E>(options: Options<E>): Overture => {
  const life = EngineLife.make(layer(options))
  const { run } = life
  let stop: (() => Promise<void>) | null = null
  const close = () => life.close(async () => stop?.())
  return {
    ...Promises.make(run),
    run,
    follow: (workspace, following) => life.iterate(Effect.map(EventFeed, ({ stream }) => stream(workspace, following))),
    tick: () => run(Effect.flatMap(Outbox, (outbox) => outbox.tick)),
    start: (onEnd = (error) => Effect.runSync(Effect.logError("nothing is sent any more", error))) => {
      if (stop !== null) return
      const controller = new AbortController()
      const running = run(
        Effect.flatMap(Driver, (driver) => driver.run),
        { signal: controller.signal }
      ).catch((error: unknown) => {
        if (controller.signal.aborted) return
        stop = null
        onEnd(error)
      })
      stop = async () => {
        controller.abort()
        await running
        stop = null
      }
    },
    acknowledge: () => run(Effect.flatMap(OutboxStore, (store) => store.acknowledge)),
    close,
    [Symbol.asyncDispose]: close
  }
}
