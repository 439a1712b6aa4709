/**
 * Shows that every message goes out once, or is said to be unknown, whatever happens to the processes: real workers on
 * real databases are killed, stopped, put to sleep, cut off and put into a wrong time, and afterwards the database is
 * compared with what the sandbox platforms received. Exits with 1 on any violation.
 *
 * `npm run test:chaos` takes about three quarters of an hour on two idle cores; `-- --short` a minute and a half;
 * `-- --only <text>` plays the scenarios whose name contains the text.
 */
import pg from "pg"
import { start, type TestPostgres } from "../packages/adapters/test/storage/TestPostgres.ts"
import { play, type Report, type Scenario, type Size } from "./chaos/Game.ts"
import * as Interruptions from "./chaos/interruptions.ts"
import * as Kills from "./chaos/kills.ts"
import { endAll } from "./chaos/Workers.ts"

const args = process.argv.slice(2)
const isShort = args.includes("--short")
const only = args.includes("--only") ? (args[args.indexOf("--only") + 1] ?? "") : ""

const short: Size = {
  rounds: 3,
  leads: 600,
  accounts: 4,
  rate: 3_600,
  latency: { minMs: 20, maxMs: 150 },
  span: 400,
  patience: 90_000
}
const long: Size = {
  rounds: 20,
  leads: 20_000,
  accounts: 20,
  rate: 1_200,
  latency: { minMs: 50, maxMs: 500 },
  span: 4_000,
  patience: 180_000
}
/** For many processes one after the other, and for scenarios that need days. */
const middle: Size = { ...long, leads: 2_000, accounts: 8, rate: 3_600, span: 700, patience: 90_000 }
const days: Size = { ...middle, rounds: 10 }
/** The command line begins at once and so gets further between two kills: enough that the tenth still finds work. */
const runs: Size = { ...days, leads: 8_000 }
/** What is cut off again and again, or slept through, is asked about ever more rarely. */
const cuts: Size = { ...days, patience: 900_000 }
/** One goes on while the other sleeps. */
const shifts: Size = { ...cuts, leads: 8_000 }
/** Enough that something is to be claimed for as long as workers die of it. */
const claims: Size = { ...long, leads: 8_000, accounts: 8 }

/** For many processes one after the other. */
const slow: Size = { ...short, rate: 1_800, patience: 120_000 }

/** With its size in a short run (null = only when asked for) and in a long one. */
type Entry = readonly [Scenario, Size | null, Size]

let made = 0
const database = async ({ url }: TestPostgres): Promise<string> => {
  const name = `chaos_${++made}`
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`create database ${name} template template0`)
  } finally {
    await client.end()
  }
  return url.replace(/\/postgres$/, `/${name}`)
}

const line = ({
  caught,
  database,
  faults,
  leads,
  name,
  received,
  repeats,
  seconds,
  sent,
  unknown,
  violations
}: Report) =>
  `${violations.length === 0 ? "held" : "BROKEN"}  ${database}, ${name}: ${faults} faults caught ${caught} sends; ${leads} leads, ` +
  `${sent} sent, ${received} received, ${unknown} unknown, ${repeats} repeats of a known key; ${seconds} s`

/** A scenario that could not be played to its end: the others are played nevertheless. */
const lost = ({ database, name }: Scenario, { leads }: Size, cause: unknown): Report => ({
  name,
  database,
  leads,
  faults: 0,
  sent: 0,
  received: 0,
  repeats: 0,
  unknown: 0,
  caught: 0,
  seconds: 0,
  violations: [`it could not be played: ${cause instanceof Error ? cause.message : String(cause)}`]
})

const main = async (): Promise<boolean> => {
  // Commits wait for the disk: a crash of the server must lose nothing.
  const server = await start({ fsync: true })
  const reports: Array<Report> = []
  try {
    const all: ReadonlyArray<Entry> = [
      [Kills.onSqlite, short, long],
      [Kills.onPostgres, short, long],
      [Kills.commandLineOnPostgres, null, runs],
      [Kills.afterClaimOnSqlite, slow, claims],
      [Kills.afterClaimOnPostgres, null, claims],
      [Interruptions.sigtermOnSqlite, null, middle],
      [Interruptions.sigtermOnPostgres, slow, middle],
      [Interruptions.restarting(server), null, days],
      [Interruptions.sleepOnSqlite, null, cuts],
      [Interruptions.sleepOnPostgres, null, shifts],
      [Interruptions.clockOnSqlite, null, days],
      [Interruptions.clockOnPostgres, null, days],
      [Kills.cutOnSqlite, null, cuts],
      [Kills.cutOnPostgres, null, cuts],
      [Kills.conversationOnSqlite, null, days],
      [Kills.conversationOnPostgres, null, days]
    ]
    const wanted = all.flatMap(
      ([scenario, inShort, inLong]): ReadonlyArray<readonly [Scenario, Size]> =>
        !`${scenario.database}, ${scenario.name}`.includes(only)
          ? []
          : !isShort
            ? [[scenario, inLong]]
            : inShort !== null || only !== ""
              ? [[scenario, inShort ?? slow]]
              : []
    )
    for (const [scenario, size] of wanted) {
      const report = await play(scenario, size, async (directory) =>
        scenario.database === "SQLite"
          ? { type: "sqlite", path: `${directory}/overture.db` }
          : { type: "postgres", url: await database(server) }
      ).catch((cause: unknown) => lost(scenario, size, cause))
      reports.push(report)
      console.log(line(report))
      for (const violation of report.violations) console.log(`        ${violation}`)
    }
  } finally {
    await endAll()
    await server.stop()
  }
  const seconds = reports.reduce((sum, report) => sum + report.seconds, 0)
  const broken = reports.filter(({ violations }) => violations.length > 0).length
  console.log(`${reports.length} scenarios in ${Math.round(seconds / 6) / 10} minutes, ${broken} broken`)
  console.table(
    reports.map(({ caught, database, faults, leads, name, received, repeats, seconds, sent, unknown, violations }) => ({
      database,
      scenario: name,
      leads,
      faults,
      caught,
      sent,
      received,
      unknown,
      repeats,
      seconds,
      violations: violations.length
    }))
  )
  return reports.length > 0 && reports.every(({ violations }) => violations.length === 0)
}

// Ended from outside, it takes its workers and its server with it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1))

process.exitCode = (await main()) ? 0 : 1
