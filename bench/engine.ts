/**
 * The engine as a host runs it, over a channel that answers at once and a pacing clock that jumps to the next due instant
 * but does not wait for what is under way, as a real one would not.
 */
import { Database } from "@overture/adapters/storage/Database"
import { defineStatements } from "@overture/adapters/storage/Dialect"
import * as PostgresStorage from "@overture/adapters/storage/PostgresStorage"
import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import * as Channel from "@overture/core/channel/Channel"
import type { Outcome } from "@overture/core/channel/Outcome"
import { Driver } from "@overture/core/outbox/Driver"
import type { OutboxOptions } from "@overture/core/outbox/OutboxConfig"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Effect, Layer, ManagedRuntime } from "effect"
import type { Storage, Task } from "./Run.ts"
import * as Seed from "./Seed.ts"

/** A storage with its database. */
export const storage = (where: Storage) =>
  where.type === "postgres" ? PostgresStorage.layer({ url: where.url }) : SqliteStorage.layer({ path: where.path })

/** So long the end of the day waits for sends under way, in milliseconds; later only slots that passed unused are left. */
const patience = 500

const jumping = Layer.sync(PacingTime, () => {
  let at = Seed.from
  let waited = 0
  return PacingTime.of({
    now: Effect.sync(() => at),
    waitUntil: (next) =>
      Effect.suspend(() => {
        if (next >= Seed.until && waited < patience) {
          waited += 1
          return Effect.sleep(1)
        }
        at = Math.max(at, Math.min(next, at + 86_400_000))
        return Effect.void
      }),
    isVirtual: false
  })
})

const counters = defineStatements("BenchCounters", (sql) => ({
  written: sql.pick({ postgres: "select 0 as n", sqlite: "select total_changes() as n" })
}))

/** An engine over a channel that answers at once; `sent` tells how many messages that has got. */
export const make = (task: Task, time: Layer.Layer<PacingTime>, outbox: Partial<OutboxOptions>) => {
  let sent = 0
  const channel = Channel.make({
    name: Builders.channel,
    capabilities: { ...TestChannel.capabilities, polling: false },
    policy: TestChannel.policy,
    send: (_sender, { key }) =>
      Effect.sync((): Outcome => {
        sent += 1
        return { type: "accepted", externalId: key }
      })
  })
  const made = storage(task.storage)
  const engine = Overture.layer({
    storage: made,
    channels: [channel],
    time,
    outbox: { worker: task.worker, ...outbox }
  })
  return { runtime: ManagedRuntime.make(Layer.merge(engine, made)), sent: () => sent }
}

/** Connects; the returned function runs until `isOver`, which is asked whenever nothing is due. */
export const prepare = async (task: Task, isOver: (sent: number) => Promise<boolean>) => {
  const { runtime, sent } = make(task, jumping, { sendConcurrency: task.sendConcurrency })
  const changes = Effect.flatMap(Database, (database) =>
    Effect.map(database.execute<{ readonly n: number }>(database.statements(counters).written), ([row]) => row?.n ?? 0)
  )
  const before = await runtime.runPromise(changes)
  return async () => {
    await runtime.runPromise(Effect.flatMap(Driver, (driver) => driver.runUntil(Effect.promise(() => isOver(sent())))))
    const written = task.storage.type === "sqlite" ? (await runtime.runPromise(changes)) - before : null
    return { sent: sent(), written, close: () => runtime.dispose() }
  }
}
