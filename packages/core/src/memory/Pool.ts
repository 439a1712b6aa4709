/** The pool of a campaign in memory: its ranges, how leads are drawn from them, and what decides their routes. */
import type { CampaignStore, Leaving } from "../campaign/CampaignStore.ts"
import type { PoolRange, Take } from "../campaign/Draw.ts"
import * as Lead from "../campaign/Lead.ts"
import type { DrawAccount, PacedAccount } from "../campaign/PacedAccount.ts"
import type { PooledLead } from "../campaign/Routing.ts"
import * as Address from "../channel/Address.ts"
import * as Chat from "../chat/Chat.ts"
import type { AccountId, CampaignId, LeadId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as Paces from "./Paces.ts"
import { by, firstOf } from "./Paging.ts"
import { activeKey, groupOf, paceKey, type State } from "./State.ts"

const pending = (state: State, campaign: CampaignId): ReadonlyArray<Lead.Lead> =>
  [...state.activeLeads.get(activeKey(campaign, null)).values()].filter((lead) => lead.status === "pending")

const isFollowingUp = (lead: Lead.Lead): boolean =>
  Lead.isFollowUp(lead) && lead.claim === null && lead.step !== null && lead.dueAt !== null

const rangeKey = ({ reach, wanted }: Pick<Lead.Lead, "reach" | "wanted">): string => `${wanted ?? ""}|${reach}`

/** How many leads ranges have, no further than to `atMost`. */
export const sizes = (
  state: State,
  campaign: CampaignId,
  ranges: ReadonlyArray<PoolRange>,
  atMost: number
): ReadonlyArray<number> => {
  const counts = new Map<string, number>()
  for (const lead of pending(state, campaign)) counts.set(rangeKey(lead), (counts.get(rangeKey(lead)) ?? 0) + 1)
  return ranges.map((range) => Math.min(atMost, counts.get(rangeKey(range)) ?? 0))
}

/** The accounts of a campaign with their paces. */
export const paces = (state: State, campaign: CampaignId): ReadonlyArray<PacedAccount> =>
  Paces.of(state, campaign).map((pace) => {
    const account = state.accounts.need(pace.account)
    return {
      account: account.account,
      pace,
      groupCap: groupOf(state, account)?.group.dailyCap ?? null,
      workspaceCap: state.workspaces.need(pace.workspace).workspace.dailyCap
    }
  })

/** The accounts of a campaign with what each still has to touch, and what it ever got. */
export const drawAccounts = (state: State, campaign: CampaignId, now: Instant): ReadonlyArray<DrawAccount> =>
  paces(state, campaign).map((one) => {
    const { pace } = one
    const leads = [...state.activeLeads.get(activeKey(campaign, pace.account)).values()]
    const held = leads.filter((lead) => lead.status === "assigned" && lead.claim === null)
    const { failed, partial, sent, skipped } = pace.counts
    return {
      ...one,
      holding: held.length,
      deferred: held.filter((lead) => lead.dueAt !== null && lead.dueAt > now).length,
      given: sent + partial + failed + skipped + leads.filter(Lead.isOpen).length
    }
  })

const byPriority = by<Lead.Lead>(
  (lead) => -lead.priority,
  (lead) => lead.position,
  (lead) => lead.id
)

/** Gives leads of the pool to accounts, one after the other in the order of `takes`. */
export const draw = (
  state: State,
  campaign: CampaignId,
  now: Instant,
  takes: ReadonlyArray<Take>
): ReadonlyArray<{ readonly account: AccountId; readonly drawn: number }> => {
  const left = new Set([...pending(state, campaign)].sort(byPriority))
  return takes.map(({ account, from, take }) => {
    const open = new Map<string, number>()
    for (const range of from) open.set(rangeKey(range), (open.get(rangeKey(range)) ?? 0) + range.most)
    let drawn = 0
    for (const lead of left) {
      if (drawn >= take) break
      const most = open.get(rangeKey(lead)) ?? 0
      if (most === 0) continue
      open.set(rangeKey(lead), most - 1)
      left.delete(lead)
      state.leads.set(lead.id, { ...lead, status: "assigned", account })
      drawn++
    }
    const pace = state.paces.get(paceKey({ campaign, account }))
    if (drawn > 0 && pace !== undefined) Paces.ring(state, pace, now)
    return { account, drawn }
  })
}

/** Leads of the pool with what decides their routes. */
export const pooled = (
  state: State,
  campaign: CampaignId,
  of: Parameters<CampaignStore["Service"]["pooled"]>[1],
  accounts: ReadonlyArray<AccountId>
): ReadonlyArray<PooledLead> => {
  const byContact = by<Lead.Lead>((lead) => lead.contact)
  const asked = new Set("contacts" in of ? of.contacts : [])
  const ranges = new Set("ranges" in of ? of.ranges.map(rangeKey) : [])
  const found =
    "contacts" in of
      ? firstOf(
          [...state.leadsByCampaign.get(campaign).values()].filter(
            (lead) =>
              (lead.status === "pending" || (of.held === true && lead.status === "assigned" && lead.claim === null)) &&
              asked.has(lead.contact)
          ),
          asked.size,
          byContact
        )
      : firstOf(
          pending(state, campaign).filter((lead) =>
            "ranges" in of ? ranges.has(rangeKey(lead)) : of.after === null || lead.contact > of.after
          ),
          of.limit,
          byContact
        )
  return found.map((lead) => {
    const { contact } = state.contacts.need(lead.contact)
    const chats = accounts.flatMap((account) =>
      contact.addresses.flatMap((address) => state.chats.get(Chat.idOf(account, Address.key(address))) ?? [])
    )
    return { lead, contact, chats }
  })
}

/** Marks the pace of an account as left. */
export const leave = (state: State, campaign: CampaignId, account: AccountId, now: Instant): Leaving => {
  const pace = state.paces.get(paceKey({ campaign, account }))
  if (pace === undefined || pace.leftAt !== null) return "absent"
  if (Paces.of(state, campaign).every((other) => other === pace || other.leftAt !== null)) return "last"
  state.paces.set(paceKey(pace), { ...pace, leftAt: now, nextAt: pace.paused ? null : now })
  return "left"
}

/** Unclaimed leads of an account that wait for a later step, the next ones first. */
export const followUpsOf = (
  state: State,
  campaign: CampaignId,
  account: AccountId,
  limit: number
): ReadonlyArray<LeadId> =>
  firstOf(
    [...state.activeLeads.get(activeKey(campaign, account)).values()].filter(isFollowingUp),
    limit,
    by(
      (lead) => lead.dueAt ?? Infinity,
      (lead) => lead.id
    )
  ).map(({ id }) => id)

/** Whether a claim holds a lead of the account, or a touch of it is between two parts. */
export const isUnderWay = (state: State, campaign: CampaignId, account: AccountId): boolean =>
  [...state.activeLeads.get(activeKey(campaign, account)).values()].some(Lead.isUnderWay)
