/** One connection to PostgreSQL, from a pool or inside a host's transaction, and the settings that pin plans on it. */
import { CompiledQuery } from "kysely"
import type { ClientBase, CustomTypesConfig, QueryResult } from "pg"
import pg from "pg"
import type { Writable } from "node:stream"
import { type Connection, type HostTransaction, type Result, TransactionRefused } from "../Connection.ts"
import { encodeParameter, type Parameter } from "../Dialect.ts"
import { isFatal, lost } from "./unavailable.ts"

// Generic plans are made once, when the tables may still be empty; only index look-ups stay right as they grow.
const wanted = {
  plan_cache_mode: "force_generic_plan",
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off"
}
const setLocal = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `set local ${name} = ${value}`)
    .join("; ")

export const settings = setLocal(wanted)
export const readSettings = `select ${Object.keys(wanted)
  .map((name) => `current_setting('${name}') as ${name}`)
  .join(", ")}`
/** The text that puts back what `readSettings` read. */
export const pinned = (before: Readonly<Record<string, string>>): string => setLocal(before)

// One shape for both databases: see Dialect.
const number = (text: string) => Number(text)
const same = (text: string) => text
const parsers = new Map<number, (text: string) => unknown>([
  [pg.types.builtins.INT8, number],
  [pg.types.builtins.NUMERIC, number],
  [pg.types.builtins.BOOL, (text) => (text === "t" ? 1 : 0)],
  [pg.types.builtins.JSON, same],
  [pg.types.builtins.JSONB, same]
])
const types: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text") =>
    parsers.get(oid) ?? pg.types.getTypeParser(oid, format)) as CustomTypesConfig["getTypeParser"]
}

const query = (text: string, parameters: ReadonlyArray<Parameter>, id?: string) => ({
  text,
  types,
  ...(parameters.length === 0 && id === undefined ? {} : { values: parameters.map(encodeParameter) }),
  ...(id === undefined ? {} : { name: id })
})

/**
 * By pg's callback: of its promises each keeps what came before from being collected young, which over an export of a
 * million rows is some 150 MB more at the peak.
 */
const answerOf = (client: ClientBase, asked: ReturnType<typeof query>) =>
  new Promise<QueryResult | Array<QueryResult>>((resolve, reject) => {
    client.query(asked, (cause: Error | null, answer: QueryResult) => (cause ? reject(cause) : resolve(answer)))
  })

export interface PostgresConnection<C extends ClientBase = ClientBase> extends Connection {
  readonly client: C
  /** Stops listening for the end of the connection. */
  readonly forget: () => void
}

/** Holds back what is written until the end of this turn of the event loop: texts that are sent together are one packet. */
const together = (client: ClientBase): (() => void) => {
  const stream = (client as { readonly connection?: { readonly stream?: Partial<Writable> } }).connection?.stream
  let isHeld = false
  return () => {
    if (isHeld || stream?.cork === undefined) return
    isHeld = true
    stream.cork()
    process.nextTick(() => {
      isHeld = false
      stream.uncork?.()
    })
  }
}

/** A client as a connection. Unless the client pipelines, one text at a time is on the wire, as pg asks. */
export const over = <C extends ClientBase>(client: C, database: string): PostgresConnection<C> => {
  let isLost = false
  let last: Promise<unknown> | undefined
  const pipelined = "pipeline" in client && client.pipeline === true
  const hold = together(client)
  const onLost = () => {
    isLost = true
  }
  // A client that is checked out ends the process with its connection unless somebody listens.
  client.on("error", onLost)
  client.on("end", onLost)
  const ask = async (asked: ReturnType<typeof query>): Promise<Result> => {
    try {
      const answer = await answerOf(client, asked)
      const result = Array.isArray(answer) ? (answer.at(-1) as QueryResult) : answer
      return { rows: result.rows, affected: result.rowCount ?? 0, command: result.command }
    } catch (cause) {
      isLost ||= isFatal(cause)
      throw isLost ? lost(database) : cause
    }
  }
  const send: Connection["send"] = (text, parameters, id) => {
    const asked = query(text, parameters, id)
    if (pipelined) {
      hold()
      return ask(asked)
    }
    const turn = () => ask(asked)
    const next = last === undefined ? turn() : last.then(turn, turn)
    last = next
    const done = () => {
      if (last === next) last = undefined
    }
    next.then(done, done)
    return next
  }
  return {
    client,
    pipelined,
    send,
    script: async (text) => {
      await send(text, [])
    },
    holdsTransaction: () => true,
    isLost: () => isLost,
    forget: () => {
      client.off("error", onLost)
      client.off("end", onLost)
    }
  }
}

const refused = (reason: string) => new TransactionRefused({ reason })

/**
 * A host's transaction. Kysely's own PostgreSQL dialect hands its text to `client.query` untouched, so the text may as
 * well be pg's query object, which carries the name and the parsers; a dialect that is not Kysely's own is refused.
 */
export const adopt = async (host: HostTransaction, database: string): Promise<Connection> => {
  if (!("executeQuery" in host)) {
    if ("prepare" in host) throw refused("a SQLite connection cannot enter a PostgreSQL database")
    if ("getTransactionStatus" in host && host.getTransactionStatus() !== "T")
      throw refused("the client is in no transaction")
    return over(host, database)
  }
  if (!host.isTransaction) throw refused("the Kysely given is not a transaction")
  const send = async (text: string, parameters: ReadonlyArray<Parameter>, id?: string): Promise<Result> => {
    // The one untruth told to Kysely: its `sql` is the query object of pg that its driver hands on.
    const sql = query(text, parameters, id) as unknown as string
    const result = await host.executeQuery(CompiledQuery.raw(sql, parameters.map(encodeParameter)))
    return { rows: result.rows ?? [], affected: Number(result.numAffectedRows ?? result.rows?.length ?? 0) }
  }
  const probe = await send("select 1::bigint as n", []).catch(() => undefined)
  if ((probe?.rows[0] as { readonly n?: unknown } | undefined)?.n !== 1) {
    throw refused("only a transaction of Kysely's own PostgresDialect can be entered; give the pg client instead")
  }
  return {
    pipelined: false,
    send,
    script: async (text) => {
      await send(text, [])
    },
    holdsTransaction: () => true,
    isLost: () => false
  }
}
