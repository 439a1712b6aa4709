/**
 * How accounts show themselves: what is wished for is kept at once and applied once it rests. What the platform refuses is
 * kept with the profile and in the account's error log.
 */
import { Clock, Context, Effect, Layer, Option, Result } from "effect"
import { ChannelNotFound, Channels } from "../channel/Channel.ts"
import { concealed } from "../channel/Concealment.ts"
import type { ImageLimits, ProfileResult } from "../channel/ProfileUpdate.ts"
import type { Unsupported } from "../channel/Unsupported.ts"
import type { Actor } from "../event/DomainEvent.ts"
import { apart, type Chore } from "../workspace/Chore.ts"
import { type AccountId, Ids, type WorkspaceId } from "../workspace/Id.ts"
import { type Instant, minute } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import type { Account, AccountNotFound } from "./Account.ts"
import * as Accounts from "./Account.ts"
import { AccountChanges } from "./AccountChanges.ts"
import * as AccountLog from "./AccountLog.ts"
import { AccountLogStore } from "./AccountLogStore.ts"
import { AccountStore } from "./AccountStore.ts"
import { ImageResizer, type InvalidImage } from "./ImageResizer.ts"
import * as Profile from "./Profile.ts"
import { ProfileStore } from "./ProfileStore.ts"
import { Senders } from "./Senders.ts"

/** How long a platform has to take a profile, and how long a process that says nothing keeps it (milliseconds). */
const applyTimeoutMs = 2 * minute
const leaseMs = 5 * minute
/** Profiles that a process applies at the same time. */
const atOnce = 4

type Refused = AccountNotFound | ChannelNotFound | StorageError

export class Profiles extends Context.Service<
  Profiles,
  {
    /** What is wished for, what the platform has, and when the difference is applied. */
    get(workspace: WorkspaceId, id: AccountId): Effect.Effect<Profile.ProfileState, AccountNotFound | StorageError>
    /** Wishes for other texts; five minutes of rest begin again. */
    change(
      workspace: WorkspaceId,
      id: AccountId,
      change: Pick<Profile.ProfileChange, "name" | "about">
    ): Effect.Effect<Profile.ProfileState, Refused | Profile.InvalidProfile>
    /** Wishes for an image, made to fit at once; null wishes for none. */
    setImage(
      workspace: WorkspaceId,
      id: AccountId,
      field: "image" | "banner",
      bytes: Uint8Array | null
    ): Effect.Effect<Profile.ProfileState, Refused | Profile.InvalidProfile | InvalidImage | Unsupported>
    /** Wishes for nothing any more; what was applied stays at the platform. */
    clear(workspace: WorkspaceId, id: AccountId): Effect.Effect<Profile.ProfileState, AccountNotFound | StorageError>
    /** Applies what is pending without waiting, also after it was refused. */
    applyNow(workspace: WorkspaceId, id: AccountId): Effect.Effect<Profile.ProfileState, AccountNotFound | StorageError>
    /** Applies what is due. */
    readonly chore: Chore
  }
