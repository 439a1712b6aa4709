/**
 * What a claim shows to its rules: the ready leads of each pace with everything that can forbid or shape their touches,
 * and what the leads of a pace wait for that got none. All of it is read after the leads are locked.
 */
import type { Dryness, LeadCandidate, PaceWant } from "@overture/core/campaign/CampaignStore"
import type { Message } from "@overture/core/chat/Message"
import type { AddressHash } from "@overture/core/contact/Suppression"
import type { LeadId } from "@overture/core/workspace/Id"
import { earliest, type Instant } from "@overture/core/workspace/Instant"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { lookup } from "../outbox/Lookup.ts"
import * as Surroundings from "../outbox/Surroundings.ts"
import * as Columns from "../rows/Columns.ts"
import * as LeadRow from "../rows/LeadRow.ts"
import * as MessageRow from "../rows/MessageRow.ts"
import * as Ready from "./ready.ts"
import * as Sequences from "./Sequences.ts"
import * as Takeovers from "./Takeovers.ts"

const statements = defineStatements("CampaignLook", (sql) => {
  const lead = (where: string) => `from ${sql.t("lead")} as l
    where l.campaign_id = x.campaign_id and l.account_id = x.account_id and ${where}`
  const next = (followUp: 0 | 1) =>
    `(select l.due_at ${lead(`l.follow_up = ${followUp} and l.due_at is not null
    and l.claim_id is null and l.stop is null`)} order by l.due_at limit 1)`
  const has = (where: string) => `(select 1 ${lead(where)} limit 1)`
  return {
    // Ready leads that were not found are claimed or locked: the pace must look again, whatever comes next.
    dry: `select x.n, ${next(0)} as next_first, ${next(1)} as next_later,
      coalesce(${has("l.status = 'assigned' and l.due_at is null")}, ${has("l.follow_up = 0 and l.due_at <= $2")},
        ${has("l.follow_up = 1 and l.due_at <= $2")}, ${has(LeadRow.isBetweenParts)}, 0) as held
      from ${sql.rows("x", 1, { n: "int", campaign_id: "id", account_id: "id" })}`,
    messages: `select ${Columns.select(MessageRow.columns, "m")} from ${sql.rows("x", 1, { lead_id: "id", step_id: "id" })}
      ${lookup(sql, "message", "m", "m.lead_id = x.lead_id and m.step_id = x.step_id")}`
  }
})

/** What a want got. */
export interface Looked {
  readonly want: PaceWant
  readonly first: ReadonlyArray<LeadCandidate>
  readonly followUps: ReadonlyArray<LeadCandidate>
  readonly dryness: Dryness | null
}

export interface Look {
  /** Adds what can forbid or shape the touches of leads, in the order of the leads. */
  readonly candidates: (
    ready: ReadonlyArray<Ready.Ready>,
    hash: AddressHash | null
  ) => Effect.Effect<ReadonlyArray<LeadCandidate>, StorageError>
  readonly look: (
    wants: ReadonlyArray<PaceWant>,
    now: Instant,
    hash: AddressHash | null
  ) => Effect.Effect<ReadonlyArray<Looked>, StorageError>
}

export const make = (database: Database["Service"]): Look => {
  const sql = database.statements(statements)
  const { execute } = database
  const around = Surroundings.make(database)
  const ready = Ready.make(database)
  const sequences = Sequences.make(database)
  const takeovers = Takeovers.make(database)

  /** The rows that the present step of each lead has, from an earlier try. */
  const earlierTries = Effect.fnUntraced(function* (found: ReadonlyArray<Ready.Ready>) {
    const keys = found.flatMap(({ lead: { id, step } }) => (step === null ? [] : [{ lead_id: id, step_id: step }]))
    const messages = new Map<LeadId | null, Array<Message>>()
    if (keys.length === 0) return messages
    for (const row of yield* execute<MessageRow.MessageRow>(sql.messages, [keys])) {
      const known = messages.get(row.lead_id)
      if (known === undefined) messages.set(row.lead_id, [MessageRow.decode(row)])
      else known.push(MessageRow.decode(row))
    }
    for (const rows of messages.values()) rows.sort((a, b) => a.part - b.part)
    return messages
  })

  const candidates: Look["candidates"] = Effect.fnUntraced(function* (found, hash) {
    const keys = found.map(({ contact }) => Surroundings.keysOf(contact.addresses))
    const [suppressionsOf, chatOf, takenOverOf, sequencesOf, messages] = yield* Effect.all(
      [
        around.suppressions(
          found.map(({ lead }, i) => ({ workspace: lead.workspace, addresses: keys[i]! })),
          hash
        ),
        around.chats(
          found.flatMap(({ lead: { account, address } }) => (account === null ? [] : [{ account, address }]))
        ),
        takeovers(found.map(({ lead }, i) => ({ lead, addresses: keys[i]! }))),
        sequences(found),
        earlierTries(found)
      ],
      { concurrency: "unbounded" }
    )
    return found.map(
      ({ contact, lead, touches, unreachable }, i): LeadCandidate => ({
        lead,
        contact,
        touches,
        unreachable,
        suppressions: suppressionsOf(lead.workspace, keys[i]!, lead.account),
        sequences: sequencesOf(lead),
        chat: lead.account === null ? null : chatOf(lead.account, lead.address),
        takenOver: takenOverOf({ lead, addresses: keys[i]! }),
        messages: messages.get(lead.id) ?? []
      })
    )
  })

  const dryness = Effect.fnUntraced(function* (dry: ReadonlyArray<readonly [n: number, want: PaceWant]>, now: Instant) {
    const answers = new Map<number, Dryness>()
    if (dry.length === 0) return answers
    const rows = dry.map(([n, { due }]) => ({ n, campaign_id: due.pace.campaign, account_id: due.pace.account }))
    type Answer = Record<"n" | "held", number> & Record<"next_first" | "next_later", Instant | null>
    for (const row of yield* execute<Answer>(sql.dry, [rows, now])) {
      answers.set(row.n, { nextDueAt: earliest(row.next_first, row.next_later), held: row.held === 1 })
    }
    return answers
  })

  return {
    candidates,
    look: Effect.fnUntraced(function* (wants, now, hash) {
      const found = yield* ready(wants, now)
      const isDry = (n: number) => wants[n]!.want > 0 && found[n]!.every((leads) => leads.length === 0)
      const [all, dry] = yield* Effect.all(
        [
          candidates(
            found.flatMap(([first, followUps]) => [...first, ...followUps]),
            hash
          ),
          dryness(
            wants.flatMap((want, n) => (isDry(n) ? [[n, want] as const] : [])),
            now
          )
        ],
        { concurrency: "unbounded" }
      )
      let at = 0
      const next = (count: number) => all.slice(at, (at += count))
      return wants.map((want, n) => {
        const [first, followUps] = found[n]!
        return { want, first: next(first.length), followUps: next(followUps.length), dryness: dry.get(n) ?? null }
      })
    })
  }
}
