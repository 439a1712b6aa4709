/** Every kind of job that is about people. */
import { Context, Effect, Layer } from "effect"
import type { JobHandler } from "../job/JobHandler.ts"
import { ContactBulks } from "./ContactBulks.ts"
import { ExportJob } from "./ExportJob.ts"
import { GatherJob } from "./GatherJob.ts"
import { ImportJob } from "./ImportJob.ts"
import { ListEnd } from "./ListEnd.ts"
import { MergeJob } from "./MergeJob.ts"
import { RowImports } from "./RowImports.ts"

export class ContactHandlers extends Context.Service<ContactHandlers, ReadonlyArray<JobHandler>>()(
  "@overture/core/ContactHandlers"
) {
  /** With the bulk verbs, for those who run them at once. */
  static readonly layer = Layer.effect(
    ContactHandlers,
    Effect.suspend(() => make)
  ).pipe(
    Layer.provide(Layer.mergeAll(ImportJob.layer, GatherJob.layer, ExportJob.layer, MergeJob.layer)),
    Layer.provide(Layer.merge(ListEnd.layer, RowImports.layer)),
    Layer.provideMerge(ContactBulks.layer)
  )
}

const make = Effect.gen(function* () {
  const { erase, remove, tag } = yield* ContactBulks
  const jobs = yield* Effect.all([ImportJob, GatherJob, ExportJob, MergeJob])
  return ContactHandlers.of([...jobs, tag.handler, remove.handler, erase.handler])
})