>()("@overture/core/Profiles") {
  static readonly layer = Layer.effect(
    Profiles,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const accounts = yield* AccountStore
  const store = yield* ProfileStore
  const logs = yield* AccountLogStore
  const changes = yield* AccountChanges
  const channels = yield* Channels
  const senders = yield* Senders
  const resizer = yield* ImageResizer
  const transaction = yield* Transaction
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator

  const find = (workspace: WorkspaceId, id: AccountId) =>
    Effect.flatMap(accounts.get(workspace, id), (account) => Accounts.found(id, account))
  const limitsOf = Effect.fnUntraced(function* (account: Account) {
    const channel = channels.all.get(account.channel)
    return channel === undefined
      ? yield* new ChannelNotFound({ channel: account.channel })
      : channel.capabilities.profile
  })
  const modify = (account: Account, rule: (state: Profile.ProfileState, now: Instant) => Profile.ProfileState) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      store.modify(Profile.initial(account), (state) => rule(state, now))
    )

  /** What became of asking the platform. */
  const ask = Effect.fnUntraced(function* (account: Account, state: Profile.ProfileState) {
    const channel = channels.all.get(account.channel)
    if (channel === undefined) return null
    const needed = yield* Effect.forEach(Profile.images(state), (id) => store.image(account.id, id))
    const held = new Map(needed.flatMap(Option.toArray).map(({ id, image }) => [id, image]))
    const { missing, update } = Profile.update(state, (id) => held.get(id))
    if (missing.length > 0) {
      return rejected(`the ${missing.join(" and the ")} to be applied is no longer here`)
    }
    const sender = yield* senders.of(account)
    return yield* channel.applyProfile(sender, update).pipe(
      Effect.map(({ applied, refusal }) => ({ applied, refusal: refusal && concealed(sender, refusal) })),
      Effect.timeoutOrElse({
        duration: applyTimeoutMs,
        orElse: () => Effect.succeed(unavailable("the platform did not answer in time"))
      }),
      // What a defect says may hold a secret.
      Effect.catchCause(() => Effect.succeed(unavailable("the channel failed")))
    )
  })

  /** Applies one claimed profile and writes down what became of it. */
  const apply = Effect.fnUntraced(function* (state: Profile.ProfileState) {
    const found = Option.getOrNull(yield* accounts.get(state.workspace, state.account))
    if (found === null) return
    const asked = yield* Effect.result(ask(found, state))
    if (Result.isFailure(asked) && asked.failure._tag === "StorageError") return yield* asked.failure
    const result = Result.isFailure(asked) ? unavailable(asked.failure.message) : asked.success
    // Another process may have the channel: it is due again when the lease is over.
    if (result === null) return
    const { refusal } = result
    const trouble = Result.isFailure(asked)
      ? AccountLog.unopened(asked.failure.message)
      : refusal === null
        ? null
        : troubleOf(refusal)
    yield* transaction.within(
      Effect.gen(function* () {
        yield* modify(found, (now, at) => Profile.tried(now, state, result, at))
        if (refusal === null || trouble === null) return
        if (refusal.type === "rejected" || refusal.type === "transient") {
          const entry = AccountLog.entry(yield* makeIds, found, yield* time.now, trouble)
          return yield* logs.append([entry])
        }
        const { type } = refusal
        yield* changes.apply({
          workspace: found.workspace,
          account: found.id,
          actor: { type: "channel", id: found.channel } satisfies Actor,
          rule: (before, at) => Accounts.afterOutcome(before, { type }, false, at),
          beside: (after, ids, at) => logs.append([AccountLog.entry(ids, after, at, trouble)])
        })
      })
    )
  })

  return Profiles.of({
    get: Effect.fn("Profiles.get")(function* (workspace, id) {
      const account = yield* find(workspace, id)
      return Option.getOrElse(yield* store.get(workspace, id), () => Profile.initial(account))
    }),
    change: Effect.fn("Profiles.change")(function* (workspace, id, { about, name }) {
      const account = yield* find(workspace, id)
      const change = { name, about }
      const refusal = Profile.refusalOf(change, yield* limitsOf(account))
      if (refusal !== null) return yield* refusal
      return yield* modify(account, (state, now) => Profile.changed(state, change, now))
    }),
    setImage: Effect.fn("Profiles.setImage")(function* (workspace, id, field, bytes) {
      const account = yield* find(workspace, id)
      if (bytes === null) return yield* modify(account, (state, now) => Profile.changed(state, { [field]: null }, now))
      const limits: ImageLimits | undefined = (yield* limitsOf(account))?.[field]
      if (limits === undefined) {
        return yield* new Profile.InvalidProfile({ field, problem: "cannot be changed on this channel" })
      }
      const image = yield* resizer.resize(bytes, limits)
      const imageId = (yield* makeIds).next("img")
      const createdAt = yield* Clock.currentTimeMillis
      return yield* transaction.within(
        Effect.andThen(
          store.addImage({ id: imageId, workspace, account: id, image, createdAt }),
          modify(account, (state, now) => Profile.changed(state, { [field]: imageId }, now))
        )
      )
    }),
    clear: Effect.fn("Profiles.clear")(function* (workspace, id) {
      const none = { name: null, about: null, image: null, banner: null }
      return yield* modify(yield* find(workspace, id), (state, now) => Profile.changed(state, none, now))
    }),
    applyNow: Effect.fn("Profiles.applyNow")(function* (workspace, id) {
      return yield* modify(yield* find(workspace, id), Profile.hurried)
    }),
    chore: {
      name: "profiles",
      round: Effect.fnUntraced(function* (now: Instant) {
        const due = yield* store.claim(now, now + leaseMs, atOnce)
        // What broke for one is tried again once its lease is over.
        yield* Effect.forEach(
          due,
          (state) =>
            apart(
              Effect.catchTag(apply(state), "AccountNotFound", () => Effect.void),
              (cause) => Effect.logError(`the profile of ${state.account} could not be applied`, cause)
            ),
          { concurrency: atOnce, discard: true }
        )
        return due.length > 0 ? { worked: true, nextDue: null } : { worked: false, nextDue: yield* store.nextDue }
      })
    }
  })
})

const unavailable = (detail: string): ProfileResult => ({ applied: [], refusal: { type: "transient", detail } })
const rejected = (detail: string): ProfileResult => ({ applied: [], refusal: { type: "rejected", detail } })

const troubleOf = (refusal: NonNullable<ProfileResult["refusal"]>): AccountLog.Trouble | null =>
  refusal.type === "rejected"
    ? {
        level: "error",
        title: "Profile refused",
        description: refusal.detail ?? "The platform refused a change of the profile.",
        code: refusal.code ?? null
      }
    : AccountLog.troubleOf({
        type: refusal.type,
        ...(refusal.code !== undefined && { code: refusal.code }),
        ...(refusal.detail !== undefined && { detail: refusal.detail })
      })
