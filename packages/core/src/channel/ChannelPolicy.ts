/** What a channel allows, as data: the platform's own rules about who may write to whom, and when. */
import { Schema } from "effect"

export class ChannelPolicy extends Schema.Opaque<ChannelPolicy>()(
  Schema.Struct({
    /** Whether we speak to it by an API the platform offers for this. */
    official: Schema.Boolean,
    /** The person must have written before we may. */
    personWritesFirst: Schema.Boolean,
    /** A recorded consent is needed for a first contact. */
    optInRequired: Schema.Boolean,
    /** Whether messages nobody wrote by hand are allowed. */
    automationAllowed: Schema.Boolean,
    /** The most messages that the platform lets one account send a day, whoever wrote them; absent = it says nothing. */
    dailyLimit: Schema.optionalKey(Schema.Int),
    /** How long after the person's last message we may write freely, in milliseconds; null = always. */
    replyWindow: Schema.Struct({ automatedMs: Schema.NullOr(Schema.Int), humanMs: Schema.NullOr(Schema.Int) })
  }).annotate({ identifier: "ChannelPolicy" })
) {}
