/**
 * Every port over one in-memory state: the executable specification of storage, and the storage of core's own tests. It
 * keeps nothing beyond its layer, and its database clock is Effect's own, so a test clock moves leases too.
 */
import { Context, Effect, Layer } from "effect"
import { AccountGroupStore } from "../account/AccountGroupStore.ts"
import { AccountLogStore } from "../account/AccountLogStore.ts"
import { AccountSecretStore } from "../account/AccountSecretStore.ts"
import { AccountStore } from "../account/AccountStore.ts"
import { AccountTallyStore } from "../account/AccountTallyStore.ts"
import { ProfileStore } from "../account/ProfileStore.ts"
import { CampaignStore } from "../campaign/CampaignStore.ts"
import { ChatStore } from "../chat/ChatStore.ts"
import { MediaRecordStore } from "../chat/MediaRecordStore.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { EventStore } from "../event/EventStore.ts"
import { WebhookStore } from "../event/WebhookStore.ts"
import { JobStore } from "../job/JobStore.ts"
import { OutboxStore } from "../outbox/OutboxStore.ts"
import { ForecastStore } from "../stats/ForecastStore.ts"
import { InboxStore } from "../chat/InboxStore.ts"
import { MemberStore } from "../workspace/MemberStore.ts"
import { PrivateReplyStore } from "../chat/PrivateReplyStore.ts"
import { TemplateStore } from "../chat/TemplateStore.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as Memory from "./Memory.ts"
import * as MemoryAccountGroupStore from "./MemoryAccountGroupStore.ts"
import * as MemoryAccountLogStore from "./MemoryAccountLogStore.ts"
import * as MemoryAccountSecretStore from "./MemoryAccountSecretStore.ts"
import * as MemoryAccountStore from "./MemoryAccountStore.ts"
import * as MemoryAccountTallyStore from "./MemoryAccountTallyStore.ts"
import * as MemoryProfileStore from "./MemoryProfileStore.ts"
import * as MemoryCampaignStore from "./MemoryCampaignStore.ts"
import * as MemoryChatStore from "./MemoryChatStore.ts"
import * as MemoryContactStore from "./MemoryContactStore.ts"
import * as MemoryEventStore from "./MemoryEventStore.ts"
import * as MemoryForecastStore from "./MemoryForecastStore.ts"
import * as MemoryMediaRecordStore from "./MemoryMediaRecordStore.ts"
import * as MemoryJobStore from "./MemoryJobStore.ts"
import * as MemoryOutboxStore from "./MemoryOutboxStore.ts"
import * as MemoryInboxStore from "./MemoryInboxStore.ts"
import * as MemoryMemberStore from "./MemoryMemberStore.ts"
import * as MemoryPrivateReplyStore from "./MemoryPrivateReplyStore.ts"
import * as MemoryTemplateStore from "./MemoryTemplateStore.ts"
import * as MemoryWebhookStore from "./MemoryWebhookStore.ts"
import * as MemoryWorkspaceStore from "./MemoryWorkspaceStore.ts"

/** What every storage provides. */
export type StoragePorts =
  | Transaction
  | WorkspaceStore
  | EventStore
  | WebhookStore
  | AccountStore
  | AccountGroupStore
  | AccountSecretStore
  | AccountLogStore
  | AccountTallyStore
  | ProfileStore
  | ContactStore
  | ChatStore
  | MediaRecordStore
  | InboxStore
  | MemberStore
  | PrivateReplyStore
  | TemplateStore
  | OutboxStore
  | CampaignStore
  | ForecastStore
  | JobStore

/** All ports over a memory that the caller may fill. */
export const of = (memory: Memory.Memory): Context.Context<StoragePorts> =>
  Context.make(Transaction, Transaction.of({ within: memory.within })).pipe(
    Context.add(WorkspaceStore, MemoryWorkspaceStore.make(memory)),
    Context.add(EventStore, MemoryEventStore.make(memory)),
    Context.add(WebhookStore, MemoryWebhookStore.make(memory)),
    Context.add(AccountStore, MemoryAccountStore.make(memory)),
    Context.add(AccountGroupStore, MemoryAccountGroupStore.make(memory)),
    Context.add(AccountSecretStore, MemoryAccountSecretStore.make(memory)),
    Context.add(AccountLogStore, MemoryAccountLogStore.make(memory)),
    Context.add(AccountTallyStore, MemoryAccountTallyStore.make(memory)),
    Context.add(ProfileStore, MemoryProfileStore.make(memory)),
    Context.add(ContactStore, MemoryContactStore.make(memory)),
    Context.add(ChatStore, MemoryChatStore.make(memory)),
    Context.add(MediaRecordStore, MemoryMediaRecordStore.make(memory)),
    Context.add(InboxStore, MemoryInboxStore.make(memory)),
    Context.add(MemberStore, MemoryMemberStore.make(memory)),
    Context.add(PrivateReplyStore, MemoryPrivateReplyStore.make(memory)),
    Context.add(TemplateStore, MemoryTemplateStore.make(memory)),
    Context.add(OutboxStore, MemoryOutboxStore.make(memory)),
    Context.add(CampaignStore, MemoryCampaignStore.make(memory)),
    Context.add(ForecastStore, MemoryForecastStore.make(memory)),
    Context.add(JobStore, MemoryJobStore.make(memory))
  )

/** All ports over one fresh, empty state. */
export const layer: Layer.Layer<StoragePorts> = Layer.effectContext(Effect.map(Memory.make, of))
