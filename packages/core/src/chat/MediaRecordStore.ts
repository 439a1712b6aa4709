/**
 * The port for what is known of media: rows beside the messages, in the same transactions. The bytes themselves are in the
 * `MediaStore`, which no transaction reaches.
 */
import { Context, type Effect, type Option } from "effect"
import type { ChatId, MediaId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Media } from "./Media.ts"

/** What a rule made of a row; `after` is null where it removed it. */
export interface MediaChange {
  readonly before: Media
  readonly after: Media | null
}

export class MediaRecordStore extends Context.Service<
  MediaRecordStore,
  {
    /** Adds rows; one that exists by id is left as it is. */
    add(media: ReadonlyArray<Media>): Effect.Effect<void, StorageError>
    get(workspace: WorkspaceId, id: MediaId): Effect.Effect<Option.Option<Media>, StorageError>
    /** By id, without what is to be removed. */
    list(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<Media>, StorageError>
    /** Files of these chats, by id, without what is to be removed. */
    ofChats(workspace: WorkspaceId, chats: ReadonlyArray<ChatId>): Effect.Effect<ReadonlyArray<Media>, StorageError>
    /** The earliest `dueAt`, of all workspaces. */
    readonly nextDue: Effect.Effect<Instant | null, StorageError>
    /**
     * Takes up what is longest due: counts an attempt and moves its `dueAt` to `until`, so that no two callers get the same
     * row before then. Passes by what another transaction holds.
     */
    claim(now: Instant, until: Instant): Effect.Effect<Option.Option<Media>, StorageError>
    /** Locks the rows by id, applies the rule and writes what it changed; null removes the row. Ids nobody has are left out. */
    modify(
      ids: ReadonlyArray<MediaId>,
      change: (media: Media) => Media | null
    ): Effect.Effect<ReadonlyArray<MediaChange>, StorageError>
    /** The same to all files of these chats. */
    modifyOfChats(
      workspace: WorkspaceId,
      chats: ReadonlyArray<ChatId>,
      change: (media: Media) => Media | null
    ): Effect.Effect<ReadonlyArray<MediaChange>, StorageError>
    /** At most `limit` files of a workspace's chats, stored or failed, created before an instant; oldest first. */
    older(workspace: WorkspaceId, before: Instant, limit: number): Effect.Effect<ReadonlyArray<Media>, StorageError>
    /** At most `limit` files of a workspace that nothing was made of (`Media.isUnused`), created before an instant; oldest first. */
    unused(workspace: WorkspaceId, before: Instant, limit: number): Effect.Effect<ReadonlyArray<Media>, StorageError>
  }
>()("@overture/core/MediaRecordStore") {}
