/** A person who works in a workspace, and who of them gets the next chat. */
import { Effect, Option, Schema } from "effect"
import { MemberId, WorkspaceId } from "./Id.ts"
import { Instant } from "./Instant.ts"

export const MemberRole = Schema.Literals(["owner", "admin", "agent"])
export type MemberRole = typeof MemberRole.Type

/** `away` members keep what they have and are given nothing new; `disabled` ones may do nothing. */
export const MemberStatus = Schema.Literals(["active", "away", "disabled"])
export type MemberStatus = typeof MemberStatus.Type

export class Member extends Schema.Opaque<Member>()(
  Schema.Struct({
    id: MemberId,
    workspace: WorkspaceId,
    name: Schema.NonEmptyString,
    email: Schema.NullOr(Schema.String),
    role: MemberRole,
    status: MemberStatus,
    externalRef: Schema.NullOr(Schema.String),
    createdAt: Instant
  }).annotate({ identifier: "Member" })
) {}

/** How chats that nobody has are given to members. */
export const Assignment = Schema.Literals(["roundRobin", "leastLoad"])
export type Assignment = typeof Assignment.Type

/** A member as an assignment sees them. */
export interface Turn {
  readonly member: Member
  /** Rises with each chat that is given out; 0 = none was given to them yet. */
  readonly last: number
  /** Open chats that they have. */
  readonly load: number
}

/**
 * Who gets the next `count` chats, one after the other: the active member whose turn is the longest ago, or the one with
 * the fewest open chats, of equal ones again by turn and then by id. Empty where nobody is active.
 */
export const choose = (assignment: Assignment, turns: ReadonlyArray<Turn>, count: number): ReadonlyArray<MemberId> => {
  const state = turns
    .filter(({ member }) => member.status === "active")
    .map(({ last, load, member }) => ({ id: member.id, last, load }))
  let turn = Math.max(0, ...turns.map(({ last }) => last))
  const chosen: Array<MemberId> = []
  const before = (a: (typeof state)[number], b: (typeof state)[number]) =>
    (assignment === "leastLoad" ? a.load - b.load : 0) || a.last - b.last || (a.id < b.id ? -1 : 1)
  for (let given = 0; given < count && state.length > 0; given++) {
    const next = state.reduce((best, one) => (before(one, best) < 0 ? one : best))
    next.load += 1
    next.last = turn += 1
    chosen.push(next.id)
  }
  return chosen
}

export class MemberNotFound extends Schema.TaggedError<MemberNotFound>()("MemberNotFound", { member: Schema.String }) {
  override get message(): string {
    return `there is no member ${this.member} in this workspace`
  }
}

/** A member who may do nothing. */
export class MemberDisabled extends Schema.TaggedError<MemberDisabled>()("MemberDisabled", { member: Schema.String }) {
  override get message(): string {
    return `the member ${this.member} is disabled`
  }
}

/** The member there is, who may act; else why not. */
export const able = (
  id: MemberId,
  member: Option.Option<Member>
): Effect.Effect<Member, MemberNotFound | MemberDisabled> =>
  Option.isNone(member)
    ? Effect.fail(new MemberNotFound({ member: id }))
    : member.value.status === "disabled"
      ? Effect.fail(new MemberDisabled({ member: id }))
      : Effect.succeed(member.value)
