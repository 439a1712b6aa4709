/**
 * Somebody else on a PostgreSQL, who takes rows in an order of their own: a deadlock with them always ends the other, as
 * their connection never looks for one.
 */
import { Effect, type Scope } from "effect"
import pg from "pg"

export interface Stranger {
  /** What they do in their transaction. Waits for whoever has the rows. */
  readonly say: (text: string, parameters?: ReadonlyArray<string>) => Effect.Effect<void>
  /** Until somebody waits for what they hold. */
  readonly awaited: Effect.Effect<void>
  /** Ends their transaction; the next text begins another. */
  readonly commit: Effect.Effect<void>
}

const waiting = "select count(*)::int as n from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))"

/** Until the scope ends. */
export const on = (url: string): Effect.Effect<Stranger, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const client = new pg.Client({ connectionString: url })
        await client.connect()
        await client.query("set deadlock_timeout = '1h'; set stats_fetch_consistency = 'none'; begin")
        return client
      }),
      (client) => Effect.promise(() => client.end())
    ),
    (client) => ({
      say: (text, parameters = []) => Effect.asVoid(Effect.promise(() => client.query(text, [...parameters]))),
      awaited: Effect.asVoid(
        Effect.repeat(
          Effect.promise(() => client.query<{ readonly n: number }>(waiting)),
          { until: ({ rows }) => rows[0]!.n > 0 }
        )
      ),
      commit: Effect.asVoid(Effect.promise(() => client.query("commit; begin")))
    })
  )
