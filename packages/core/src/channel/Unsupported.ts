/** What nobody here can do: the channel has no such ability, or the host gave no port for it. Answered before any I/O. */
import { Schema } from "effect"

export class Unsupported extends Schema.TaggedError<Unsupported>()("Unsupported", {
  /** What was asked for, in words: `verify an account`. */
  what: Schema.String,
  /** The port or the capability that is missing: `the capability verification of telegraph`. */
  missing: Schema.String
}) {
  override get message(): string {
    return `this engine cannot ${this.what}: it lacks ${this.missing}`
  }
}
