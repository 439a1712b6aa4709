/** Campaigns. Settings are large and rarely change, so their JSON is read once and the same object comes back. */
import type { Breaker } from "@overture/core/campaign/Breaker"
import type { Campaign, CampaignSettings, CampaignStatus } from "@overture/core/campaign/Campaign"
import type { CampaignId, WorkspaceId } from "@overture/core/workspace/Id"
import type { Metadata } from "@overture/core/workspace/Json"
import * as Columns from "./Columns.ts"

/** Without the counts of leads that had no account. */
export const columns = {
  id: "id",
  workspace_id: "id",
  name: "text",
  status: "text",
  version: "int",
  settings: "json",
  pause_reason: "text",
  breaker: "json",
  external_ref: "text",
  metadata: "json",
  created_at: "bigint",
  started_at: "bigint",
  resume_after: "text",
  follows: "boolean"
} as const satisfies Columns.Columns

export interface CampaignRow {
  readonly id: CampaignId
  readonly workspace_id: WorkspaceId
  readonly name: string
  readonly status: CampaignStatus
  readonly version: number
  readonly settings: string
  readonly pause_reason: string | null
  readonly breaker: string
  readonly external_ref: string | null
  readonly metadata: string
  readonly created_at: number
  readonly started_at: number | null
  readonly resume_after: string | null
  readonly follows: number
}

const room = 1_000
const known = new Map<CampaignId, { readonly text: string; readonly settings: CampaignSettings }>()

// The text itself decides, not the version: a rolled-back edit or another database may have the same id and version.
const settingsOf = (id: CampaignId, text: string): CampaignSettings => {
  const found = known.get(id)
  if (found?.text === text) return found.settings
  const settings = Columns.json<CampaignSettings>(text)
  if (known.size >= room) known.delete(known.keys().next().value!)
  known.set(id, { text, settings })
  return settings
}

export const decode = (row: CampaignRow): Campaign => ({
  id: row.id,
  workspace: row.workspace_id,
  name: row.name,
  status: row.status,
  version: row.version,
  settings: settingsOf(row.id, row.settings),
  pauseReason: row.pause_reason,
  breaker: Columns.json<Breaker>(row.breaker),
  externalRef: row.external_ref,
  metadata: Columns.record<Metadata>(row.metadata),
  createdAt: row.created_at,
  startedAt: row.started_at,
  ...(row.resume_after !== null && { resumeAfter: row.resume_after })
})

export const encode = (self: Campaign): Columns.Written<typeof columns> => ({
  id: self.id,
  workspace_id: self.workspace,
  name: self.name,
  status: self.status,
  version: self.version,
  settings: self.settings,
  pause_reason: self.pauseReason,
  breaker: self.breaker,
  external_ref: self.externalRef,
  metadata: self.metadata,
  created_at: self.createdAt,
  started_at: self.startedAt,
  resume_after: self.resumeAfter ?? null,
  // Whether it is looked for as one that follows its lists.
  follows: self.settings.followList === true && self.status !== "deleted"
})
