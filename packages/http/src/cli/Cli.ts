/** The command line as one function of its arguments: runs a command and answers the exit code. */
import { NodeServices } from "@effect/platform-node"
import { Cause, Effect, Exit, Layer } from "effect"
import { CliConfig, CliOutput, Command, GlobalFlag } from "effect/cli"
import { readFileSync } from "node:fs"
import * as AccountsCommand from "./commands/AccountsCommand.ts"
import * as AcknowledgeCommand from "./commands/AcknowledgeCommand.ts"
import * as DeleteCommand from "./commands/DeleteCommand.ts"
import * as DoctorCommand from "./commands/DoctorCommand.ts"
import * as DuplicateCommand from "./commands/DuplicateCommand.ts"
import * as ExplainCommand from "./commands/ExplainCommand.ts"
import * as ExportCommand from "./commands/ExportCommand.ts"
import * as ForecastCommand from "./commands/ForecastCommand.ts"
import * as ImportCommand from "./commands/ImportCommand.ts"
import * as JobsCommand from "./commands/JobsCommand.ts"
import * as MigrateCommand from "./commands/MigrateCommand.ts"
import * as PauseCommand from "./commands/PauseCommand.ts"
import * as PreviewCommand from "./commands/PreviewCommand.ts"
import * as ReportCommand from "./commands/ReportCommand.ts"
import * as RetryCommand from "./commands/RetryCommand.ts"
import * as RunCommand from "./commands/RunCommand.ts"
import * as TestSendCommand from "./commands/TestSendCommand.ts"
import * as WebhooksCommand from "./commands/WebhooksCommand.ts"
import * as WorkerCommand from "./commands/WorkerCommand.ts"
import * as Plan from "./plan/Plan.ts"
import { exitCode, tell } from "./Failure.ts"
import * as Output from "./Output.ts"

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

const root = Command.make("overture").pipe(
  Command.withDescription(
    "Overture sends outreach campaigns: every contact is reached once, or it says that it does not know."
  ),
  Command.withExamples([
    {
      command: "overture run --contacts contacts.csv --campaign campaign.json --virtual",
      description: "Begin here: the whole job as a rehearsal, weeks in seconds, and nothing leaves the machine"
    },
    { command: "overture report", description: "How the campaign stands" },
    { command: "overture explain EXTERNAL_ID", description: "What happened to one person, and why" }
  ]),
  Command.withSubcommands([
    RunCommand.command,
    Plan.command,
    ForecastCommand.command,
    ImportCommand.command,
    ExportCommand.command,
    WorkerCommand.command,
    ReportCommand.command,
    ExplainCommand.command,
    PreviewCommand.command,
    TestSendCommand.command,
    RetryCommand.command,
    DuplicateCommand.command,
    DeleteCommand.command,
    AccountsCommand.command,
    PauseCommand.pause,
    PauseCommand.resume,
    WebhooksCommand.command,
    JobsCommand.command,
    AcknowledgeCommand.command,
    MigrateCommand.command,
    DoctorCommand.command
  ])
)

/** What a flag expects, in the words of a person rather than of a schema. */
const inPlainWords = (message: string): string =>
  message
    .replace("a string representing a finite number", "a number")
    .replace(/"true" \| "yes".*/, "true or false")
    .replace("Expected: Schema validation failed: ", "")
    .replace(/^\s+/gm, "")
    .trim()

/** Help where it was asked for; for a slip only what is wrong, and where help is. */
const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag !== "InvalidInvocation"
      ? CliOutput.defaultPresenter.present(event)
      : Effect.sync(() =>
          Output.say(
            ...event.errors.map((error) => `${event.commandPath.join(" ")}: ${inPlainWords(error.message)}`),
            `See ${event.commandPath.join(" ")} --help`
          )
        )
})

const environment = Layer.mergeAll(
  NodeServices.layer,
  presenter,
  Output.logger,
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
)

/** What an error without a place of its own is about. */
const databaseOf = (args: ReadonlyArray<string>): string => {
  const at = args.indexOf("--database")
  const given = at < 0 ? process.env["OVERTURE_DATABASE"] : args[at + 1]
  return given === undefined || given.startsWith("postgres") ? "the database" : given
}

/** Runs `overture` with these arguments. Never rejects. */
export const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const program = Command.runWith(root, { version })(args).pipe(Effect.provide(environment))
  const exit = await Effect.runPromiseExit(program)
  if (Exit.isSuccess(exit)) return exitCode.ok
  const { code, lines } = tell(exit.cause, databaseOf(args))
  const [first, ...rest] = lines
  if (first !== undefined) Output.say(`overture: ${first}`, ...rest)
  if (process.env["OVERTURE_DEBUG"] === "1") Output.say(Cause.pretty(exit.cause))
  return code
}
