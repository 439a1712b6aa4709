/**
 * Whether a claim stays as fast as the tables grow: the same claim of 500 due paces on a small and on a large database,
 * taken in turns. Of the hundred leads of a pace most were sent, some are ready, one waits for later. Filled by set-based
 * SQL from one row of each table; the large one takes minutes and about 2 GB for a million leads.
 */
import { Outreach } from "@overture/core/campaign/Outreach"
import * as Channel from "@overture/core/channel/Channel"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { Effect, ManagedRuntime } from "effect"
import { statfsSync } from "node:fs"
import { tmpdir } from "node:os"
import pg from "pg"
import type { Arena } from "./Arena.ts"
import { storage } from "./engine.ts"
import { median } from "./Report.ts"
import * as Seed from "./Seed.ts"

const perPace = 100
const ready = 14
const accountsEach = 100
const perCampaign = perPace * accountsEach
const bytesPerLead = 2_000
const limit = 500
const warmUp = 3
const claims = 20

/** Copies the one row of a table for each number of a series `i`, with some columns made from it. */
const multiply = async (client: pg.Client, table: string, count: number, made: Readonly<Record<string, string>>) => {
  const { rows } = await client.query<{ readonly name: string }>(
    "select column_name as name from information_schema.columns where table_name = $1 and is_identity = 'NO'",
    [`overture_${table}`]
  )
  const names = rows.map(({ name }) => name)
  await client.query(`insert into overture_${table}(${names.join(", ")})
    select ${names.map((name) => made[name] ?? `t.${name}`).join(", ")}
    from (select * from overture_${table} limit 1) as t, generate_series(1, ${count}) as i`)
}

const id = (prefix: string, number: string) => `'${prefix}_0199aa000000700080000000' || lpad((${number})::text, 9, '0')`

/** Fills an empty database with `leads` leads and a hundredth as many paces, all due at the day's first slot. */
const fill = async (url: string, leads: number) => {
  // As many slots in the day as there are ready leads.
  const size = { campaigns: 1, accountsEach: 1, leads: ready }
  await Effect.runPromise(Effect.provide(Seed.seed(size), storage({ type: "postgres", url })))
  const contacts = Math.max(100_000, leads / 10)
  const campaign = `((i - 1) / ${perCampaign} + 1)`
  // No two campaigns reach the same contact with leads that are ready at the same time.
  const contact = `((i + 17 * ${campaign} + ${campaign} / 100) % ${contacts} + 1)`
  const position = `((i - 1) % ${perPace})`
  const isReady = `${position} >= ${perPace - ready}`
  const client = new pg.Client({ connectionString: url, options: "-c synchronous_commit=off" })
  await client.connect()
  await client.query(
    "delete from overture_lead where position > 1; delete from overture_contact c where not exists (select 1 from overture_lead l where l.contact_id = c.id)"
  )
  await multiply(client, "campaign", leads / perCampaign, { id: id("cmp", "i") })
  await multiply(client, "account", leads / perPace, { id: id("acc", "i"), external_id: "'account-' || i" })
  await multiply(client, "pace", leads / perPace, {
    campaign_id: id("cmp", `(i - 1) / ${accountsEach} + 1`),
    account_id: id("acc", "i")
  })
  const address = "'sandbox//person-' || "
  await multiply(client, "contact", contacts, {
    id: id("con", "i"),
    addresses: `jsonb_build_array(jsonb_build_object('channel', 'sandbox', 'scope', '', 'externalId', 'person-' || i))`
  })
  const names = ["lead_once", "lead_pool", "lead_ready", "lead_due", "lead_contact"].map((name) => `overture_${name}`)
  const { rows } = await client.query<{ readonly text: string }>(
    "select indexdef as text from pg_indexes where indexname = any($1)",
    [names]
  )
  await client.query(`drop index ${names.join(", ")}`)
  await multiply(client, "lead", leads, {
    id: id("led", "i"),
    campaign_id: id("cmp", campaign),
    account_id: id("acc", `(i - 1) / ${perPace} + 1`),
    contact_id: id("con", contact),
    address: `${address}${contact}`,
    status: `case when ${isReady} then 'assigned' else 'sent' end`,
    ended: `case when ${isReady} then null else 'completed' end`,
    step_id: `case when ${isReady} then t.step_id end`,
    due_at: `case when ${position} = ${perPace - 1} then ${Seed.until} end`,
    follow_up: `case when ${isReady} then 0 else 1 end`,
    position: "i"
  })
  for (const { text } of rows) await client.query(text)
  for (const table of ["campaign", "account", "pace", "lead", "contact"]) {
    const column = { campaign: "id", account: "id", pace: "campaign_id", lead: "id", contact: "id" }[table]
    await client.query(`delete from overture_${table} where ${column} not like '%0199aa000000700080000000%'`)
  }
  await client.query("vacuum (freeze, analyze)")
  await client.end()
}

