/**
 * The ready leads of paces, each locked with its contact: first touches in the order of two partial indexes, follow-ups
 * by dueAt. What another holds is passed by, so no claim waits here. PostgreSQL looks pace by pace with lateral joins,
 * SQLite with a list of ids per pace.
 */
import type { Dryness, LeadCandidate, PaceWant } from "@overture/core/campaign/CampaignStore"
import type { Lead } from "@overture/core/campaign/Lead"
import type { Message } from "@overture/core/chat/Message"
import type { Contact, ContactTouch } from "@overture/core/contact/Contact"
import type { AccountId, ContactId, LeadId } from "@overture/core/workspace/Id"
import type { Instant } from "@overture/core/workspace/Instant"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements, type Sql } from "../Dialect.ts"
import { lookup } from "../outbox/Lookup.ts"
import * as Surroundings from "../outbox/Surroundings.ts"
import * as Columns from "../rows/Columns.ts"
import * as ContactRow from "../rows/ContactRow.ts"
import * as LeadRow from "../rows/LeadRow.ts"
import * as MessageRow from "../rows/MessageRow.ts"

/** Of each pace: leads of step 0 whose dueAt has come, those in their turn, and follow-ups that are due. */
const queues = [
  { where: "l.follow_up = 0 and l.status = 'assigned' and l.due_at <= $2", order: "l.due_at" },
  { where: "l.status = 'assigned' and l.due_at is null", order: "l.priority desc, l.position" },
  { where: "l.follow_up = 1 and l.due_at <= $2 and l.step_id is not null", order: "l.due_at" }
] as const

const ofPace = "l.campaign_id = x.campaign_id and l.account_id = x.account_id"
const isFree = "l.claim_id is null and l.stop is null"
const wanted = { n: "int", campaign_id: "id", account_id: "id", want: "int" } as const

const onPostgres = (sql: Sql): string => {
  const columns = (alias: string, from: string) => {
    const lead = Columns.select(LeadRow.columns, from)
    return alias === "" ? `${lead}, ${Columns.select(ContactRow.stateColumns, "c", "c_")}` : `${alias}.*`
  }
  const queue = (i: 0 | 1 | 2) => `select * from (select ${columns("", "l")} from ${sql.t("lead")} as l
    ${lookup(sql, "contact", "c", "c.id = l.contact_id", "skip")}
    where ${ofPace} and ${isFree} and ${queues[i].where} order by ${queues[i].order} limit x.want ${sql.skipLocked("l")}) as q${i}`
  return `select x.n, y.* from ${sql.rows("x", 1, wanted)} cross join lateral (
    select 0 as later, f.* from (${queue(0)} union all ${queue(1)} limit x.want) as f
    union all select 1 as later, u.* from (${queue(2)}) as u) as y`
}

// A limit cannot speak of the row outside, so the lists are as long as the longest wanted, and cut here.
const onSqlite = (sql: Sql): string => {
  const list = (i: 0 | 1 | 2) => `select * from (select l.id from ${sql.t("lead")} as l
    where ${ofPace} and ${isFree} and ${queues[i].where} order by ${queues[i].order} limit $3)`
  const found = (later: 0 | 1, ids: string) => `select x.n, ${later} as later, ${Columns.select(LeadRow.columns, "l")},
    ${Columns.select(ContactRow.stateColumns, "c", "c_")}
    from ${sql.rows("x", 1, wanted)}
    cross join json_each((select json_group_array(id) from (${ids}))) as i
    cross join ${sql.t("lead")} as l on l.id = i.value
    cross join ${sql.t("contact")} as c on c.id = l.contact_id
    where i.key < x.want`
  return `${found(0, `${list(0)} union all ${list(1)}`)} union all ${found(1, list(2))}`
}

const statements = defineStatements("CampaignLook", (sql) => {
  const lead = (where: string) => `from ${sql.t("lead")} as l where ${ofPace} and ${where}`
  const next = (followUp: 0 | 1) =>
    `(select l.due_at ${lead(`l.follow_up = ${followUp} and l.due_at > $2 and ${isFree}`)} order by l.due_at limit 1)`
  const has = (where: string) => `(select 1 ${lead(where)} limit 1)`
  return {
    look: sql.pick({ postgres: onPostgres(sql), sqlite: onSqlite(sql) }),
    dry: `select x.n, ${next(0)} as next_first, ${next(1)} as next_later,
      coalesce(${has("l.status = 'assigned' and l.due_at is null")}, ${has("l.follow_up = 0 and l.due_at <= $2")},
        ${has("l.follow_up = 1 and l.due_at <= $2")}, 0) as held
      from ${sql.rows("x", 1, { n: "int", campaign_id: "id", account_id: "id" })}`,
    messages: `select ${Columns.select(MessageRow.columns, "m")} from ${sql.rows("x", 1, { lead_id: "id", step_id: "id" })}
      ${lookup(sql, "message", "m", "m.lead_id = x.lead_id and m.step_id = x.step_id")}`
  }
})

type Row = LeadRow.LeadRow & { readonly n: number; readonly later: number }

interface Found {
  readonly lead: Lead
  readonly contact: Contact
  readonly touches: ReadonlyArray<ContactTouch>
}

const contactIn = Columns.unprefix<ContactRow.ContactStateRow>(ContactRow.stateColumns, "c_")

/** A lead with its contact, out of one row. */
export const foundIn = (row: LeadRow.LeadRow): Found => {
  const contact = contactIn(row)
  return { lead: LeadRow.decode(row), contact: ContactRow.decode(contact), touches: ContactRow.touches(contact) }
}

/** What a want got. */
export interface Looked {
  readonly want: PaceWant
  readonly first: ReadonlyArray<LeadCandidate>
  readonly followUps: ReadonlyArray<LeadCandidate>
  readonly dryness: Dryness | null
}

