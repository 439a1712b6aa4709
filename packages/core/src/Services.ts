/** What storages and engines provide, as types. */
import type { AccountGroups } from "./account/AccountGroups.ts"
import type { AccountGroupStore } from "./account/AccountGroupStore.ts"
import type { AccountLogStore } from "./account/AccountLogStore.ts"
import type { AccountReports } from "./account/AccountReports.ts"
import type { AccountSecretStore } from "./account/AccountSecretStore.ts"
import type { AccountStore } from "./account/AccountStore.ts"
import type { AccountTallyStore } from "./account/AccountTallyStore.ts"
import type { Accounts } from "./account/Accounts.ts"
import type { Connections } from "./account/Connections.ts"
import type { Profiles } from "./account/Profiles.ts"
import type { ProfileStore } from "./account/ProfileStore.ts"
import type { Senders } from "./account/Senders.ts"
import type { CampaignEdits } from "./campaign/CampaignEdits.ts"
import type { CampaignAccounts } from "./campaign/CampaignAccounts.ts"
import type { Campaigns } from "./campaign/Campaigns.ts"
import type { CampaignStore } from "./campaign/CampaignStore.ts"
import type { Explanation } from "./campaign/Explanation.ts"
import type { Outreach } from "./campaign/Outreach.ts"
import type { Previews } from "./campaign/Previews.ts"
import type { Retries } from "./campaign/Retries.ts"
import type { Channels } from "./channel/Channel.ts"
import type { Chats } from "./chat/Chats.ts"
import type { ChatStore } from "./chat/ChatStore.ts"
import type { Inbox } from "./chat/Inbox.ts"
import type { Ingress } from "./chat/Ingress.ts"
import type { MediaLibrary } from "./chat/MediaLibrary.ts"
import type { MediaRecordStore } from "./chat/MediaRecordStore.ts"
import type { MediaUpkeep } from "./chat/MediaUpkeep.ts"
import type { ContactImports } from "./contact/ContactImports.ts"
import type { ContactJobs } from "./contact/ContactJobs.ts"
import type { ContactLists } from "./contact/ContactLists.ts"
import type { Contacts } from "./contact/Contacts.ts"
import type { ContactStore } from "./contact/ContactStore.ts"
import type { Suppressions } from "./contact/Suppressions.ts"
import type { EventFeed } from "./event/EventFeed.ts"
import type { EventStore } from "./event/EventStore.ts"
import type { Webhooks } from "./event/Webhooks.ts"
import type { WebhookStore } from "./event/WebhookStore.ts"
import type { Forecasts } from "./forecast/Forecasts.ts"
import type { Bulks } from "./job/Bulks.ts"
import type { JobRunner } from "./job/JobRunner.ts"
import type { Jobs } from "./job/Jobs.ts"
import type { JobStore } from "./job/JobStore.ts"
import type { Retentions } from "./job/Retentions.ts"
import type { Driver } from "./outbox/Driver.ts"
import type { Messages } from "./outbox/Messages.ts"
import type { Members } from "./chat/Members.ts"
import type { Parties } from "./chat/Parties.ts"
import type { Templates } from "./campaign/Templates.ts"
import type { Outbox } from "./outbox/Outbox.ts"
import type { InboxStore } from "./chat/InboxStore.ts"
import type { MemberStore } from "./workspace/MemberStore.ts"
import type { PrivateReplyStore } from "./chat/PrivateReplyStore.ts"
import type { TemplateStore } from "./chat/TemplateStore.ts"
import type { OutboxStore } from "./outbox/OutboxStore.ts"
import type { ForecastStore } from "./stats/ForecastStore.ts"
import type { Chores } from "./workspace/Chore.ts"
import type { Ids } from "./workspace/Id.ts"
import type { PacingTime } from "./workspace/PacingTime.ts"
import type { SecretRotation } from "./workspace/SecretRotation.ts"
import type { Transaction } from "./workspace/Transaction.ts"
import type { WorkspaceStore } from "./workspace/WorkspaceStore.ts"

/** What a storage provides. */
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

/** What an engine provides: its services, and the ports for reading. */
export type Services =
  | StoragePorts
  | Accounts
  | AccountGroups
  | AccountReports
  | Connections
  | Profiles
  | Senders
  | SecretRotation
  | Campaigns
  | CampaignAccounts
  | CampaignEdits
  | Previews
  | Retries
  | Contacts
  | ContactImports
  | ContactLists
  | ContactJobs
  | Jobs
  | JobRunner
  | Bulks
  | Retentions
  | Suppressions
  | Inbox
  | Ingress
  | MediaLibrary
  | MediaUpkeep
  | Outbox
  | Outreach
  | Chats
  | Messages
  | Members
  | Parties
  | Templates
  | Explanation
  | EventFeed
  | Webhooks
  | Forecasts
  | Driver
  | Chores
  | PacingTime
  | Channels
  | Ids
