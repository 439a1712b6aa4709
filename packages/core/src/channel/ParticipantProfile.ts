/** What a platform tells of the person at the other end of a chat, beside what they write. */
import { Schema } from "effect"
import { Metadata } from "../workspace/Json.ts"

export class ParticipantProfile extends Schema.Opaque<ParticipantProfile>()(
  Schema.Struct({
    name: Schema.optionalKey(Schema.String),
    /** The name by which the platform addresses them, without a sign before it. */
    username: Schema.optionalKey(Schema.String),
    pictureUrl: Schema.optionalKey(Schema.String),
    /** BCP 47. */
    language: Schema.optionalKey(Schema.String),
    /** IANA zone. */
    timezone: Schema.optionalKey(Schema.String),
    /** Whatever else the platform tells. */
    metadata: Schema.optionalKey(Metadata)
  }).annotate({ identifier: "ParticipantProfile" })
) {}
