/** What a queue's handler does for the leads it is given, and how it ends. */
import type pg from "pg"
import type { Task } from "../Run.ts"
import * as Ledger from "./ledger.ts"
import * as Writes from "./writes.ts"

export interface Handler {
  work(batch: ReadonlyArray<Writes.Lead>): Promise<unknown>
  close(): Promise<void>
}

/** For at most `most` leads at a time, of which `atATime` run side by side. */
export const make = (
  pool: pg.Pool,
  task: Task,
  { atATime, most }: { readonly most: number; readonly atATime: number }
): Handler => {
  if (task.writes !== "ledger") return { work: Writes.writer(pool, task.writes), close: async () => {} }
  const ledger = Ledger.open(task, most, atATime)
  return { work: (batch) => ledger.work(batch.length), close: ledger.close }
}
