/** `overture jobs`: bulk work that workers do beside sending, how far it came, and cancelling and retrying it. */
import { type Job, JobStatus } from "@overture/core/job/Job"
import { Jobs } from "@overture/core/job/Jobs"
import type { JobId } from "@overture/core/workspace/Id"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Engine from "../Engine.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"
import * as JobList from "../report/JobList.ts"
import * as Text from "../report/Text.ts"
import { workspaceZone } from "../run/Setup.ts"
import type { Target } from "../Target.ts"

const print = (jobs: ReadonlyArray<Job>): void =>
  Output.print(...JobList.render(jobs, workspaceZone, { paint: Output.hasColors() ? Text.colors : Text.plain }))

const mostShown = 50

const list = Command.make(
  "list",
  {
    status: Flag.Literals("status", JobStatus.literals).pipe(
      Flag.withDescription("Only those that stand so"),
      Flag.optional
    ),
    database: Flags.database,
    json: Flags.json
  },
  ({ database, json, status }) =>
    Reading.over(
      database,
      Effect.gen(function* () {
        const { data, nextCursor } = yield* (yield* Jobs).page(
          Engine.workspace,
          { status: Option.getOrUndefined(status) },
          { limit: mostShown }
        )
        if (json) return Output.printJson({ jobs: data.map(JobList.encode) })
        if (data.length === 0) return Output.say("There is no job.")
        print(data)
        if (nextCursor !== null) Output.say(`the latest ${mostShown}; there are more`)
      })
    )
).pipe(
  Command.withShortDescription("Show jobs, the newest first"),
  Command.withDescription("Shows jobs, the newest first: what each does, how far it came, and why one failed.")
)

const given = {
  job: Argument.String("job").pipe(Argument.withMetavar("JOB"), Argument.withDescription("The job's id (job_…)")),
  database: Flags.database,
  json: Flags.json
}

const one = (
  { database, job, json }: { readonly job: string; readonly database: Target; readonly json: boolean },
  act: (jobs: Jobs["Service"], id: JobId) => ReturnType<Jobs["Service"]["get"]>
) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      const found = yield* act(yield* Jobs, job as JobId)
      if (json) return Output.printJson({ job: JobList.encode(found) })
      print([found])
    })
  )

const show = Command.make("show", given, (of) => one(of, (jobs, id) => jobs.get(Engine.workspace, id))).pipe(
  Command.withShortDescription("Show one job; --json has its result")
)

const cancel = Command.make("cancel", given, (of) => one(of, (jobs, id) => jobs.cancel(Engine.workspace, id))).pipe(
  Command.withShortDescription("End a job"),
  Command.withDescription(
    "Ends a job: one that waits at once, one that runs at its next step. What it did stays done; retry goes on from there."
  )
)

const retry = Command.make("retry", given, (of) => one(of, (jobs, id) => jobs.retry(Engine.workspace, id))).pipe(
  Command.withShortDescription("Let a job that failed or was cancelled go on")
)

/** The command with its parts. */
export const command = Command.make("jobs").pipe(
  Command.withShortDescription("Show bulk work; cancel and retry it"),
  Command.withDescription(
    "Shows bulk work such as imports, exports and retention, which workers do beside sending, and cancels or retries it."
  ),
  Command.withSubcommands([list, show, cancel, retry])
)
