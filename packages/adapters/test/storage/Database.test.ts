import { StorageError } from "@overture/core/workspace/StorageError"
import { Transaction } from "@overture/core/workspace/Transaction"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Schedule } from "effect"
import { Kysely, PostgresDialect, SqliteDialect, sql as kyselySql, type Transaction as KyselyTransaction } from "kysely"
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { type AddressInfo, connect, createServer } from "node:net"
import { DatabaseSync } from "node:sqlite"
import pg from "pg"
import { afterAll, beforeAll } from "vitest"
import { type DatabaseUnavailable, type HostTransaction, OutcomeUnknown } from "../../src/storage/Connection.ts"
import * as Databases from "../../src/storage/Database.ts"
import { defineStatements } from "../../src/storage/Dialect.ts"
import * as Postgres from "../../src/storage/postgres/Postgres.ts"
import { explain } from "../../src/storage/sqlite/open.ts"
import * as Sqlite from "../../src/storage/sqlite/Sqlite.ts"
import * as SqliteWorkerLock from "../../src/storage/sqlite/SqliteWorkerLock.ts"
import * as Stranger from "./Stranger.ts"
import { binaries, freshDatabase, start, type TestPostgres } from "./TestPostgres.ts"

const { Database } = Databases

interface Tables {
  readonly lead: {
    readonly id: string
    readonly n: number
    readonly on: number | boolean
    readonly data: string | null
  }
  readonly note: { readonly id: string; readonly lead_id: string }
}

const definitions = Effect.flatMap(Database, ({ script, sql }) =>
  script(
    "define",
    `create table ${sql.t("lead")}(id ${sql.type("id")} primary key, n ${sql.type("bigint")} not null,
      "on" ${sql.type("boolean")} not null, data ${sql.type("json")}) ${sql.table({ fillfactor: 75 })};
    create table ${sql.t("note")}(id ${sql.type("id")} primary key, lead_id ${sql.type("id")} not null
      references ${sql.t("lead")}(id)) ${sql.table({ withoutRowid: true })};
    create index ${sql.t("lead_n")} on ${sql.t("lead")}(n)`
  )
)

const statements = defineStatements("LeadStore", (sql) => ({
  put: `insert into ${sql.t("lead")}(id, n, "on", data)
    select x.id, x.n, x.flag, x.data from ${sql.rows("x", 1, { id: "text", n: "bigint", flag: "boolean", data: "json" })}
    where true order by x.id on conflict (id) do update set n = excluded.n`,
  add: `update ${sql.t("lead")} as l set n = ${sql.greatest("l.n", "x.least", "$2")}
    from ${sql.rows("x", 1, { lead: "text", least: "bigint" })} where l.id = x.lead returning id, n`,
  due: `select l.id, l.n, l."on", l.data from ${sql.t("lead")} as l where l.n <= $1 order by l.n, l.id limit $2
    ${sql.skipLocked("l")}`,
  one: `select id, n from ${sql.t("lead")} where id = $1`,
  shapes: `select ${sql.p(1, "bigint")} as n, ${sql.p(2, "boolean")} as b, ${sql.p(3, "json")} as j,
    ${sql.p(4, "bigint")} / 2 as half, ${sql.jsonField(sql.p(3, "json"), "a", "int")} as a, ${sql.least("3", "1", "2")} as least,
    (select ${sql.jsonArray(sql.jsonObject({ id: "x.id", at: "x.at" }))} from
      (select id, at from ${sql.rows("y", 5, { id: "text", at: "ordinal" })} order by at desc) as x) as list,
    ${sql.now} as now`,
  places: `select ${sql.p(3, "text")} as c, ${sql.p(1, "text")} as a, ${sql.p(4, "text")} as d, ${sql.p(2, "text")} as b,
    ${sql.p(1, "text")} as again, ${sql.p(5, "text")} as e limit $6`,
  settings: sql.pick({
    postgres:
      "select current_setting('plan_cache_mode') || ' ' || current_setting('enable_seqscan') as s, $1::int as n",
    sqlite: "select 'force_generic_plan off' as s, ?1 as n"
  })
}))

const put = (...ids: ReadonlyArray<string>) =>
  Database.use((db) =>
    db.affected(db.statements(statements).put, [ids.map((id, n) => ({ id, n, flag: n % 2 === 0, data: { id } }))])
  )
const insert = (id: string) =>
  Database.use((db) =>
    db.run("insert", (k: Kysely<Tables>) => k.insertInto("lead").values({ id, n: 1, on: true, data: null }).execute())
  )
const ids = Database.use((db) =>
  Effect.map(
    db.run("ids", (k: Kysely<Tables>) => k.selectFrom("lead").select("lead.id").orderBy("id").execute()),
    (rows) => rows.map((row) => row.id)
  )
)
/** Lets everything else that is ready have its turn so many times, I/O included. */
const turns = (count: number) => Effect.repeat(Effect.yieldNow, { times: count })

