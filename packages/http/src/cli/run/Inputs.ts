/**
 * The files a run is given, read and checked before anything is written: the campaign, the sandbox's script and the
 * contacts. What is wrong is told by file and field, or by file, line and column.
 */
import * as Script from "@overture/adapters/channels/sandbox/Script"
import * as ContactFile from "@overture/adapters/sources/ContactFile"
import type { Rejected } from "@overture/adapters/sources/ContactRow"
import * as JsonSyntax from "@overture/adapters/sources/JsonSyntax"
import type * as Batches from "@overture/adapters/sources/Batches"
import * as CampaignFile from "@overture/core/campaign/CampaignFile"
import * as CampaignFileCheck from "@overture/core/campaign/CampaignFileCheck"
import type { Channel } from "@overture/core/channel/Channel"
import type { Instant } from "@overture/core/workspace/Instant"
import type { Problem } from "@overture/core/workspace/Problem"
import { Effect, Stream } from "effect"
import { readFile } from "node:fs/promises"
import { type CliFailure, refuse } from "../Failure.ts"
import * as FileProblem from "../FileProblem.ts"
import * as Text from "../report/Text.ts"

/** What a person calls an account of the file: its reference and, where the file adds it, its channel. */
export const idOf = (entry: CampaignFile.AccountEntry): string => (typeof entry === "string" ? entry : entry.id)

const utf8 = new TextDecoder("utf-8", { fatal: true })

const textOf = (path: string): Effect.Effect<string, CliFailure> =>
  Effect.tryPromise({
    try: async () => utf8.decode(await readFile(path)),
    catch: (cause) => FileProblem.reading(path, cause)
  })

/** Line and column of a place in a text, both from 1. */
const placeOf = (text: string, at: number): string => {
  const before = text.slice(0, at).split("\n")
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

/** The JSON in a file. */
const jsonOf = Effect.fnUntraced(function* (path: string): Effect.fn.Return<unknown, CliFailure> {
  const text = (yield* textOf(path)).replace(/^\ufeff/, "")
  const json = yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: () => {
      const fault = JsonSyntax.faultIn(text)
      const problem = text.trim() === "" ? "it is empty" : `expected ${fault?.expected ?? "another value"}`
      return refuse(`${path}, ${placeOf(text, fault?.at ?? 0)}: it is not JSON: ${problem}`)
    }
  })
  const doubt = JsonSyntax.doubtIn(text)
  if (doubt !== null) return yield* refuse(`${path}, ${placeOf(text, doubt.at)}: ${doubt.problem}`)
  return json
})

/** Problems of a file, a line each. */
export const problemLines = (path: string, problems: ReadonlyArray<Problem>) =>
  problems.map(({ field, message }) => (field === "" ? `${path}: ${message}` : `${path}: ${field}: ${message}`))

/** Channels that this program does not have: what the schema of the file leaves to the one who runs it. */
const channelProblems = (file: CampaignFile.CampaignFile, hasScript: boolean): ReadonlyArray<Problem> =>
  file.accounts.flatMap((entry, i) =>
    hasScript || typeof entry === "string" || entry.channel === "sandbox"
      ? []
      : [
          {
            field: `accounts[${i}].channel`,
            message: `this program has no channel ${entry.channel}, only sandbox; with --sandbox SCRIPT.json the sandbox plays it`
          }
        ]
  )

/** Refuses a campaign that is to begin at `at`, after its end. */
export const ensureOpenAt = (
  path: string,
  file: CampaignFile.CampaignFile,
  at: Instant
): Effect.Effect<void, CliFailure> => {
  const problems = CampaignFileCheck.endedBy(file, at)
  return problems.length === 0 ? Effect.void : Effect.fail(refuse(...problemLines(path, problems)))
}

/** Refuses messages that none of the channels of the file's accounts can carry. */
export const ensureCarried = (
  path: string,
  file: CampaignFile.CampaignFile,
  channels: ReadonlyArray<Channel>
): Effect.Effect<void, CliFailure> => {
  const problems = CampaignFileCheck.uncarried(file, channels)
  return problems.length === 0 ? Effect.void : Effect.fail(refuse(...problemLines(path, problems)))
}

/** The campaign, decoded and checked as far as the file alone allows. */
export const readCampaign = Effect.fn("Inputs.readCampaign")(function* (path: string, hasScript: boolean) {
  const file = yield* Effect.mapError(Effect.flatMap(jsonOf(path), CampaignFile.decode), (error) =>
    error._tag === "CliFailure" ? error : refuse(...problemLines(path, error.problems))
  )
  const problems = channelProblems(file, hasScript)
  if (problems.length > 0) return yield* refuse(...problemLines(path, problems))
  return { file, warnings: problemLines(path, CampaignFileCheck.warnings(file)) }
})

/** The script of the sandbox. */
export const readScript = (path: string): Effect.Effect<Script.Script, CliFailure> =>
  Effect.mapError(Effect.flatMap(jsonOf(path), Script.decode), (error) =>
    error._tag === "CliFailure" ? error : refuse(...problemLines(path, error.problems))
  )

/** How many refused rows are told one by one. */
export const rejectedShown = 20

export interface Contents {
  readonly rows: number
  readonly rejected: ReadonlyArray<Rejected>
  readonly rejectedCount: number
}

/** Reads the contacts to their end. `channelOf` says what is wrong with a row's channel, or nothing. */
export const readContacts = Effect.fn("Inputs.readContacts")(function* (
  path: string,
  options: Batches.Options,
  channelProblem: (channel: string | undefined) => string | null
) {
  const rejected: Array<Rejected> = []
  let rows = 0
  let rejectedCount = 0
  const reject = (row: Rejected) => {
    rejectedCount++
    if (rejected.length < rejectedShown) rejected.push(row)
  }
  yield* Stream.runForEach(ContactFile.read(path, options), (batch) =>
    Effect.sync(() => {
      for (const row of batch.rejected) reject(row)
      for (const row of batch.rows) {
        const reason = channelProblem(row.channel)
        if (reason === null) rows++
        else reject({ line: row.line, column: "channel", reason, value: row.channel ?? "" })
      }
    })
  )
  const contents: Contents = { rows, rejected: rejected.sort((a, b) => a.line - b.line), rejectedCount }
  if (rows === 0) {
    return yield* refuse(noRowLine(path, rejectedCount), ...rejectedLines(path, contents))
  }
  return contents
})

/** A file that brings nobody in. */
export const noRowLine = (path: string, leftOut: number): string =>
  `${path}: no row of it can be used; ${Text.count(leftOut, "row")} left out`

/** A refused row as text. A column without a title is called by its place already. */
export const rejectedLine = (path: string, { column, line, reason, value }: Rejected): string => {
  const where = /^column \d+$/.test(column) ? column : `column ${column}`
  return `${path}, line ${line}, ${where}: ${reason}${value === "" ? "" : ` (${JSON.stringify(value)})`}`
}

/** The refused rows as text: the first ones, and how many more. */
export const rejectedLines = (path: string, { rejected, rejectedCount }: Contents): ReadonlyArray<string> => [
  ...rejected.map((row) => rejectedLine(path, row)),
  ...(rejectedCount > rejected.length
    ? [`${path}: ${Text.count(rejectedCount - rejected.length, "more row")} left out`]
    : [])
]
