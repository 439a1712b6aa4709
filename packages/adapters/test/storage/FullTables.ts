/**
 * Full tables for plans: several workspaces whose campaigns are in every state, with leads in every status, and the chats,
 * messages and events that go with them. Every row is a copy of one that the row codecs wrote, made by the database itself.
 */
import { Effect } from "effect"
import * as Seed from "../../../../bench/Seed.ts"
import { Database } from "../../src/storage/Database.ts"
import type { Sql } from "../../src/storage/Dialect.ts"
import * as AccountRow from "../../src/storage/rows/AccountRow.ts"
import * as CampaignRow from "../../src/storage/rows/CampaignRow.ts"
import * as ContactRow from "../../src/storage/rows/ContactRow.ts"
import * as LeadRow from "../../src/storage/rows/LeadRow.ts"
import * as PaceRow from "../../src/storage/rows/PaceRow.ts"

export const counts = { workspaces: 5, campaigns: 200, accounts: 400, paces: 2_000, contacts: 20_000, leads: 100_000 }

const perCampaign = counts.leads / counts.campaigns
const pacesEach = counts.paces / counts.campaigns

/** The row that a claim finds before the tables are filled: one pace, and leads that are ready. */
export const first = Seed.seed({ campaigns: 1, accountsEach: 1, leads: 3 })

