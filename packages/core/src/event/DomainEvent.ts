/** A fact we publish: written in the transaction of the change it tells of, so nothing happens unseen. */
import { Schema } from "effect"
import { EventId, type IdGenerator, WorkspaceId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"

export const EventType = Schema.Literals([
  "message.queued",
  "message.sent",
  "message.delivered",
  "message.read",
  "message.failed",
  "message.retrying",
  "message.cancelled",
  "message.received",
  "message.edited",
  "message.deleted",
  "reaction.added",
  "reaction.removed",
  "attachment.stored",
  "attachment.failed",
  "chat.created",
  "chat.replied",
  "chat.booked",
  "chat.assigned",
  "chat.closed",
  "chat.reopened",
  "chat.changed",
  "chat.read",
  "chat.resumed",
  "chat.deleted",
  "chat.taken_over",
  "lead.sent",
  "lead.partial",
  "lead.failed",
  "lead.skipped",
  "lead.deferred",
  "lead.retried",
  "lead.ended",
  "lead.resumed",
  "lead.replied",
  "campaign.created",
  "campaign.started",
  "campaign.changed",
  "campaign.paused",
  "campaign.inactive",
  "campaign.active",
  "campaign.finished",
  "campaign.deleted",
  "account.changed",
  "account_group.created",
  "account_group.changed",
  "contact.opted_out",
  "contact.opted_in",
  "contact.suppressed",
  "contact.consented",
  "contact.consent_withdrawn",
  "contact.deleted",
  "contact.erased",
  "list.ready",
  "member.added",
  "member.changed",
  "template.created",
  "template.changed",
  "template.deleted",
  "job.progressed",
  "job.finished",
  "webhook.disabled",
  "workspace.created",
  "workspace.changed"
])
export type EventType = typeof EventType.Type

/** Who made it happen. */
export class Actor extends Schema.Opaque<Actor>()(
  Schema.Struct({
    type: Schema.Literals(["system", "campaign", "member", "api", "contact", "channel"]),
    id: Schema.NullOr(Schema.String)
  }).annotate({ identifier: "Actor" })
) {}

export const system: Actor = { type: "system", id: null }

export class DomainEvent extends Schema.Opaque<DomainEvent>()(
  Schema.Struct({
    id: EventId,
    workspace: WorkspaceId,
    type: EventType,
    at: Instant,
    /** The id of what changed. */
    subject: Schema.String,
    actor: Actor,
    /** The id of what led to it: a message, an event. */
    cause: Schema.NullOr(Schema.String),
    data: Schema.Record(Schema.String, Schema.Json)
  }).annotate({ identifier: "DomainEvent" })
) {}

/** Ids, codes and numbers, by which reports read the feed. A field that is not named here may tell of a person. */
const impersonal: ReadonlySet<string> = new Set([
  "account",
  "assignee",
  "campaign",
  "channel",
  "chat",
  "contact",
  "dropped",
  "ended",
  "kind",
  "lead",
  "media",
  "part",
  "reason",
  "status",
  "step",
  "touch",
  "until",
  "was"
])

/** The event without the person whom it tells of: reports find in it what they found before. */
export const erase = (self: DomainEvent): DomainEvent => ({
  ...self,
  data: Object.fromEntries(Object.entries(self.data).filter(([field]) => impersonal.has(field)))
})

/** What a rule says happened; what led to it is named where that is known. */
export type Fact = Omit<DomainEvent, "id" | "at" | "cause"> & Partial<Pick<DomainEvent, "cause">>

/** The event that tells of a fact. */
export const stamped = (ids: IdGenerator, at: Instant, fact: Fact): DomainEvent => ({
  cause: null,
  ...fact,
  id: ids.next("evt"),
  at
})
