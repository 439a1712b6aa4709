/**
 * The ready leads of paces, each locked with its contact: first touches in the order of two partial indexes, follow-ups
 * by dueAt. What another holds is passed by, so no claim waits here, and no contact comes twice. PostgreSQL looks pace by
 * pace with lateral joins, SQLite with a list of ids per pace.
 */
import type { PaceWant } from "@overture/core/campaign/CampaignStore"
import type { Lead } from "@overture/core/campaign/Lead"
import type { Contact, ContactTouch } from "@overture/core/contact/Contact"
import type { Instant } from "@overture/core/workspace/Instant"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements, type Sql } from "../Dialect.ts"
import { lookup } from "../outbox/Lookup.ts"
import * as Columns from "../rows/Columns.ts"
import * as ContactRow from "../rows/ContactRow.ts"
import * as LeadRow from "../rows/LeadRow.ts"

/** Of each pace: leads of step 0 whose dueAt has come, those in their turn, and follow-ups that are due. */
const queues = [
  { where: "l.follow_up = 0 and l.status = 'assigned' and l.due_at <= $2", order: "l.due_at" },
  { where: "l.status = 'assigned' and l.due_at is null", order: "l.priority desc, l.position" },
  { where: "l.follow_up = 1 and l.due_at <= $2 and l.step_id is not null", order: "l.due_at" }
] as const

const isReady =
  "l.campaign_id = x.campaign_id and l.account_id = x.account_id and l.claim_id is null and l.stop is null"
const asked = { n: "int", campaign_id: "id", account_id: "id", most: "int" } as const
const columns = `${Columns.select(LeadRow.columns, "l")}, ${Columns.select(ContactRow.stateColumns, "c", "c_")}`

const onPostgres = (sql: Sql): string => {
  const queue = (i: 0 | 1 | 2) => `select * from (select ${columns} from ${sql.t("lead")} as l
    ${lookup(sql, "contact", "c", "c.id = l.contact_id", "skip")}
    where ${isReady} and ${queues[i].where} order by ${queues[i].order} limit x.most ${sql.skipLocked("l")}) as q${i}`
  return `select x.n, y.* from ${sql.rows("x", 1, asked)} cross join lateral (
    select 0 as later, f.* from (${queue(0)} union all ${queue(1)} limit x.most) as f
    union all select 1 as later, u.* from (${queue(2)}) as u) as y`
}

// A limit cannot speak of the row outside, so the lists are as long as the longest that was asked for, and cut here.
const onSqlite = (sql: Sql): string => {
  const list = (i: 0 | 1 | 2) => `select * from (select l.id from ${sql.t("lead")} as l
    where ${isReady} and ${queues[i].where} order by ${queues[i].order} limit $3)`
  const found = (later: 0 | 1, ids: string) => `select x.n, ${later} as later, ${columns}
    from ${sql.rows("x", 1, asked)} cross join json_each((select json_group_array(id) from (${ids}))) as i
    cross join ${sql.t("lead")} as l on l.id = i.value cross join ${sql.t("contact")} as c on c.id = l.contact_id
    where i.key < x.most`
  return `${found(0, `${list(0)} union all ${list(1)}`)} union all ${found(1, list(2))}`
}

const statements = defineStatements("CampaignReady", (sql) => ({
  look: sql.pick({ postgres: onPostgres(sql), sqlite: onSqlite(sql) })
}))

/** A lead with its contact, both locked. */
export interface Ready {
  readonly lead: Lead
  readonly contact: Contact
  readonly touches: ReadonlyArray<ContactTouch>
  readonly unreachable: ReadonlyArray<string>
}

const contactIn = Columns.unprefix<ContactRow.ContactStateRow>(ContactRow.stateColumns, "c_")

/** A lead with its contact, out of one row whose columns of the contact begin with `c_`. */
export const decode = (row: LeadRow.LeadRow): Ready => {
  const contact = contactIn(row)
  return {
    lead: LeadRow.decode(row),
    contact: ContactRow.decode(contact),
    touches: ContactRow.touches(contact),
    unreachable: ContactRow.unreachable(contact)
  }
}

type Row = LeadRow.LeadRow & { readonly n: number; readonly later: number }

const never = Number.MAX_SAFE_INTEGER

/** Pace by pace, first touches before follow-ups; those of one instant or place by id, which no index knows. */
const inTurn = (a: Row, b: Row): number =>
  a.n - b.n ||
  a.later - b.later ||
  (a.due_at ?? never) - (b.due_at ?? never) ||
  (a.later === 1 ? 0 : b.priority - a.priority || a.position - b.position) ||
  (a.id < b.id ? -1 : 1)

/** What a want gets, in turn: first touches and follow-ups. */
type Got = readonly [first: Array<Row>, followUps: Array<Row>]

/** Passes over leads whose contact another candidate has are rare; after these the rest is left to the next claim. */
const mostPasses = 4

/** The ready leads of each want; a lead whose contact is a candidate already is left out for the next one. */
export const make = (database: Database["Service"]) => {
  const { look } = database.statements(statements)

  const ask = Effect.fnUntraced(function* (
    wants: ReadonlyArray<PaceWant>,
    most: ReadonlyMap<number, number>,
    now: Instant
  ) {
    const rows = Array.from(most, ([n, limit]) => {
      const { account, campaign } = wants[n]!.due.pace
      return { n, campaign_id: campaign, account_id: account, most: limit }
    })
    const parameters = database.sql.name === "sqlite" ? [rows, now, Math.max(...most.values())] : [rows, now]
    const found = yield* database.execute<Row>(look, parameters)
    return [...found].sort(inTurn)
  })

  return Effect.fnUntraced(function* (
    wants: ReadonlyArray<PaceWant>,
    now: Instant
  ): Effect.fn.Return<ReadonlyArray<readonly [ReadonlyArray<Ready>, ReadonlyArray<Ready>]>, StorageError> {
    const got = wants.map((): Got => [[], []])
    const leads = new Set<string>()
    const contacts = new Set<string>()
    let most = new Map(wants.flatMap(({ want }, n) => (want > 0 ? [[n, want] as const] : [])))
    for (let pass = 0; most.size > 0 && pass < mostPasses; pass++) {
      const passedBy = new Map<number, number>()
      for (const row of yield* ask(wants, most, now)) {
        const list = got[row.n]![row.later === 1 ? 1 : 0]
        if (leads.has(row.id) || list.length >= wants[row.n]!.want) continue
        if (contacts.has(row.contact_id)) passedBy.set(row.n, (passedBy.get(row.n) ?? 0) + 1)
        else {
          leads.add(row.id)
          contacts.add(row.contact_id)
          list.push(row)
        }
      }
      const before = most
      most = new Map(Array.from(passedBy, ([n, count]) => [n, before.get(n)! + count] as const))
    }
    return got.map(([first, followUps]) => [first.map(decode), followUps.map(decode)] as const)
  })
}
