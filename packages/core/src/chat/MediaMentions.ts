/**
 * Which files of ours are named by what is kept to be sent again and again: saved contents, and campaigns, which register
 * it here. Such a file is used, also where nothing of it was sent yet.
 */
import { Context, type Effect } from "effect"
import type { MediaId, WorkspaceId } from "../workspace/Id.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { referred } from "./Media.ts"

/** The files that a workspace names somewhere. */
export type MediaMention = (workspace: WorkspaceId) => Effect.Effect<ReadonlySet<MediaId>, StorageError>

/** None by default. */
export const MediaMentions = Context.Reference<ReadonlyArray<MediaMention>>("@overture/core/MediaMentions", {
  defaultValue: () => []
})

/** The files that are named in contents, however deep they lie. */
export const mentionedIn = (contents: unknown): ReadonlyArray<MediaId> =>
  Array.from(JSON.stringify(contents).matchAll(/media:med_[0-9a-f]{32}/g), ([reference]) => referred(reference)!)
