/**
 * The work: running campaigns whose accounts each have one slot due at a time, with a lead for every slot. All campaigns
 * share one day plan, so at each slot's instant every pace is due at once. Written by the row codecs of the storage, not
 * by the verbs: what is measured begins at the claim.
 */
import * as AccountRow from "@overture/adapters/storage/rows/AccountRow"
import * as CampaignRow from "@overture/adapters/storage/rows/CampaignRow"
import * as Columns from "@overture/adapters/storage/rows/Columns"
import * as ContactRow from "@overture/adapters/storage/rows/ContactRow"
import * as LeadRow from "@overture/adapters/storage/rows/LeadRow"
import * as PaceRow from "@overture/adapters/storage/rows/PaceRow"
import * as WorkspaceRow from "@overture/adapters/storage/rows/WorkspaceRow"
import { Database } from "@overture/adapters/storage/Database"
import { defineStatements } from "@overture/adapters/storage/Dialect"
import { seedKey } from "@overture/core/campaign/Campaign"
import * as DayPlan from "@overture/core/campaign/DayPlan"
import { noCounts } from "@overture/core/campaign/Pace"
import { dayPlanSettings } from "@overture/core/campaign/PacePlan"
import * as Builders from "@overture/core/testing/Builders"
import type { Instant } from "@overture/core/workspace/Instant"
import { Effect } from "effect"

export interface Size {
  readonly campaigns: number
  readonly accountsEach: number
  readonly leads: number
}

/** Every lead has a slot of its own. */
export const size = (leads: number): Size => ({ campaigns: 20, accountsEach: 100, leads })

const { touches: _touches, ...contactColumns } = ContactRow.stateColumns
const { use_count: _count, use_day: _day, ...workspaceColumns } = WorkspaceRow.stateColumns

const statements = defineStatements("BenchSeed", (sql) => {
  const put = (table: string, columns: Columns.Columns, more = "", values = "") =>
    `insert into ${sql.t(table)}(${Columns.names(columns)}${more}) select ${Columns.select(columns, "x")}${values}
      from ${sql.rows("x", 1, columns)} where true`
  return {
    workspace: put("workspace", workspaceColumns),
    accounts: put("account", AccountRow.columns),
    campaigns: put("campaign", CampaignRow.columns),
    paces: put("pace", PaceRow.columns),
    contacts: put("contact", contactColumns, ", touches", `, ${sql.cast("'[]'", "json")}`),
    leads: put("lead", LeadRow.columns)
  }
})

/** Midnight of the day on which everything is sent. */
const midnight: Instant = Builders.start - (Builders.start % 86_400_000)

const chunk = 2_000

/** Fills an empty database. Returns the instant of the first slot. */
export const seed = Effect.fnUntraced(function* ({ accountsEach, campaigns, leads }: Size) {
  const database = yield* Database
  const sql = database.statements(statements)
  const build = Builders.make("bench")
  const workspace = build.workspace()
  yield* database.affected(sql.workspace, [[WorkspaceRow.encode(workspace)]])
  const rounds = Math.ceil(leads / (campaigns * accountsEach))
  const paces: Array<{
    readonly campaign: ReturnType<typeof build.campaign>
    readonly account: ReturnType<typeof build.account>
  }> = []
  for (let i = 0; i < campaigns; i++) {
    const settings = build.settings({
      steps: [build.step()],
      pacing: { rangeMin: rounds, rangeMax: rounds, jitter: 0, catchUp: "skip", newShare: 0.25 }
    })
    const campaign = build.campaign(workspace.id, { settings, status: "running", startedAt: midnight })
    const accounts = Array.from({ length: accountsEach }, () => build.account(workspace.id))
    yield* database.affected(sql.campaigns, [[CampaignRow.encode(campaign)]])
    yield* database.affected(sql.accounts, [accounts.map(AccountRow.encode)])
    const day = DayPlan.make({
      campaign: seedKey(campaign),
      account: "",
      date: Builders.startDate,
      settings: dayPlanSettings(settings),
      rampDay: 1,
      from: null,
      used: 0
    })
    const rows = accounts.map((account) =>
      PaceRow.encode({
        campaign: campaign.id,
        account: account.id,
        workspace: workspace.id,
        version: 1,
        paused: false,
        date: Builders.startDate,
        quota: day.quota,
        used: 0,
        slot: 0,
        from: null,
        usedBefore: 0,
        nextAt: day.slots[0] ?? null,
        deferredTo: null,
        rampDay: 0,
        rampDate: null,
        leftAt: null,
        counts: noCounts
      })
    )
    yield* database.affected(sql.paces, [rows])
    paces.push(...accounts.map((account) => ({ campaign, account })))
  }
  // Round by round: what lies side by side in the table is sent at the same time by different accounts.
  for (let from = 0; from < leads; from += chunk) {
    const contacts = Array.from({ length: Math.min(chunk, leads - from) }, () => build.contact(workspace.id))
    yield* database.affected(sql.contacts, [contacts.map(ContactRow.encode)])
    const rows = contacts.map((contact, i) => {
      const { account, campaign } = paces[(from + i) % paces.length]!
      return LeadRow.encode(build.lead(campaign, contact, { status: "assigned", account: account.id }))
    })
    yield* database.affected(sql.leads, [rows])
  }
  return { workspace, midnight }
})

/** The day on which everything is sent: from before the first slot to after the last. */
export const from: Instant = midnight
export const until: Instant = midnight + 86_400_000
