/**
 * Makes workspaces and changes what may be said of them; every change is an event. What a pause or a cap held back goes on
 * as soon as it is lifted: all accounts of the workspace are told in the transaction of the change.
 */
import { Context, Effect, Layer } from "effect"
import { type Actor, type DomainEvent, stamped } from "../event/DomainEvent.ts"
import { EventStore } from "../event/EventStore.ts"
import { Ids, type WorkspaceId } from "../workspace/Id.ts"
import { changedFields } from "../workspace/Json.ts"
import { everything } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { needed, type Workspace, type WorkspaceNotFound } from "../workspace/Workspace.ts"
import * as WorkspaceInput from "../workspace/WorkspaceInput.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import { AccountReactions, tellChanged } from "./AccountReaction.ts"
import { AccountStore } from "./AccountStore.ts"

export class Workspaces extends Context.Service<
  Workspaces,
  {
    create(
      workspace: WorkspaceInput.NewWorkspace,
      actor: Actor
    ): Effect.Effect<Workspace, StorageError | WorkspaceInput.InvalidWorkspace>
    get(id: WorkspaceId): Effect.Effect<Workspace, StorageError | WorkspaceNotFound>
    /** In order of their ids. */
    readonly list: Effect.Effect<ReadonlyArray<Workspace>, StorageError>
    /** Pauses it, or lets it go on; changes its zone, cap, texts and periods. A change that says nothing new tells nothing. */
    change(
      id: WorkspaceId,
      change: WorkspaceInput.WorkspaceChange,
      actor: Actor
    ): Effect.Effect<Workspace, StorageError | WorkspaceNotFound | WorkspaceInput.InvalidWorkspace>
  }
>()("@overture/core/Workspaces") {
  static readonly layer = Layer.effect(
    Workspaces,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* WorkspaceStore
  const accounts = yield* AccountStore
  const feed = yield* EventStore
  const reactions = yield* AccountReactions
  const time = yield* PacingTime
  const { within } = yield* Transaction
  const makeIds = (yield* Ids).generator

  const tell = Effect.fnUntraced(function* (
    type: "workspace.created" | "workspace.changed",
    { dailyCap, id, paused, timezone }: Workspace,
    actor: Actor,
    data: DomainEvent["data"] = {}
  ) {
    yield* feed.append([
      stamped(yield* makeIds, yield* time.now, {
        workspace: id,
        type,
        subject: id,
        actor,
        data: { ...data, paused, dailyCap, timezone }
      })
    ])
  })

  /** Before the workspace's row is locked, as paces are locked before it; what it returns is for after that. */
  const wake = Effect.fnUntraced(function* (id: WorkspaceId) {
    const now = yield* time.now
    const ids = (yield* everything((page) => accounts.list(id, page))).map((account) => account.id)
    yield* Effect.forEach(reactions, (reaction) => reaction.changing(ids, now), { discard: true })
    return tellChanged(reactions, ids, now)
  })

  return Workspaces.of({
    create: Effect.fn("Workspaces.create")(function* (input: WorkspaceInput.NewWorkspace, actor: Actor) {
      const { name, ...settings } = yield* Effect.fromResult(WorkspaceInput.checkNew(input))
      const plain: Workspace = {
        id: (yield* makeIds).next("wsp"),
        name,
        timezone: "UTC",
        paused: false,
        dailyCap: null,
        optOutScope: "contact",
        createdAt: yield* time.now,
        metadata: {}
      }
      const workspace = WorkspaceInput.applied(plain, settings)
      yield* within(Effect.andThen(store.create(workspace), tell("workspace.created", workspace, actor)))
      return workspace
    }),
    get: Effect.fn("Workspaces.get")((id: WorkspaceId) => Effect.flatMap(store.get(id), needed(id))),
    list: Effect.withSpan(store.list, "Workspaces.list"),
    change: Effect.fn("Workspaces.change")(function* (
      id: WorkspaceId,
      input: WorkspaceInput.WorkspaceChange,
      actor: Actor
    ) {
      const change = yield* Effect.fromResult(WorkspaceInput.checkChange(input))
      return yield* within(
        Effect.gen(function* () {
          yield* Effect.flatMap(store.get(id), needed(id))
          const wakeMore = WorkspaceInput.concernsSending(change) ? yield* wake(id) : Effect.void
          let fields: ReadonlyArray<string> = []
          const changed = yield* store.modify(id, (before) => {
            const after = WorkspaceInput.applied(before, change)
            fields = changedFields(before, after).toSorted()
            return fields.length === 0 ? before : after
          })
          const after = yield* needed(id)(changed)
          if (fields.length > 0) yield* tell("workspace.changed", after, actor, { fields })
          yield* wakeMore
          return after
        })
      )
    })
  })
})
