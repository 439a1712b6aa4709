/**
 * Shows that the order in which platforms tell things does not matter: 100,000 events of campaigns that run, several for a
 * message, are told to one engine in their order and once, to another shuffled and three times, and both are compared row
 * by row. Exits with 1 where they differ.
 *
 * `npm run test:shuffle` takes some minutes; `-- --events N` tells fewer, `-- --on postgres` changes where the
 * shuffled ones go (default: memory,sqlite), `-- --seed TEXT` draws others.
 */
import * as PostgresStorage from "@overture/adapters/storage/PostgresStorage"
import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as Convergence from "@overture/core/testing/inbox/Convergence"
import * as Happenings from "@overture/core/testing/inbox/Happenings"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Effect, type Layer } from "effect"
import { parseArgs } from "node:util"
import { start } from "../packages/adapters/test/storage/TestPostgres.ts"

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "100000" },
    on: { type: "string", default: "memory,sqlite" },
    seed: { type: "string", default: "shuffle" }
  }
})

const wanted = Number(values.events)
if (!Number.isInteger(wanted) || wanted < 100 || wanted > 10_000_000) {
  throw new Error(`--events must be a whole number from 100 to 10000000, not ${values.events}`)
}
/** About so many events happen to a person. */
const perPerson = 19
const people = Math.ceil(wanted / perPerson)

type Storage = Layer.Layer<Overture.StoragePorts, unknown>
const names = values.on.split(",")
const server = names.includes("postgres") ? await start() : null
const storages: Readonly<Record<string, Storage>> = {
  memory: MemoryStorage.layer,
  sqlite: SqliteStorage.layer({ path: ":memory:" }),
  ...(server !== null && { postgres: PostgresStorage.layer({ url: server.url }) })
}

const told = (storage: Storage, isShuffled: boolean) => {
  const channel = Convergence.channel()
  const time = PacingTime.layerVirtual(Builders.start)
  return Effect.runPromise(
    Effect.gen(function* () {
      const world = yield* Convergence.world(channel, values.seed, people)
      const events = isShuffled ? Happenings.shuffled(values.seed, world.happenings) : world.happenings
      const began = performance.now()
      const handled = yield* Convergence.tell(world, events, isShuffled ? 83 : 100, isShuffled ? 7 : 11)
      const seconds = (performance.now() - began) / 1_000
      return { world, told: events.length, handled, seconds, rows: yield* Convergence.left(world) }
    }).pipe(Effect.provide(Overture.layer({ storage, channels: [channel], time })), Effect.orDie)
  )
}

const differing = (one: Convergence.Left, other: Convergence.Left): ReadonlyArray<string> =>
  (Object.keys(one) as ReadonlyArray<keyof Convergence.Left>).flatMap((name) => {
    const [ours, theirs] = [one[name], other[name]].map((rows) =>
      rows.map((row) =>
        typeof row === "string" ? row : JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))
      )
    )
    const [mine, yours] = [new Set(ours), new Set(theirs)]
    return [
      ...ours!.filter((row) => !yours.has(row)).map((row) => `${name}, only in order: ${row}`),
      ...theirs!.filter((row) => !mine.has(row)).map((row) => `${name}, only shuffled: ${row}`)
    ]
  })

let failed = false
const ordered = await told(MemoryStorage.layer, false)
const kinds = new Map<string, number>()
for (const { event } of ordered.world.happenings) kinds.set(event.type, (kinds.get(event.type) ?? 0) + 1)
console.log(`${ordered.told} events of ${people} people in order, ${ordered.seconds.toFixed(1)} s`)
for (const [type, count] of [...kinds].sort((a, b) => b[1] - a[1])) {
  console.log(`  ${type.padEnd(18)}${String(count).padStart(8)}  ${((count / ordered.told) * 100).toFixed(1)} %`)
}
for (const name of names) {
  const storage = storages[name]
  if (storage === undefined) throw new Error(`--on knows memory, sqlite and postgres, not ${name}`)
  const other = await told(storage, true)
  const found = differing(ordered.rows, other.rows)
  failed ||= found.length > 0 || other.handled !== ordered.handled
  const rows = Object.values(other.rows).reduce((sum, all) => sum + all.length, 0)
  console.log(
    `${name}: ${other.told} told, ${other.handled} handled in ${other.seconds.toFixed(1)} s; ${rows} rows compared, ${found.length} differ`
  )
  for (const one of found.slice(0, 20)) console.log(`  ${one.slice(0, 600)}`)
}
await server?.stop()
process.exitCode = failed ? 1 : 0
