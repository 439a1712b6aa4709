/**
 * Writes what the rules of a claim decided: one statement per table, each with the rows of all paces. Counts are compared:
 * a lead that is in a claim, or a part that was sent already, rolls the whole claim back.
 */
import type { LeadDecision } from "@overture/core/campaign/CampaignStore"
import type { Lead } from "@overture/core/campaign/Lead"
import type { Pace, PaceCounts } from "@overture/core/campaign/Pace"
import type { Claimed, Message } from "@overture/core/chat/Message"
import type { Account } from "@overture/core/account/Account"
import type { Claim, Lease } from "@overture/core/outbox/Claim"
import type { AccountId, ClaimId } from "@overture/core/workspace/Id"
import { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import * as Budgets from "../Budgets.ts"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import * as Held from "../outbox/Held.ts"
import { canceller } from "../outbox/queue.ts"
import * as Columns from "../rows/Columns.ts"
import * as LeadRow from "../rows/LeadRow.ts"
import * as MessageRow from "../rows/MessageRow.ts"
import * as PaceRow from "../rows/PaceRow.ts"
import type { Looked } from "./look.ts"
import { matches } from "../outbox/Lookup.ts"

const { campaign_id: _campaign, account_id: _account, ...paceColumns } = PaceRow.stateColumns
const countNames = Object.keys(PaceRow.countColumns) as ReadonlyArray<keyof PaceCounts>
const counted = { ...PaceRow.stateColumns, ...PaceRow.countColumns }
const { id: _lead, ...leadColumns } = LeadRow.stateColumns

const markColumns = Columns.pick(LeadRow.columns, "id", "address")

const statements = defineStatements("CampaignTake", (sql) => {
  const ofPace = `${matches(sql, "p.campaign_id", "x.campaign_id")} and ${matches(sql, "p.account_id", "x.account_id")}`
  return {
    mark: `update ${sql.t("lead")} as l set claim_id = ${sql.p(2, "id")}, address = x.address
    from ${sql.rows("x", 1, markColumns)} where ${matches(sql, "l.id", "x.id")} and l.claim_id is null`,
    leads: `update ${sql.t("lead")} as l set ${Columns.assign(leadColumns, "x")}
    from ${sql.rows("x", 1, LeadRow.stateColumns)} where ${matches(sql, "l.id", "x.id")} and l.claim_id is null`,
    messages: `insert into ${sql.t("message")} as m (${Columns.names(MessageRow.columns)})
    select ${Columns.select(MessageRow.columns, "x")} from ${sql.rows("x", 1, MessageRow.columns)} where true
    on conflict (lead_id, step_id, part) where lead_id is not null do update set ${Columns.assign(MessageRow.columns, "excluded")}
    where (m.status = 'queued' and m.claim_id is null) or m.status = 'cancelled'`,
    paces: `update ${sql.t("pace")} as p set ${Columns.assign(paceColumns, "x")}
    from ${sql.rows("x", 1, PaceRow.stateColumns)} where ${ofPace}`,
    counted: `update ${sql.t("pace")} as p set ${Columns.assign({ ...paceColumns, ...PaceRow.countColumns }, "x")}
    from ${sql.rows("x", 1, counted)} where ${ofPace}`,
    contacts: `update ${sql.t("contact")} as c set touches = x.made
    from ${sql.rows("x", 1, { contact_id: "id", made: "json" })} where ${matches(sql, "c.id", "x.contact_id")}`
  }
})

const broken = (found: number, wanted: number, what: string) =>
  new StorageError({
    operation: "CampaignStore.claim",
    retryable: false,
    cause: new Error(`${wanted - found} of ${wanted} ${what}; the claim was rolled back`)
  })

/** Whether a touch leaves of its lead everything as it was but the claim and the address: so nearly all do. */
const isMarked = (before: Lead | undefined, after: Lead, claim: ClaimId): boolean => {
  if (before === undefined || after.claim !== claim) return false
  for (const name in after) {
    const key = name as keyof Lead
    if (key !== "claim" && key !== "address" && after[key] !== before[key]) return false
  }
  return true
}

/** The queued rows of leads whose step is over: skipped, or passed over. */
const earlierTries = (decision: LeadDecision, looked: ReadonlyArray<Looked>) => {
  if (decision.leads.length === 0) return []
  const candidates = new Map(
    looked.flatMap(({ first, followUps }) => [...first, ...followUps]).map((one) => [one.lead.id, one])
  )
  return decision.leads.flatMap((lead) => {
    const before = candidates.get(lead.id)
    if (before === undefined || (lead.status !== "skipped" && lead.step === before.lead.step)) return []
    const reason = lead.touches.findLast(({ step }) => step === before.lead.step)?.reason ?? lead.reason
    return before.messages.flatMap((message) =>
      message.status === "queued" && message.claim === null ? [{ message, reason }] : []
    )
  })
}

/** Writes a decision about locked rows; null when no message was claimed. */
export const make = (database: Database["Service"]) => {
  const sql = database.statements(statements)
  const { affected, write } = database
  const append = EventSqlStore.appender(database)
  const budgets = Budgets.make(database)
  const cancel = canceller(database)
  const held = Held.make(database)

  const leads = Effect.fnUntraced(function* (claim: ClaimId, rows: ReadonlyArray<Lead>, looked: ReadonlyArray<Looked>) {
    const before = new Map(
      looked.flatMap(({ first, followUps }) => [...first, ...followUps].map(({ lead }) => [lead.id, lead] as const))
    )
    const marked: Array<Lead> = []
    const others: Array<Lead> = []
    for (const lead of rows) (isMarked(before.get(lead.id), lead, claim) ? marked : others).push(lead)
    const written = yield* Effect.all(
      [
        marked.length === 0
          ? Effect.succeed(0)
          : affected(sql.mark, [marked.map(({ address, id }) => ({ id, address })), claim]),
        others.length === 0 ? Effect.succeed(0) : affected(sql.leads, [others.map(LeadRow.encodeState)])
      ],
      { concurrency: "unbounded" }
    )
    const count = written[0] + written[1]
    if (count !== rows.length) return yield* broken(count, rows.length, "leads are in a claim already")
  })

  const paces = Effect.fnUntraced(function* (rows: ReadonlyArray<Pace>, looked: ReadonlyArray<Looked>) {
    const before = new Map(looked.map(({ want: { due } }) => [`${due.pace.campaign}|${due.pace.account}`, due.pace]))
    const isCounted = ({ account, campaign, counts }: Pace) => {
      const known = before.get(`${campaign}|${account}`)?.counts
      return countNames.some((name) => counts[name] !== known?.[name])
    }
    const moved: Array<Pace> = []
    const others: Array<Pace> = []
    for (const pace of rows) (isCounted(pace) ? others : moved).push(pace)
    if (moved.length > 0) yield* write(sql.paces, [moved.map(PaceRow.encodeState)])
    if (others.length > 0) {
      yield* write(sql.counted, [others.map((pace) => ({ ...PaceRow.encodeState(pace), ...pace.counts }))])
    }
  })

  const messages = Effect.fnUntraced(function* (rows: ReadonlyArray<Message>) {
    if (rows.length === 0) return
    const written = yield* affected(sql.messages, [rows.map(MessageRow.encode)])
    if (written !== rows.length) return yield* broken(written, rows.length, "messages exist and may not be replaced")
  })

  return Effect.fnUntraced(function* (lease: Lease, decision: LeadDecision, looked: ReadonlyArray<Looked>) {
    const accounts = new Map<AccountId, Account>()
    for (const { want } of looked) accounts.set(want.due.account.account.id, want.due.account.account)
    const all = decision.touches.flatMap((touch) => touch.messages)
    const claimed = all.flatMap((message): ReadonlyArray<Claimed> => {
      const account = accounts.get(message.account)
      return message.claim === lease.claim && account !== undefined ? [{ message, account }] : []
    })
    if (claimed.length > 0)
      yield* held.start(
        lease,
        claimed.map(({ message }) => message.id)
      )
    const rest = Effect.gen(function* () {
      yield* paces(decision.paces, looked)
      yield* budgets.write(decision)
      if (decision.touches.length > 0) {
        const rows = decision.touches.map(({ contactTouches, lead }) => ({
          contact_id: lead.contact,
          made: contactTouches
        }))
        yield* write(sql.contacts, [rows])
      }
      yield* cancel(earlierTries(decision, looked))
      yield* append(decision.events)
    })
    // All of it is on its way before the counts of the first two come back.
    yield* Effect.all(
      [
        leads(lease.claim, [...decision.touches.map(({ lead }) => lead), ...decision.leads], looked),
        messages(all),
        rest
      ],
      { concurrency: "unbounded", discard: true }
    )
    const claim: Claim | null = claimed.length === 0 ? null : { id: lease.claim, messages: claimed }
    return claim
  })
}
