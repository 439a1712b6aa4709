/**
 * URLs for files that this host serves itself: whoever has one may fetch that file until a time, and nothing else. It is
 * signed, so none can be made up, and holds neither a name nor anything of a person.
 */
import type { MediaKey } from "@overture/core/chat/MediaStore"
import { MediaId, WorkspaceId } from "@overture/core/workspace/Id"
import type { Instant } from "@overture/core/workspace/Instant"
import { Redacted, Schema } from "effect"
import { createHmac, timingSafeEqual } from "node:crypto"

export interface SignedUrls {
  /** Where the host answers, `https://inbox.example.com/media`; what follows is the path that `verify` takes. */
  readonly base: string
  /** At least 32 characters, the same in every process. */
  readonly secret: Redacted.Redacted<string>
}

const signature = ({ secret }: SignedUrls, { id, workspace }: MediaKey, until: Instant): Buffer =>
  createHmac("sha256", Redacted.value(secret)).update(`${workspace}/${id}?${until}`).digest()

export const sign = (self: SignedUrls, key: MediaKey, until: Instant): string =>
  `${self.base.replace(/\/+$/, "")}/${key.workspace}/${key.id}?until=${until}&signature=${signature(self, key, until).toString("base64url")}`

const isWorkspaceId = Schema.is(WorkspaceId)
const isMediaId = Schema.is(MediaId)

/** The file that a URL of ours, or its path and query, opens at `now`; null where it opens none. */
export const verify = (self: SignedUrls, url: string, now: Instant): MediaKey | null => {
  const parsed = URL.parse(url, "http://host")
  const [workspace, id] = parsed?.pathname.split("/").slice(-2) ?? []
  const until = Number(parsed?.searchParams.get("until") ?? Number.NaN)
  const given = Buffer.from(parsed?.searchParams.get("signature") ?? "", "base64url")
  if (!isWorkspaceId(workspace) || !isMediaId(id) || !Number.isSafeInteger(until) || until <= now) return null
  const key = { workspace, id }
  const made = signature(self, key, until)
  return given.length === made.length && timingSafeEqual(given, made) ? key : null
}
