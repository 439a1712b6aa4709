/**
 * PostgreSQL by pg, over a pool of our own or the host's. Statements with an id are prepared by name, once per connection.
 * Values are read the same way on any connection, ours or a host's, without touching the parsers of the host's pg.
 */
import { Effect, Layer } from "effect"
import type { Scope } from "effect"
import pg from "pg"
import { type Driver, DatabaseUnavailable } from "../Connection.ts"
import * as Database from "../Database.ts"
import { adopt, over, type PostgresConnection, pinned, readSettings, settings } from "./session.ts"
import { explain, isTransient, place } from "./unavailable.ts"

export type PostgresOptions = {
  /** What the names of our tables and indexes begin with. @default "overture_" */
  readonly prefix?: string
} & (
  | {
      readonly url: string
      /** Connections at most. @default 10 */
      readonly connections?: number
      /** Shown in pg_stat_activity. @default "overture" */
      readonly applicationName?: string
    }
  | {
      /** The host's own pool. It is left open, and its settings are left alone. */
      readonly pool: pg.Pool
    }
)

const oldest = 140_000

/** The driver over a pool. */
export const driver = (pool: pg.Pool, database: string): Driver => ({
  name: "postgres",
  database,
  pipelined: pool.options.pipeline === true,
  acquire: (granted, refused) => {
    let cancelled = false
    pool.connect((cause, client) => {
      if (client === undefined) return cancelled ? undefined : refused(explain(database, cause))
      // Listens at once: the packet that made the connection may also end it, and an error that nobody hears ends us.
      const connection = over(client, database)
      queueMicrotask(() => {
        if (!cancelled) return granted(connection)
        connection.forget()
        client.release(connection.isLost())
      })
    })
    return () => {
      cancelled = true
    }
  },
  release: (connection, discard) => {
    const { client, forget } = connection as PostgresConnection<pg.PoolClient>
    forget()
    client.release(discard || connection.isLost())
  },
  // Each statement must see what was committed before it, whatever the server's default is.
  begin: "begin isolation level read committed",
  beginHot: `begin isolation level read committed; ${settings}`,
  pin: {
    settings,
    read: async (connection) => {
      const { rows } = await connection.send(readSettings, [])
      return pinned(rows[0] as Record<string, string>)
    }
  },
  adopt: (host) => adopt(host, database),
  forget: (connection) => {
    if ("forget" in connection) (connection as PostgresConnection).forget()
  },
  isTransient
})

const ownPool = (options: Extract<PostgresOptions, { readonly url: string }>, database: string) =>
  Effect.gen(function* () {
    const context = yield* Effect.context()
    return yield* Effect.acquireRelease(
      Effect.sync(() => {
        const pool = new pg.Pool({
          connectionString: options.url,
          application_name: options.applicationName ?? "overture",
          max: options.connections ?? 10,
          connectionTimeoutMillis: 10_000,
          keepAlive: true,
          pipeline: true
        })
        // Without a listener a connection that is lost while idle would end the process; the pool has dropped it already.
        pool.on("error", (cause) =>
          Effect.runForkWith(context)(Effect.logWarning(`${database}: an idle connection was lost: ${cause.message}`))
        )
        return pool
      }),
      (pool) => Effect.promise(() => pool.end())
    )
  })

const check = (pool: pg.Pool, database: string): Effect.Effect<void, DatabaseUnavailable> =>
  Effect.tryPromise({
    try: () => pool.query<{ readonly version: number }>("select current_setting('server_version_num')::int as version"),
    catch: (cause) => explain(database, cause)
  }).pipe(
    Effect.flatMap(({ rows: [row] }) =>
      row !== undefined && row.version >= oldest
        ? Effect.void
        : Effect.fail(
            new DatabaseUnavailable({
              database,
              problem: `the server is PostgreSQL ${Math.floor((row?.version ?? 0) / 10_000)}`,
              advice: `Use PostgreSQL ${oldest / 10_000} or newer`,
              retryable: false
            })
          )
    )
  )

/** The service over a pool of its own or a host's, once the server answers. */
export const make = (
  options: PostgresOptions
): Effect.Effect<Database.Database["Service"], DatabaseUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const database = yield* place(options)
    const pool = "pool" in options ? options.pool : yield* ownPool(options, database)
    yield* check(pool, database)
    return Database.make(driver(pool, database), options.prefix ?? "overture_")
  })

export const layer = (options: PostgresOptions): Layer.Layer<Database.Database, DatabaseUnavailable> =>
  Layer.effect(Database.Database, make(options))
