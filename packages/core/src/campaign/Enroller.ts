/**
 * Puts people into a campaign as its leads: the members of a list, or some by themselves, in the order in which they come,
 * page by page. Idempotent: whoever is in it stays as they are. Those whom no account of it reaches are skipped at once.
 */
import { Effect } from "effect"
import type * as Account from "../account/Account.ts"
import * as Address from "../channel/Address.ts"
import type { Contact } from "../contact/Contact.ts"
import type { ContactStore } from "../contact/ContactStore.ts"
import { stamped } from "../event/DomainEvent.ts"
import type { ContactId, ContactListId, IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Metadata } from "../workspace/Json.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Transaction } from "../workspace/Transaction.ts"
import type { Campaign } from "./Campaign.ts"
import type { CampaignStore } from "./CampaignStore.ts"
import type { Distributor } from "./Distributor.ts"
import * as Drawing from "./Drawing.ts"
import { type Lead, untouched } from "./Lead.ts"
import * as Routing from "./Routing.ts"

/** A person who is to be written to, and what the host keeps with their lead. */
export interface NewLead {
  readonly contact: ContactId
  /** Higher goes first; 0 where it is left out. */
  readonly priority?: number | undefined
  readonly externalRef?: string | null | undefined
  readonly metadata?: Metadata | undefined
}

export interface Enrolment {
  readonly enrolled: number
  /** Contacts the campaign had already. */
  readonly known: number
  /** Of the enrolled: those that none of its accounts reaches. */
  readonly unreachable: number
}

export interface Enroller {
  /** Every member of a list of its workspace, in the order of the list; the campaign remembers how far that came. */
  list(campaign: Campaign, list: ContactListId, now: Effect.Effect<Instant>): Effect.Effect<Enrolment, StorageError>
  /** The next members of such a list, those behind a place of it: to which place they are, null = there are none. */
  next(campaign: Campaign, list: ContactListId, after: number, now: Instant): Effect.Effect<number | null, StorageError>
  /** These people, behind those who are in it; `notFound` are no contacts of its workspace. */
  people(
    campaign: Campaign,
    people: ReadonlyArray<NewLead>,
    now: Effect.Effect<Instant>
  ): Effect.Effect<Enrolment & { readonly notFound: ReadonlyArray<ContactId> }, StorageError>
}

interface Entry extends Omit<NewLead, "contact"> {
  readonly contact: Contact
  readonly position: number
}

const page = 500

const leadOf = (
  campaign: Campaign,
  accounts: ReadonlyArray<Account.Account>,
  { contact, externalRef = null, metadata = {}, position, priority = 0 }: Entry,
  id: Lead["id"],
  now: Instant
): Lead => {
  const route = Routing.routeOf(campaign.settings.distribution, accounts, contact, [])
  const first = contact.addresses[0]
  return {
    ...untouched,
    id,
    workspace: campaign.workspace,
    campaign: campaign.id,
    contact: contact.id,
    reach: route?.reach ?? "",
    wanted: route?.wanted ?? null,
    address: route?.address ?? (first === undefined ? "" : Address.key(first)),
    status: route === null ? "skipped" : "pending",
    reason: route === null ? "unreachable" : null,
    step: route === null ? null : campaign.settings.steps[0].id,
    priority,
    position,
    externalRef,
    metadata,
    createdAt: now
  }
}

const sum = (one: Enrolment, other: Enrolment): Enrolment => ({
  enrolled: one.enrolled + other.enrolled,
  known: one.known + other.known,
  unreachable: one.unreachable + other.unreachable
})

const nobody: Enrolment = { enrolled: 0, known: 0, unreachable: 0 }

export const make = (
  store: CampaignStore["Service"],
  contacts: ContactStore["Service"],
  distributor: Distributor,
  transaction: Transaction["Service"],
  makeIds: Effect.Effect<IdGenerator>
): Enroller => {
  /** One page, in one transaction. */
  const enroll = Effect.fnUntraced(function* (
    campaign: Campaign,
    accounts: ReadonlyArray<Account.Account>,
    entries: ReadonlyArray<Entry>,
    now: Instant
  ) {
    const ids = yield* makeIds
    const leads = entries.map((entry) => leadOf(campaign, accounts, entry, ids.next("led"), now))
    const unreachable = leads.filter(({ status }) => status === "skipped")
    const events = unreachable.map((lead) =>
      stamped(ids, now, {
        workspace: campaign.workspace,
        type: "lead.skipped",
        subject: lead.id,
        actor: { type: "campaign", id: campaign.id },
        data: { campaign: campaign.id, reason: "unreachable" }
      })
    )
    const enrolling = store.enroll(campaign.id, leads, events, now)
    const those = entries.map(({ contact }) => contact.id)
    const added = new Set(
      yield* campaign.settings.distribution.strategy === "sticky"
        ? transaction.within(Effect.tap(enrolling, distributor.route(campaign, those, now)))
        : enrolling
    )
    return {
      enrolled: added.size,
      known: leads.length - added.size,
      unreachable: unreachable.filter(({ id }) => added.has(id)).length
    }
  })

  const membersOf = (campaign: Campaign) => Effect.map(store.paces(campaign.id), Drawing.members)

  return {
    list: Effect.fnUntraced(function* (campaign, list, now) {
      const accounts = yield* membersOf(campaign)
      let total = nobody
      for (let after = 0; ; ) {
        yield* store.noteEnrolled(campaign.id, list, after)
        const members = yield* contacts.members(campaign.workspace, list, after, page)
        const last = members.at(-1)
        if (last === undefined) return total
        total = sum(total, yield* enroll(campaign, accounts, members, yield* now))
        after = last.position
      }
    }),
    next: Effect.fnUntraced(function* (campaign, list, after, now) {
      const members = yield* contacts.members(campaign.workspace, list, after, page)
      const last = members.at(-1)
      if (last === undefined) return null
      yield* enroll(campaign, yield* membersOf(campaign), members, now)
      return last.position
    }),
    people: Effect.fnUntraced(function* (campaign, people, now) {
      const accounts = yield* membersOf(campaign)
      const notFound: Array<ContactId> = []
      let { total: position } = yield* store.counts(campaign.id)
      let total = nobody
      for (let from = 0; from < people.length; from += page) {
        const some = people.slice(from, from + page)
        const found = yield* contacts.among(
          campaign.workspace,
          some.map(({ contact }) => contact)
        )
        const byId = new Map(found.map((contact) => [contact.id, contact]))
        const entries: Array<Entry> = []
        for (const { contact: id, ...rest } of some) {
          const contact = byId.get(id)
          if (contact === undefined) notFound.push(id)
          else entries.push({ ...rest, contact, position: (position += 1) })
        }
        if (entries.length > 0) total = sum(total, yield* enroll(campaign, accounts, entries, yield* now))
      }
      return { ...total, notFound }
    })
  }
}
