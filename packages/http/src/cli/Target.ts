/** The database that `--database` names: a SQLite file, PostgreSQL by its URL, or `:memory:`, which keeps nothing. */
import type { DatabaseUnavailable } from "@overture/adapters/storage/Connection"
import * as Migrator from "@overture/adapters/storage/Migrator"
import * as Postgres from "@overture/adapters/storage/postgres/Postgres"
import * as PostgresStorage from "@overture/adapters/storage/PostgresStorage"
import { hasTable } from "@overture/adapters/storage/sqlite/open"
import * as Sqlite from "@overture/adapters/storage/sqlite/Sqlite"
import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import * as SqliteWorkerLock from "@overture/adapters/storage/sqlite/SqliteWorkerLock"
import type { Database } from "@overture/adapters/storage/Database"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import type { StoragePorts } from "@overture/core/Overture"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { type Context, Effect, Layer, type Scope } from "effect"
import { accessSync, constants, existsSync } from "node:fs"
import { basename, extname } from "node:path"
import { misuse, refuse, type CliFailure } from "./Failure.ts"
import * as FileProblem from "./FileProblem.ts"

export type Target =
  | { readonly type: "memory" }
  | { readonly type: "sqlite"; readonly path: string }
  | { readonly type: "postgres"; readonly url: string }

/**
 * The scheme of a URL that is none of PostgreSQL's, or of one that is not written out; what follows it may be a password
 * and is not to be told. A single letter is a drive.
 */
export const foreignScheme = (text: string): string | null =>
  /^(?!postgres(?:ql)?:\/\/)(postgres(?:ql)?(?=:)|[a-z][a-z0-9+.-]+(?=:\/))/i.exec(text)?.[1] ?? null

export const parse = (text: string): Target =>
  text === ":memory:"
    ? { type: "memory" }
    : /^postgres(ql)?:\/\//i.test(text)
      ? { type: "postgres", url: text }
      : { type: "sqlite", path: text }

/** What messages call it: never a password. */
export const nameOf = (self: Target): string => {
  switch (self.type) {
    case "memory":
      return ":memory:"
    case "sqlite":
      return self.path
    case "postgres":
      return URL.canParse(self.url) ? `${new URL(self.url).host}${new URL(self.url).pathname}` : "PostgreSQL"
  }
}

/** Whether it is a file that is not there yet. */
export const isMissing = (self: Target): boolean => self.type === "sqlite" && !existsSync(self.path)

/** As one word of a shell's command line. */
const quoted = (word: string): string => (/^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

/** The same database in a command that a person is told to type; a URL may hold a password and is left out. */
export const flagOf = (self: Target): string => {
  switch (self.type) {
    case "memory":
      return ""
    case "sqlite":
      return self.path === defaultPath ? "" : ` --database ${quoted(self.path)}`
    case "postgres":
      return " --database URL"
  }
}

export const defaultPath = "overture.sqlite"

/** Where the sandbox remembers what reached it, unless told otherwise: beside the file. */
export const defaultSandboxLog = (self: Target): string | undefined =>
  self.type === "sqlite"
    ? `${self.path.slice(0, self.path.length - extname(basename(self.path)).length)}.sandbox.ndjson`
    : undefined

/** Refuses memory, for commands whose work only makes sense later. */
export const ensureKept = (self: Target): Effect.Effect<void, CliFailure> =>
  self.type === "memory"
    ? Effect.fail(misuse("--database :memory: keeps nothing: name a SQLite file or a postgres:// URL"))
    : Effect.void

/** Refuses what names no database yet, for commands that only make sense on one. */
export const ensureThere = (self: Target): Effect.Effect<void, CliFailure> =>
  Effect.andThen(
    ensureKept(self),
    isMissing(self)
      ? Effect.fail(
          refuse(
            `${nameOf(self)}: there is no such database`,
            "Name another with --database, or make this one: overture run, import and migrate do."
          )
        )
      : Effect.void
  )

/** Refuses a database without our tables, for commands that are not to make them. */
export const ensureOurs = (self: Target): Effect.Effect<void, CliFailure | DatabaseUnavailable | StorageError> => {
  if (self.type === "memory") return Effect.void
  const isOurs =
    self.type === "sqlite"
      ? Effect.sync(() => hasTable(self.path, "overture_migration") ?? true)
      : Effect.map(Effect.scoped(Effect.provide(Migrator.status, database(self))), ({ found }) => found > 0)
  return Effect.flatMap(isOurs, (ours) =>
    ours
      ? Effect.void
      : Effect.fail(
          refuse(
            `${nameOf(self)}: it has no tables of Overture`,
            "Name another with --database, or make them there: overture run, import and migrate do."
          )
        )
  )
}

type Unusable = DatabaseUnavailable | Migrator.SchemaTooNew | StorageError

/** Opens it, with its tables up to date; the scope's end closes it. A rehearsal does not wait for the disk. */
export const open = (
  self: Target,
  { rehearsal = false } = {}
): Effect.Effect<Context.Context<StoragePorts>, Unusable, Scope.Scope> => {
  switch (self.type) {
    case "memory":
      return Layer.build(MemoryStorage.layer)
    case "sqlite":
      return Layer.build(SqliteStorage.layer({ path: self.path, durable: !rehearsal }))
    case "postgres":
      return Layer.build(PostgresStorage.layer({ url: self.url }))
  }
}

/** The database alone, its tables as they are. */
export const database = (
  self: Exclude<Target, { readonly type: "memory" }>
): Layer.Layer<Database, DatabaseUnavailable> =>
  self.type === "sqlite" ? Sqlite.layer({ path: self.path }) : Postgres.layer({ url: self.url })

/** SQLite opens a file that it cannot write to, and would say so with the first message alone. */
const ensureWritable = (path: string): Effect.Effect<void, CliFailure> =>
  Effect.try({
    try: () => accessSync(path, constants.W_OK),
    catch: (cause) => FileProblem.writing(path, cause)
  })

/** One process at a time works on a SQLite file; reading it meanwhile is fine. */
export const lock = (
  self: Target
): Effect.Effect<void, SqliteWorkerLock.WorkerLocked | DatabaseUnavailable | CliFailure, Scope.Scope> =>
  self.type !== "sqlite"
    ? Effect.void
    : Effect.andThen(
        existsSync(self.path) ? ensureWritable(self.path) : Effect.void,
        SqliteWorkerLock.acquire(self.path)
      )
