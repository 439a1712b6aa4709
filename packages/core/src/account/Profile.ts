/**
 * How an account is to show itself, and how it does. A change waits until nobody has changed anything for five minutes, at
 * most thirty after the first, so that a form saved field by field is one change for the platform. Pure.
 */
import { Schema } from "effect"
import {
  ProfileField,
  type Image,
  type ProfileLimits,
  type ProfileResult,
  type ProfileUpdate
} from "../channel/ProfileUpdate.ts"
import { AccountId, ProfileImageId, WorkspaceId } from "../workspace/Id.ts"
import { hour, Instant, minute } from "../workspace/Instant.ts"
import * as Seed from "../workspace/Seed.ts"

/** How long nothing must change before it is applied, and how long a change waits at most (milliseconds). */
export const debounceMs = 5 * minute
export const longestWaitMs = 30 * minute
/** Tries at a platform that fails, before someone must ask again. */
export const maxAttempts = 8

/** A field that is absent is as the platform has it. */
export class Profile extends Schema.Opaque<Profile>()(
  Schema.Struct({
    name: Schema.optionalKey(Schema.NonEmptyString),
    about: Schema.optionalKey(Schema.String),
    image: Schema.optionalKey(ProfileImageId),
    banner: Schema.optionalKey(ProfileImageId)
  }).annotate({ identifier: "Profile" })
) {}

/** What to change; absent stays, null is no longer wished for (and stays at the platform as it is). */
export interface ProfileChange {
  readonly name?: string | null | undefined
  readonly about?: string | null | undefined
  readonly image?: ProfileImageId | null | undefined
  readonly banner?: ProfileImageId | null | undefined
}

export class ProfileState extends Schema.Opaque<ProfileState>()(
  Schema.Struct({
    account: AccountId,
    workspace: WorkspaceId,
    desired: Profile,
    applied: Profile,
    /** Counts the changes of what is desired. */
    revision: Schema.Int,
    /** When the first change was made that waits; null = none does. By the real clock, as `dueAt`. */
    changedAt: Schema.NullOr(Instant),
    /** When it is applied, or tried again; null = nothing is to be done. */
    dueAt: Schema.NullOr(Instant),
    /** Tries that the platform failed. */
    attempts: Schema.Int,
    /** Why the last try came to nothing. */
    error: Schema.NullOr(Schema.String)
  }).annotate({ identifier: "ProfileState" })
) {}

/** An image that was made to fit, of one account. */
export interface ProfileImage {
  readonly id: ProfileImageId
  readonly workspace: WorkspaceId
  readonly account: AccountId
  readonly image: Image
  readonly createdAt: Instant
}

/** Of an account that nobody wished anything for. */
export const initial = (account: { readonly id: AccountId; readonly workspace: WorkspaceId }): ProfileState => ({
  account: account.id,
  workspace: account.workspace,
  desired: {},
  applied: {},
  revision: 0,
  changedAt: null,
  dueAt: null,
  attempts: 0,
  error: null
})

/** The fields that the platform does not have yet as they should be. */
export const pending = ({ applied, desired }: Pick<ProfileState, "desired" | "applied">): ReadonlyArray<ProfileField> =>
  ProfileField.literals.filter((field) => desired[field] !== undefined && desired[field] !== applied[field])

/** The images that it still needs. */
export const images = ({ applied, desired }: ProfileState): ReadonlyArray<ProfileImageId> =>
  [desired.image, desired.banner, applied.image, applied.banner].filter((id) => id !== undefined)

const done = { changedAt: null, dueAt: null, attempts: 0, error: null } as const

const merged = (desired: Profile, change: ProfileChange): Profile => {
  const after: { -readonly [F in ProfileField]?: Profile[F] | null } = { ...desired }
  for (const field of ProfileField.literals) {
    const value = change[field]
    if (value === null) delete after[field]
    else if (value !== undefined) after[field] = value as never
  }
  return after as Profile
}

