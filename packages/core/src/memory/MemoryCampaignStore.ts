/** Campaigns in memory. Claims are in `CampaignClaim`, leads in `LeadChanges`, alarms and counters in `Paces`. */
import { Effect, Option } from "effect"
import type { Account } from "../account/Account.ts"
import type { Campaign } from "../campaign/Campaign.ts"
import { CampaignStore } from "../campaign/CampaignStore.ts"
import type { PoolRange } from "../campaign/Draw.ts"
import * as Lead from "../campaign/Lead.ts"
import { initial, noCounts, type Pace } from "../campaign/Pace.ts"
import type { AccountId, CampaignId, ContactId, LeadId, WorkspaceId } from "../workspace/Id.ts"
import * as CampaignClaim from "./CampaignClaim.ts"
import * as LeadChanges from "./LeadChanges.ts"
import type { Memory } from "./Memory.ts"
import { append } from "./MemoryEventStore.ts"
import { lastPlace } from "./MemoryContactLists.ts"
import * as Paces from "./Paces.ts"
import * as Pool from "./Pool.ts"
import { by, byId, firstOf, page } from "./Paging.ts"
import { enrolledKey, paceKey, type State } from "./State.ts"

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

const leadsOf = (state: State, workspace: WorkspaceId, contact: ContactId): ReadonlyArray<Lead.Lead> =>
  Array.from(state.leadsByContact.get(contact).values())
    .filter((lead) => lead.workspace === workspace)
    .sort(byId)

