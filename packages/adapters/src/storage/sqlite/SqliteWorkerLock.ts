/**
 * At most one process works on a SQLite file. The lock is a transaction held open on a file next to it, so the operating
 * system lets go of it when the process dies, however it dies.
 */
import { Effect, Schema, type Scope } from "effect"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import type { DatabaseUnavailable } from "../Connection.ts"
import { explain, primaryCode } from "./open.ts"

/** Another process that is alive works on this file. */
export class WorkerLocked extends Schema.TaggedError<WorkerLocked>()("WorkerLocked", {
  path: Schema.String,
  /** The other process, unless it died or began in this very moment. */
  pid: Schema.UndefinedOr(Schema.Int)
}) {
  override get message(): string {
    return `process ${this.pid ?? "(unknown)"} already works on ${this.path}; stop it, or give this one another file`
  }
}

const pidOf = (file: string): number | undefined => {
  try {
    const pid = Number.parseInt(readFileSync(file, "utf8"), 10)
    return Number.isSafeInteger(pid) ? pid : undefined
  } catch {
    return undefined
  }
}

/** Holds the lock of the database at `path` until the scope closes. A `:memory:` database is locked by nobody else. */
export const acquire = (path: string): Effect.Effect<void, WorkerLocked | DatabaseUnavailable, Scope.Scope> => {
  if (path === ":memory:") return Effect.void
  const lock = `${path}-worker`
  const owner = `${lock}.pid`
  const take = Effect.try({
    try: () => {
      const raw = new DatabaseSync(lock, { timeout: 0 })
      try {
        raw.exec("begin exclusive")
        writeFileSync(owner, `${process.pid}\n`)
        return raw
      } catch (cause) {
        raw.close()
        throw cause
      }
    },
    catch: (cause) => (primaryCode(cause) === 5 ? new WorkerLocked({ path, pid: pidOf(owner) }) : explain(lock, cause))
  })
  const release = (raw: DatabaseSync) =>
    Effect.sync(() => {
      rmSync(owner, { force: true })
      raw.close()
    })
  return Effect.asVoid(Effect.acquireRelease(take, release))
}
