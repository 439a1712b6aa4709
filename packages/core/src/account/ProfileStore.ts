/** The port for the profiles of accounts, and the images that they need. */
import { Context, type Effect, type Option } from "effect"
import type { AccountId, ProfileImageId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { ProfileImage, ProfileState } from "./Profile.ts"

export class ProfileStore extends Context.Service<
  ProfileStore,
  {
    get(workspace: WorkspaceId, account: AccountId): Effect.Effect<Option.Option<ProfileState>, StorageError>
    /**
     * Locks the account's profile, or makes it from `initial`, applies the rule and writes; images that it no longer needs
     * go with it. The very object the rule was given means unchanged.
     */
    modify(
      initial: ProfileState,
      change: (state: ProfileState) => ProfileState
    ): Effect.Effect<ProfileState, StorageError>
    /** At most `limit` that are due at `now`, of every workspace; they are due again at `until`, unless changed before. */
    claim(now: Instant, until: Instant, limit: number): Effect.Effect<ReadonlyArray<ProfileState>, StorageError>
    /** When the next is due; null = nothing is to come. */
    readonly nextDue: Effect.Effect<Instant | null, StorageError>
    addImage(image: ProfileImage): Effect.Effect<void, StorageError>
    image(account: AccountId, id: ProfileImageId): Effect.Effect<Option.Option<ProfileImage>, StorageError>
  }
>()("@overture/core/ProfileStore") {}
