/** An address not to be contacted: by anyone of the workspace, or by one account (the person blocked it). */
import { Schema } from "effect"
import { AccountId, WorkspaceId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"

export class Suppression extends Schema.Opaque<Suppression>()(
  Schema.Struct({
    workspace: WorkspaceId,
    /** The address's key. */
    address: Schema.String,
    /** Null = no account of the workspace may write. */
    account: Schema.NullOr(AccountId),
    reason: Schema.Literals(["optedOut", "blocked", "manual"]),
    at: Instant
  }).annotate({ identifier: "Suppression" })
) {}