/** With other wishes at `now`; the same object where they are the same. */
export const changed = (self: ProfileState, change: ProfileChange, now: Instant): ProfileState => {
  const desired = merged(self.desired, change)
  if (ProfileField.literals.every((field) => desired[field] === self.desired[field])) return self
  const next = { ...self, desired, revision: self.revision + 1 }
  if (pending(next).length === 0) return { ...next, ...done }
  const changedAt = self.changedAt ?? now
  return {
    ...next,
    changedAt,
    dueAt: Math.min(now + debounceMs, Math.max(now, changedAt + longestWaitMs)),
    attempts: 0,
    error: null
  }
}

/** What is pending is tried as soon as possible. The same object where nothing is. */
export const hurried = (self: ProfileState, now: Instant): ProfileState =>
  pending(self).length === 0 ? self : { ...self, dueAt: now, attempts: 0, error: null }

/** Full jitter over a minute that doubles, at most six hours. */
export const backoffMs = (account: AccountId, attempt: number): number =>
  Math.floor(minute + Seed.random(`${account}|profile|${attempt}`)() * Math.min(6 * hour, minute * 2 ** attempt))

/** After a try that began with `tried`, the state of that time. What was changed since waits by its own time. */
export const tried = (self: ProfileState, tried: ProfileState, result: ProfileResult, now: Instant): ProfileState => {
  const taken = Object.fromEntries(
    result.applied.flatMap((field) => (tried.desired[field] === undefined ? [] : [[field, tried.desired[field]]]))
  )
  const after = { ...self, applied: { ...self.applied, ...taken } }
  if (pending(after).length === 0) return { ...after, ...done }
  if (self.revision !== tried.revision) return after
  const { refusal } = result
  const failed = { ...after, changedAt: null, error: refusal?.detail ?? refusal?.type ?? "not all of it was taken" }
  const attempts = self.attempts + 1
  return refusal?.type === "transient" && attempts < maxAttempts
    ? { ...failed, attempts, dueAt: now + Math.max(refusal.retryAfterMs ?? 0, backoffMs(self.account, attempts)) }
    : { ...failed, attempts, dueAt: null }
}

/** What is asked of the platform: the pending fields; null where an image is gone. */
export const update = (
  self: ProfileState,
  imageOf: (id: ProfileImageId) => Image | undefined
): { readonly update: ProfileUpdate; readonly missing: ReadonlyArray<ProfileField> } => {
  const { about, banner, image, name } = Object.fromEntries(
    pending(self).map((field) => [field, self.desired[field]])
  ) as Profile
  const picture = image && imageOf(image)
  const cover = banner && imageOf(banner)
  return {
    update: {
      ...(name !== undefined && { name }),
      ...(about !== undefined && { about }),
      ...(picture !== undefined && { image: picture }),
      ...(cover !== undefined && { banner: cover })
    },
    missing: [
      ...(image !== undefined && picture === undefined ? ["image" as const] : []),
      ...(banner !== undefined && cover === undefined ? ["banner" as const] : [])
    ]
  }
}

/** What cannot be wished for on this channel. */
export class InvalidProfile extends Schema.TaggedError<InvalidProfile>()("InvalidProfile", {
  field: ProfileField,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

/** Why a change cannot be on a channel with these limits; null when it can. */
export const refusalOf = (change: ProfileChange, limits: ProfileLimits | undefined): InvalidProfile | null => {
  for (const field of ProfileField.literals) {
    const value = change[field]
    if (value === undefined || value === null) continue
    const limit = limits?.[field]
    if (limit === undefined) return new InvalidProfile({ field, problem: "cannot be changed on this channel" })
    if (!("maxLength" in limit)) continue
    if (field === "name" && value.trim() === "") return new InvalidProfile({ field, problem: "is empty" })
    if (value.length > limit.maxLength) {
      const problem = `has ${value.length} characters, at most ${limit.maxLength} are allowed`
      return new InvalidProfile({ field, problem })
    }
  }
  return null
}
