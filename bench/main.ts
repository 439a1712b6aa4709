/**
 * `npm run bench`: the engine against job queues that do the same work, and against itself on other storages and in more
 * processes. All durable, all on one machine, each contestant once per round. Prints a table; `--json FILE` keeps it.
 *
 * `npm run bench -- [--rows NAME,…] [--rounds N] [--leads N] [--json FILE] [--large [--large-leads N]]
 * [--profile DIR]`
 */
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import * as Arena from "./Arena.ts"
import * as inbox from "./inbox.ts"
import * as large from "./large.ts"
import * as planner from "./planner.ts"
import * as Report from "./Report.ts"
import type { Task } from "./Run.ts"
import * as Seed from "./Seed.ts"
import * as webhooks from "./webhooks.ts"

const engine = (
  name: string,
  what: string,
  options: { readonly on?: "postgres" | "sqlite"; readonly processes?: number; readonly concurrency?: number }
): Arena.Contestant => ({
  name,
  what,
  on: options.on ?? "postgres",
  processes: options.processes ?? 1,
  part: 1,
  task: { contestant: "engine", sendConcurrency: options.concurrency ?? 32, writes: "same" }
})

const peer = (
  name: string,
  what: string,
  contestant: "graphile" | "pgboss",
  writes: Task["writes"],
  part = 1
): Arena.Contestant => ({
  name,
  what,
  on: "postgres",
  processes: 1,
  part,
  task: { contestant, sendConcurrency: 0, writes }
})

const contestants: ReadonlyArray<Arena.Contestant> = [
  engine("engine", "PostgreSQL, one process, sendConcurrency 32 (the default)", {}),
  engine("engine-500", "PostgreSQL, one process, sendConcurrency 500", { concurrency: 500 }),
  engine("engine-1500", "PostgreSQL, one process, sendConcurrency 1500", { concurrency: 1500 }),
  peer(
    "graphile-ledger",
    "graphile-worker, one job per lead, claim, begin, send and settle of the engine for one lead at a time",
    "graphile",
    "ledger",
    0.1
  ),
  peer(
    "pgboss-ledger",
    "pg-boss, batches of 500, claim, begin, send and settle of the engine for a batch at a time",
    "pgboss",
    "ledger"
  ),
  peer(
    "graphile-same",
    "graphile-worker, one job per lead, the writes of the engine in three statements",
    "graphile",
    "same"
  ),
  peer("graphile-four", "graphile-worker, one job per lead, four writes in one statement", "graphile", "four"),
  peer("pgboss-same", "pg-boss, batches of 500, the writes of the engine in three statements", "pgboss", "same"),
  engine("engine-x2", "PostgreSQL, two processes, sendConcurrency 32", { processes: 2 }),
  engine("engine-500-x2", "PostgreSQL, two processes, sendConcurrency 500", { processes: 2, concurrency: 500 }),
  engine("sqlite", "SQLite, synchronous FULL, sendConcurrency 32", { on: "sqlite" }),
  engine("sqlite-500", "SQLite, synchronous FULL, sendConcurrency 500", { on: "sqlite", concurrency: 500 })
]

const both = (peer: string, atLeast: number): ReadonlyArray<Report.Goal> =>
  ["engine", "engine-500", "engine-1500"].map((row) => ({ row, peer, atLeast }))
const goals: ReadonlyArray<Report.Goal> = [
  ...both("graphile-ledger", 5),
  ...both("graphile-same", 5),
  ...both("graphile-four", 1.3),
  ...both("pgboss-ledger", 1.5),
  ...both("pgboss-same", 1.5),
  { row: "engine-x2", peer: "engine", atLeast: 0.95 },
  { row: "engine-500-x2", peer: "engine-500", atLeast: 0.95 },
  { row: "sqlite", peer: "engine", atLeast: 0.5 },
  { row: "sqlite-500", peer: "engine-500", atLeast: 0.5 }
]

const { values } = parseArgs({
  options: {
    rows: { type: "string" },
    rounds: { type: "string", default: "5" },
    leads: { type: "string", default: "40000" },
    json: { type: "string" },
    profile: { type: "string" },
    large: { type: "boolean", default: false },
    "large-leads": { type: "string", default: "10000000" }
  }
})

const count = (name: "rounds" | "leads" | "large-leads", most: number): number => {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new Error(`--${name} must be a whole number from 1 to ${most}, not ${values[name]}`)
}

const names = [...contestants.map(({ name }) => name), "inbox", "webhooks", "planner"]
const chosen = values.rows?.split(",") ?? names
for (const name of chosen) {
  if (name === "none" || names.includes(name)) continue
  throw new Error(`--rows knows ${names.join(", ")} and none, not ${name}`)
}
const rounds = count("rounds", 100)
const size = Seed.size(count("leads", 10_000_000))
const running = contestants.filter(({ name }) => chosen.includes(name))

const arena = await Arena.open(size, { profile: values.profile })
try {
  const found = running.map(({ name, what }) => ({ name, what, rounds: [] as Array<Arena.Measured> }))
  for (let round = 1; round <= rounds && running.length > 0; round++) {
    for (const [i, contestant] of running.entries()) {
      const measured = await arena.measure(contestant)
      found[i]!.rounds.push(measured)
      process.stderr.write(
        `round ${round}/${rounds}  ${contestant.name}  ${Math.round(measured.leadsPerSecond)} leads/s\n`
      )
    }
  }
  const summary = Report.summary(found, goals)
  const events = chosen.includes("inbox") ? await inbox.measure(arena, 1_000) : null
  const deliveries = chosen.includes("webhooks") ? await webhooks.measure(arena, 10_000, 4 * rounds) : null
  const plans = chosen.includes("planner") ? await planner.measure(rounds) : null
  const claims = values.large ? await large.measure(arena, count("large-leads", 100_000_000)) : null
  if (found.length > 0) process.stdout.write(`\n${Report.text(summary)}\n`)
  if (events !== null) process.stdout.write(`\n${inbox.text(events)}\n`)
  if (deliveries !== null) process.stdout.write(`\n${webhooks.text(deliveries)}\n`)
  if (plans !== null) process.stdout.write(`\n${planner.text(plans)}\n`)
  if (claims !== null) process.stdout.write(`\n${large.text(claims)}\n`)
  if (values.json !== undefined) {
    const result = { leads: size.leads, rounds, node: process.version, ...summary, events, deliveries, plans, claims }
    writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
  }
} finally {
  await arena.stop()
}
