/** What may be said of a member, checked field by field. */
import { Schema } from "effect"
import { Member } from "./Member.ts"
import * as Problem from "./Problem.ts"

const { email, name, role, status } = Member.fields

export const NewMember = Schema.Struct({
  name,
  email: Schema.optional(Schema.NonEmptyString),
  /** An agent unless it says otherwise. */
  role: Schema.optional(role),
  /** Who has it is the member. */
  externalRef: Schema.optional(Schema.NonEmptyString)
}).annotate({ identifier: "NewMember" })
export type NewMember = typeof NewMember.Type

/** What may be changed; what is left out stays. */
export const MemberChange = Schema.Struct({
  name: Schema.optional(name),
  email: Schema.optional(email),
  role: Schema.optional(role),
  status: Schema.optional(status)
}).annotate({ identifier: "MemberChange" })
export type MemberChange = typeof MemberChange.Type

export class InvalidMember extends Schema.TaggedError<InvalidMember>()("InvalidMember", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

/** The member as given, or its first problem. */
export const checkNew = Problem.checker(NewMember, InvalidMember)

/** The same of a change. */
export const checkChange = Problem.checker(MemberChange, InvalidMember)
