/** What an engine provides, as a type. */
import type { AccountGroups } from "./account/AccountGroups.ts"
import type { AccountReports } from "./account/AccountReports.ts"
import type { Accounts } from "./account/Accounts.ts"
import type { Connections } from "./account/Connections.ts"
import type { Profiles } from "./account/Profiles.ts"
import type { Senders } from "./account/Senders.ts"
import type { Workspaces } from "./account/Workspaces.ts"
import type { CampaignEdits } from "./campaign/CampaignEdits.ts"
import type { CampaignAccounts } from "./campaign/CampaignAccounts.ts"
import type { Campaigns } from "./campaign/Campaigns.ts"
import type { Explanation } from "./campaign/Explanation.ts"
import type { Outreach } from "./campaign/Outreach.ts"
import type { Previews } from "./campaign/Previews.ts"
import type { Retries } from "./campaign/Retries.ts"
import type { Channels } from "./channel/Channel.ts"
import type { Chats } from "./chat/Chats.ts"
import type { Inbox } from "./chat/Inbox.ts"
import type { Ingress } from "./chat/Ingress.ts"
import type { MediaLibrary } from "./chat/MediaLibrary.ts"
import type { MediaUpkeep } from "./chat/MediaUpkeep.ts"
import type { OptOuts } from "./chat/OptOuts.ts"
import type { ContactImports } from "./contact/ContactImports.ts"
import type { ContactJobs } from "./contact/ContactJobs.ts"
import type { ContactLists } from "./contact/ContactLists.ts"
import type { Contacts } from "./contact/Contacts.ts"
import type { Suppressions } from "./contact/Suppressions.ts"
import type { EventFeed } from "./event/EventFeed.ts"
import type { Webhooks } from "./event/Webhooks.ts"
import type { Forecasts } from "./forecast/Forecasts.ts"
import type { Bulks } from "./job/Bulks.ts"
import type { JobRunner } from "./job/JobRunner.ts"
import type { Jobs } from "./job/Jobs.ts"
import type { Retentions } from "./job/Retentions.ts"
import type { StoragePorts } from "./memory/MemoryStorage.ts"
import type { Driver } from "./outbox/Driver.ts"
import type { Messages } from "./outbox/Messages.ts"
import type { Members } from "./chat/Members.ts"
import type { Parties } from "./chat/Parties.ts"
import type { Templates } from "./campaign/Templates.ts"
import type { Outbox } from "./outbox/Outbox.ts"
import type { Chores } from "./workspace/Chore.ts"
import type { Ids } from "./workspace/Id.ts"
import type { PacingTime } from "./workspace/PacingTime.ts"
import type { SecretRotation } from "./workspace/SecretRotation.ts"

/** What an engine provides: its services, and the ports for reading. */
export type Services =
  | StoragePorts
  | Accounts
  | AccountGroups
  | AccountReports
  | Connections
  | Profiles
  | Senders
  | Workspaces
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
  | OptOuts
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
