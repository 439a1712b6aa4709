/**
 * Every port over one in-memory state: the executable specification of storage, and the storage of core's own tests. It
 * keeps nothing beyond its layer, and its database clock is Effect's own, so a test clock moves leases too.
 */
import { Context, Effect, Layer } from "effect"
import { AccountGroupStore } from "../account/AccountGroupStore.ts"
import { AccountStore } from "../account/AccountStore.ts"
import { CampaignStore } from "../campaign/CampaignStore.ts"
import { ChatStore } from "../chat/ChatStore.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { EventStore } from "../event/EventStore.ts"
import { OutboxStore } from "../outbox/OutboxStore.ts"
import { ForecastStore } from "../stats/ForecastStore.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as Memory from "./Memory.ts"
import * as MemoryAccountGroupStore from "./MemoryAccountGroupStore.ts"
import * as MemoryAccountStore from "./MemoryAccountStore.ts"
import * as MemoryCampaignStore from "./MemoryCampaignStore.ts"
import * as MemoryChatStore from "./MemoryChatStore.ts"
import * as MemoryContactStore from "./MemoryContactStore.ts"
import * as MemoryEventStore from "./MemoryEventStore.ts"
import * as MemoryForecastStore from "./MemoryForecastStore.ts"
import * as MemoryOutboxStore from "./MemoryOutboxStore.ts"
import * as MemoryWorkspaceStore from "./MemoryWorkspaceStore.ts"

/** The ports that a storage provides. */
export type Storage =
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

/** All ports over a memory that the caller may fill. */
export const of = (memory: Memory.Memory): Context.Context<Storage> =>
  Context.make(Transaction, Transaction.of({ within: memory.within })).pipe(
    Context.add(WorkspaceStore, MemoryWorkspaceStore.make(memory)),
    Context.add(EventStore, MemoryEventStore.make(memory)),
    Context.add(AccountStore, MemoryAccountStore.make(memory)),
    Context.add(AccountGroupStore, MemoryAccountGroupStore.make(memory)),
    Context.add(ContactStore, MemoryContactStore.make(memory)),
    Context.add(ChatStore, MemoryChatStore.make(memory)),
    Context.add(OutboxStore, MemoryOutboxStore.make(memory)),
    Context.add(CampaignStore, MemoryCampaignStore.make(memory)),
    Context.add(ForecastStore, MemoryForecastStore.make(memory))
  )

/** All ports over one fresh, empty state. */
export const layer: Layer.Layer<Storage> = Layer.effectContext(Effect.map(Memory.make, of))
