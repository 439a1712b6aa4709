/** `child <database> <folder> <job>` runs jobs until that one is over, and says with a line how far it came. */
import { isOver } from "@overture/core/job/Job"
import { Jobs } from "@overture/core/job/Jobs"
import { Driver } from "@overture/core/outbox/Driver"
import type { JobId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import { writeSync } from "node:fs"
import { engine, workspace } from "./engine.ts"

const [database = "", folder = "", job = ""] = process.argv.slice(2)

const watch = Effect.gen(function* () {
  const jobs = yield* Jobs
  let said = ""
  while (true) {
    const now = yield* jobs.get(workspace, job as JobId)
    const line = `${now.status} ${now.progress.done}`
    if (line !== said) writeSync(1, `${line}\n`)
    said = line
    if (isOver(now)) return
    yield* Effect.sleep("5 millis")
  }
})

const program = Effect.flatMap(Driver, (driver) => Effect.raceFirst(watch, driver.run))

await Effect.runPromise(Effect.scoped(Effect.provide(program, engine(database, folder))))
process.exit(0)
