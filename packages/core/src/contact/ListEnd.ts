/** The end of a list's gathering: from then on campaigns may use it. */
import { Context, Effect, Layer } from "effect"
import { stamped, system } from "../event/DomainEvent.ts"
import type { Job } from "../job/Job.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { type ContactListId, Ids } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import { ContactStore } from "./ContactStore.ts"

export class ListEnd extends Context.Service<
  ListEnd,
  {
    /** The list that a job works on is ready; `data` is what `list.ready` tells of it. */
    ready(job: Job, data: Readonly<Record<string, number | string | boolean>>): Effect.Effect<void, StorageError>
    /** The same for a job that was given up: who is on its list stays there. */
    given(job: Job): Effect.Effect<void, StorageError>
  }
>()("@overture/core/ListEnd") {
  static readonly layer = Layer.effect(
    ListEnd,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* ContactStore
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const ready = Effect.fnUntraced(function* (
    { id, subject, workspace }: Job,
    data: Readonly<Record<string, number | string | boolean>>
  ) {
    if (subject === null) return
    yield* store.setListReady(workspace, subject as ContactListId, [
      stamped(yield* makeIds, yield* time.now, {
        workspace,
        type: "list.ready",
        subject,
        actor: system,
        cause: id,
        data: { complete: true, ...data }
      })
    ])
  })
  return ListEnd.of({ ready, given: (job) => ready(job, { complete: false }) })
})
