/** The tables of the engine as the referee reads them: past the engine, in plain SQL that both databases know. */
import { DatabaseSync } from "node:sqlite"
import pg from "pg"
import type { Mode, Place } from "./Setting.ts"

type Value = string | number | null

export interface MessageRow {
  readonly id: string
  readonly channel: Mode
  readonly account_id: string
  readonly campaign_id: string
  readonly contact_id: string
  readonly lead_id: string
  readonly step_id: string
  readonly part: number
  readonly parts: number
  readonly status: string
  readonly reason: string | null
  /** Set while it was being sent: why nothing may follow it. */
  readonly stop: string | null
  readonly tries: number
  readonly reserved: string | null
  readonly begun_at: number | null
}

export interface Ledger {
  rows<Row>(text: string, ...values: ReadonlyArray<Value>): Promise<ReadonlyArray<Row>>
  /** What a worker has begun and not settled, by message id. */
  inFlight(worker: string): Promise<ReadonlyArray<string>>
  /** How many claims a worker has. */
  claimsOf(worker: string): Promise<number>
  /** Outbound messages of campaigns. */
  messages(): Promise<ReadonlyArray<MessageRow>>
  close(): Promise<void>
}

const number = (text: string) => Number(text)
const types = {
  getTypeParser: ((oid: number, format?: "text") =>
    oid === pg.types.builtins.INT8
      ? number
      : pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig["getTypeParser"]
}

type Ask = (text: string, values: ReadonlyArray<Value>) => Promise<ReadonlyArray<unknown>>

/** PostgreSQL that is restarting is waited for, at most half a minute. */
const onPostgres = (url: string): { readonly ask: Ask; readonly close: () => Promise<void> } => {
  const pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 5_000 })
  pool.on("error", () => {})
  return {
    ask: async (text, values) => {
      const numbered = values.reduce<string>((all, _, i) => all.replace("?", `$${i + 1}`), text)
      for (let tries = 0; ; tries++) {
        try {
          return (await pool.query({ text: numbered, values: [...values], types })).rows as ReadonlyArray<unknown>
        } catch (cause) {
          if (tries > 60) throw cause
          await new Promise((resolve) => setTimeout(resolve, 500))
        }
      }
    },
    close: () => pool.end()
  }
}

const onSqlite = (path: string): { readonly ask: Ask; readonly close: () => Promise<void> } => {
  const database = new DatabaseSync(path, { timeout: 10_000 })
  return {
    ask: (text, values) => Promise.resolve(database.prepare(text).all(...values)),
    close: () => Promise.resolve(database.close())
  }
}

/** Opens the tables of a place, which must exist. */
export const open = (place: Place): Ledger => {
  const { ask, close } = place.type === "sqlite" ? onSqlite(place.path) : onPostgres(place.url)
  const rows = async <Row>(text: string, ...values: ReadonlyArray<Value>) =>
    (await ask(text, values)) as ReadonlyArray<Row>
  return {
    rows,
    inFlight: async (worker) => {
      const found = await rows<{ readonly id: string }>(
        `select m.id from overture_message m join overture_claim c on c.id = m.claim_id
          where m.status = 'sending' and c.worker = ?`,
        worker
      )
      return found.map(({ id }) => id)
    },
    claimsOf: async (worker) => (await rows("select id from overture_claim where worker = ?", worker)).length,
    messages: () =>
      rows<MessageRow>(
        `select m.id, a.channel, m.account_id, m.campaign_id, m.contact_id, m.lead_id, m.step_id, m.part, m.parts, m.status,
          m.reason, m.stop, m.tries, cast(m.reserved as text) as reserved, m.begun_at
          from overture_message m join overture_account a on a.id = m.account_id
          where m.direction = 'outbound' and m.lead_id is not null`
      ),
    close
  }
}
