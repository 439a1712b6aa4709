/** A person known to the workspace. */
import { Schema } from "effect"
import { Address, key as keyOf } from "../channel/Address.ts"
import { CampaignId, ContactId, ContactListId, LeadId, StepId, WorkspaceId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import { Metadata } from "../workspace/Json.ts"

export class Consent extends Schema.Opaque<Consent>()(
  Schema.Struct({
    channel: Schema.String,
    scope: Schema.String,
    source: Schema.String,
    evidence: Schema.optionalKey(Schema.String),
    at: Instant,
    expiresAt: Schema.optionalKey(Instant),
    /** The person took it back: kept beside what was given, as proof of both. */
    withdrawn: Schema.optionalKey(
      Schema.Struct({ at: Instant, source: Schema.String, evidence: Schema.optionalKey(Schema.String) })
    )
  }).annotate({ identifier: "Consent" })
) {}

/** A touch of any campaign, as the contact's own row remembers it: frequency is decided from one locked row. */
export const ContactTouch = Schema.Struct({ at: Instant, campaign: CampaignId, lead: LeadId, step: StepId })
export type ContactTouch = typeof ContactTouch.Type

export class Contact extends Schema.Opaque<Contact>()(
  Schema.Struct({
    id: ContactId,
    workspace: WorkspaceId,
    name: Schema.String,
    first: Schema.NullOr(Schema.String),
    last: Schema.NullOr(Schema.String),
    /** In order of preference: a lead uses the first that its account reaches. */
    addresses: Schema.Array(Address),
    tags: Schema.Array(Schema.String),
    attributes: Schema.Record(Schema.String, Schema.String),
    timezone: Schema.NullOr(Schema.String),
    consents: Schema.Array(Consent),
    externalRef: Schema.NullOr(Schema.String),
    metadata: Metadata,
    createdAt: Instant
  }).annotate({ identifier: "Contact" })
) {}

/** The most touches a contact's row remembers. */
export const touchesKept = 16

export class ContactList extends Schema.Opaque<ContactList>()(
  Schema.Struct({
    id: ContactListId,
    workspace: WorkspaceId,
    /** Counts from 1 in each workspace. */
    number: Schema.Int,
    name: Schema.NonEmptyString,
    status: Schema.Literals(["gathering", "ready"]),
    createdAt: Instant
  }).annotate({ identifier: "ContactList" })
) {}

/** Whether a consent for the channel is in force at `now`. */
export const consented = (self: Contact, channel: string, now: Instant): boolean =>
  self.consents.some(
    (consent) =>
      (consent.channel === channel || consent.channel === "*") &&
      consent.at <= now &&
      now < (consent.expiresAt ?? Infinity) &&
      now < (consent.withdrawn?.at ?? Infinity)
  )

/** The contact with one more consent; the same one recorded twice is one. */
export const record = (self: Contact, consent: Consent): Contact => {
  const same = (other: Consent) =>
    other.channel === consent.channel &&
    other.scope === consent.scope &&
    other.source === consent.source &&
    other.at === consent.at
  return self.consents.some(same) ? self : { ...self, consents: [...self.consents, consent] }
}

/** The contact whose consents for the channel (`*` = all) are taken back; those that ended before stay as they are. */
export const withdraw = (self: Contact, channel: string, withdrawn: NonNullable<Consent["withdrawn"]>): Contact => {
  const ends = (consent: Consent) =>
    (channel === "*" || consent.channel === channel || consent.channel === "*") &&
    consent.withdrawn === undefined &&
    consent.at <= withdrawn.at &&
    withdrawn.at < (consent.expiresAt ?? Infinity)
  return self.consents.some(ends)
    ? { ...self, consents: self.consents.map((consent) => (ends(consent) ? { ...consent, withdrawn } : consent)) }
    : self
}

/** The addresses that a consent speaks for. */
export const consentedAddresses = (self: Contact, { channel, scope }: Consent): ReadonlyArray<Address> =>
  self.addresses.filter(
    (address) => (channel === "*" || address.channel === channel) && (scope === "" || address.scope === scope)
  )

/** Whether what a newer row says wins over what is known, or only fills what is empty. Addresses and tags are joined. */
export const MergeMode = Schema.Literals(["update", "fill"])
export type MergeMode = typeof MergeMode.Type

const joined = (one: ReadonlyArray<string>, other: ReadonlyArray<string>): ReadonlyArray<string> => {
  const added = other.filter((tag) => !one.includes(tag))
  return added.length === 0 && one.length < 2 ? one : [...new Set([...one, ...added])]
}

/**
 * The contact with what a newer row says added: addresses and tags are joined, and the fields that the row leaves empty
 * stay. With `update` the row's values win, with `fill` those that are known. Rows of one address are one person.
 */
export const merge = (self: Contact, row: Contact, mode: MergeMode = "update"): Contact => {
  const known = new Set(self.addresses.map(keyOf))
  const [strong, weak] = mode === "update" ? [row, self] : [self, row]
  return {
    ...self,
    name: strong.name === "" ? weak.name : strong.name,
    first: strong.first ?? weak.first,
    last: strong.last ?? weak.last,
    addresses: [...self.addresses, ...row.addresses.filter((address) => !known.has(keyOf(address)))],
    tags: joined(self.tags, row.tags),
    attributes:
      mode === "update" ? { ...self.attributes, ...row.attributes } : { ...row.attributes, ...self.attributes },
    timezone: strong.timezone ?? weak.timezone,
    externalRef: self.externalRef ?? row.externalRef,
    metadata: mode === "update" ? { ...self.metadata, ...row.metadata } : { ...row.metadata, ...self.metadata }
  }
}

/** First and last name out of a whole one: `Ana María de Silva` is Ana and María de Silva, and so is `María de Silva, Ana`. */
export const splitName = (name: string): { readonly first: string | null; readonly last: string | null } => {
  const words = name.trim().replaceAll(/\s+/g, " ")
  const comma = /^([^,]+), ?([^,]+)$/.exec(words)
  if (comma !== null) return { first: comma[2] ?? null, last: comma[1] ?? null }
  const at = words.indexOf(" ")
  return at < 0
    ? { first: words === "" ? null : words, last: null }
    : { first: words.slice(0, at), last: words.slice(at + 1) }
}
