/**
 * SQLite by node:sqlite: one connection, used by one transaction or statement at a time. The journal is a write-ahead log
 * and every commit is on the disk before it returns. Another process that writes makes ours wait without stopping the
 * event loop, five seconds at most.
 */
import { Effect, Layer } from "effect"
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import { setTimeout as pause } from "node:timers/promises"
import {
  type Connection,
  type DatabaseUnavailable,
  type Driver,
  type HostTransaction,
  type Result,
  TransactionRefused
} from "../Connection.ts"
import * as Database from "../Database.ts"
import { encodeParameter, type Parameter } from "../Dialect.ts"
import { open, primaryCode } from "./open.ts"

export interface SqliteOptions {
  /** The file, or `:memory:`. Its directory must exist. */
  readonly path: string
  /** What the names of our tables begin with. @default "overture_" */
  readonly prefix?: string
  /**
   * Whether a commit is on the disk before it returns. Without it a power cut may take back the last moments, and what was
   * sent in them would be sent again: only for rehearsals. A process that dies loses nothing either way. @default true
   */
  readonly durable?: boolean
}

const BUSY = 5
const LOCKED = 6
const longestWait = 5000

// Numbers are bound as floating point unless they come as bigint, and 5.0 is not 5 inside JSON and divisions.
const bind = (value: Parameter): SQLInputValue => {
  if (typeof value === "string") return value
  const encoded = encodeParameter(value)
  if (typeof encoded === "boolean") return encoded ? 1n : 0n
  return typeof encoded === "number" && Number.isSafeInteger(encoded) ? BigInt(encoded) : encoded
}

interface Prepared {
  readonly statement: StatementSync
  /** Of its results; none = it only writes. */
  readonly columns: ReadonlyArray<string>
}

// The objects that node:sqlite makes are slow and leave 100 bytes each to the old heap: these cost a quarter less time.
const rowOf = (columns: ReadonlyArray<string>, values: ReadonlyArray<unknown>) => {
  const row: Record<string, unknown> = {}
  for (let i = 0; i < columns.length; i++) row[columns[i]!] = values[i]
  return row
}

/** Keeps the statements used last, prepared; texts of screens come and go, those of the ledger stay. */
const statements = (raw: DatabaseSync, room: number) => {
  const kept = new Map<string, Prepared>()
  return (text: string): Prepared => {
    const known = kept.get(text)
    if (known !== undefined) {
      kept.delete(text)
      kept.set(text, known)
      return known
    }
    const statement = raw.prepare(text)
    statement.setReturnArrays(true)
    const prepared = { statement, columns: statement.columns().map(({ name }) => name) }
    kept.set(text, prepared)
    if (kept.size > room) kept.delete(kept.keys().next().value!)
    return prepared
  }
}

const connect = (raw: DatabaseSync): Connection => {
  const prepared = statements(raw, 400)
  const now = (text: string, parameters: ReadonlyArray<Parameter>): Result => {
    const { columns, statement } = prepared(text)
    if (columns.length > 0) {
      // The types know of objects alone.
      const found = statement.all(...parameters.map(bind)) as unknown as ReadonlyArray<ReadonlyArray<unknown>>
      return { rows: found.map((values) => rowOf(columns, values)), affected: found.length }
    }
    return { rows: [], affected: Number(statement.run(...parameters.map(bind)).changes) }
  }
  // Outside a transaction a busy database has done nothing of what was asked, so asking again is safe.
  const patiently = <A>(ask: () => A): A | Promise<A> => {
    try {
      return ask()
    } catch (cause) {
      if (primaryCode(cause) !== BUSY || raw.isTransaction) throw cause
      return again(ask, performance.now() + longestWait)
    }
  }
  const again = async <A>(ask: () => A, until: number): Promise<A> => {
    for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
      await pause(wait * (0.5 + Math.random()))
      try {
        return ask()
      } catch (cause) {
        if (primaryCode(cause) !== BUSY || performance.now() > until) throw cause
      }
    }
  }
  return {
    pipelined: false,
    send: (text, parameters) => patiently(() => now(text, parameters)),
    script: (text) => patiently(() => raw.exec(text)),
    holdsTransaction: () => raw.isTransaction,
    isLost: () => !raw.isOpen
  }
}

const refused = (reason: string) => new TransactionRefused({ reason })

/** A transaction begun on the host's own connection to the same file. */
const adopt = (host: HostTransaction): Connection => {
  if ("prepare" in host) {
    if (!host.isTransaction) throw refused("the DatabaseSync is in no transaction")
    return connect(host)
  }
  if (!("executeQuery" in host) || !host.isTransaction) throw refused("neither a DatabaseSync nor a Kysely transaction")
  return {
    pipelined: false,
    send: async (text, parameters) => {
      const result = await host.executeQuery({ ...rawQuery, sql: text, parameters: parameters.map(bind) })
      return { rows: result.rows, affected: Number(result.numAffectedRows ?? result.rows.length) }
    },
    script: () => Promise.reject(refused("scripts need the DatabaseSync itself, not Kysely")),
    holdsTransaction: () => true,
    isLost: () => false
  }
}

const rawQuery = {
  query: { kind: "RawNode", sqlFragments: [], parameters: [] },
  queryId: { queryId: "overture" }
} as const

/** The driver over a connection that is ours alone. */
export const driver = (raw: DatabaseSync, path: string): Driver => {
  const connection = connect(raw)
  const waiting: Array<() => void> = []
  let taken = false
  const pass = () => {
    const next = waiting.shift()
    if (next === undefined) taken = false
    else queueMicrotask(next)
  }
  return {
    name: "sqlite",
    database: path,
    pipelined: false,
    acquire: (granted) => {
      let cancelled = false
      const turn = () => (cancelled ? pass() : granted(connection))
      if (taken) waiting.push(turn)
      else {
        taken = true
        turn()
      }
      return () => {
        cancelled = true
      }
    },
    release: () => {
      try {
        if (raw.isOpen && raw.isTransaction) raw.exec("rollback")
      } finally {
        pass()
      }
    },
    begin: "begin immediate",
    beginHot: "begin immediate",
    pin: null,
    adopt,
    forget: () => {},
    isTransient: (cause) => [BUSY, LOCKED].includes(primaryCode(cause))
  }
}

/** The database in a file. Fails with advice when the file cannot be used. */
export const layer = (options: SqliteOptions): Layer.Layer<Database.Database, DatabaseUnavailable> =>
  Layer.effect(
    Database.Database,
    Effect.map(
      Effect.acquireRelease(open(options.path, options.durable), (raw) => Effect.sync(() => raw.close())),
      (raw) => Database.make(driver(raw, options.path), options.prefix ?? "overture_")
    )
  )
