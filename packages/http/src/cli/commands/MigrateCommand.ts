/** `overture migrate`: bring the tables up to date, or say how they stand. */
import * as Migrator from "@overture/adapters/storage/Migrator"
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { refuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Target from "../Target.ts"

const flags = {
  status: Flag.Boolean("status").pipe(
    Flag.withDescription("Only say how they stand; exit code 1 when something is due"),
    Flag.withDefault(false)
  ),
  database: Flags.database,
  json: Flags.json
}

const steps = (all: ReadonlyArray<{ readonly version: number; readonly name: string }>) =>
  all.map(({ name, version }) => ({ version, name }))

export const command = Command.make("migrate", flags, ({ database, json, status }) =>
  Effect.gen(function* () {
    if (database.type === "memory") return yield* Target.ensureKept(database)
    const name = Target.nameOf(database)
    if (status) {
      yield* Target.ensureThere(database)
      const found = yield* Effect.scoped(Effect.provide(Migrator.status, Target.database(database)))
      if (json) Output.printJson({ found: found.found, known: found.known, pending: steps(found.pending) })
      else Output.print(`${name}: version ${found.found}; this program knows ${found.known}`)
      if (found.found > found.known)
        return yield* refuse(
          `${name} was made by a newer program`,
          "Run that one, or restore a backup made before the upgrade."
        )
      if (found.pending.length > 0)
        return yield* refuse(`${found.pending.length} steps are due`, "overture migrate runs them.")
      return
    }
    const ran = yield* Effect.scoped(Effect.provide(Migrator.migrate, Target.database(database)))
    if (json) return Output.printJson({ known: Migrator.known, ran: steps(ran) })
    Output.print(
      ran.length === 0
        ? `${name} is up to date (version ${Migrator.known})`
        : `${name}: ran ${ran.map((step) => `${step.version} ${step.name}`).join(", ")}; it is at version ${Migrator.known}`
    )
  })
).pipe(
  Command.withShortDescription("Bring the tables up to date"),
  Command.withDescription(
    "Brings the tables up to date, all steps in one transaction. Other commands do this by themselves; it is for deployments that migrate first. Workers of the version before may run meanwhile."
  )
)
