/**
 * What hosts say to the engine, as every database can keep it: the one place where the words of their names, messages,
 * tags, metadata and searches pass, whichever verb they use. As with what platforms say, a NUL character is left out and
 * half of a surrogate pair becomes U+FFFD, so that no verb fails on one database and not on another.
 */
import { type Context, Effect, Layer } from "effect"
import { AccountGroups } from "./account/AccountGroups.ts"
import { AccountReports } from "./account/AccountReports.ts"
import { Accounts } from "./account/Accounts.ts"
import { Connections } from "./account/Connections.ts"
import { Profiles } from "./account/Profiles.ts"
import { Workspaces } from "./account/Workspaces.ts"
import { CampaignAccounts } from "./campaign/CampaignAccounts.ts"
import { CampaignEdits } from "./campaign/CampaignEdits.ts"
import { Campaigns } from "./campaign/Campaigns.ts"
import { Previews } from "./campaign/Previews.ts"
import { Retries } from "./campaign/Retries.ts"
import { Templates } from "./campaign/Templates.ts"
import { Chats } from "./chat/Chats.ts"
import { MediaLibrary } from "./chat/MediaLibrary.ts"
import { Members } from "./chat/Members.ts"
import { Parties } from "./chat/Parties.ts"
import { ContactImports } from "./contact/ContactImports.ts"
import { ContactJobs } from "./contact/ContactJobs.ts"
import { ContactLists } from "./contact/ContactLists.ts"
import { Contacts } from "./contact/Contacts.ts"
import { Suppressions } from "./contact/Suppressions.ts"
import { Webhooks } from "./event/Webhooks.ts"
import { Bulks } from "./job/Bulks.ts"
import { Jobs } from "./job/Jobs.ts"
import { Messages } from "./outbox/Messages.ts"
import { storable } from "./workspace/Storable.ts"
import { WorkspaceStore } from "./workspace/WorkspaceStore.ts"

/** A service each of whose verbs is given what can be stored; what is no plain value (streams, rules, secrets) as it is. */
export const accepting = <S extends object>(service: S): S =>
  Object.fromEntries(
    Object.entries(service).map(([name, verb]) => [
      name,
      typeof verb === "function" ? (...given: ReadonlyArray<unknown>) => verb(...given.map(storable)) : verb
    ])
  ) as S

const of = <I, S extends object>(service: Context.Service<I, S>): Layer.Layer<I, never, I> =>
  Layer.effect(service, Effect.map(service, accepting))

/** The services by which hosts bring words in, for the host; among themselves they speak as before. */
export const layer = Layer.mergeAll(
  of(WorkspaceStore),
  of(Workspaces),
  of(AccountGroups),
  of(AccountReports),
  of(Accounts),
  of(Connections),
  of(Profiles),
  of(CampaignAccounts),
  of(CampaignEdits),
  of(Campaigns),
  of(Previews),
  of(Retries),
  of(Templates),
  of(Chats),
  of(MediaLibrary),
  of(Members),
  of(Parties),
  of(ContactImports),
  of(ContactJobs),
  of(ContactLists),
  of(Contacts),
  of(Suppressions),
  of(Webhooks),
  of(Bulks),
  of(Jobs),
  of(Messages)
)
