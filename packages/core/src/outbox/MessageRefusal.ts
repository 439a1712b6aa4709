/** Why nothing can be done with a message: there is none, there are several, or it is too late. */
import { Schema } from "effect"

export class MessageNotFound extends Schema.TaggedError<MessageNotFound>()("MessageNotFound", {
  id: Schema.String
}) {
  override get message(): string {
    return `there is no message ${this.id} in this workspace`
  }
}

/** Several messages have the platform's id that was given. */
export class AmbiguousId extends Schema.TaggedError<AmbiguousId>()("AmbiguousId", {
  externalId: Schema.String,
  /** Our ids of some of them. */
  candidates: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `${this.candidates.join(", ")} are all known as ${this.externalId}`
  }
}

/** The message is not in a state from which that can be done. */
export class MessageNotAble extends Schema.TaggedError<MessageNotAble>()("MessageNotAble", {
  id: Schema.String,
  status: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.id} is ${this.status}: ${this.detail}`
  }
}