/** The accounts that are in it, and those that left. */
const accountsOf = (state: State, { id }: Pick<Campaign, "id">) => {
  const of = (paces: ReadonlyArray<Pace>): ReadonlyArray<Account> =>
    paces.map(({ account }) => state.accounts.need(account).account)
  const paces = Paces.of(state, id)
  return {
    members: of(paces.filter(({ leftAt }) => leftAt === null)),
    former: of(paces.filter(({ leftAt }) => leftAt !== null))
  }
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
    ofContacts: (workspace, contacts) =>
      verb(() => {
        const leads = contacts.flatMap((contact) => [...state.leadsByContact.get(contact).values()])
        const wanted = new Set<string>(leads.map(({ campaign }) => campaign))
        return of(state, workspace).filter(({ id }) => wanted.has(id))
      }),
    addAccounts: (workspace, id, accounts, now) =>
      verb(() => {
        const campaign = rowOf(state, workspace, id)?.campaign
        if (campaign === undefined) return []
        const isRunning = campaign.status === "running"
        const paceOf = (account: AccountId) => state.paces.get(paceKey({ campaign: id, account }))
        const added = [...new Set(accounts)].filter((account) => paceOf(account)?.leftAt !== null)
        for (const account of added) {
          const known = paceOf(account) ?? initial(campaign, account)
          const pace = { ...known, leftAt: null, paused: !isRunning, nextAt: isRunning ? now : null }
          state.paces.set(paceKey(pace), pace)
        }
        return added
      }),
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
    tellStanding: (workspace, asked, telling) =>
      verb(() => {
        for (const campaign of of(state, workspace)) {
          const { former, members } = accountsOf(state, campaign)
          const isMeant =
            "campaign" in asked ? campaign.id === asked.campaign : members.some(({ id }) => asked.accounts.includes(id))
          if (isMeant && campaign.status === "running") append(state, telling(campaign, members, former))
        }
      }),
    membersOf: (workspace, campaigns) =>
      verb(
        () =>
          new Map(
            of(state, workspace).flatMap((campaign) =>
              campaigns.includes(campaign.id) ? [[campaign.id, accountsOf(state, campaign).members] as const] : []
            )
          )
      ),
    paces: (campaign) => verb(() => Pool.paces(state, campaign)),
    duePaces: (campaign) => verb(() => Paces.of(state, campaign).map((pace) => Paces.due(state, pace))),
    enroll: (campaign, leads, events, now) => verb(() => LeadChanges.enroll(state, campaign, leads, events, now)),
    draw: (id, now, decide) =>
      within(
        Effect.gen(function* () {
          const row = state.campaigns.get(id)
          if (row === undefined) return []
          const pool = (ranges: ReadonlyArray<PoolRange>, atMost: number) =>
            verb(() => Pool.sizes(state, id, ranges, atMost))
          const takes = yield* decide(row.campaign, Pool.drawAccounts(state, id, now), pool)
          return yield* verb(() => Pool.draw(state, id, now, takes))
        })
      ),
    pooled: (campaign, of, accounts) => verb(() => Pool.pooled(state, campaign, of, accounts)),
    leave: (workspace, id, account, now, events) =>
      verb(() => {
        if (rowOf(state, workspace, id) === undefined) return "absent"
        const leaving = Pool.leave(state, id, account, now)
        if (leaving === "left") append(state, events)
        return leaving
      }),
    followUpsOf: (campaign, account, limit) => verb(() => Pool.followUpsOf(state, campaign, account, limit)),
    isUnderWay: (campaign, account) => verb(() => Pool.isUnderWay(state, campaign, account)),
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
    hold: (workspace, contacts, leads) =>
      verb(() => {
        const own = contacts.flatMap((contact) => [...state.leadsByContact.get(contact).values()])
        const held = own.flatMap((lead) => (lead.workspace === workspace ? [lead.id] : []))
        return { leads: [...new Set([...leads, ...held])], messages: [] }
      }),
    holdCounts: () => verb(() => undefined),
    getLead: (workspace, id) => verb(() => Option.fromUndefinedOr(leadOf(state, workspace, id))),
    leads: (workspace, campaign, { status }, request) =>
      verb(() => {
        const leads = [...state.leadsByCampaign.get(campaign).values()].filter(
          (lead) =>
            lead.workspace === workspace && (status === undefined || LeadChanges.standing(state, lead) === status)
        )
        return page(leads, request, (lead) => [lead.id])
      }),
    leadsOf: (workspace, contact) => verb(() => leadsOf(state, workspace, contact)),
    eraseLeads: (workspace, contact) =>
      verb(() => {
        for (const lead of leadsOf(state, workspace, contact)) state.leads.set(lead.id, Lead.erase(lead))
      }),
    candidate: (workspace, id, addressHash = null) =>
      verb(() => {
        const lead = leadOf(state, workspace, id)
        if (lead === undefined) return Option.none()
        const { account, campaign } = lead
        const pace = account === null ? undefined : state.paces.get(paceKey({ campaign, account }))
        return Option.some({
          candidate: CampaignClaim.candidate(state, lead, addressHash),
          due: pace === undefined ? null : Paces.due(state, pace)
        })
      }),
    counts: (campaign) => verb(() => LeadChanges.counts(state, campaign)),
    recount: (campaign) => verb(() => LeadChanges.recount(state, campaign)),
    breakdown: (campaign) => verb(() => LeadChanges.breakdown(state, campaign)),
    zones: (campaign) => verb(() => LeadChanges.zones(state, campaign)),
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
    noteEnrolled: (campaign, list, upTo) =>
      verb(() => {
        const key = enrolledKey({ campaign, list })
        const known = state.enrolledLists.get(key)?.upTo ?? 0
        state.enrolledLists.set(key, { campaign, list, upTo: Math.max(known, upTo) })
      }),
    grownLists: (after, limit) =>
      verb(() => {
        const from = after === null ? "" : enrolledKey({ campaign: after.campaign.id, list: after.list })
        const grown = [...state.enrolledLists.values()].flatMap((row) => {
          const { campaign } = state.campaigns.need(row.campaign)
          const last = lastPlace(state, row.list)
          const isFollowed = campaign.settings.followList === true && campaign.status !== "deleted"
          const isReady = state.lists.get(row.list)?.status === "ready"
          return isFollowed && isReady && last > row.upTo && enrolledKey(row) > from
            ? [{ campaign, list: row.list, enrolled: row.upTo, last }]
            : []
        })
        return firstOf(
          grown,
          limit,
          by(({ campaign, list }) => enrolledKey({ campaign: campaign.id, list }))
        )
      }),
    resuming: (limit) =>
      verb(() =>
        firstOf(
          Array.from(state.campaigns.values(), (row) => row.campaign).filter(
            ({ resumeAfter, status }) => resumeAfter !== undefined && status !== "deleted"
          ),
          limit,
          byId
        )
      ),
    nextAlarm: verb(() => {
      const alarms = Array.from(state.paces.values()).flatMap((pace) => pace.nextAt ?? [])
      return alarms.length === 0 ? null : alarms.reduce((a, b) => Math.min(a, b))
    }),
    sleep: (watches) =>
      verb(() => {
        for (const watch of watches) Paces.sleep(state, watch)
      }),
    ring: (accounts, now) =>
      verb(() => {
        for (const pace of Array.from(state.paces.values())) {
          const { status } = state.campaigns.need(pace.campaign).campaign
          if (status === "running" && accounts.includes(pace.account)) Paces.ring(state, pace, now)
        }
      })
  })
