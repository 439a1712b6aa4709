/**
 * A file that we keep, or are to fetch: of an inbound message, or given to us to be sent. Its bytes are in the `MediaStore`
 * under its id; this is what is known of them. The row is there before the bytes and goes after them, so that no file is
 * left that nobody knows of, whenever a process is killed.
 */
import { Context, Schema } from "effect"
import { MediaKind } from "../channel/Content.ts"
import { AccountId, ChatId, MediaId, MessageId, WorkspaceId } from "../workspace/Id.ts"
import { day, hour, Instant, minute, second } from "../workspace/Instant.ts"
import { cut } from "../workspace/Storable.ts"

/**
 * `remote`: to be fetched from its URL. `pending`: its bytes are being written. `stored`: they are there. `failed`: they
 * will not come. `deleted`: they are to be removed, and then this row.
 */
export const MediaStatus = Schema.Literals(["remote", "pending", "stored", "failed", "deleted"])
export type MediaStatus = typeof MediaStatus.Type

export class Media extends Schema.Opaque<Media>()(
  Schema.Struct({
    id: MediaId,
    workspace: WorkspaceId,
    kind: MediaKind,
    status: MediaStatus,
    /** What its first bytes show; until they are here, what was said of it. */
    mime: Schema.NullOr(Schema.String),
    bytes: Schema.NullOr(Schema.Int),
    /** Of its bytes, in hexadecimal digits. */
    sha256: Schema.NullOr(Schema.String),
    filename: Schema.NullOr(Schema.String),
    /** How it came to us. */
    source: Schema.Literals(["inbound", "upload", "url", "data"]),
    /** Where it is to be fetched from; null once that is settled. */
    url: Schema.NullOr(Schema.String),
    /** The message whose attachment it is. */
    account: Schema.NullOr(AccountId),
    message: Schema.NullOr(MessageId),
    /** Whose conversation it belongs to: it goes when that person is erased. Null = the workspace's own. */
    chat: Schema.NullOr(ChatId),
    /** Why it failed. */
    reason: Schema.NullOr(Schema.String),
    /** How often it was taken up: what is written for a former time no longer counts. */
    attempts: Schema.Int,
    /** When someone has to see to it, by the real clock: to fetch, to remove, or because whoever did seems lost. */
    dueAt: Schema.NullOr(Instant),
    createdAt: Instant,
    /** Not kept longer than this. */
    expiresAt: Schema.NullOr(Instant),
    /** Whether a message was made with it, since when it is not removed as never used. */
    used: Schema.Boolean
  }).annotate({ identifier: "Media" })
) {}

/** What a row of media begins with. */
export const unsettled = {
  mime: null,
  bytes: null,
  sha256: null,
  filename: null,
  url: null,
  account: null,
  message: null,
  chat: null,
  reason: null,
  attempts: 0,
  dueAt: null,
  expiresAt: null,
  used: false
} as const

/** The most bytes of a file, by its kind. */
export type MediaLimits = Readonly<Record<MediaKind, number>>

const mebibyte = 2 ** 20

/** What the large platforms take, or more, unless a host says otherwise. A file is held in memory while it is fetched. */
export const MediaLimits = Context.Reference<MediaLimits>("@overture/core/MediaLimits", {
  defaultValue: () => ({
    image: 25 * mebibyte,
    audio: 25 * mebibyte,
    video: 100 * mebibyte,
    file: 100 * mebibyte
  })
})

/** For how long whoever took a file up has it to themselves; their work ends long before. */
export const leaseMs = 10 * minute
export const workMs = 5 * minute
/** The same of an upload, which comes as fast as its sender can. */
export const uploadLeaseMs = 2 * hour
export const uploadWorkMs = hour

const scheme = "media:"

/** How contents name a file that we keep: in place of a URL. */
export const reference = (id: MediaId): string => scheme + id

/** The id in a reference; null where it is none. */
export const referred = (url: string): MediaId | null => {
  const id = url.startsWith(scheme) ? url.slice(scheme.length) : ""
  return /^med_[0-9a-f]{32}$/.test(id) ? (id as MediaId) : null
}

