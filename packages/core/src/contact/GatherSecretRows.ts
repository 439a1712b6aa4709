/** What sources sealed in the queries of their jobs, for a new key to reach: a list may be gathered again from any of them. */
import { Context, Effect, Layer, Option, Schema, Struct } from "effect"
import type { Job } from "../job/Job.ts"
import { JobStore } from "../job/JobStore.ts"
import { canonical } from "../workspace/Json.ts"
import { walk } from "../workspace/Page.ts"
import type { SealedRows } from "../workspace/SealedRows.ts"
import { keyOf, prefixOf, Vault, VaultError } from "../workspace/Vault.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import { ContactSources } from "./ContactSource.ts"
import * as GatherJob from "./GatherJob.ts"
import { Gathering } from "./Gathering.ts"

export class GatherSecretRows extends Context.Service<GatherSecretRows, SealedRows>()(
  "@overture/core/GatherSecretRows"
) {
  static readonly layer = Layer.effect(
    GatherSecretRows,
    Effect.suspend(() => make)
  )
}

/** The first text in a value that another key than the present one sealed; null where there is none. */
const sealedOtherwise = (value: Schema.Json, present: string): string | null => {
  if (typeof value === "string") return keyOf(value) === null || value.startsWith(prefixOf(present)) ? null : value
  if (typeof value !== "object" || value === null) return null
  for (const item of Object.values(value)) {
    const found = sealedOtherwise(item, present)
    if (found !== null) return found
  }
  return null
}

const rest = [Schema.Record(Schema.String, Schema.Json)] as const
/** Of an input the part that matters here; all else of it stays as it is, whichever version wrote it. */
const Input = Schema.StructWithRest(
  Schema.Struct({
    gathering: Schema.StructWithRest(Schema.Struct(Struct.pick(Gathering.fields, ["query", "source"])), rest)
  }),
  rest
)
const decode = Schema.decodeUnknownOption(Input)
const inputOf = ({ input }: Job) => Option.getOrNull(decode(input))

const make = Effect.gen(function* () {
  const jobs = yield* JobStore
  const workspaces = yield* WorkspaceStore
  const sources = yield* ContactSources
  const vault = yield* Vault

  /** Seals the query of a job again; false where no key here opens it, or its source is not here. */
  const reseal = Effect.fnUntraced(function* (job: Job, present: string) {
    const before = inputOf(job)?.gathering
    const source = before === undefined ? undefined : sources.get(before.source)
    if (before === undefined || source === undefined) return false
    const query = yield* Effect.orElseSucceed(source.check(before.query), () => before.query)
    if (sealedOtherwise(query, present) !== null) return false
    yield* jobs.modify(job.workspace, job.id, (current) => {
      const input = inputOf(current)
      // One that was emptied meanwhile, as a person was erased, stays empty.
      const isAsItWas = input !== null && canonical(input.gathering.query) === canonical(before.query)
      return {
        job: isAsItWas ? { ...current, input: { ...input, gathering: { ...input.gathering, query } } } : current,
        events: []
      }
    })
    return true
  })

  return GatherSecretRows.of({
    name: "secrets of contact sources",
    reseal: Effect.fn("GatherSecretRows.reseal")(function* (limit) {
      const present = vault.currentKey
      if (present === null) return 0
      let changed = 0
      let lost: string | null = null
      for (const { id: workspace } of yield* workspaces.list) {
        yield* walk(
          (page) => jobs.list(workspace, { kind: GatherJob.kind }, page),
          Effect.fnUntraced(function* (found) {
            for (const job of found) {
              const sealed = sealedOtherwise(inputOf(job)?.gathering.query ?? job.input, present)
              if (sealed === null || changed >= limit) continue
              if (yield* reseal(job, present)) changed += 1
              else lost = sealed
            }
            return changed < limit
          })
        )
      }
      if (changed > 0 || lost === null) return changed
      return yield* new VaultError({ reason: "unknownKey", key: keyOf(lost), setting: "the vault of its source" })
    })
  })
})
