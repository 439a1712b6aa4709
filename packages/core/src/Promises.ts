/** The engine's services as hosts without Effect call them: every verb gives a promise, which rejects with the error it names. */
import { type Context, Effect } from "effect"
import { AccountGroups } from "./account/AccountGroups.ts"
import { AccountReports } from "./account/AccountReports.ts"
import { Accounts } from "./account/Accounts.ts"
import { Connections } from "./account/Connections.ts"
import { Profiles } from "./account/Profiles.ts"
import { Workspaces } from "./account/Workspaces.ts"
import { CampaignAccounts } from "./campaign/CampaignAccounts.ts"
import { CampaignEdits } from "./campaign/CampaignEdits.ts"
import { Campaigns } from "./campaign/Campaigns.ts"
import { CampaignStore } from "./campaign/CampaignStore.ts"
import { Explanation } from "./campaign/Explanation.ts"
import { Previews } from "./campaign/Previews.ts"
import { Retries } from "./campaign/Retries.ts"
import { Templates } from "./campaign/Templates.ts"
import { Chats } from "./chat/Chats.ts"
import { Ingress } from "./chat/Ingress.ts"
import { MediaLibrary } from "./chat/MediaLibrary.ts"
import { Members } from "./chat/Members.ts"
import { OptOuts } from "./chat/OptOuts.ts"
import { ContactJobs } from "./contact/ContactJobs.ts"
import { ContactLists } from "./contact/ContactLists.ts"
import { Contacts } from "./contact/Contacts.ts"
import { ContactStore } from "./contact/ContactStore.ts"
import { Suppressions } from "./contact/Suppressions.ts"
import { Webhooks } from "./event/Webhooks.ts"
import { Forecasts } from "./forecast/Forecasts.ts"
import { Jobs } from "./job/Jobs.ts"
import { Messages } from "./outbox/Messages.ts"
import type { Services } from "./Services.ts"
import { SecretRotation } from "./workspace/SecretRotation.ts"

const services = {
  workspaces: Workspaces,
  accounts: Accounts,
  accountGroups: AccountGroups,
  accountReports: AccountReports,
  connections: Connections,
  profiles: Profiles,
  campaigns: Campaigns,
  campaignAccounts: CampaignAccounts,
  campaignEdits: CampaignEdits,
  previews: Previews,
  retries: Retries,
  explanation: Explanation,
  forecasts: Forecasts,
  contacts: Contacts,
  contactLists: ContactLists,
  contactJobs: ContactJobs,
  suppressions: Suppressions,
  optOuts: OptOuts,
  ingress: Ingress,
  chats: Chats,
  messages: Messages,
  members: Members,
  templates: Templates,
  media: MediaLibrary,
  webhooks: Webhooks,
  jobs: Jobs,
  secretRotation: SecretRotation
} as const

/** What is read of a store beside a service, under the service's name: verbs that the service itself has not. */
const readings = {
  campaigns: {
    store: CampaignStore,
    verbs: ["byExternalRef", "getLead", "counts", "breakdown"]
  },
  contacts: { store: ContactStore, verbs: ["get", "byAddress"] }
} as const

/** A verb as a promise, and an effect without arguments as a verb without any; null of what is neither. */
type Promised<Member> = Member extends (...args: infer Args) => Effect.Effect<infer A, infer _E, infer _R>
  ? (...args: Args) => Promise<A>
  : Member extends Effect.Effect<infer A, infer _E>
    ? () => Promise<A>
    : null

type PromisedKey<Key> =
  Key extends Context.Key<infer _Identifier, infer Service>
    ? {
        readonly [Verb in keyof Service as Promised<Service[Verb]> extends null ? never : Verb]: Promised<Service[Verb]>
      }
    : never

type Read<Reading> = Reading extends { readonly store: infer Store; readonly verbs: ReadonlyArray<infer Verb> }
  ? Pick<PromisedKey<Store>, Extract<Verb, keyof PromisedKey<Store>>>
  : never

/** By the names of the services: `overture.messages.send(…)`. */
export type Promises = {
  readonly [Name in keyof typeof services]: PromisedKey<(typeof services)[Name]> &
    (Name extends keyof typeof readings ? Read<(typeof readings)[Name]> : unknown)
}

type Run = <A, E>(program: Effect.Effect<A, E, Services>) => Promise<A>
type AnyKey = Context.Key<Services, Readonly<Record<string, unknown>>>

/** Verbs are looked up when they are called: what a service offers is known once the engine is built. */
const verbsOf = (run: Run, name: string, keyOf: (verb: string) => AnyKey) =>
  new Proxy(
    {},
    {
      // It is no promise itself, though somebody may await it.
      get: (_, verb) =>
        typeof verb !== "string" || verb === "then"
          ? undefined
          : (...args: ReadonlyArray<unknown>) =>
              run(
                Effect.flatMap(keyOf(verb), (service) => {
                  const member = service[verb]
                  const found: unknown = typeof member === "function" ? member(...args) : member
                  return Effect.isEffect(found) ? found : Effect.die(new TypeError(`${name} has no verb ${verb}`))
                }) as Effect.Effect<unknown, unknown, Services>
              )
    }
  )

/** All services over a runner of effects. */
export const make = (run: Run): Promises =>
  Object.fromEntries(
    Object.entries(services).map(([name, service]) => {
      const reading = Object.entries(readings).find(([of]) => of === name)?.[1]
      const isRead = (verb: string) => (reading?.verbs as ReadonlyArray<string> | undefined)?.includes(verb) === true
      return [name, verbsOf(run, name, (verb) => (reading !== undefined && isRead(verb) ? reading.store : service))]
    })
  ) as Promises
