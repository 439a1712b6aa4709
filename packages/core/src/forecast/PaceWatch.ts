/**
 * Looks over the shoulder of a claim's rules: on which dates a pace had a slot and no lead for it, and on which a quota or
 * a cap stopped it. It changes nothing that they decide.
 */
import type { ClaimRules, LeadDecision } from "../campaign/CampaignStore.ts"
import { stepAt } from "../campaign/Campaign.ts"
import type { Channel } from "../channel/Channel.ts"
import * as Gate from "../outbox/Gate.ts"
import * as SendBudget from "../outbox/SendBudget.ts"
import type { AccountId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"

/** What stopped a pace that had a lead. */
export type Refusal = "quota" | "accountCap" | "groupCap" | "workspaceCap" | "partsOverCap"

/** What a budget's own word counts as: the warm-up and the channel's limit are caps of the account. */
const refusals: Readonly<Record<string, Refusal>> = {
  accountCap: "accountCap",
  channelLimit: "accountCap",
  groupCap: "groupCap",
  workspaceCap: "workspaceCap",
  warmUp: "accountCap",
  partsOverCap: "partsOverCap"
}

interface Account {
  readonly refusals: Map<LocalDate, Refusal>
  /** Spans of dates in which no lead was ready; the last one may be open. */
  readonly dry: Array<{ readonly from: LocalDate; to: LocalDate | null }>
}

type Decided = Parameters<ClaimRules["decide"]>[0][number]

export interface PaceWatch {
  /** The same rules, watched. */
  rules(rules: ClaimRules, now: Instant): ClaimRules
  refusal(account: AccountId, date: LocalDate): Refusal | null
  isDry(account: AccountId, date: LocalDate): boolean
}

export const make = (channels: ReadonlyMap<string, Pick<Channel, "policy">>): PaceWatch => {
  const accounts = new Map<AccountId, Account>()
  const of = (id: AccountId): Account => {
    const known = accounts.get(id)
    if (known !== undefined) return known
    const account: Account = { refusals: new Map(), dry: [] }
    accounts.set(id, account)
    return account
  }

  /** What is left undecided of a want that made fewer touches than it had slots for. */
  const refusalOf = (
    { first, followUps, want: { due } }: Decided,
    decision: LeadDecision,
    now: Instant
  ): Refusal | null => {
    const decided = new Set([...decision.touches.map(({ lead }) => lead.id), ...decision.leads.map(({ id }) => id)])
    const next = [...first, ...followUps].find(({ lead }) => !decided.has(lead.id))
    const step = next === undefined ? null : stepAt(due.campaign.settings, next.lead.step)
    const pace = decision.paces.find((one) => one.account === due.pace.account && one.campaign === due.pace.campaign)
    if (step === null || pace === undefined) return null
    const k = step.step.parts.length
    if (pace.used > 0 && pace.used + k > pace.quota) return "quota"
    const { account, group, workspace } = due
    const paid = decision.accounts.find(({ id }) => id === account.account.id)
    const payers: SendBudget.Payers = {
      account: paid === undefined ? account : { ...account, use: paid.use, lastTouchAt: paid.lastTouchAt },
      workspace: {
        ...workspace,
        use: decision.workspaces.find(({ id }) => id === workspace.workspace.id)?.use ?? workspace.use
      },
      group:
        group === null
          ? null
          : { ...group, use: decision.groups?.find(({ id }) => id === group.group.id)?.use ?? group.use }
    }
    const channelLimit = channels.get(account.account.channel)?.policy.dailyLimit
    const verdict = Gate.decide(SendBudget.budgetGates, { now, parts: k, isTouch: true, payers, channelLimit })
    return verdict.type === "allow" ? null : (refusals[verdict.reason] ?? null)
  }

  const see = (one: Decided, decision: LeadDecision, now: Instant): void => {
    const { due, want } = one.want
    const pace = decision.paces.find((row) => row.account === due.pace.account && row.campaign === due.pace.campaign)
    if (want === 0 || pace === undefined || pace.date === null) return
    const account = of(due.account.account.id)
    const last = account.dry.at(-1)
    const hasLead = one.first.length + one.followUps.length > 0
    if (hasLead && last !== undefined && last.to === null) last.to = pace.date
    const made = decision.touches.filter(({ lead }) => lead.account === due.pace.account).length
    if (made >= want) return
    const refusal = refusalOf(one, decision, now)
    if (refusal !== null) account.refusals.set(pace.date, refusal)
    else if (!hasLead && (last === undefined || last.to !== null)) account.dry.push({ from: pace.date, to: null })
    else if (hasLead) account.dry.push({ from: pace.date, to: pace.date })
  }

  return {
    rules: (rules, now) => ({
      ...rules,
      decide: (wants) => {
        const decision = rules.decide(wants)
        for (const one of wants) see(one, decision, now)
        return decision
      }
    }),
    refusal: (account, date) => accounts.get(account)?.refusals.get(date) ?? null,
    isDry: (account, date) =>
      accounts.get(account)?.dry.some(({ from, to }) => from <= date && (to === null || date <= to)) ?? false
  }
}