const channel = Channel.make({
  name: Builders.channel,
  capabilities: TestChannel.capabilities,
  policy: TestChannel.policy,
  send: () => Effect.succeed({ type: "accepted", externalId: "" })
})

/** Claims what is due and jumps to the next slot when nothing is; tells how long the claim took and what it got. */
const claimer = (url: string) => {
  const runtime = ManagedRuntime.make(
    Overture.layer({ storage: storage({ type: "postgres", url }), channels: [channel] })
  )
  let now = Seed.from
  let made = 0
  const next = Effect.gen(function* () {
    const { source } = yield* Outreach
    for (let i = 0; i < 4; i++) {
      const claim = Builders.ids(`${url}|${++made}`).next("clm")
      const began = performance.now()
      const found = yield* source.claim(now, limit, { claim, worker: "bench", durationMs: 3_600_000 })
      const ms = performance.now() - began
      if (found.claim !== null) return { ms, claimed: found.claim.messages.length }
      now = Math.max(now, (yield* source.nextDue) ?? now)
    }
    return { ms: 0, claimed: 0 }
  })
  return { next: () => runtime.runPromise(next), close: () => runtime.dispose() }
}

export interface Claims {
  readonly leads: { readonly small: number; readonly large: number }
  readonly small: number
  readonly large: number
  readonly ratio: number
  readonly met: boolean
}

/** Milliseconds of a claim, small and large; null when the disk has no room. */
export const measure = async (arena: Arena, largeLeads: number): Promise<Claims | null> => {
  const { bavail, bsize } = statfsSync(tmpdir())
  if (bavail * bsize < 2 * largeLeads * bytesPerLead) {
    process.stderr.write(`--large needs ${(2 * largeLeads * bytesPerLead) / 1e9} GB of free disk\n`)
    return null
  }
  const leads = { small: 100_000, large: largeLeads }
  const [small, large] = [await arena.postgres("claims_small"), await arena.postgres("claims_large")]
  await fill(small, leads.small)
  await fill(large, leads.large)
  const [one, other] = [claimer(small), claimer(large)]
  const times = { small: [] as Array<number>, large: [] as Array<number> }
  for (let i = 0; i < warmUp + claims; i++) {
    const [a, b] = [await one.next(), await other.next()]
    if (a.claimed !== limit || b.claimed !== limit)
      throw new Error(`claim ${i} got ${a.claimed} and ${b.claimed}, not ${limit}`)
    if (i < warmUp) continue
    times.small.push(a.ms)
    times.large.push(b.ms)
  }
  await one.close()
  await other.close()
  const ratio = median(times.large.map((ms, i) => ms / times.small[i]!))
  return { leads, small: median(times.small), large: median(times.large), ratio, met: ratio <= 1.5 }
}

export const text = ({ large, leads, met, ratio, small }: Claims): string =>
  `claim of ${limit}: ${small.toFixed(1)} ms at ${leads.small} leads, ${large.toFixed(1)} ms at ${leads.large}, ` +
  `× ${ratio.toFixed(2)} (goal ≤ 1.5: ${met ? "met" : "MISSED"})`
