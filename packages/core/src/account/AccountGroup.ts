/**
 * Accounts that share a limit of their platform, such as the numbers of one portfolio. An account names its group, and the
 * group's cap counts the messages of all of them. Its days are those of its own zone, as two accounts may be in two.
 */
import { Schema } from "effect"
import { Cap, type DayUse } from "../workspace/Budget.ts"
import { AccountGroupId, WorkspaceId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import { Metadata } from "../workspace/Json.ts"
import { ZoneName } from "../workspace/Zone.ts"

export class AccountGroup extends Schema.Opaque<AccountGroup>()(
  Schema.Struct({
    id: AccountGroupId,
    workspace: WorkspaceId,
    name: Schema.NonEmptyString,
    /** The most messages a day over all its accounts; null = none. */
    dailyCap: Schema.NullOr(Cap),
    /** IANA zone of its days; null = the workspace's. */
    timezone: Schema.NullOr(ZoneName),
    metadata: Metadata,
    createdAt: Instant
  }).annotate({ identifier: "AccountGroup" })
) {}

/** A group as a claim holds it: the row is locked where it has a cap. */
export interface AccountGroupState {
  readonly group: AccountGroup
  readonly use: DayUse
}

export class AccountGroupNotFound extends Schema.TaggedError<AccountGroupNotFound>()("AccountGroupNotFound", {
  group: Schema.String
}) {
  override get message(): string {
    return `there is no account group ${this.group} in this workspace`
  }
}
