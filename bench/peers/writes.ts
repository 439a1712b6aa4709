/**
 * What a careful user of a job queue would write for a touch, on the engine's own tables: the same rows as the engine,
 * one statement each for claim, begin and settle, over arrays. A queue that hands out one job at a time gives arrays of
 * one. They read nothing, plan nothing and check nothing, and number chats by a sequence instead of the engine's row per
 * workspace, which one job at a time would make a bottleneck: all of that flatters them.
 */
import * as Chat from "@overture/core/chat/Chat"
import { generator } from "@overture/core/workspace/Id"
import type { AccountId } from "@overture/core/workspace/Id"
import pg from "pg"

/** A lead as a job would know it. */
export interface Lead {
  readonly lead: string
  readonly workspace: string
  readonly campaign: string
  readonly account: AccountId
  readonly contact: string
  readonly address: string
  readonly step: string
}

// `= any(array[…])` can only be a look-up: with `=` a plan made on empty tables walks a whole index for each row.
const prefix = "overture_"
const x = `x as materialized (select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
  $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
  as x(message, lead, workspace, campaign, account, contact, address, step, chat, event1, event2))`
// In one order: statements that share paces or accounts wait for each other instead of deadlocking.
const byPace = "(select campaign, account, count(*)::int as n from x group by 1, 2 order by 1, 2)"
const byAccount = "(select account, count(*)::int as n from x group by 1 order by 1)"
const insertMessage = (status: string, sentAt: string) => `insert into ${prefix}message(id, workspace_id, account_id,
  chat_id, contact_id, address, direction, author_type, author_id, campaign_id, campaign_version, lead_id, step_id, part,
  parts, content, status, attempts, tries, external_id, reserved, claim_id, created_at, begun_at, sent_at, metadata)
  select x.message, x.workspace, x.account, x.chat, x.contact, x.address, 'outbound', 'campaign', x.campaign, x.campaign,
    1, x.lead, x.step, 0, 1, '{"type": "text", "text": "step 1, part 0"}', '${status}', 0, 0,
    ${sentAt === "null" ? "null" : "x.message"}, '{"pace": "2026-03-09", "account": "2026-03-09", "workspace": "2026-03-09"}',
    ${sentAt === "null" ? "'clm_0199aa0000000007bbbcccc'" : "null"}, $12::bigint, ${sentAt}, ${sentAt}, '{}' from x`
const endLead = `update ${prefix}lead as l set status = 'sent', ended = 'completed', step_id = null, claim_id = null,
  touches = jsonb_build_array(jsonb_build_object('step', x.step, 'status', 'sent', 'reason', null, 'at', $12::bigint)),
  first_sent_at = $12::bigint, last_sent_at = $12::bigint, address = x.address from x where l.id = any(array[x.lead])`
const openChat = `insert into ${prefix}chat(id, workspace_id, number, account_id, address, contact_id, name, last_at,
  last_text, last_direction, unread, created_at)
  select x.chat, x.workspace, nextval('bench_chat'), x.account, x.address, x.contact, '', $12::bigint, 'step 1, part 0',
    'outbound', 0, $12::bigint from x
  on conflict (id) do update set last_at = excluded.last_at, last_text = excluded.last_text`
const events = (
  which: "lead's" | "all"
) => `insert into ${prefix}event(id, workspace_id, type, at, subject, actor, cause, data)
  select e.id, x.workspace, e.type, $12::bigint, e.subject, jsonb_build_object('id', x.campaign, 'type', 'campaign'),
    e.cause, jsonb_build_object('chat', x.chat, 'account', x.account, 'lead', x.lead, 'campaign', x.campaign)
  from x cross join lateral (values (x.event1, 'lead.sent', x.lead, x.message)
    ${which === "all" ? ", (x.event2, 'message.sent', x.message, null), (x.event2 || 'c', 'chat.created', x.chat, null)" : ""}) as e(id, type, subject, cause)`

const texts = {
  claim: `with ${x},
    l as (update ${prefix}lead as l set claim_id = 'clm_0199aa0000000007bbbcccc', address = x.address from x
      where l.id = any(array[x.lead]) and l.claim_id is null),
    m as (${insertMessage("queued", "null")}),
    p as (update ${prefix}pace as p set used = p.used + y.n, slot = p.slot + y.n, next_at = $12::bigint + 60000
      from ${byPace} as y where p.campaign_id = y.campaign and p.account_id = y.account),
    a as (update ${prefix}account as a set use_day = '2026-03-09', use_count = a.use_count + y.n,
      last_touch_at = $12::bigint from ${byAccount} as y where a.id = any(array[y.account])),
    c as (update ${prefix}contact as c set touches = jsonb_build_array(jsonb_build_object('at', $12::bigint, 'campaign',
      x.campaign, 'lead', x.lead, 'step', x.step)) from x where c.id = any(array[x.contact]))
    select 1`,
  begin: `with ${x} update ${prefix}message as m set status = 'sending', begun_at = $12::bigint from x
    where m.id = any(array[x.message]) and m.status = 'queued'`,
  settle: `with ${x},
    m as (update ${prefix}message as m set status = 'sent', attempts = 1, external_id = x.message, claim_id = null,
      sent_at = $12::bigint from x where m.id = any(array[x.message])),
    l as (${endLead}),
    p as (update ${prefix}pace as p set sent = p.sent + y.n, touched = p.touched + y.n, ramp_day = 1,
      ramp_date = '2026-03-09' from ${byPace} as y where p.campaign_id = y.campaign and p.account_id = y.account),
    h as (${openChat}),
    e as (${events("all")})
    select 1`,
  four: `with ${x}, l as (${endLead}), m as (${insertMessage("sent", "$12::bigint")}), h as (${openChat}),
    e as (${events("lead's")}) select 1`
} as const

const steps = { same: ["claim", "begin", "settle"], four: ["four"] } as const

/** Reads all leads before the clock starts, in the order in which they were made. */
export const leads = async (pool: pg.Pool): Promise<ReadonlyArray<Lead>> => {
  await pool.query("create sequence if not exists bench_chat cache 100")
  const { rows } = await pool.query<Lead>(`select id as lead, workspace_id as workspace, campaign_id as campaign,
    account_id as account, contact_id as contact, address, step_id as step from ${prefix}lead order by id`)
  return rows
}

/** Connections for handlers: statements prepared by name, with plans that stay look-ups as the tables grow. */
export const connect = (url: string, connections: number): pg.Pool =>
  new pg.Pool({
    connectionString: url,
    max: connections,
    options:
      "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
  })

/** Sends and writes a batch. The channel answers at once, so there is nothing to wait for between begin and settle. */
export const writer = (pool: pg.Pool, writes: keyof typeof steps) => async (batch: ReadonlyArray<Lead>) => {
  const now = Date.now()
  const ids = generator(now, Math.random)
  const column = (of: (lead: Lead) => string) => batch.map(of)
  const values = [
    column(() => ids.next("msg")),
    column((one) => one.lead),
    column((one) => one.workspace),
    column((one) => one.campaign),
    column((one) => one.account),
    column((one) => one.contact),
    column((one) => one.address),
    column((one) => one.step),
    column((one) => Chat.idOf(one.account, one.address)),
    column(() => ids.next("evt")),
    column(() => ids.next("evt")),
    now
  ]
  for (const name of steps[writes]) await pool.query({ name, text: texts[name], values })
}