const within = <A, E, R>(effect: Effect.Effect<A, E, R>) => Database.use((db) => db.transaction(effect))
const hot = <A, E, R>(effect: Effect.Effect<A, E, R>) => Database.use((db) => db.hotTransaction(effect))
const call = <Row>(
  name: "add" | "due" | "one" | "shapes" | "places" | "settings",
  ...parameters: ReadonlyArray<string | number | boolean | null | object>
) => Database.use((db) => db.execute<Row>(db.statements(statements)[name], parameters))
const plain = (rows: ReadonlyArray<unknown>): ReadonlyArray<Record<string, unknown>> =>
  rows.map((row) => ({ ...(row as object) }))

const home = mkdtempSync(path.join(tmpdir(), "overture-database-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))
let files = 0
const file = () => path.join(home, `${++files}.db`)

interface Backend {
  readonly layer: (prefix?: string) => Promise<Layer.Layer<Databases.Database, DatabaseUnavailable>>
  /** A host's own transaction on the database at hand, with `body` inside. */
  readonly host?: (body: (trx: HostTransaction) => Promise<void>, end: "commit" | "rollback") => Promise<void>
}

const backends: Record<"sqlite file" | "sqlite memory" | "postgres", Backend> = {
  "sqlite file": {
    layer: (prefix) => Promise.resolve(Sqlite.layer({ path: file(), ...(prefix === undefined ? {} : { prefix }) }))
  },
  "sqlite memory": {
    layer: (prefix) => Promise.resolve(Sqlite.layer({ path: ":memory:", ...(prefix === undefined ? {} : { prefix }) }))
  },
  postgres: {
    layer: async (prefix) =>
      Postgres.layer({ url: await freshDatabase(), connections: 5, ...(prefix === undefined ? {} : { prefix }) })
  }
}

const on = <A, E>(backend: Backend, body: Effect.Effect<A, E, Databases.Database>, prefix?: string) =>
  Effect.flatMap(
    Effect.promise(() => backend.layer(prefix)),
    (layer) => Effect.provide(Effect.andThen(definitions, body), layer)
  )

for (const [name, backend] of Object.entries(backends)) {
  describe(name, () => {
    it.live("commits all of a transaction, or nothing when it fails, dies or is interrupted", () =>
      on(
        backend,
        Effect.gen(function* () {
          yield* within(Effect.andThen(insert("a"), insert("b")))
          assert.strictEqual(
            yield* within(Effect.andThen(insert("c"), Effect.fail("boom" as const))).pipe(Effect.flip),
            "boom"
          )
          const died = yield* within(Effect.andThen(insert("d"), Effect.die("oops"))).pipe(Effect.exit)
          assert.ok(Exit.isFailure(died) && Cause.hasDies(died.cause))
          const begun = yield* Deferred.make<void>()
          const fiber = yield* Effect.forkChild(
            within(
              Effect.gen(function* () {
                yield* insert("e")
                yield* Deferred.succeed(begun, undefined)
                yield* Effect.never
              })
            )
          )
          yield* Deferred.await(begun)
          yield* Fiber.interrupt(fiber)
          assert.deepStrictEqual(yield* ids, ["a", "b"])
        })
      )
    )

    it.live("commits writes that nobody waits for, or fails by them, also where there is nothing else", () =>
      on(
        backend,
        Effect.gen(function* () {
          const write = (id: string, n: number) =>
            Database.use((db) => db.write(db.statements(statements).put, [[{ id, n, flag: true, data: null }]]))
          yield* within(Effect.andThen(write("a", 1), write("b", 2)))
          const undone = yield* Effect.flip(within(Effect.andThen(write("c", 3), Effect.fail("boom" as const))))
          const unable = Database.use((db) =>
            db.write(db.statements(statements).add, [[{ lead: "a", least: 9 }], new Date(0)])
          )
          const refused = yield* Effect.flip(within(Effect.all([call("one", "a"), write("d", 4), unable])))
          const alone = yield* Effect.flip(within(unable))
          assert.deepStrictEqual([undone, refused._tag, alone._tag], ["boom", "StorageError", "StorageError"])
          yield* turns(50)
          assert.deepStrictEqual(yield* ids, ["a", "b"])
        })
      )
    )

    it.live("joins an inner transaction, and cannot commit when one failed", () =>
      on(
        backend,
        Effect.gen(function* () {
          yield* within(Effect.andThen(insert("a"), within(insert("b"))))
          const undone = yield* within(
            Effect.gen(function* () {
              yield* insert("c")
              yield* Effect.ignore(within(Effect.andThen(insert("d"), Effect.fail("inner"))))
            })
          ).pipe(Effect.flip)
          assert.ok(undone instanceof StorageError && undone.message.includes("inner transaction failed"))
          assert.deepStrictEqual(yield* ids, ["a", "b"])
        })
      )
    )

    it.live("leaks no connection when waiters are interrupted, and runs fifty transactions at once", () =>
      on(
        backend,
        Effect.gen(function* () {
          const [entered, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
          const hold = Effect.andThen(Deferred.succeed(entered, undefined), Deferred.await(release))
          const holders = yield* Effect.forEach([1, 2, 3, 4, 5], (i) =>
            Effect.forkChild(within(Effect.andThen(name === "postgres" ? insert(`h${i}`) : Effect.void, hold)), {
              startImmediately: true
            })
          )
          yield* Deferred.await(entered)
          const waiters = yield* Effect.forEach(
            Array.from({ length: 30 }, (_, i) => i),
            (i) => Effect.forkChild(within(insert(`w${i}`)), { startImmediately: true })
          )
          yield* turns(20)
          yield* Effect.forEach(waiters.slice(0, 20), Fiber.interrupt)
          yield* Deferred.succeed(release, undefined)
          yield* Effect.forEach([...holders, ...waiters.slice(20)], (fiber) => Fiber.join<unknown, unknown>(fiber))
          yield* Effect.all(
            Array.from({ length: 50 }, (_, i) => within(insert(`p${i}`))),
            { concurrency: "unbounded" }
          )
          const all = yield* ids
          assert.strictEqual(all.filter((id) => id.startsWith("p")).length, 50)
          assert.strictEqual(all.filter((id) => id.startsWith("w")).length, 10)
        })
      )
    )

    it.live("interrupts at any moment without losing a connection or half a transaction", () =>
      on(
        backend,
        Effect.gen(function* () {
          for (let round = 0; round < 60; round++) {
            const fibers = yield* Effect.forEach([0, 1, 2, 3, 4, 5, 6, 7], (i) =>
              Effect.forkChild(within(Effect.andThen(insert(`${round}.${i}`), insert(`${round}.${i}'`))))
            )
            yield* turns(round)
            yield* Effect.forEach(fibers, Fiber.interrupt, { concurrency: "unbounded" })
          }
          yield* Effect.all(
            Array.from({ length: 10 }, (_, i) => within(insert(`z${i}`))),
            { concurrency: "unbounded" }
          )
          assert.strictEqual((yield* ids).length % 2, 0)
        })
      )
    )

    it.live("refuses a fiber that uses a transaction after its end", () =>
      on(
        backend,
        Effect.gen(function* () {
          const go = yield* Deferred.make<void>()
          const fiber = yield* within(
            Effect.andThen(insert("a"), Effect.forkDetach(Effect.andThen(Deferred.await(go), insert("late"))))
          )
          yield* Deferred.succeed(go, undefined)
          const error = yield* Effect.flip(Fiber.join(fiber))
          assert.include(error.message, "has ended")
          assert.deepStrictEqual(yield* ids, ["a"])
        })
      )
    )

    it.live(
      "gives one shape of rows, writes rows from one JSON parameter, and serves parallel fibers in one transaction",
      () =>
        on(
          backend,
          Effect.gen(function* () {
            assert.strictEqual(yield* put("b", "a", "c"), 3)
            assert.strictEqual(yield* put("a"), 1)
            assert.deepStrictEqual(
              plain(yield* call("due", 5, 2)).map(({ data, ...row }) => [row, JSON.parse(String(data))]),
              [
                [{ id: "a", n: 0, on: 0 }, { id: "a" }],
                [{ id: "b", n: 0, on: 1 }, { id: "b" }]
              ]
            )
            assert.deepStrictEqual(
              plain(
                yield* call(
                  "add",
                  [
                    { lead: "c", least: 7 },
                    { lead: "none", least: 1 }
                  ],
                  3
                )
              ),
              [{ id: "c", n: 7 }]
            )
            const [shapes] = yield* call<Record<string, unknown>>("shapes", 2 ** 45, true, { a: 4 }, 7, [
              { id: "x" },
              { id: "y" }
            ])
            const { j, list, now, ...rest } = shapes!
            assert.deepStrictEqual(rest, { n: 2 ** 45, b: 1, half: 3, a: 4, least: 1 })
            assert.deepStrictEqual(
              [JSON.parse(String(j)), JSON.parse(String(list))],
              [
                { a: 4 },
                [
                  { id: "y", at: 2 },
                  { id: "x", at: 1 }
                ]
              ]
            )
            assert.ok(Math.abs(Number(now) - Date.now()) < 60_000)
            assert.deepStrictEqual(plain(yield* call("places", "a", "b", "c", "d", "e", 1)), [
              { c: "c", a: "a", d: "d", b: "b", again: "a", e: "e" }
            ])
            const found = yield* hot(
              Effect.all(
                ["a", "b", "c", "d"].map((id) => call("one", id)),
                { concurrency: "unbounded" }
              )
            )
            assert.deepStrictEqual(
              found.map((rows) => rows.length),
              [1, 1, 1, 0]
            )
          })
        )
    )

    it.live("types errors, and says whether another try may help", () =>
      on(
        backend,
        Effect.gen(function* () {
          yield* insert("a")
          const twice = yield* Effect.flip(insert("a"))
          assert.ok(twice instanceof StorageError && twice.operation === "insert" && !twice.retryable)
          const lost = yield* Effect.flip(
            Database.use((db) =>
              db.run("note", (k: Kysely<Tables>) => k.insertInto("note").values({ id: "n", lead_id: "none" }).execute())
            )
          )
          assert.ok(!lost.retryable && /foreign key/i.test(lost.message))
          const date = yield* Effect.flip(call("one", new Date()))
          assert.include(date.message, "epoch milliseconds")
          const nested = yield* Effect.flip(
            Database.use((db) => db.run("own", (k) => k.transaction().execute(() => Promise.resolve(1))))
          )
          assert.include(nested.message, "Database.transaction")
          // A statement's failure that is caught: PostgreSQL has aborted the transaction, so its commit is refused.
          const caught = yield* within(Effect.andThen(insert("b"), Effect.ignore(insert("a")))).pipe(Effect.exit)
          assert.deepStrictEqual(
            [Exit.isFailure(caught), yield* ids],
            name === "postgres" ? [true, ["a"]] : [false, ["a", "b"]]
          )
        })
      )
    )

    it.live("begins the outermost transaction again after what passes, and nothing of the former try stays", () =>
      on(
        backend,
        Effect.gen(function* () {
          let begun = 0
          const passing = new StorageError({ operation: "x", retryable: true, cause: "in the way" })
          const tried = (until: number, failure: StorageError = passing) =>
            Effect.gen(function* () {
              begun += 1
              yield* insert(`try ${begun}`)
              if (begun < until) return yield* failure
            })
          yield* within(Effect.andThen(insert("outer"), within(tried(3))))
          assert.deepStrictEqual([begun, yield* ids], [3, ["outer", "try 3"]])
          begun = 10
          // Not for ever, and not what would fail again.
          assert.strictEqual(yield* Effect.flip(hot(tried(99))), passing)
          assert.strictEqual(begun, 15)
          const lasting = new StorageError({ operation: "x", retryable: false, cause: "wrong" })
          assert.strictEqual(yield* Effect.flip(within(tried(99, lasting))), lasting)
          assert.deepStrictEqual([begun, yield* ids], [16, ["outer", "try 3"]])
        })
      )
    )

    it.live("puts the prefix before tables and not before aliases", () =>
      on(
        backend,
        Effect.gen(function* () {
          yield* put("a", "b")
          const rows = yield* Database.use((db) =>
            db.run("prefix", (k: Kysely<Tables>) =>
              k
                .with("picked", (w) => w.selectFrom("lead as l").select(["l.id", "l.n as note"]).where("l.n", ">=", 0))
                .selectFrom("picked")
                .innerJoin("lead", "lead.id", "picked.id")
                .leftJoin("note", "note.lead_id", "lead.id")
                .select((eb) => [
                  "picked.id",
                  eb.fn.coalesce("note.id", "lead.id").as("lead"),
                  eb.selectFrom("lead as x").select(eb.fn.countAll().as("c")).as("all")
                ])
                .orderBy("picked.id")
                .execute()
            )
          )
          assert.deepStrictEqual(plain(rows), [
            { id: "a", lead: "a", all: 2 },
            { id: "b", lead: "b", all: 2 }
          ])
          const upserted = yield* Database.use((db) =>
            db.run("upsert", (k: Kysely<Tables>) =>
              k
                .insertInto("lead")
                .values({ id: "a", n: 9, on: true, data: null })
                .onConflict((c) => c.column("id").doUpdateSet((eb) => ({ n: eb.ref("excluded.n") })))
                .returning("lead.n")
                .execute()
            )
          )
          assert.deepStrictEqual(plain(upserted), [{ n: 9 }])
          const changed = yield* Database.use((db) =>
            db.run("up", (k: Kysely<Tables>) =>
              k.updateTable("lead").set({ n: 5 }).where("lead.id", "in", ["a", "b"]).executeTakeFirst()
            )
          )
          assert.strictEqual(changed.numUpdatedRows, 2n)
          const made = yield* Database.use((db) => db.run("tables", (k) => k.introspection.getTables()))
          assert.deepStrictEqual(made.map((table) => table.name).sort(), ["mine_lead", "mine_note"])
        }),
        "mine_"
      )
    )

    it.live("registers and explains every statement with its plan pinned", () =>
      on(
        backend,
        Effect.gen(function* () {
          const db = yield* Database
          assert.strictEqual(db.statements(statements), db.statements(statements))
          const all = yield* db.registered
          assert.deepStrictEqual(
            all.map((s) => s.name),
            ["put", "add", "due", "one", "shapes", "places", "settings"].map((key) => `LeadStore.${key}`)
          )
          assert.throws(
            () => db.statements(defineStatements("LeadStore", () => ({ put: "select 1" }))),
            "two statements"
          )
          for (const statement of all) assert.ok((yield* db.hotTransaction(db.explain(statement))).length > 0)
          assert.match(
            (yield* db.hotTransaction(db.explain(db.statements(statements).one))).join("\n"),
            /lead_pkey|USING INDEX/
          )
        })
      )
    )

    it.live("is the Transaction port of the core", () =>
      on(
        backend,
        Effect.gen(function* () {
          const transaction = yield* Transaction
          yield* Effect.ignore(transaction.within(Effect.andThen(insert("a"), Effect.fail("no"))))
          yield* transaction.within(insert("b"))
          assert.deepStrictEqual(yield* ids, ["b"])
        }).pipe(Effect.provide(Databases.layerTransaction))
      )
    )
  })
}

const sqliteLayer = (at: string) => Sqlite.layer({ path: at })

describe("sqlite", () => {
  it.live("writes durably to a write-ahead log and begins with the lock of writers", () => {
    const at = file()
    return Effect.gen(function* () {
      yield* definitions
      const pragma = (name: string) =>
        Database.use((db) =>
          db.run(name, (k) =>
            kyselySql
              .raw<object>(`pragma ${name}`)
              .execute(k)
              .then((r) => Object.values(r.rows[0] ?? {})[0])
          )
        )
      assert.deepStrictEqual(yield* Effect.forEach(["journal_mode", "synchronous", "foreign_keys"], pragma), [
        "wal",
        2,
        1
      ])
      // Another process's transaction: ours waits for its end without stopping the event loop.
      const other = new DatabaseSync(at)
      other.exec("begin immediate")
      const fiber = yield* Effect.forkChild(within(insert("a")))
      yield* turns(50)
      assert.isUndefined(fiber.pollUnsafe())
      other.exec("commit")
      yield* Fiber.join(fiber)
      const begun = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const holding = yield* Effect.forkChild(
        within(Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(go)))
      )
      yield* Deferred.await(begun)
      assert.throws(() => other.exec("begin immediate"), /locked/)
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(holding)
      other.close()
      assert.deepStrictEqual(yield* ids, ["a"])
    }).pipe(Effect.provide(sqliteLayer(at)))
  })

  it.live("says in plain words why a file cannot be opened", () =>
    Effect.gen(function* () {
      const refusal = (at: string) => Effect.flip(Effect.provide(Database, sqliteLayer(at)))
      const garbage = file()
      writeFileSync(garbage, "this is a letter to my aunt, and not a database at all\n".repeat(40))
      const directory = file()
      mkdirSync(directory)
      assert.include((yield* refusal(path.join(home, "none", "x.db"))).message, "Create ")
      assert.include((yield* refusal(garbage)).message, "not a SQLite database")
      assert.include((yield* refusal(directory)).message, "is a directory")
      const code = (errcode: number) => explain("x.db", Object.assign(new Error("x"), { errcode })).message
      assert.match([8, 13, 5].map(code).join(), /cannot be written.*disk is full.*another process/)
    })
  )

  it.live("fails typed when the disk is full, and goes on afterwards", () => {
    const at = file()
    return Effect.gen(function* () {
      yield* definitions
      const limit = (pages: number) =>
        Database.use((db) => db.run("limit", (k) => kyselySql.raw(`pragma max_page_count = ${pages}`).execute(k)))
      yield* limit(1)
      const fill = put(...Array.from({ length: 3000 }, (_, i) => `lead ${i} ${"x".repeat(60)}`))
      const full = yield* Effect.flip(within(Effect.andThen(insert("a"), fill)))
      assert.ok(full instanceof StorageError && /full/.test(full.message))
      // A failure that is caught does not let the rest of the transaction commit by itself.
      yield* Effect.exit(
        within(
          Effect.gen(function* () {
            yield* insert("b")
            yield* Effect.ignore(fill)
            yield* insert("c")
            yield* Effect.fail("undo")
          })
        )
      )
      assert.deepStrictEqual(yield* ids, [])
      yield* limit(100_000)
      yield* within(insert("d"))
      assert.deepStrictEqual(yield* ids, ["d"])
    }).pipe(Effect.provide(sqliteLayer(at)))
  })

  it.live("enters a host's transaction, by DatabaseSync and by Kysely", () => {
    const at = file()
    return Effect.gen(function* () {
      yield* definitions
      const db = yield* Database
      const raw = new DatabaseSync(at)
      const idle = yield* Effect.flip(db.withHostTransaction(raw)(insert("x")))
      assert.include(idle.message, "no transaction")
      raw.exec("begin immediate")
      yield* db.withHostTransaction(raw)(Effect.all([put("a"), insert("b"), within(insert("c")), hot(insert("d"))]))
      assert.deepStrictEqual(yield* ids, [])
      raw.exec("rollback")
      assert.deepStrictEqual(yield* ids, [])
      raw.exec("begin immediate")
      const undone = yield* Effect.flip(
        db.withHostTransaction(raw)(Effect.ignore(within(Effect.andThen(insert("a"), Effect.fail("no")))))
      )
      assert.include(undone.message, "inner transaction failed")
      raw.exec("rollback; begin immediate")
      yield* db.withHostTransaction(raw)(within(insert("a")))
      raw.exec("commit")
      assert.deepStrictEqual(yield* ids, ["a"])
      const kysely = new Kysely<never>({
        dialect: new SqliteDialect({
          database: {
            close: () => raw.close(),
            prepare: (text) => {
              const statement = raw.prepare(text)
              return {
                reader: statement.columns().length > 0,
                all: (values) => statement.all(...(values as Array<string>)),
                run: (values) => statement.run(...(values as Array<string>)),
                iterate: (values) => statement.iterate(...(values as Array<string>))
              }
            }
          }
        })
      })
      yield* Effect.promise(() =>
        kysely
          .transaction()
          .execute((trx) =>
            Effect.runPromise(
              db.withHostTransaction(trx)(Effect.provideService(Effect.andThen(put("k"), insert("l")), Database, db))
            )
          )
      )
      assert.deepStrictEqual(yield* ids, ["a", "k", "l"])
      yield* Effect.promise(() => kysely.destroy())
    }).pipe(Effect.provide(sqliteLayer(at)))
  })

  it.live("locks a file for one worker, names the other, and lets go when it is killed", () => {
    const at = file()
    const holder = `
      import { DatabaseSync } from "node:sqlite"; import { writeFileSync } from "node:fs"
      const lock = new DatabaseSync(${JSON.stringify(`${at}-worker`)}); lock.exec("begin exclusive")
      writeFileSync(${JSON.stringify(`${at}-worker.pid`)}, process.pid + "\\n"); console.log("held"); setInterval(() => lock, 1000)`
    return Effect.gen(function* () {
      const take = Effect.scoped(SqliteWorkerLock.acquire(at))
      yield* take
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* SqliteWorkerLock.acquire(at)
          const own = yield* Effect.flip(take)
          assert.ok(own._tag === "WorkerLocked" && own.pid === process.pid && own.message.includes(String(process.pid)))
        })
      )
      const child = spawn(process.execPath, ["--input-type=module", "-e", holder], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      yield* Effect.promise(
        () =>
          new Promise((resolve, reject) => {
            child.stdout.once("data", resolve)
            child.once("exit", () => reject(new Error("the holder ended by itself")))
          })
      )
      const other = yield* Effect.flip(take)
      assert.ok(other._tag === "WorkerLocked" && other.pid === child.pid)
      child.kill("SIGKILL")
      yield* Effect.promise(() => new Promise((resolve) => child.once("exit", resolve)))
      yield* take
      const nowhere = yield* Effect.flip(Effect.scoped(SqliteWorkerLock.acquire(path.join(home, "none", "x.db"))))
      assert.strictEqual(nowhere._tag, "DatabaseUnavailable")
    })
  })
})

