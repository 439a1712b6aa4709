/**
 * The promises of the storage ports as cases that any storage must pass. They know no test runner: a backend provides
 * the ports over an empty storage, and the control of its lease clock, and runs each effect.
 */
import * as AccountFiles from "./storage/AccountFiles.ts"
import * as AccountLives from "./storage/AccountLives.ts"
import * as Accounts from "./storage/Accounts.ts"
import * as AccountSearch from "./storage/AccountSearch.ts"
import * as CampaignLives from "./storage/CampaignLives.ts"
import * as Campaigns from "./storage/Campaigns.ts"
import * as ChatChanges from "./storage/ChatChanges.ts"
import * as ChatLists from "./storage/ChatLists.ts"
import * as Chats from "./storage/Chats.ts"
import * as Claims from "./storage/Claims.ts"
import * as ClaimWrites from "./storage/ClaimWrites.ts"
import * as Contacts from "./storage/Contacts.ts"
import * as Deliveries from "./storage/Deliveries.ts"
import * as Distributions from "./storage/Distributions.ts"
import * as Draws from "./storage/Draws.ts"
import * as Erasures from "./storage/Erasures.ts"
import * as Events from "./storage/Events.ts"
import * as FollowedLists from "./storage/FollowedLists.ts"
import * as Forecasts from "./storage/Forecasts.ts"
import * as Groups from "./storage/Groups.ts"
import * as Jobs from "./storage/Jobs.ts"
import * as LeadChanges from "./storage/LeadChanges.ts"
import * as ListMembers from "./storage/ListMembers.ts"
import * as MediaRecords from "./storage/MediaRecords.ts"
import * as Members from "./storage/Members.ts"
import * as Model from "./storage/Model.ts"
import * as Notices from "./storage/Notices.ts"
import * as OptOuts from "./storage/OptOuts.ts"
import * as Outbox from "./storage/Outbox.ts"
import * as Persons from "./storage/Persons.ts"
import * as Profiles from "./storage/Profiles.ts"
import * as Recovering from "./storage/Recovering.ts"
import * as Sequences from "./storage/Sequences.ts"
import * as Settling from "./storage/Settling.ts"
import * as Standings from "./storage/Standings.ts"
import * as Stops from "./storage/Stops.ts"
import * as Takeovers from "./storage/Takeovers.ts"
import type { StorageCase } from "./storage/StorageCase.ts"
import * as TouchChanges from "./storage/TouchChanges.ts"
import * as Transactions from "./storage/Transactions.ts"
import * as Webhooks from "./storage/Webhooks.ts"
import * as Workspaces from "./storage/Workspaces.ts"

/** Every case; each needs a storage of its own. */
export const cases: ReadonlyArray<StorageCase> = [
  Workspaces,
  Events,
  Webhooks,
  Deliveries,
  Accounts,
  AccountSearch,
  AccountFiles,
  AccountLives,
  Profiles,
  Contacts,
  ListMembers,
  OptOuts,
  Chats,
  ChatChanges,
  ChatLists,
  Members,
  Notices,
  MediaRecords,
  Outbox,
  Settling,
  Recovering,
  Stops,
  Takeovers,
  Persons,
  Campaigns,
  CampaignLives,
  Standings,
  FollowedLists,
  Draws,
  Distributions,
  Claims,
  ClaimWrites,
  LeadChanges,
  TouchChanges,
  Sequences,
  Groups,
  Erasures,
  Forecasts,
  Jobs,
  Transactions,
  Model
].flatMap((store) => store.cases)
