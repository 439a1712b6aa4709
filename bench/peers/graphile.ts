/** graphile-worker with one job per lead, at the settings that were its best: a local queue and completions in batches. */
import { Logger, makeWorkerUtils, run } from "graphile-worker"
import { setTimeout as pause } from "node:timers/promises"
import type { Task } from "../Run.ts"
import * as Handler from "./Handler.ts"
import * as Writes from "./writes.ts"

const logger = new Logger(() => (level, message) => {
  if (level === "error") process.stderr.write(`graphile-worker: ${message}\n`)
})
const perCall = 5_000
const concurrentJobs = 24

/** Puts a job for each lead into the queue. */
export const prepare = async (task: Task) => {
  if (task.storage.type !== "postgres") throw new Error("graphile-worker needs PostgreSQL")
  const { url } = task.storage
  const pool = Writes.connect(url, 24)
  const leads = (await Writes.leads(pool)).slice(0, task.leads)
  const utils = await makeWorkerUtils({ connectionString: url, logger })
  await utils.migrate()
  for (let from = 0; from < leads.length; from += perCall) {
    await utils.addJobs(
      leads.slice(from, from + perCall).map((_, i) => ({ identifier: "touch", payload: { i: from + i } }))
    )
  }
  await utils.release()
  const handler = Handler.make(pool, task, { most: 1, atATime: concurrentJobs })
  return async () => {
    let sent = 0
    const runner = await run({
      connectionString: url,
      logger,
      noHandleSignals: true,
      taskList: {
        touch: async (payload) => {
          await handler.work([leads[(payload as { readonly i: number }).i]!])
          sent += 1
        }
      },
      preset: {
        worker: {
          concurrentJobs,
          maxPoolSize: 8,
          localQueue: { size: 2_000, refetchDelay: { durationMs: 10 } },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0
        }
      }
    })
    const deadline = Date.now() + 240_000
    const left = async () =>
      (await pool.query<{ readonly n: number }>("select count(*)::int as n from graphile_worker._private_jobs"))
        .rows[0]!.n
    while (sent < leads.length || (await left()) > 0) {
      if (Date.now() > deadline) throw new Error(`graphile-worker did ${sent} of ${leads.length} jobs in time`)
      await pause(5)
    }
    return {
      sent,
      written: null,
      close: async () => {
        await runner.stop()
        await handler.close()
        await pool.end()
      }
    }
  }
}
