/** Contacts with the touches their row remembers, their lists and imports, and suppressions. */
import type { Address } from "@overture/core/channel/Address"
import type { Consent, Contact, ContactList, ContactTouch } from "@overture/core/contact/Contact"
import type { ContactImport } from "@overture/core/contact/ContactImport"
import type { Suppression } from "@overture/core/contact/Suppression"
import type { AccountId, ContactId, ContactListId, WorkspaceId } from "@overture/core/workspace/Id"
import type { Metadata } from "@overture/core/workspace/Json"
import * as Columns from "./Columns.ts"

/** Without `touches` and `unreachable`, which only claims and settles write. */
export const columns = {
  id: "id",
  workspace_id: "id",
  name: "text",
  first: "text",
  last: "text",
  addresses: "json",
  tags: "json",
  attributes: "json",
  timezone: "text",
  consents: "json",
  external_ref: "text",
  metadata: "json",
  created_at: "bigint"
} as const satisfies Columns.Columns

/** What `decode`, `touches` and `unreachable` read. */
export const stateColumns = { ...columns, touches: "json", unreachable: "json" } as const satisfies Columns.Columns

export interface ContactRow {
  readonly id: ContactId
  readonly workspace_id: WorkspaceId
  readonly name: string
  readonly first: string | null
  readonly last: string | null
  readonly addresses: string
  readonly tags: string
  readonly attributes: string
  readonly timezone: string | null
  readonly consents: string
  readonly external_ref: string | null
  readonly metadata: string
  readonly created_at: number
}

export interface ContactStateRow extends ContactRow {
  readonly touches: string
  /** Null = none. */
  readonly unreachable: string | null
}

export const decode = (row: ContactRow): Contact => ({
  id: row.id,
  workspace: row.workspace_id,
  name: row.name,
  first: row.first,
  last: row.last,
  addresses: Columns.array<Address>(row.addresses),
  tags: Columns.array<string>(row.tags),
  attributes: Columns.record<Contact["attributes"]>(row.attributes),
  timezone: row.timezone,
  consents: Columns.array<Consent>(row.consents),
  externalRef: row.external_ref,
  metadata: Columns.record<Metadata>(row.metadata),
  createdAt: row.created_at
})

/** What the contact's own row remembers of former touches; written back as it is. */
export const touches = (row: Pick<ContactStateRow, "touches">): ReadonlyArray<ContactTouch> =>
  Columns.array<ContactTouch>(row.touches)

/** The keys of its addresses at which nobody was. */
export const unreachable = (row: Pick<ContactStateRow, "unreachable">): ReadonlyArray<string> =>
  row.unreachable === null ? [] : Columns.array<string>(row.unreachable)

export const encode = (self: Contact): Columns.Written<typeof columns> => ({
  id: self.id,
  workspace_id: self.workspace,
  name: self.name,
  first: self.first,
  last: self.last,
  addresses: self.addresses,
  tags: self.tags,
  attributes: self.attributes,
  timezone: self.timezone,
  consents: self.consents,
  external_ref: self.externalRef,
  metadata: self.metadata,
  created_at: self.createdAt
})

/** Without `members`, the count of all who ever joined. */
export const listColumns = {
  id: "id",
  workspace_id: "id",
  number: "int",
  name: "text",
  status: "text",
  created_at: "bigint"
} as const satisfies Columns.Columns

export interface ContactListRow {
  readonly id: ContactListId
  readonly workspace_id: WorkspaceId
  readonly number: number
  readonly name: string
  readonly status: ContactList["status"]
  readonly created_at: number
}

export const decodeList = (row: ContactListRow): ContactList => ({
  id: row.id,
  workspace: row.workspace_id,
  number: row.number,
  name: row.name,
  status: row.status,
  createdAt: row.created_at
})

export const importColumns = {
  workspace_id: "id",
  id: "text",
  list_id: "id",
  mode: "text",
  fingerprint: "text",
  records: "bigint",
  created: "bigint",
  merged: "bigint",
  rejected: "bigint",
  started_at: "bigint",
  finished_at: "bigint"
} as const satisfies Columns.Columns

export interface ImportRow {
  readonly workspace_id: WorkspaceId
  readonly id: string
  readonly list_id: ContactListId | null
  readonly mode: ContactImport["mode"]
  readonly fingerprint: string
  readonly records: number
  readonly created: number
  readonly merged: number
  readonly rejected: number
  readonly started_at: number
  readonly finished_at: number | null
}

export const decodeImport = (row: ImportRow): ContactImport => ({
  workspace: row.workspace_id,
  id: row.id,
  list: row.list_id,
  mode: row.mode,
  fingerprint: row.fingerprint,
  records: row.records,
  created: row.created,
  merged: row.merged,
  rejected: row.rejected,
  startedAt: row.started_at,
  finishedAt: row.finished_at
})

export const encodeImport = (self: ContactImport): Columns.Written<typeof importColumns> => ({
  workspace_id: self.workspace,
  id: self.id,
  list_id: self.list,
  mode: self.mode,
  fingerprint: self.fingerprint,
  records: self.records,
  created: self.created,
  merged: self.merged,
  rejected: self.rejected,
  started_at: self.startedAt,
  finished_at: self.finishedAt
})

export const suppressionColumns = {
  workspace_id: "id",
  address: "text",
  account_id: "id",
  reason: "text",
  at: "bigint"
} as const satisfies Columns.Columns

export interface SuppressionRow {
  readonly workspace_id: WorkspaceId
  readonly address: string
  /** Empty = the whole workspace, for a primary key holds no null. */
  readonly account_id: AccountId | ""
  readonly reason: Suppression["reason"]
  readonly at: number
}

export const decodeSuppression = (row: SuppressionRow): Suppression => ({
  workspace: row.workspace_id,
  address: row.address,
  account: row.account_id === "" ? null : row.account_id,
  reason: row.reason,
  at: row.at
})

export const encodeSuppression = (self: Suppression): Columns.Written<typeof suppressionColumns> => ({
  workspace_id: self.workspace,
  address: self.address,
  account_id: self.account ?? "",
  reason: self.reason,
  at: self.at
})
