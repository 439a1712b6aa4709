/** Campaigns in memory. Claims are in `CampaignClaim`, leads in `LeadChanges`, alarms and counters in `Paces`. */
import { Effect, Option } from "effect"
import type { Campaign } from "../campaign/Campaign.ts"
import { CampaignStore } from "../campaign/CampaignStore.ts"
import type * as Lead from "../campaign/Lead.ts"
import { initial, noCounts } from "../campaign/Pace.ts"
import type { CampaignId, LeadId, WorkspaceId } from "../workspace/Id.ts"
import * as CampaignClaim from "./CampaignClaim.ts"
import * as LeadChanges from "./LeadChanges.ts"
import type { Memory } from "./Memory.ts"
import { append } from "./MemoryEventStore.ts"
import * as Paces from "./Paces.ts"
import { byId, firstOf, page } from "./Paging.ts"
import { paceKey, type State } from "./State.ts"

const of = (state: State, workspace: WorkspaceId): ReadonlyArray<Campaign> =>
  Array.from(state.campaigns.values(), (row) => row.campaign)
    .filter((campaign) => campaign.workspace === workspace)
    .sort(byId)

const rowOf = (state: State, workspace: WorkspaceId, id: CampaignId) => {
  const row = state.campaigns.get(id)
  return row?.campaign.workspace === workspace ? row : undefined
}

const leadOf = (state: State, workspace: WorkspaceId, id: LeadId): Lead.Lead | undefined => {
  const lead = state.leads.get(id)
  return lead?.workspace === workspace ? lead : undefined
}

/** Only a running campaign has alarms. Pace versions stay: the planner sees that the campaign's differs. */
const setAlarms = (state: State, campaign: Campaign, now: number): void => {
  const isRunning = campaign.status === "running"
  for (const pace of Paces.of(state, campaign.id)) {
    state.paces.set(paceKey(pace), { ...pace, paused: !isRunning, nextAt: isRunning ? now : null })
  }
}

export const make = ({ state, timed, verb, within }: Memory) =>
  CampaignStore.of({
    create: (campaign, accounts, events) =>
      verb(() => {
        const ref = campaign.externalRef
        const isKnown =
          state.campaigns.get(campaign.id) !== undefined ||
          (ref !== null && of(state, campaign.workspace).some((other) => other.externalRef === ref))
        if (isKnown) return false
        state.campaigns.set(campaign.id, { campaign, counts: noCounts })
        for (const account of new Set(accounts)) {
          const pace = initial(campaign, account)
          state.paces.set(paceKey(pace), pace)
        }
        append(state, events)
        return true
      }),
    get: (workspace, id) => verb(() => Option.fromUndefinedOr(rowOf(state, workspace, id)?.campaign)),
    byExternalRef: (workspace, ref) =>
      verb(() => Option.fromUndefinedOr(of(state, workspace).find((campaign) => campaign.externalRef === ref))),
    byName: (workspace, name) => verb(() => of(state, workspace).filter((campaign) => campaign.name === name)),
    list: (workspace, request) => verb(() => page(of(state, workspace), request, (campaign) => [campaign.id])),
    modify: (workspace, id, now, change) =>
      verb(() => {
        const row = rowOf(state, workspace, id)
        if (row === undefined) return Option.none()
        const { campaign, events } = change(row.campaign)
        if (campaign === row.campaign) return Option.some(campaign)
        state.campaigns.set(id, { ...row, campaign })
        if (campaign.status !== row.campaign.status || campaign.version !== row.campaign.version) {
          setAlarms(state, campaign, now)
        }
        append(state, events)
        return Option.some(campaign)
      }),
    paces: (campaign) =>
      verb(() =>
        Paces.of(state, campaign).map((pace) => ({ pace, account: state.accounts.need(pace.account).account }))
      ),
    enroll: (campaign, leads, events, now) => verb(() => LeadChanges.enroll(state, campaign, leads, events, now)),
    draw: (id, now, decide) =>
      within(
        Effect.gen(function* () {
          const row = state.campaigns.get(id)
          if (row === undefined) return []
          const pool = (atMost: number) => verb(() => Math.min(atMost, LeadChanges.pool(state, id).length))
          const takes = yield* decide(row.campaign, LeadChanges.drawAccounts(state, id, now), pool)
          return yield* verb(() => LeadChanges.draw(state, id, now, takes))
        })
      ),
    claim: (request) =>
      within(
        Effect.gen(function* () {
          const looked = yield* verb(() => CampaignClaim.look(state, request))
          if (looked === null) return null
          const candidates = looked.flatMap(({ first, followUps }) => [...first, ...followUps])
          if (request.rules.load !== undefined && candidates.length > 0) yield* request.rules.load(candidates)
          return yield* timed((clock) => CampaignClaim.decide(state, clock, request, looked))
        })
      ),
    changeLeads: (selector, _now, change) => verb(() => LeadChanges.changeLeads(state, selector, change)),
    getLead: (workspace, id) => verb(() => Option.fromUndefinedOr(leadOf(state, workspace, id))),
    leads: (workspace, campaign, { status }, request) =>
      verb(() => {
        const leads = [...state.leadsByCampaign.get(campaign).values()].filter(
          (lead) =>
            lead.workspace === workspace && (status === undefined || LeadChanges.standing(state, lead) === status)
        )
        return page(leads, request, (lead) => [lead.id])
      }),
    candidate: (workspace, id) =>
      verb(() => {
        const lead = leadOf(state, workspace, id)
        if (lead === undefined) return Option.none()
        const { account, campaign } = lead
        const pace = account === null ? undefined : state.paces.get(paceKey({ campaign, account }))
        return Option.some({
          candidate: CampaignClaim.candidate(state, lead),
          due: pace === undefined ? null : Paces.due(state, pace)
        })
      }),
    counts: (campaign) => verb(() => LeadChanges.counts(state, campaign)),
    recount: (campaign) => verb(() => LeadChanges.recount(state, campaign)),
    breakdown: (campaign) => verb(() => LeadChanges.breakdown(state, campaign)),
    isDone: (campaign) => verb(() => state.activeLeads.get(campaign).size === 0),
    finishable: (limit) =>
      verb(() => {
        const done = Array.from(state.campaigns.values(), (row) => row.campaign).filter(
          ({ id, status }) =>
            status === "running" &&
            state.activeLeads.get(id).size === 0 &&
            Paces.of(state, id).every((pace) => pace.nextAt === null)
        )
        return firstOf(done, limit, byId)
      }),
    nextAlarm: verb(() => {
      const alarms = Array.from(state.paces.values()).flatMap((pace) => pace.nextAt ?? [])
      return alarms.length === 0 ? null : alarms.reduce((a, b) => Math.min(a, b))
    }),
    ring: (accounts, now) =>
      verb(() => {
        for (const pace of Array.from(state.paces.values())) {
          const { status } = state.campaigns.need(pace.campaign).campaign
          if (status === "running" && accounts.includes(pace.account)) Paces.ring(state, pace, now)
        }
      })
  })