const prepared = Database.use((db) =>
  db.run("prepared", (k) =>
    kyselySql<{ name: string; generic: number; custom: number }>`select name, generic_plans as generic,
    custom_plans as custom from pg_prepared_statements order by name`
      .execute(k)
      .then((r) => r.rows)
  )
)

describe("postgres", () => {
  const fresh = (options: Partial<Extract<Postgres.PostgresOptions, { readonly url: string }>> = {}) =>
    Layer.unwrap(Effect.map(Effect.promise(freshDatabase), (url) => Postgres.layer({ url, ...options })))

  it.live("prepares hot statements by name, and apart from the plans of unpinned ones", () =>
    Effect.gen(function* () {
      yield* definitions
      yield* call("one", "a")
      for (let i = 0; i < 7; i++) yield* hot(call("one", "a"))
      const names = yield* prepared
      assert.strictEqual(names.length, 2)
      assert.ok(names.every(({ name }) => name.startsWith("LeadStore.one_")))
      assert.deepStrictEqual(
        names
          .map(({ custom, generic, name }) => [name.endsWith("!"), generic, custom])
          .sort((a, b) => Number(a[1]) - Number(b[1])),
        [
          [false, 0, 1],
          [true, 7, 0]
        ]
      )
    }).pipe(Effect.provide(fresh({ connections: 1 })))
  )

  it.live("pins plans in a hot transaction only, inside another transaction from there to its end", () =>
    Effect.gen(function* () {
      const state = Effect.map(call<{ s: string }>("settings", 1), (rows) => rows[0]!.s)
      assert.strictEqual(yield* state, "auto on")
      assert.strictEqual(yield* hot(state), "force_generic_plan off")
      assert.strictEqual(yield* state, "auto on")
      assert.deepStrictEqual(yield* within(Effect.all([state, hot(state), hot(within(state)), state])), [
        "auto on",
        "force_generic_plan off",
        "force_generic_plan off",
        "force_generic_plan off"
      ])
      assert.strictEqual(yield* state, "auto on")
    }).pipe(Effect.provide(fresh({ connections: 1 })))
  )

  it.live("enters a host's transaction, by client and by Kysely, and leaves its settings as they were", () =>
    Effect.gen(function* () {
      const url = yield* Effect.promise(freshDatabase)
      const pool = yield* Effect.acquireRelease(
        Effect.sync(() => new pg.Pool({ connectionString: url, max: 3 })),
        (pool) => Effect.promise(() => pool.end())
      )
      const db = yield* Postgres.make({ pool })
      yield* Effect.gen(function* () {
        yield* definitions
        const state = Effect.map(call<{ s: string }>("settings", 1), (rows) => rows[0]!.s)
        const client = yield* Effect.promise(() => pool.connect())
        const say = (text: string) => Effect.promise(() => client.query<{ n: unknown; s: string }>(text))
        const idle = yield* Effect.flip(db.withHostTransaction(client)(insert("x")))
        assert.include(idle.message, "no transaction")
        yield* say("begin; set local enable_seqscan = off")
        const states = yield* db.withHostTransaction(client)(
          Effect.all([insert("a"), within(insert("b")), hot(Effect.andThen(put("c"), state)), state])
        )
        assert.deepStrictEqual(states.slice(2), ["force_generic_plan off", "auto off"])
        assert.deepStrictEqual(yield* ids, [])
        yield* say("rollback")
        assert.deepStrictEqual(yield* ids, [])
        yield* say("begin")
        yield* db.withHostTransaction(client)(Effect.all([insert("a"), hot(put("b"))]))
        const own = yield* say("select 1::bigint as n, current_setting('plan_cache_mode') as s")
        assert.deepStrictEqual(own.rows, [{ n: "1", s: "auto" }])
        yield* say("commit")
        assert.deepStrictEqual(yield* ids, ["a", "b"])
        client.release()

        const kysely = new Kysely<never>({ dialect: new PostgresDialect({ pool }) })
        const inside = <A, E>(trx: KyselyTransaction<never>, effect: Effect.Effect<A, E, Databases.Database>) =>
          Effect.runPromise(Effect.provideService(db.withHostTransaction(trx)(effect), Database, db))
        const seen = yield* Effect.promise(() =>
          kysely
            .transaction()
            .execute((trx) =>
              inside(
                trx,
                Effect.all([
                  put("k"),
                  hot(Effect.all([state, call<{ id: string; n: number }>("one", "k")])),
                  prepared,
                  state
                ])
              )
            )
        )
        assert.deepStrictEqual(seen[1], ["force_generic_plan off", [{ id: "k", n: 0 }]])
        assert.ok(seen[2].some(({ name }) => name.startsWith("LeadStore.one_")))
        assert.strictEqual(seen[3], "auto on")
        yield* Effect.promise(() =>
          kysely
            .transaction()
            .execute(async (trx) => {
              await inside(trx, insert("gone"))
              throw new Error("the host's own")
            })
            .catch(() => {})
        )
        assert.deepStrictEqual(yield* ids, ["a", "b", "k"])
      }).pipe(Effect.provideService(Database, db))
    }).pipe(Effect.scoped)
  )

  const touch = (id: string) =>
    Database.use((db) =>
      db.run("touch", (k: Kysely<Tables>) =>
        k
          .updateTable("lead")
          .set((eb) => ({ n: eb("n", "+", 1) }))
          .where("id", "=", id)
          .execute()
      )
    )
  const touchUnheard = (id: string) =>
    Database.use((db) => db.write(db.statements(statements).add, [[{ lead: id, least: 11 }], 0]))
  const counted = Effect.map(
    Effect.forEach(["a", "b"], (id) => call<{ readonly n: number }>("one", id)),
    (rows) => rows.map(([row]) => row?.n)
  )

  const ways: ReadonlyArray<
    readonly [string, typeof within, (id: string) => ReturnType<typeof touch | typeof touchUnheard>, number]
  > = [
    ["a transaction", within, touch, 11],
    ["a hot one", hot, touch, 11],
    ["one that waits for no answer", within, touchUnheard, 11],
    [
      "one that hears of it and goes on",
      within,
      (id) => Effect.andThen(Effect.ignore(touch(id)), Effect.ignore(touch(id))),
      12
    ]
  ]
  for (const [name, through, second, expected] of ways) {
    it.live(`begins ${name} again that ended a deadlock`, () =>
      Effect.gen(function* () {
        const url = yield* Effect.promise(freshDatabase)
        const stranger = yield* Stranger.on(url)
        yield* Effect.gen(function* () {
          yield* definitions
          yield* put("a", "b")
          yield* stranger.say("update overture_lead set n = 10 where id = 'b'")
          const has = yield* Deferred.make<void>()
          let begun = 0
          const ours = through(
            Effect.gen(function* () {
              begun += 1
              yield* touch("a")
              yield* Deferred.succeed(has, undefined)
              yield* second("b")
            })
          )
          const theirs = Deferred.await(has).pipe(
            Effect.andThen(stranger.say("update overture_lead set n = 10 where id = 'a'")),
            Effect.andThen(stranger.commit)
          )
          yield* Effect.all([ours, theirs], { concurrency: 2 })
          assert.isAtLeast(begun, 2)
          assert.deepStrictEqual(yield* counted, [11, expected])
        }).pipe(Effect.provide(Postgres.layer({ url })))
      }).pipe(Effect.scoped, Effect.timeout("20 seconds"))
    )
  }

  it.live("says of a host's transaction that ended a deadlock that all of it may be done again", () =>
    Effect.gen(function* () {
      const url = yield* Effect.promise(freshDatabase)
      const stranger = yield* Stranger.on(url)
      const pool = yield* Effect.acquireRelease(
        Effect.sync(() => new pg.Pool({ connectionString: url, max: 3 })),
        (pool) => Effect.promise(() => pool.end())
      )
      const db = yield* Postgres.make({ pool })
      yield* Effect.gen(function* () {
        yield* definitions
        yield* put("a", "b")
        for (const isHeard of [true, false]) {
          yield* stranger.say("update overture_lead set n = 10 where id = 'b'")
          const client = yield* Effect.promise(() => pool.connect())
          yield* Effect.promise(() => client.query("begin"))
          const has = yield* Deferred.make<void>()
          let begun = 0
          const ours = db.withHostTransaction(client)(
            within(
              Effect.gen(function* () {
                begun += 1
                yield* touch("a")
                yield* Deferred.succeed(has, undefined)
                const rest = Effect.andThen(touch("b"), touch("a"))
                yield* isHeard ? rest : Effect.ignore(rest)
              })
            )
          )
          const theirs = Deferred.await(has).pipe(
            Effect.andThen(stranger.say("update overture_lead set n = 10 where id = 'a'")),
            Effect.andThen(stranger.commit)
          )
          const rollback = Effect.promise(() => client.query("rollback").then(() => client.release()))
          const [failed] = yield* Effect.all([Effect.ensuring(Effect.flip(ours), rollback), theirs], { concurrency: 2 })
          assert.ok(failed instanceof StorageError && failed.retryable && begun === 1, String(failed))
          assert.match(failed.message, /touch: deadlock detected/)
        }
        assert.deepStrictEqual(yield* counted, [10, 10])
      }).pipe(Effect.provideService(Database, db))
    }).pipe(Effect.scoped, Effect.timeout("20 seconds"))
  )

  it.live("tells host and database, never the password", () =>
    Effect.gen(function* () {
      const { port } = new URL(yield* Effect.promise(freshDatabase))
      const refusal = (url: string) => Effect.flip(Effect.scoped(Postgres.make({ url })))
      const errors = yield* Effect.forEach(
        [
          `postgres://postgres:hunter2@127.0.0.1:1/db`,
          `postgres://postgres:hunter2@127.0.0.1:${port}/nonesuch`,
          `postgres://postgres:hun%ter2@127.0.0.1:${port}/db`,
          `postgres://postgres:hunter2#@127.0.0.1:${port}/db`,
          `hunter2`
        ],
        refusal
      )
      assert.match(errors[0]!.message, /^127\.0\.0\.1:1\/db: nothing answers there/)
      assert.match(errors[1]!.message, /nonesuch: the server has no such database/)
      for (const error of errors) {
        assert.strictEqual(error._tag, "DatabaseUnavailable")
        assert.notMatch(
          `${error.message} ${JSON.stringify(error)} ${String(error.stack)} ${Cause.pretty(Cause.fail(error))}`,
          /hun|ter2/
        )
      }
    })
  )
})

