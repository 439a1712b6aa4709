/**
 * The port that remembers which comments were answered in private: a platform takes one such answer to a comment, for
 * ever, so the place is taken before anything is sent and given back only where it surely was not.
 */
import { Context, type Effect } from "effect"
import type { AccountId, MessageId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"

export interface PrivateReply {
  readonly workspace: WorkspaceId
  readonly account: AccountId
  /** The platform's id of the comment. */
  readonly comment: string
  readonly message: MessageId
  readonly at: Instant
}

export class PrivateReplyStore extends Context.Service<
  PrivateReplyStore,
  {
    /** Takes the place of (account, comment). The message that has it already, or this one. */
    reserve(reply: PrivateReply): Effect.Effect<MessageId, StorageError>
    /** Gives back the places that these messages hold. */
    release(messages: ReadonlyArray<MessageId>): Effect.Effect<void, StorageError>
  }
>()("@overture/core/PrivateReplyStore") {}
