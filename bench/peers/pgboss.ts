/** pg-boss with a handler that writes for its whole batch at once: it hands out arrays, so this is its best. */
import { PgBoss } from "pg-boss"
import { setTimeout as pause } from "node:timers/promises"
import type { Task } from "../Run.ts"
import * as Handler from "./Handler.ts"
import * as Writes from "./writes.ts"

const queue = "touch"
const perCall = 5_000
const batchSize = 500
const localConcurrency = 4

/** Puts a job for each lead into the queue. */
export const prepare = async (task: Task) => {
  if (task.storage.type !== "postgres") throw new Error("pg-boss needs PostgreSQL")
  const { url } = task.storage
  const pool = Writes.connect(url, 4)
  const leads = (await Writes.leads(pool)).slice(0, task.leads)
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false, max: 8 })
  boss.on("error", (error) => process.stderr.write(`pg-boss: ${error.message}\n`))
  await boss.start()
  await boss.createQueue(queue)
  for (let from = 0; from < leads.length; from += perCall) {
    await boss.insert(
      queue,
      leads.slice(from, from + perCall).map((_, i) => ({ data: { i: from + i } }))
    )
  }
  const handler = Handler.make(pool, task, { most: batchSize, atATime: localConcurrency })
  return async () => {
    let sent = 0
    await boss.work<{ readonly i: number }>(
      queue,
      { batchSize, localConcurrency, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
      async (jobs) => {
        try {
          await handler.work(jobs.map(({ data }) => leads[data.i]!))
        } catch (cause) {
          process.stderr.write(`pg-boss: a batch failed: ${String(cause)}\n`)
          throw cause
        }
        sent += jobs.length
      }
    )
    const deadline = Date.now() + 240_000
    const left = async () =>
      (
        await pool.query<{ readonly n: number }>(
          "select count(*)::int as n from pgboss.job where name = $1 and state <> 'completed'",
          [queue]
        )
      ).rows[0]!.n
    while (sent < leads.length || (await left()) > 0) {
      if (Date.now() > deadline) throw new Error(`pg-boss did ${sent} of ${leads.length} jobs in time`)
      await pause(5)
    }
    return {
      sent,
      written: null,
      close: async () => {
        await boss.stop({ graceful: false })
        await handler.close()
        await pool.end()
      }
    }
  }
}