/** Whether it is meant as a reference, also one that names nothing. */
export const isReference = (url: string): boolean => url.startsWith(scheme)

/** A file's name as it is kept: without folders and signs of control, at most 255 characters; null when none is left. */
export const filename = (given: string | undefined): string | null => {
  const last = given?.replaceAll(/\p{C}/gu, "").split(/[\\/]/).at(-1) ?? ""
  const name = cut(last.trim(), 255)
  return name === "" || name === "." || name === ".." ? null : name
}

/** What is known of bytes once they are stored. */
export interface StoredBytes {
  readonly mime: string
  readonly bytes: number
  readonly sha256: string
}

export const stored = (self: Media, { bytes, mime, sha256 }: StoredBytes, filename: string | null): Media => ({
  ...self,
  status: "stored",
  mime,
  bytes,
  sha256,
  filename: self.filename ?? filename,
  url: null,
  reason: null,
  dueAt: self.expiresAt
})

/**
 * To be removed, and nothing in it that tells of a person. Not before whoever may still be writing its bytes has surely
 * ended: what they write later would stay for ever.
 */
export const deleted = (self: Media, now: Instant): Media =>
  self.status === "deleted"
    ? self
    : {
        ...self,
        ...unsettled,
        status: "deleted",
        attempts: self.attempts,
        dueAt: isHeld(self, now) ? Math.min(self.dueAt ?? now, now + longestLeaseMs(self)) : now
      }

/** What stays of a file that nobody wants any more: nothing, where no byte of it was ever asked for. */
export const discarded = (self: Media, now: Instant): Media | null =>
  self.status === "remote" && self.attempts === 0 ? null : deleted(self, now)

/** The file once a message was made with it. */
export const used = (self: Media): Media => (self.used ? self : { ...self, used: true })

/** Whether it was given to us, and nothing was made of it so far; one with an end of its own is kept until then. */
export const isUnused = ({ expiresAt, source, status, used: isUsed }: Media): boolean =>
  !isUsed && source !== "inbound" && expiresAt === null && (status === "stored" || status === "failed")

const longestLeaseMs = ({ status }: Media): number => (status === "pending" ? uploadLeaseMs : leaseMs)

/** Whether somebody may be writing its bytes. */
const isHeld = (self: Media, now: Instant): boolean =>
  (self.status === "pending" || (self.status === "remote" && self.attempts > 0)) &&
  self.dueAt !== null &&
  self.dueAt > now

/** Why the bytes of a file did not come. */
export const MediaTrouble = Schema.Literals([
  /** The URL leads where we must not go, or is none. */
  "forbidden",
  /** It is not there any more, or its URL expired. */
  "gone",
  /** We are not let in. */
  "refused",
  "tooLarge",
  /** It is not what it was said to be. */
  "mismatch",
  "timeout",
  /** Nobody answered, or with a failure of theirs. */
  "unreachable",
  /** Ours: the store could not take it. */
  "notStored"
])
export type MediaTrouble = typeof MediaTrouble.Type

/** How often each is met before it is final. A page of HTML where an image was may be a failure of the moment. */
const patience: Readonly<Record<MediaTrouble, number>> = {
  forbidden: 1,
  gone: 1,
  refused: 6,
  tooLarge: 1,
  mismatch: 3,
  timeout: 8,
  unreachable: 8,
  notStored: Infinity
}

/** How long a file is tried for at most, whatever stands against it. */
const longestMs = 7 * day

/** The pauses after the first, the second, … attempt. */
const pauses = [10 * second, 30 * second, 2 * minute, 10 * minute, 30 * minute, hour, 3 * hour]

/** A file that could not be fetched: later again, or for good not. `chance` in [0, 1) spreads those that failed together. */
export const missed = (self: Media, trouble: MediaTrouble, now: Instant, chance: number): Media => {
  if (self.attempts >= patience[trouble] || now - self.createdAt >= longestMs) {
    return { ...self, status: "failed", reason: trouble, url: null, dueAt: self.expiresAt }
  }
  const pause = pauses[Math.min(self.attempts, pauses.length) - 1] ?? second
  return { ...self, reason: trouble, dueAt: now + Math.round(pause * (0.75 + 0.5 * chance)) }
}
