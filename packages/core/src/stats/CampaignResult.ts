/** What became of one lead, as a row of a file that a person opens in a spreadsheet and as a document for a program. */
import type { Account } from "../account/Account.ts"
import * as Accounts from "../account/Account.ts"
import { type Campaign, stepAt } from "../campaign/Campaign.ts"
import * as Lead from "../campaign/Lead.ts"
import * as Address from "../channel/Address.ts"
import * as Csv from "../contact/ContactCsv.ts"
import type { AccountId } from "../workspace/Id.ts"
import { format, type Instant } from "../workspace/Instant.ts"

/** A touch that was made, skipped or failed. */
export interface TouchResult {
  /** 0 = first touch; null for a step that an edit removed. */
  readonly step: number | null
  readonly status: Lead.TouchFate
  readonly reason: string | null
  readonly at: string
}

/** One lead; instants are ISO 8601. */
export interface CampaignResult {
  readonly lead: string
  readonly contact: string
  readonly channel: string
  /** The person's id or number on the channel. */
  readonly externalId: string
  readonly externalRef: string | null
  /** The account's externalRef, else its id. */
  readonly account: string | null
  readonly status: Lead.LeadStatus
  readonly reason: string | null
  readonly ended: string | null
  /** The last step that was decided, 0 = first touch, and what became of it. */
  readonly step: number | null
  readonly stepStatus: Lead.TouchFate | null
  readonly stepReason: string | null
  readonly firstSentAt: string | null
  readonly lastSentAt: string | null
  readonly repliedAt: string | null
  readonly nextStep: number | null
  readonly nextAt: string | null
  readonly touches: ReadonlyArray<TouchResult>
}

const iso = (at: Instant | null): string | null => (at === null ? null : format(at))

/** Makes the results of a campaign's leads. */
export const resultOf = ({ settings }: Campaign, accounts: ReadonlyArray<Account>) => {
  const keys = new Map<AccountId, string>(accounts.map((account) => [account.id, Accounts.seedKey(account)]))
  const place = (step: string | null): number | null => stepAt(settings, step)?.index ?? null
  return (lead: Lead.Lead): CampaignResult => {
    const { channel, externalId } = Address.parse(lead.address)
    const touches = lead.touches.flatMap(
      ({ at, reason, status, step }): ReadonlyArray<TouchResult> =>
        status === "deferred" ? [] : [{ step: place(step), status, reason, at: format(at) }]
    )
    const last = touches.at(-1)
    return {
      lead: lead.id,
      contact: lead.contact,
      channel,
      externalId,
      externalRef: lead.externalRef,
      account: lead.account === null ? null : (keys.get(lead.account) ?? lead.account),
      status: Lead.shown(lead),
      reason: lead.reason,
      ended: lead.ended,
      step: last?.step ?? null,
      stepStatus: last?.status ?? null,
      stepReason: last?.reason ?? null,
      firstSentAt: iso(lead.firstSentAt),
      lastSentAt: iso(lead.lastSentAt),
      repliedAt: iso(lead.repliedAt),
      nextStep: place(lead.step),
      nextAt: iso(lead.dueAt),
      touches
    }
  }
}

const columns = [
  "lead",
  "contact",
  "channel",
  "externalId",
  "externalRef",
  "account",
  "status",
  "reason",
  "ended",
  "step",
  "stepStatus",
  "stepReason",
  "firstSentAt",
  "lastSentAt",
  "repliedAt",
  "nextStep",
  "nextAt"
] as const satisfies ReadonlyArray<keyof CampaignResult>

/** The header of the CSV. */
export const header = `${columns.join(",")}\r\n`

/** A row of it. `forSpreadsheets` as in `ContactCsv.CsvOptions`. */
export const row = (forSpreadsheets: boolean) => {
  const cell = Csv.cellOf(forSpreadsheets)
  return (result: CampaignResult): string =>
    `${columns.map((name) => cell(result[name] === null ? "" : String(result[name]))).join(",")}\r\n`
}
