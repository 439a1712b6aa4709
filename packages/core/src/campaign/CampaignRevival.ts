/**
 * A finished campaign that has something to come again runs again, and one that runs is woken for it: a lead that goes on
 * is never left behind by an alarm that was set without it.
 */
import { Effect } from "effect"
import { type DomainEvent, stamped, system } from "../event/DomainEvent.ts"
import type { IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import * as Breaker from "./Breaker.ts"
import type { Campaign } from "./Campaign.ts"
import * as CampaignStanding from "./CampaignStanding.ts"
import type { CampaignStore } from "./CampaignStore.ts"
import type { Lead } from "./Lead.ts"

/** All touches of a campaign: where the count of its breaker begins anew. */
export const touchedIn = (store: CampaignStore["Service"], campaign: Campaign): Effect.Effect<number, StorageError> =>
  Effect.map(store.paces(campaign.id), (paces) => paces.reduce((sum, { pace }) => sum + pace.counts.touched, 0))

/** A finished campaign that runs again after so many touches, and what is told of it. */
export const revived = (
  campaign: Campaign,
  touched: number,
  ids: IdGenerator,
  now: Instant
): { readonly campaign: Campaign; readonly events: ReadonlyArray<DomainEvent> } => ({
  campaign: { ...campaign, status: "running", breaker: Breaker.closed(touched) },
  events: [
    stamped(ids, now, {
      workspace: campaign.workspace,
      type: "campaign.started",
      subject: campaign.id,
      actor: system,
      data: {}
    })
  ]
})

/** Tells that nobody can send for a campaign that has just begun to run, where it is so; last in the transaction of that. */
export const tellBegun = (
  store: CampaignStore["Service"],
  { id, workspace }: Pick<Campaign, "id" | "workspace">,
  ids: IdGenerator,
  now: Instant
): Effect.Effect<void, StorageError> =>
  store.tellStanding(workspace, { campaign: id }, CampaignStanding.begun(ids, now))

/** After leads of these campaigns had ended and go on, in the transaction of that. */
export const revive = Effect.fnUntraced(function* (
  store: CampaignStore["Service"],
  campaigns: ReadonlyArray<Campaign>,
  leads: ReadonlyArray<Lead>,
  ids: IdGenerator,
  now: Instant
) {
  const begun: Array<Campaign> = []
  for (const campaign of campaigns) {
    const own = leads.filter((lead) => lead.campaign === campaign.id)
    if (own.length === 0) continue
    const touched = yield* touchedIn(store, campaign)
    let begins = false
    yield* store.modify(campaign.workspace, campaign.id, now, (current) => {
      begins = current.status === "finished"
      return begins ? revived(current, touched, ids, now) : { campaign: current, events: [] }
    })
    yield* store.ring([...new Set(own.flatMap(({ account }) => account ?? []))], now)
    if (begins) begun.push(campaign)
  }
  yield* Effect.forEach(begun, (campaign) => tellBegun(store, campaign, ids, now), { discard: true })
})
