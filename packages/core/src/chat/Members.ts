/** The people who work in a workspace; every change of one is an event. */
import { Context, Effect, Layer, Option } from "effect"
import { type Actor, type EventType, stamped } from "../event/DomainEvent.ts"
import { EventStore } from "../event/EventStore.ts"
import type { MemberId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { type Member, MemberNotFound } from "../workspace/Member.ts"
import * as MemberInput from "../workspace/MemberInput.ts"
import { MemberStore } from "../workspace/MemberStore.ts"
import * as Paging from "../workspace/Page.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import * as Workspace from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"

export class Members extends Context.Service<
  Members,
  {
    /** Adds a member, or returns the one that has its externalRef. */
    add(
      workspace: WorkspaceId,
      member: MemberInput.NewMember,
      actor: Actor
    ): Effect.Effect<
      { readonly member: Member; readonly created: boolean },
      StorageError | Workspace.WorkspaceNotFound | MemberInput.InvalidMember
    >
    get(workspace: WorkspaceId, id: MemberId): Effect.Effect<Member, StorageError | MemberNotFound>
    /** In the order in which they were added. */
    list(
      workspace: WorkspaceId,
      page: PageRequest
    ): Effect.Effect<Page<Member>, StorageError | Paging.InvalidListRequest>
    change(
      workspace: WorkspaceId,
      id: MemberId,
      change: MemberInput.MemberChange,
      actor: Actor
    ): Effect.Effect<Member, StorageError | MemberNotFound | MemberInput.InvalidMember>
  }
>()("@overture/core/Members") {
  static readonly layer = Layer.effect(
    Members,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* MemberStore
  const workspaces = yield* WorkspaceStore
  const feed = yield* EventStore
  const { within } = yield* Transaction
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator

  const tell = Effect.fnUntraced(function* (type: EventType, { id, role, status, workspace }: Member, actor: Actor) {
    yield* feed.append([
      stamped(yield* makeIds, yield* time.now, {
        workspace,
        type,
        subject: id,
        actor,
        data: { role, status }
      })
    ])
  })

  return Members.of({
    add: Effect.fn("Members.add")(function* (workspace, given, actor) {
      const { email, externalRef, name, role } = yield* Effect.fromResult(MemberInput.checkNew(given))
      yield* Workspace.needed(workspace)(yield* workspaces.get(workspace))
      const member: Member = {
        id: (yield* makeIds).next("mbr"),
        workspace,
        name,
        email: email ?? null,
        role: role ?? "agent",
        status: "active",
        externalRef: externalRef ?? null,
        createdAt: yield* time.now
      }
      return yield* within(
        Effect.tap(store.create(member), (made) =>
          made.created ? tell("member.added", made.member, actor) : Effect.void
        )
      )
    }),
    get: Effect.fn("Members.get")(function* (workspace, id) {
      const found = yield* store.get(workspace, id)
      return Option.isSome(found) ? found.value : yield* new MemberNotFound({ member: id })
    }),
    list: Effect.fn("Members.list")(function* (workspace, request) {
      const { page } = yield* Effect.fromResult(Paging.checkById({ page: request }))
      return yield* Paging.ofList("members", page, (own) => store.list(workspace, own))
    }),
    change: Effect.fn("Members.change")(function* (workspace, id, given, actor) {
      const { email, name, role, status } = yield* Effect.fromResult(MemberInput.checkChange(given))
      return yield* within(
        Effect.gen(function* () {
          const changed = yield* store.modify(workspace, id, (before) => ({
            ...before,
            name: name ?? before.name,
            email: email === undefined ? before.email : email,
            role: role ?? before.role,
            status: status ?? before.status
          }))
          if (Option.isNone(changed)) return yield* new MemberNotFound({ member: id })
          yield* tell("member.changed", changed.value, actor)
          return changed.value
        })
      )
    })
  })
})