const texts = (sql: Sql): ReadonlyArray<string> => {
  const { t } = sql
  const digits = (number: string) =>
    sql.pick({ postgres: `lpad((${number})::text, 8, '0')`, sqlite: `printf('%08d', ${number})` })
  const id = (prefix: string, number: string) => `'${prefix}_0199aa000000700080000000' || ${digits(number)}`
  const series = (count: number) =>
    sql.pick({
      postgres: `generate_series(0, ${count - 1}) as s(i)`,
      sqlite: `(with recursive s(i) as (select 0 union all select i + 1 from s where i < ${count - 1}) select i from s) as s`
    })
  /** Copies one row of a table for each number, with some columns made from it. */
  const multiply = (
    table: string,
    columns: ReadonlyArray<string>,
    count: number,
    made: Readonly<Record<string, string>>
  ) =>
    `insert into ${t(table)}(${columns.join(", ")}) select ${columns.map((name) => made[name] ?? `o.${name}`).join(", ")}
      from (select * from ${t(table)} limit 1) as o cross join ${series(count)}`
  const workspaceOf = (number: string) => id("wsp", `(${number}) % ${counts.workspaces}`)
  // Accounts and people of a campaign are those of its workspace.
  const campaign = `(s.i % ${counts.campaigns})`
  const nth = `(s.i / ${counts.campaigns})`
  const accountOf = (campaign: string, nth: string) =>
    `(${campaign} % ${counts.workspaces} + ${counts.workspaces} * ((${campaign} / ${counts.workspaces} * ${pacesEach} + ${nth} % ${pacesEach}) % ${counts.accounts / counts.workspaces}))`
  const contact = `(${campaign} % ${counts.workspaces} + ${counts.workspaces} * ((${nth} * 7 + ${campaign} * 13) % ${counts.contacts / counts.workspaces}))`
  const state = (number: string) =>
    `case when ${number} % 10 < 6 then 'running' when ${number} % 10 < 8 then 'finished' when ${number} % 10 = 8 then 'paused' else 'draft' end`
  const isRunning = `${campaign} % 10 < 6`
  /** By the place of a lead in its campaign: one case each of status, step and what it waits for. */
  const byPlace = (open: Readonly<Record<number, string>>, otherwise: string) =>
    `case ${Object.entries(open)
      .map(([below, value]) => `when ${isRunning} and ${nth} < ${below} then ${value}`)
      .join(" ")} else ${otherwise} end`
  const followUps = 0.8 * perCampaign
  const status = byPlace(
    { 100: "'pending'", 170: "'assigned'", 180: "'sending'", 210: "'failed'", 240: "'skipped'", 250: "'partial'" },
    `case when ${campaign} % 10 = 9 then 'pending' else 'sent' end`
  )
  const lead = {
    id: id("led", "s.i"),
    workspace_id: workspaceOf(campaign),
    campaign_id: id("cmp", campaign),
    account_id: `case when ${campaign} % 10 = 9 or (${isRunning} and ${nth} < 100) then null else ${id("acc", accountOf(campaign, nth))} end`,
    contact_id: id("con", contact),
    address: `'sandbox//person-' || ${contact}`,
    status,
    ended: byPlace({ 180: "null", [followUps]: "'completed'" }, byPlace({ [perCampaign]: "null" }, "'completed'")),
    step_id: byPlace({ 180: "o.step_id", [followUps]: "null", [perCampaign]: "o.step_id" }, "null"),
    follow_up: byPlace({ 180: "0" }, `case when ${campaign} % 10 = 9 then 0 else 1 end`),
    due_at: byPlace(
      { 140: "null", 160: `${Seed.until} + s.i`, [followUps]: "null", [perCampaign]: `${Seed.until} + s.i` },
      "null"
    ),
    claim_id: byPlace({ 160: "null", 162: id("clm", campaign) }, "null"),
    position: "s.i"
  }
  const touched = `l.status in ('sent', 'partial', 'failed', 'sending')`
  return [
    `insert into ${t("workspace")}(id, name, timezone, paused, opt_out_scope, created_at, metadata)
      select ${id("wsp", "s.i")}, o.name, o.timezone, o.paused, o.opt_out_scope, o.created_at, o.metadata
      from (select * from ${t("workspace")} limit 1) as o cross join ${series(counts.workspaces)}`,
    multiply("account", Object.keys(AccountRow.columns), counts.accounts, {
      id: id("acc", "s.i"),
      workspace_id: workspaceOf("s.i"),
      external_id: "'account-' || s.i"
    }),
    multiply("campaign", Object.keys(CampaignRow.columns), counts.campaigns, {
      id: id("cmp", "s.i"),
      workspace_id: workspaceOf("s.i"),
      status: state("s.i")
    }),
    multiply("pace", Object.keys(PaceRow.columns), counts.paces, {
      campaign_id: id("cmp", `s.i / ${pacesEach}`),
      account_id: id("acc", accountOf(`(s.i / ${pacesEach})`, `(s.i % ${pacesEach})`)),
      workspace_id: workspaceOf(`s.i / ${pacesEach}`),
      // Of ten, one rings in the day's first slot and the others later.
      next_at: `case when (s.i / ${pacesEach}) % 10 < 6 then o.next_at + (s.i % 10) * 60000 end`
    }),
    multiply("contact", Object.keys(ContactRow.stateColumns), counts.contacts, {
      id: id("con", "s.i"),
      workspace_id: workspaceOf("s.i"),
      external_ref: "null",
      addresses: sql.pick({
        postgres: `jsonb_build_array(jsonb_build_object('channel', 'sandbox', 'scope', '', 'externalId', 'person-' || s.i))`,
        sqlite: `json_array(json_object('channel', 'sandbox', 'scope', '', 'externalId', 'person-' || s.i))`
      })
    }),
    `insert into ${t("contact_address")}(workspace_id, address, contact_id)
      select ${workspaceOf("s.i")}, 'sandbox//person-' || s.i, ${id("con", "s.i")} from ${series(counts.contacts)}`,
    multiply("lead", Object.keys(LeadRow.columns), counts.leads, lead),
    `insert into ${t("chat")}(id, workspace_id, number, account_id, address, contact_id, name, last_at, last_text,
        last_direction, unread, created_at)
      select 'cht_' || substr(min(l.id), 5), l.workspace_id, 1, l.account_id, l.address, l.contact_id, '', l.created_at, 'hello',
        'outbound', 0, l.created_at
      from ${t("lead")} as l where ${touched} and l.account_id is not null
      group by l.workspace_id, l.account_id, l.address, l.contact_id, l.created_at on conflict do nothing`,
    `insert into ${t("message")}(id, workspace_id, account_id, chat_id, contact_id, address, direction, author_type,
        campaign_id, lead_id, step_id, part, parts, content, status, attempts, tries, external_id, created_at, sent_at, metadata)
      select 'msg_' || substr(l.id, 5), l.workspace_id, l.account_id, c.id, l.contact_id, l.address, 'outbound', 'campaign',
        l.campaign_id, l.id, coalesce(l.step_id, 'stp_0'), 0, 1, '{"type":"text","text":"hello"}',
        case when l.status = 'failed' then 'failed' else 'sent' end, 1, 0, l.id, l.created_at, l.created_at, '{}'
      from ${t("lead")} as l join ${t("chat")} as c on c.account_id = l.account_id and c.address = l.address
      where ${touched} and l.due_at is null on conflict do nothing`,
    `insert into ${t("message")}(id, workspace_id, account_id, chat_id, contact_id, address, direction, author_type,
        part, parts, content, status, attempts, tries, due_at, created_at, metadata)
      select 'msg_q' || substr(c.id, 5), c.workspace_id, c.account_id, c.id, c.contact_id, c.address, 'outbound', 'member',
        0, 1, '{"type":"text","text":"later"}', 'queued', 0, 0, ${Seed.until} + c.created_at % 1000, c.created_at, '{}'
      from (select * from ${t("chat")} limit 2000) as c`,
    `insert into ${t("event")}(id, workspace_id, type, at, subject, actor, data)
      select 'evt_' || substr(m.id, 5), m.workspace_id, 'message.sent', m.created_at, m.id, '{"type":"campaign","id":null}', '{}'
      from ${t("message")} as m`,
    `insert into ${t("suppression")}(workspace_id, address, reason, at)
      select a.workspace_id, a.address, 'optedOut', 1 from (select * from ${t("contact_address")} limit 1000) as a`,
    `insert into ${t("claim")}(id, worker, until, message_ids)
      select ${id("clm", "s.i")}, 'w', ${Seed.until} + s.i, '[]' from ${series(counts.campaigns)}`,
    `insert into ${t("numbering")}(workspace_id, chats, lists) select ${id("wsp", "s.i")}, 100000, 0 from ${series(counts.workspaces)}`
  ]
}

/** Fills a database that holds `first`; says nothing to the planner. */
export const fill = Effect.gen(function* () {
  const { script, sql, transaction } = yield* Database
  yield* transaction(Effect.forEach(texts(sql), (text) => script("fill", text), { discard: true }))
})
