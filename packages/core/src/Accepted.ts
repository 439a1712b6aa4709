/**
 * What hosts say to the engine, as every database can keep it: the one place where the words of their names, messages,
 * tags, metadata and searches pass, whichever verb they use. As with what platforms say, a NUL character is left out and
 * half of a surrogate pair becomes U+FFFD, so that no verb fails on one database and not on another.
 */
import { Context, Effect, Layer } from "effect"
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

/** The services by which hosts bring words in. */
const services = [
  WorkspaceStore,
  Workspaces,
  AccountGroups,
  AccountReports,
  Accounts,
  Connections,
  Profiles,
  CampaignAccounts,
  CampaignEdits,
  Campaigns,
  Previews,
  Retries,
  Templates,
  Chats,
  MediaLibrary,
  Members,
  Parties,
  ContactImports,
  ContactJobs,
  ContactLists,
  Contacts,
  Suppressions,
  Webhooks,
  Bulks,
  Jobs,
  Messages
] as const

type Accepting = (typeof services)[number]["Identifier"]

/** The same services for the host; among themselves they speak as before. */
export const layer: Layer.Layer<Accepting, never, Accepting> = Layer.effectContext(
  Effect.map(Effect.context<Accepting>(), (context) =>
    services.reduce<Context.Context<Accepting>>(
      (all, service) => {
        const key = service as unknown as Context.Key<Accepting, object>
        return Context.add(all, key, accepting(Context.get(context, key)))
      },
      Context.empty() as Context.Context<Accepting>
    )
  )
)
