/**
 * The claim of queued messages: direct ones, and the later parts of touches. Messages and accounts are locked first and
 * then whatever else a decision may change, each passing by what others hold; what can forbid a send is read after that.
 */
import type { AccountState } from "@overture/core/account/Account"
import type { Claimed, Message } from "@overture/core/chat/Message"
import type { Contact } from "@overture/core/contact/Contact"
import type { AddressHash } from "@overture/core/contact/Suppression"
import type { OutboxStore, QueuedCandidate, QueuedDecision } from "@overture/core/outbox/OutboxStore"
import type { CampaignId, ContactId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import * as Budgets from "../Budgets.ts"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as EventSqlStore from "../EventSqlStore.ts"
import * as Guard from "../Guard.ts"
import * as AccountRow from "../rows/AccountRow.ts"
import * as Columns from "../rows/Columns.ts"
import * as ContactRow from "../rows/ContactRow.ts"
import * as MessageRow from "../rows/MessageRow.ts"
import * as Groups from "./Groups.ts"
import * as Held from "./Held.ts"
import { lookup, matches } from "./Lookup.ts"
import { canceller } from "./queue.ts"
import * as Surroundings from "./Surroundings.ts"

const statements = defineStatements("OutboxClaimQueued", (sql) => {
  const contactIds = sql.rows("x", 1, { id: "id" })
  return {
    // Only what is queued and unclaimed has a due_at; saying so would make the planner sort the few rows it expects.
    due: `select ${Columns.select(MessageRow.columns, "m")}, ${Columns.select(AccountRow.stateColumns, "a", "a_")}
      from ${sql.t("message")} as m ${lookup(sql, "account", "a", "a.id = m.account_id", "skip")}
      where m.due_at <= $1 order by m.due_at limit $2 ${sql.skipLocked("m")}`,
    paces: `select p.campaign_id, p.account_id, g.status from ${sql.rows("x", 1, { campaign_id: "id", account_id: "id" })}
      ${lookup(sql, "pace", "p", "p.campaign_id = x.campaign_id and p.account_id = x.account_id", "skip")}
      ${lookup(sql, "campaign", "g", "g.id = x.campaign_id")}`,
    contacts: `select ${Columns.select(ContactRow.columns, "c")} from ${contactIds}
      ${lookup(sql, "contact", "c", "c.id = x.id", "skip")}`,
    exists: `select c.id from ${contactIds} ${lookup(sql, "contact", "c", "c.id = x.id")}`,
    take: `update ${sql.t("message")} as m set claim_id = ${sql.p(2, "id")}, due_at = null, reserved = x.holds
      from ${sql.rows("x", 1, { message_id: "id", holds: "json" })} where ${matches(sql, "m.id", "x.message_id")}`,
    defer: `update ${sql.t("message")} as m set due_at = x.at, reason = x.why
      from ${sql.rows("x", 1, { message_id: "id", at: "bigint", why: "text" })} where ${matches(sql, "m.id", "x.message_id")}`
  }
})

interface Due {
  readonly message: Message
  readonly account: AccountState
}

const accountIn = Columns.unprefix<AccountRow.AccountStateRow>(AccountRow.stateColumns, "a_")

/** The campaign whose pace holds a reservation of this message. */
const paceOf = ({ campaign, reserved }: Message): CampaignId | null => (reserved?.pace == null ? null : campaign)

export const make = (database: Database["Service"]): OutboxStore["Service"]["claimQueued"] => {
  const sql = database.statements(statements)
  const { affected, execute, hotTransaction } = database
  const append = EventSqlStore.appender(database)
  const budgets = Budgets.make(database)
  const cancel = canceller(database)
  const held = Held.make(database)
  const around = Surroundings.make(database)
  const groups = Groups.make(database)

  /** Without those whose pace is held by another: what they reserve could not be given back. */
  const lockPaces = Effect.fnUntraced(function* (due: ReadonlyArray<Due>) {
    const wanted = new Map<string, object>()
    for (const { message } of due) {
      const campaign = paceOf(message)
      if (campaign !== null)
        wanted.set(`${campaign}|${message.account}`, { campaign_id: campaign, account_id: message.account })
    }
    const statuses = new Map<string, string>()
    if (wanted.size > 0) {
      type Row = Record<"campaign_id" | "account_id" | "status", string>
      for (const row of yield* execute<Row>(sql.paces, [[...wanted.values()]])) {
        statuses.set(`${row.campaign_id}|${row.account_id}`, row.status)
      }
    }
    return due.flatMap((one) => {
      const campaign = paceOf(one.message)
      const status = campaign === null ? "running" : statuses.get(`${campaign}|${one.message.account}`)
      return status === undefined ? [] : [{ ...one, campaignPaused: status !== "running" }]
    })
  })

  /** The contacts of messages: locked, or null where the person was erased. Missing when another holds it. */
  const lockContacts = Effect.fnUntraced(function* (due: ReadonlyArray<Due>) {
    const wanted = new Set(due.flatMap(({ message }) => message.contact ?? []))
    const contacts = new Map<ContactId, Contact | null>()
    if (wanted.size === 0) return contacts
    const rows = yield* execute<ContactRow.ContactRow>(sql.contacts, [Array.from(wanted, (id) => ({ id }))])
    for (const row of rows) contacts.set(row.id, ContactRow.decode(row))
    const missing = [...wanted].filter((id) => !contacts.has(id))
    if (missing.length > 0) {
      const known = yield* execute<{ readonly id: ContactId }>(sql.exists, [missing.map((id) => ({ id }))])
      const elsewhere = new Set(known.map(({ id }) => id))
      for (const id of missing) if (!elsewhere.has(id)) contacts.set(id, null)
    }
    return contacts
  })

  const candidates = Effect.fnUntraced(function* (all: ReadonlyArray<Due>, hash: AddressHash | null) {
    // Also those that hold a reservation from before their account changed its group: it may have to be given back.
    const groupsOf = ({ account, message }: Due) => [account.account.group, message.reserved?.group?.id]
    const grouped = yield* groups.read(all.flatMap(groupsOf), "skip")
    const due = all.filter((one) => !groupsOf(one).some(grouped.isHeld))
    const workspaces = yield* around.workspaces(
      due.map(({ message }) => message.workspace),
      "skip"
    )
    const mine = yield* lockPaces(due.filter(({ message }) => workspaces.has(message.workspace)))
    const contacts = yield* lockContacts(mine)
    const free = mine.filter(({ message }) => message.contact === null || contacts.has(message.contact))
    const chatOf = yield* around.chats(free.map(({ message }) => message))
    const suppressionsOf = yield* around.suppressions(
      free.map(({ message }) => ({ workspace: message.workspace, addresses: [message.address] })),
      hash
    )
    return free.map(
      ({ account, campaignPaused, message }): QueuedCandidate => ({
        message,
        account,
        campaignPaused,
        workspace: workspaces.get(message.workspace)!,
        group: grouped.of(account.account.group),
        contact: message.contact === null ? null : (contacts.get(message.contact) ?? null),
        chat: chatOf(message.account, message.address),
        suppressions: suppressionsOf(message.workspace, [message.address], message.account)
      })
    )
  })

  const write = Effect.fnUntraced(function* (
    decision: QueuedDecision,
    found: ReadonlyArray<QueuedCandidate>,
    lease: Parameters<Held.Held["start"]>[0]
  ) {
    const byId = new Map(found.map((candidate) => [candidate.message.id, candidate]))
    const claimed = (message: Message): Claimed => ({ message, account: byId.get(message.id)!.account.account })
    const take = decision.take.map(({ despite, id, reserved }) => {
      const { message } = byId.get(id)!
      return { ...claimed({ ...message, claim: lease.claim, dueAt: null, reserved }), despite }
    })
    if (take.length > 0) {
      yield* held.start(
        lease,
        take.map(({ message }) => message.id)
      )
      yield* affected(sql.take, [
        take.map(({ message }) => ({ message_id: message.id, holds: message.reserved })),
        lease.claim
      ])
    }
    if (decision.defer.length > 0) {
      const rows = decision.defer.map(({ id, reason, until }) => ({ message_id: id, at: until, why: reason }))
      yield* affected(sql.defer, [rows])
    }
    yield* budgets.write(decision)
    const cancelled = yield* cancel(
      decision.cancel.map(({ id, reason }) => ({ message: byId.get(id)!.message, reason }))
    )
    yield* append(decision.events)
    return {
      claim: take.length === 0 ? null : { id: lease.claim, messages: take },
      cancelled: cancelled.map(claimed)
    }
  })

  return ({ addressHash = null, decide, lease, limit, now }) =>
    hotTransaction(
      Effect.gen(function* () {
        const rows = yield* execute<MessageRow.MessageRow>(sql.due, [now, limit])
        if (rows.length === 0) return null
        const due = rows.map((row) => ({ message: MessageRow.decode(row), account: AccountRow.state(accountIn(row)) }))
        const found = yield* candidates(due, addressHash)
        if (found.length === 0) return { claim: null, cancelled: [] }
        return yield* write(decide(found), found, lease)
      })
    ).pipe(Effect.tap((made) => (made?.claim == null ? Effect.void : Guard.claimed(database))))
}