export interface Look {
  /** Adds what can forbid or shape the touches of leads, in the order of the leads. */
  readonly candidates: (found: ReadonlyArray<Found>) => Effect.Effect<ReadonlyArray<LeadCandidate>, StorageError>
  readonly look: (wants: ReadonlyArray<PaceWant>, now: Instant) => Effect.Effect<ReadonlyArray<Looked>, StorageError>
}

const earliest = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b)

export const make = (database: Database["Service"]): Look => {
  const sql = database.statements(statements)
  const { execute } = database
  const around = Surroundings.make(database)

  /** The rows that the present step of each lead has, from an earlier try. */
  const earlierTries = Effect.fnUntraced(function* (found: ReadonlyArray<Found>) {
    const keys = found.flatMap(({ lead: { id, step } }) => (step === null ? [] : [{ lead_id: id, step_id: step }]))
    const messages = new Map<LeadId, Array<Message>>()
    if (keys.length === 0) return messages
    for (const row of yield* execute<MessageRow.MessageRow & { readonly lead_id: LeadId }>(sql.messages, [keys])) {
      const known = messages.get(row.lead_id)
      if (known === undefined) messages.set(row.lead_id, [MessageRow.decode(row)])
      else known.push(MessageRow.decode(row))
    }
    for (const rows of messages.values()) rows.sort((a, b) => a.part - b.part)
    return messages
  })

  const candidates: Look["candidates"] = Effect.fnUntraced(function* (found) {
    const keys = found.map(({ contact }) => Surroundings.keysOf(contact.addresses))
    const suppressionsOf = yield* around.suppressions(
      found.map(({ lead }, i) => ({ workspace: lead.workspace, addresses: keys[i]! }))
    )
    const chatOf = yield* around.chats(
      found.flatMap(({ lead: { account, address } }) => (account === null ? [] : [{ account, address }]))
    )
    const messages = yield* earlierTries(found)
    return found.map(
      ({ contact, lead, touches }, i): LeadCandidate => ({
        lead,
        contact,
        touches,
        suppressions: suppressionsOf(lead.workspace, keys[i]!, lead.account),
        chat: lead.account === null ? null : chatOf(lead.account, lead.address),
        messages: messages.get(lead.id) ?? []
      })
    )
  })

  const dryness = Effect.fnUntraced(function* (
    wants: ReadonlyArray<PaceWant>,
    isDry: (n: number) => boolean,
    now: Instant
  ) {
    const rows = wants.flatMap(({ due: { pace } }, n) =>
      isDry(n) ? [{ n, campaign_id: pace.campaign, account_id: pace.account }] : []
    )
    const dry = new Map<number, Dryness>()
    if (rows.length === 0) return dry
    type Answer = Record<"n" | "held", number> & Record<"next_first" | "next_later", Instant | null>
    for (const row of yield* execute<Answer>(sql.dry, [rows, now])) {
      dry.set(row.n, { nextDueAt: earliest(row.next_first, row.next_later), held: row.held === 1 })
    }
    return dry
  })

  /** At most `want` leads of each kind and pace, no contact twice; `short` are the paces that lost leads by that. */
  const select = (asking: ReadonlyArray<Asking>, chosen: Map<string, Row>, rows: ReadonlyArray<Row>) => {
    const taken = new Set(Array.from(chosen.values(), (row) => row.contact_id))
    const count = (n: number, later: number) =>
      [...chosen.values()].filter((row) => row.n === n && row.later === later).length
    const inTurn = [...rows].sort((a, b) => a.n - b.n || a.later - b.later)
    const lost = new Map<number, number>()
    const wantOf = new Map(asking.map(({ n, want }) => [n, want]))
    const counts = new Map<string, number>()
    for (const row of inTurn) {
      if (chosen.has(row.id)) continue
      const key = `${row.n}|${row.later}`
      const got = counts.get(key) ?? (chosen.size === 0 ? 0 : count(row.n, row.later))
      if (got >= wantOf.get(row.n)!) continue
      if (taken.has(row.contact_id)) {
        lost.set(row.n, (lost.get(row.n) ?? 0) + 1)
        continue
      }
      taken.add(row.contact_id)
      chosen.set(row.id, row)
      counts.set(key, got + 1)
    }
    return lost
  }

  return {
    candidates,
    look: Effect.fnUntraced(function* (wants, now) {
      const asking = wants.flatMap(({ due: { pace }, want }, n) =>
        want > 0 ? [{ n, campaign_id: pace.campaign, account_id: pace.account as AccountId, want }] : []
      )
      const longest = asking.reduce((most, { want }) => Math.max(most, want), 0)
      const parameters = database.sql.name === "sqlite" ? [asking, now, longest] : [asking, now]
      const rows = asking.length === 0 ? [] : [...(yield* execute<Row>(sql.look, parameters))]
      rows.sort((a, b) => a.n - b.n || a.later - b.later)
      const taken = new Set<ContactId>()
      const free = rows.filter(({ contact_id }) => !taken.has(contact_id) && taken.add(contact_id))
      const all = yield* candidates(free.map(foundIn))
      const first = wants.map((): Array<LeadCandidate> => [])
      const followUps = wants.map((): Array<LeadCandidate> => [])
      for (const [i, { later, n }] of free.entries()) (later === 1 ? followUps : first)[n]!.push(all[i]!)
      const isDry = (n: number) => wants[n]!.want > 0 && first[n]!.length === 0 && followUps[n]!.length === 0
      const dry = yield* dryness(wants, isDry, now)
      return wants.map((want, n) => ({
        want,
        first: first[n]!,
        followUps: followUps[n]!,
        dryness: dry.get(n) ?? null
      }))
    })
  }
}
