/** What may be said of a workspace, checked field by field, and what a change makes of one. */
import { type Result, Schema, Struct } from "effect"
import { Cap } from "./Budget.ts"
import { Metadata } from "./Json.ts"
import { Assignment } from "./Member.ts"
import * as Problem from "./Problem.ts"
import { Retention } from "./Retention.ts"
import { Workspace } from "./Workspace.ts"
import { ZoneName } from "./Zone.ts"

export interface NewWorkspace {
  readonly name: string
  /** IANA zone in which its days are counted; default UTC. */
  readonly timezone?: string | undefined
  /** The most messages a day over all accounts, 1 to 1 000 000 000; default none. */
  readonly dailyCap?: number | null | undefined
  /** Whether an opt-out suppresses every address of the contact (default) or only the one it came from. */
  readonly optOutScope?: Workspace["optOutScope"] | undefined
  /** What people are answered who write that they want no more messages; default nothing. */
  readonly optOutReply?: string | null | undefined
  /** Days for each kind of what is only remembered; kinds that are not named keep their default. */
  readonly retention?: Retention | undefined
  /** How chats that nobody has are given to members; default not at all. */
  readonly assignment?: Assignment | null | undefined
  readonly metadata?: Metadata | undefined
}

/** What is to be changed: what is left out stays, null takes away, and of `retention` only the kinds that are named change. */
export interface WorkspaceChange extends Omit<NewWorkspace, "name"> {
  readonly name?: string | undefined
  /** While true no automated message of it begins. */
  readonly paused?: boolean | undefined
}

export class InvalidWorkspace extends Schema.TaggedError<InvalidWorkspace>()("InvalidWorkspace", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

const fields = {
  timezone: Schema.optional(ZoneName),
  dailyCap: Schema.optional(Schema.NullOr(Cap)),
  optOutScope: Schema.optional(Workspace.fields.optOutScope),
  optOutReply: Schema.optional(Schema.NullOr(Schema.NonEmptyString)),
  retention: Schema.optional(Retention),
  assignment: Schema.optional(Schema.NullOr(Assignment)),
  metadata: Schema.optional(Metadata)
}

/** The input with its zone as it is spelled, or its first problem. */
export const checkNew: (input: NewWorkspace) => Result.Result<NewWorkspace, InvalidWorkspace> = Problem.checker(
  Schema.Struct({ ...fields, name: Schema.NonEmptyString }),
  InvalidWorkspace
)

/** The same of a change. */
export const checkChange: (change: WorkspaceChange) => Result.Result<WorkspaceChange, InvalidWorkspace> =
  Problem.checker(
    Schema.Struct({ ...fields, name: Schema.optional(Schema.NonEmptyString), paused: Schema.optional(Schema.Boolean) }),
    InvalidWorkspace
  )

/** Whether it changes what the workspace's accounts may send, and when. */
export const concernsSending = ({ dailyCap, paused, timezone }: WorkspaceChange): boolean =>
  dailyCap !== undefined || paused !== undefined || timezone !== undefined

/** What is wished for, else what there was; null is none. */
const chosen = <A>(wish: A | null | undefined, former: A | undefined): A | undefined =>
  wish === undefined ? former : (wish ?? undefined)

/** The workspace after a change that was checked. */
export const applied = (before: Workspace, change: WorkspaceChange): Workspace => {
  const optOutReply = chosen(change.optOutReply, before.optOutReply)
  const assignment = chosen(change.assignment, before.assignment)
  return {
    ...Struct.omit(before, ["assignment", "optOutReply"]),
    name: change.name ?? before.name,
    timezone: change.timezone ?? before.timezone,
    paused: change.paused ?? before.paused,
    dailyCap: change.dailyCap === undefined ? before.dailyCap : change.dailyCap,
    optOutScope: change.optOutScope ?? before.optOutScope,
    ...(optOutReply !== undefined && { optOutReply }),
    ...(change.retention !== undefined && { retention: { ...before.retention, ...change.retention } }),
    ...(assignment !== undefined && { assignment }),
    metadata: change.metadata ?? before.metadata
  }
}
