/**
 * What `Database` asks of a driver: one connection at a time, a text sent on it, and a word on each failure. Drivers
 * know nothing of effects that run inside a transaction, and `Database` knows nothing of pg and node:sqlite.
 */
import { Schema } from "effect"
import type { Transaction as KyselyTransaction } from "kysely"
import type { DatabaseSync } from "node:sqlite"
import type { ClientBase } from "pg"
import type { Parameter } from "./Dialect.ts"

/** The database cannot be opened or reached. Says what is wrong and what to do, and never a password. */
export class DatabaseUnavailable extends Schema.TaggedError<DatabaseUnavailable>()("DatabaseUnavailable", {
  /** The file, or host, port and name of the database. */
  database: Schema.String,
  problem: Schema.String,
  advice: Schema.String,
  /** Whether waiting may help: the server starts, another process lets go. */
  retryable: Schema.Boolean
}) {
  override get message(): string {
    return `${this.database}: ${this.problem}. ${this.advice}`
  }
}

/** The connection was lost while committing: the work may be there or not. Look before doing it again. */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", { cause: Schema.Defect() }) {
  override get message(): string {
    return "the connection was lost while committing; whether the transaction is stored is unknown"
  }
}

/** The transaction could not be used or did not commit, and the database had no part in it. */
export class TransactionRefused extends Schema.TaggedError<TransactionRefused>()("TransactionRefused", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

/** What a statement gave: its rows, and how many rows it changed. */
export interface Result {
  readonly rows: ReadonlyArray<unknown>
  readonly affected: number
  /** What PostgreSQL did: a `commit` of an aborted transaction says ROLLBACK. */
  readonly command?: string
}

/** One text on its way. `id` names a prepared statement; without it the text is not kept. */
export type Send = (text: string, parameters: ReadonlyArray<Parameter>, id?: string) => Result | Promise<Result>

/** One connection. Texts are executed one after another, in the order in which they were sent. */
export interface Connection {
  /** Whether a text goes on the wire at once; otherwise it waits for the answers of those before it. */
  readonly pipelined: boolean
  readonly send: Send
  /** Several texts in one, without parameters and rows. */
  readonly script: (text: string) => void | Promise<void>
  /** False once the database ended the transaction by itself, as SQLite does when the disk is full. */
  readonly holdsTransaction: () => boolean
  /** True once the connection is lost and nothing sent on it can succeed. */
  readonly isLost: () => boolean
}

/** A transaction that a host began and will end. */
export type HostTransaction = KyselyTransaction<never> | ClientBase | DatabaseSync

export interface Driver {
  readonly name: "postgres" | "sqlite"
  /** For messages; without a password. */
  readonly database: string
  /** Whether its connections are; an adopted one may not be. */
  readonly pipelined: boolean
  /** Asks for a connection and calls back once. The returned function takes the request back, before it is granted. */
  readonly acquire: (granted: (connection: Connection) => void, refused: (cause: unknown) => void) => () => void
  /** Gives a connection back; `discard` when a transaction may still be open on it. */
  readonly release: (connection: Connection, discard: boolean) => void
  /** The text that begins a transaction, and the one that also pins the plans of prepared statements. */
  readonly begin: string
  readonly beginHot: string
  /**
   * Pins the plans inside a running transaction: by `settings`, after `read` has told the text that puts back what was
   * before. Null: nothing to pin.
   */
  readonly pin: { readonly settings: string; readonly read: (connection: Connection) => Promise<string> } | null
  /** A host's transaction as a connection. Throws or rejects with TransactionRefused when it is none of ours. */
  readonly adopt: (host: HostTransaction) => Connection | Promise<Connection>
  /** Ends the use of an adopted connection, which stays the host's. */
  readonly forget: (connection: Connection) => void
  /** Whether the same work may succeed when done again. */
  readonly isTransient: (cause: unknown) => boolean
}
