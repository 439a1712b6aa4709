/**
 * Ids are a prefix that names the kind and a UUIDv7, `cmp_018f…`: they sort by creation and turn back into the bare UUID.
 * The clock and the randomness behind them are injected, so a seeded run makes the same ids again.
 */
import { Clock, Context, Effect, Layer, Random, Schema } from "effect"
import type { Instant } from "./Instant.ts"
import * as Seed from "./Seed.ts"

const prefixed = (prefix: keyof Prefixes) =>
  Schema.String.check(
    Schema.isPattern(new RegExp(`^${prefix}_[0-9a-f]{32}$`), { expected: `an id that begins with ${prefix}_` })
  )

export const WorkspaceId = prefixed("wsp").pipe(Schema.brand("WorkspaceId"))
export type WorkspaceId = typeof WorkspaceId.Type
export const AccountId = prefixed("acc").pipe(Schema.brand("AccountId"))
export type AccountId = typeof AccountId.Type
export const AccountGroupId = prefixed("agr").pipe(Schema.brand("AccountGroupId"))
export type AccountGroupId = typeof AccountGroupId.Type
export const ContactId = prefixed("con").pipe(Schema.brand("ContactId"))
export type ContactId = typeof ContactId.Type
export const ContactListId = prefixed("lst").pipe(Schema.brand("ContactListId"))
export type ContactListId = typeof ContactListId.Type
export const CampaignId = prefixed("cmp").pipe(Schema.brand("CampaignId"))
export type CampaignId = typeof CampaignId.Type
export const StepId = prefixed("stp").pipe(Schema.brand("StepId"))
export type StepId = typeof StepId.Type
export const LeadId = prefixed("led").pipe(Schema.brand("LeadId"))
export type LeadId = typeof LeadId.Type
export const ChatId = prefixed("cht").pipe(Schema.brand("ChatId"))
export type ChatId = typeof ChatId.Type
export const MessageId = prefixed("msg").pipe(Schema.brand("MessageId"))
export type MessageId = typeof MessageId.Type
export const ClaimId = prefixed("clm").pipe(Schema.brand("ClaimId"))
export type ClaimId = typeof ClaimId.Type
export const EventId = prefixed("evt").pipe(Schema.brand("EventId"))
export type EventId = typeof EventId.Type
export const MemberId = prefixed("mbr").pipe(Schema.brand("MemberId"))
export type MemberId = typeof MemberId.Type
export const WebhookEndpointId = prefixed("whk").pipe(Schema.brand("WebhookEndpointId"))
export type WebhookEndpointId = typeof WebhookEndpointId.Type
export const DeliveryId = prefixed("dlv").pipe(Schema.brand("DeliveryId"))
export type DeliveryId = typeof DeliveryId.Type
export const JobId = prefixed("job").pipe(Schema.brand("JobId"))
export type JobId = typeof JobId.Type
export const MediaId = prefixed("med").pipe(Schema.brand("MediaId"))
export type MediaId = typeof MediaId.Type
export const TemplateId = prefixed("tpl").pipe(Schema.brand("TemplateId"))
export type TemplateId = typeof TemplateId.Type
export const AccountLogEntryId = prefixed("log").pipe(Schema.brand("AccountLogEntryId"))
export type AccountLogEntryId = typeof AccountLogEntryId.Type
export const ProfileImageId = prefixed("img").pipe(Schema.brand("ProfileImageId"))
export type ProfileImageId = typeof ProfileImageId.Type

/** The prefix of each kind of id. */
export interface Prefixes {
  readonly wsp: WorkspaceId
  readonly acc: AccountId
  readonly agr: AccountGroupId
  readonly con: ContactId
  readonly lst: ContactListId
  readonly cmp: CampaignId
  readonly stp: StepId
  readonly led: LeadId
  readonly cht: ChatId
  readonly msg: MessageId
  readonly clm: ClaimId
  readonly evt: EventId
  readonly mbr: MemberId
  readonly whk: WebhookEndpointId
  readonly dlv: DeliveryId
  readonly job: JobId
  readonly med: MediaId
  readonly tpl: TemplateId
  readonly log: AccountLogEntryId
  readonly img: ProfileImageId
}

const hex = (n: number, length: number) => (n + 16 ** length).toString(16).slice(1)

/** Makes ids without an effect each, for rules that need hundreds at once. */
export interface IdGenerator {
  next<P extends keyof Prefixes>(prefix: P): Prefixes[P]
}

/**
 * A generator over `random`, which returns uniform numbers in [0, 1). Ids of one generator ascend even inside one
 * millisecond, as RFC 9562 allows (a counter in the bits after the version).
 */
export const generator = (at: Instant, random: () => number): IdGenerator => {
  const time = hex(at, 12)
  let counter = Math.floor(random() * 0x800)
  let high = Math.floor(random() * 0x1_0000_0000)
  const variant = () => hex(0x8000 | (Math.floor(high / 0x4_0000) & 0x3fff), 4) + hex(high % 0x4_0000, 5)
  let middle = variant()
  return {
    next: <P extends keyof Prefixes>(prefix: P) => {
      counter += 1
      if (counter > 0xfff) {
        counter = 0
        high = (high + 1) % 0x1_0000_0000
        middle = variant()
      }
      const end = hex(Math.floor(random() * 0x8000_0000) % 0x1000_0000, 7)
      return `${prefix}_${time}7${hex(counter, 3)}${middle}${end}` as Prefixes[P]
    }
  }
}

/**
 * The id of what `text` identifies and happened at `at`: whoever derives it gets the same. A UUIDv7 whose randomness is the
 * digest of the text.
 */
export const derived = <P extends keyof Prefixes>(prefix: P, at: Instant, text: string): Prefixes[P] => {
  const [a, b, c] = Seed.hash(text)
  const variant = (0x8000 | (a >>> 18)).toString(16)
  return `${prefix}_${hex(Math.max(0, at), 12)}7${hex(a & 0xfff, 3)}${variant}${hex(b, 8)}${hex(c & 0xffff, 4)}` as Prefixes[P]
}

/** Where services get id generators from. */
export class Ids extends Context.Service<
  Ids,
  {
    /** A generator for the present instant; use one per batch. */
    readonly generator: Effect.Effect<IdGenerator>
  }
>()("@overture/core/Ids") {
  static readonly layer = Layer.succeed(
    Ids,
    Ids.of({
      generator: Effect.gen(function* () {
        const at = yield* Clock.currentTimeMillis
        const random = yield* Random.Random
        return generator(at, () => random.nextDoubleUnsafe())
      })
    })
  )
}

/** A text that sorts before every id of that kind made at `at` or later, and after those made before. */
export const earliest = (prefix: keyof Prefixes, at: Instant): string => `${prefix}_${hex(Math.max(0, at), 12)}`

/** The bare UUID inside an id, with dashes. */
export const toUuid = (value: string): string => {
  const bare = value.slice(value.indexOf("_") + 1)
  return `${bare.slice(0, 8)}-${bare.slice(8, 12)}-${bare.slice(12, 16)}-${bare.slice(16, 20)}-${bare.slice(20)}`
}

/** The id of kind `prefix` for a bare UUID. */
export const fromUuid = <P extends keyof Prefixes>(prefix: P, uuid: string): Prefixes[P] =>
  `${prefix}_${uuid.replaceAll("-", "").toLowerCase()}` as Prefixes[P]
