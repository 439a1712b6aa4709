/** A person known to the workspace. */
import { Schema } from "effect"
import { Address } from "../channel/Address.ts"
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
    expiresAt: Schema.optionalKey(Instant)
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
  self.consents.some((consent) =>
    (consent.channel === channel || consent.channel === "*") && consent.at <= now && now < (consent.expiresAt ?? Infinity)
  )

/**
 * The contact with what a newer row says added: addresses and tags are joined, attributes of the row win, and the fields
 * it leaves empty stay. Rows of one address are one person.
 */
export const merge = (self: Contact, row: Contact): Contact => {
  const known = new Set(self.addresses.map((address) => `${address.channel}/${address.scope}/${address.externalId}`))
  return {
    ...self,
    name: row.name === "" ? self.name : row.name,
    first: row.first ?? self.first,
    last: row.last ?? self.last,
    addresses: [
      ...self.addresses,
      ...row.addresses.filter((address) => !known.has(`${address.channel}/${address.scope}/${address.externalId}`))
    ],
    tags: [...new Set([...self.tags, ...row.tags])],
    attributes: { ...self.attributes, ...row.attributes },
    timezone: row.timezone ?? self.timezone,
    externalRef: self.externalRef ?? row.externalRef,
    metadata: { ...self.metadata, ...row.metadata }
  }
}