describe("a server of its own", () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await start({ fsync: true })
  }, 60_000)
  afterAll(() => server?.stop())

  it.live(
    "goes on after the server restarts or crashes, and says what it cannot know",
    () =>
      Effect.gen(function* () {
        yield* definitions
        yield* Effect.all(
          Array.from({ length: 5 }, (_, i) => within(insert(`a${i}`))),
          { concurrency: "unbounded" }
        )
        const first = server.pid()
        // One connection idle, one in the middle of a transaction.
        const inside = yield* Effect.exit(
          within(
            Effect.gen(function* () {
              yield* insert("b")
              yield* Effect.promise(server.restart)
              yield* insert("c")
            })
          )
        )
        assert.notStrictEqual(server.pid(), first)
        assert.ok(Exit.isFailure(inside))
        const lost = Cause.squash(inside.cause)
        assert.ok(lost instanceof StorageError && lost.retryable, String(lost))
        assert.strictEqual((yield* ids).length, 5)
        // Lost before the commit was sent: certainly not stored.
        const crashed = yield* Effect.flip(within(Effect.andThen(insert("d"), Effect.promise(server.crash))))
        assert.ok(crashed instanceof StorageError && crashed.retryable, String(crashed))
        const down = yield* Effect.flip(insert("e"))
        assert.ok(down.retryable && down.message.includes("nothing answers there"), down.message)
        yield* Effect.promise(server.restart)
        yield* Effect.retry(insert("f"), { schedule: Schedule.spaced(50), times: 40 })
        assert.deepStrictEqual((yield* ids).slice(5), ["f"])
        const durable = yield* Database.use((db) =>
          db.run("fsync", (k) => kyselySql<{ s: string }>`select current_setting('fsync') as s`.execute(k))
        )
        assert.strictEqual(durable.rows[0]?.s, "on")
      }).pipe(Effect.provide(Layer.unwrap(Effect.sync(() => Postgres.layer({ url: server.url, connections: 3 }))))),
    30_000
  )

  it.live("says that nobody can know, when the answer to a commit is lost", () =>
    Effect.gen(function* () {
      // Stands between pg and the server, and hangs up when it has passed on a commit.
      const target = new URL(server.url)
      const proxy = createServer((near) => {
        const far = connect(Number(target.port), "127.0.0.1")
        near
          .on("data", (data) => {
            far.write(data)
            if (data.includes("commit\0")) near.destroy()
          })
          .on("error", () => {})
          .on("close", () => far.end())
        far
          .on("data", (data) => near.write(data))
          .on("error", () => {})
          .on("close", () => near.destroy())
      })
      const port = yield* Effect.promise(
        () =>
          new Promise<number>((resolve) => {
            proxy.listen(0, "127.0.0.1", () => resolve((proxy.address() as AddressInfo).port))
          })
      )
      const layer = Postgres.layer({ url: server.url.replace(target.port, String(port)), prefix: "cut_" })
      yield* Effect.gen(function* () {
        yield* definitions
        const unknown = yield* Effect.flip(within(insert("a")))
        assert.ok(
          unknown instanceof StorageError && unknown.cause instanceof OutcomeUnknown && !unknown.retryable,
          String(unknown)
        )
        yield* insert("b")
        yield* Effect.retry(
          Effect.flatMap(ids, (all) => (all.length === 2 ? Effect.void : Effect.fail("not yet"))),
          { schedule: Schedule.spaced(20), times: 40 }
        )
      }).pipe(Effect.provide(layer))
      proxy.close()
    })
  )

  it("runs its binaries from a copy where their own place is closed to others", () => {
    const { native, remove } = binaries({ copy: true })
    assert.ok(readFileSync(path.join(native, "bin", "postgres")).length > 1_000_000)
    remove()
  })
})
