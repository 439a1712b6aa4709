/**
 * How a campaign stands, for people: its status, or that nobody can send for it while it runs. That is derived whenever it
 * is shown, and told when it changes. Pure.
 */
import { Schema } from "effect"
import * as Account from "../account/Account.ts"
import { type DomainEvent, stamped, system } from "../event/DomainEvent.ts"
import type { AccountId, IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { type Campaign, CampaignStatus } from "./Campaign.ts"

/** Its status; `inactive` = it runs, and none of its accounts is enabled and healthy. */
export const CampaignStanding = Schema.Literals([...CampaignStatus.literals, "inactive"]).annotate({
  identifier: "CampaignStanding"
})
export type CampaignStanding = typeof CampaignStanding.Type

/** A campaign as it is shown. */
export interface CampaignView {
  readonly campaign: Campaign
  readonly standing: CampaignStanding
}

/** How it stands by the accounts that are in it: those that left do not count. Who rests, or is spent for today, is able. */
export const of = ({ status }: Pick<Campaign, "status">, members: ReadonlyArray<Account.Account>): CampaignStanding =>
  status === "running" && !members.some(Account.isAble) ? "inactive" : status

/** The same by its paces. */
export const ofPaces = (
  campaign: Pick<Campaign, "status">,
  paces: ReadonlyArray<{ readonly account: Account.Account; readonly pace: { readonly leftAt: Instant | null } }>
): CampaignStanding =>
  of(
    campaign,
    paces.flatMap(({ account, pace }) => (pace.leftAt === null ? [account] : []))
  )

/** What is told of a running campaign whose members are these now; `wasActive` = someone could send for it until then. */
const turn = (
  campaign: Campaign,
  members: ReadonlyArray<Account.Account>,
  wasActive: boolean,
  by: AccountId | null,
  ids: IdGenerator,
  now: Instant
): ReadonlyArray<DomainEvent> => {
  const isActive = of(campaign, members) === "running"
  if (campaign.status !== "running" || isActive === wasActive) return []
  return [
    stamped(ids, now, {
      workspace: campaign.workspace,
      type: isActive ? "campaign.active" : "campaign.inactive",
      subject: campaign.id,
      actor: system,
      data: by === null ? {} : { account: by }
    })
  ]
}

/** From a running campaign, the accounts that are in it and those that left it to what is told of it. */
export type Telling = (
  campaign: Campaign,
  members: ReadonlyArray<Account.Account>,
  former: ReadonlyArray<Account.Account>
) => ReadonlyArray<DomainEvent>

/** It began to run: that it does is told already, so only that nobody can send for it. */
export const begun =
  (ids: IdGenerator, now: Instant): Telling =>
  (campaign, members) =>
    turn(campaign, members, true, null, ids, now)

/** These accounts became able, or are no longer; they are given as they are now. */
export const turned =
  (accounts: ReadonlyArray<Account.Account>, ids: IdGenerator, now: Instant): Telling =>
  (campaign, members) => {
    const ofThese = new Set(accounts.map(({ id }) => id))
    const wasActive = members.some((one) => Account.isAble(one) !== ofThese.has(one.id))
    const by = members.find(({ id }) => ofThese.has(id))?.id ?? null
    return turn(campaign, members, wasActive, by, ids, now)
  }

/** These accounts joined it. */
export const joined =
  (accounts: ReadonlyArray<AccountId>, ids: IdGenerator, now: Instant): Telling =>
  (campaign, members) => {
    const wasActive = members.some((one) => Account.isAble(one) && !accounts.includes(one.id))
    const by = members.find((one) => Account.isAble(one) && accounts.includes(one.id))?.id ?? null
    return turn(campaign, members, wasActive, by, ids, now)
  }

/** An account left it, which is no member any more. */
export const left =
  (account: AccountId, ids: IdGenerator, now: Instant): Telling =>
  (campaign, members, former) => {
    const wasActive = [...members, ...former.filter(({ id }) => id === account)].some(Account.isAble)
    return turn(campaign, members, wasActive, account, ids, now)
  }
