/** Opens a SQLite file so that a commit is durable, and says in plain words why it cannot. */
import { Effect } from "effect"
import { existsSync, statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { DatabaseUnavailable } from "../Connection.ts"

/** SQLite's result code without its extension, or 0 when `cause` is none of its errors. */
export const primaryCode = (cause: unknown): number =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode & 0xff : 0

/** What is wrong with a file, and what to do about it. */
export const explain = (path: string, cause: unknown): DatabaseUnavailable => {
  const because = (problem: string, advice: string, retryable = false) =>
    new DatabaseUnavailable({ database: path, problem, advice, retryable })
  switch (primaryCode(cause)) {
    case 5:
    case 6:
      return because("another process is using it exclusively", "Stop the other process, or try again later", true)
    case 8:
      return because("it cannot be written to", "Give this user the right to write to the file and to its directory")
    case 13:
      return because("the disk is full", "Free some space and start again", true)
    case 14: {
      if (!existsSync(dirname(resolve(path))))
        return because("its directory does not exist", `Create ${dirname(resolve(path))}`)
      if (existsSync(path) && statSync(path).isDirectory()) return because("it is a directory", "Name a file inside it")
      return because("it cannot be opened", "Give this user the right to read and write the file and its directory")
    }
    case 11:
    case 26:
      return because(
        "it is not a SQLite database, or it is damaged",
        "Name another file, or restore this one from a backup"
      )
    default:
      return because(cause instanceof Error ? cause.message : String(cause), "Check the file and its disk")
  }
}

/** A connection with a write-ahead log, durable commits (unless `durable` is false), foreign keys and secure deletion. */
export const open = (path: string, durable = true): Effect.Effect<DatabaseSync, DatabaseUnavailable> =>
  Effect.try({
    try: () => {
      const raw = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 5000 })
      try {
        // 16 MB between checkpoints: a batch of imports copies its scattered pages once instead of four times.
        raw.exec("pragma journal_mode = wal; pragma wal_autocheckpoint = 4000")
        // What is removed is overwritten, so that nobody reads in the file of people who were erased. It costs no frame of
        // the log where rows change, and 1 % more where they go.
        raw.exec("pragma secure_delete = on")
        raw.exec(`pragma synchronous = ${durable ? "full" : "normal"}`)
        // Finds a file that can be read but not written now, not at the first send.
        raw.exec("begin immediate; rollback")
        // From here on waiting is done between turns of the event loop.
        raw.exec("pragma busy_timeout = 10")
        return raw
      } catch (cause) {
        raw.close()
        throw cause
      }
    },
    catch: (cause) => explain(path, cause)
  })

/** Whether a file has a table of that name; `null` where that cannot be seen without writing. Changes nothing. */
export const hasTable = (path: string, name: string): boolean | null => {
  let raw: DatabaseSync | null = null
  try {
    raw = new DatabaseSync(path, { readOnly: true })
    return raw.prepare("select 1 from sqlite_schema where type = 'table' and name = ?").get(name) !== undefined
  } catch {
    return null
  } finally {
    raw?.close()
  }
}
