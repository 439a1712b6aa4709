/** The tenant. Everything belongs to exactly one, and another workspace's id is "not found". */
import { Effect, Option, Schema } from "effect"
import { Cap } from "./Budget.ts"
import { WorkspaceId } from "./Id.ts"
import { Instant } from "./Instant.ts"
import { Metadata } from "./Json.ts"
import { Assignment } from "./Member.ts"
import { Retention } from "./Retention.ts"
import { ZoneName } from "./Zone.ts"

export class Workspace extends Schema.Opaque<Workspace>()(
  Schema.Struct({
    id: WorkspaceId,
    name: Schema.NonEmptyString,
    /** IANA zone in which the workspace's days are counted. */
    timezone: ZoneName,
    /** While true no automated message begins. */
    paused: Schema.Boolean,
    /** The most messages a day over all accounts (the plan); null = none. */
    dailyCap: Schema.NullOr(Cap),
    /** Whether an opt-out suppresses every address of the contact or only the one it came from. */
    optOutScope: Schema.Literals(["contact", "address"]),
    /** What people are answered who write that they want no more messages; absent = nothing. */
    optOutReply: Schema.optionalKey(Schema.NonEmptyString),
    /** How long it keeps what is only remembered; absent = the defaults. */
    retention: Schema.optionalKey(Retention),
    /** How chats that nobody has are given to members when their person writes; absent = they are not. */
    assignment: Schema.optionalKey(Assignment),
    createdAt: Instant,
    metadata: Metadata
  }).annotate({ identifier: "Workspace" })
) {}

export class WorkspaceNotFound extends Schema.TaggedError<WorkspaceNotFound>()("WorkspaceNotFound", {
  workspace: Schema.String
}) {
  override get message(): string {
    return `there is no workspace ${this.workspace}`
  }
}

/** The workspace there is. */
export const needed =
  (id: WorkspaceId) =>
  (found: Option.Option<Workspace>): Effect.Effect<Workspace, WorkspaceNotFound> =>
    Option.isSome(found) ? Effect.succeed(found.value) : Effect.fail(new WorkspaceNotFound({ workspace: id }))
