/**
 * Leads on their way between the pool of a campaign and its accounts: drawn by those that need some, given back by those
 * that can no longer be counted on, and routed anew where what decides their route changed.
 */
import { Effect } from "effect"
import * as Account from "../account/Account.ts"
import { type Actor, stamped, system } from "../event/DomainEvent.ts"
import type { AccountId, CampaignId, ContactId, IdGenerator, LeadId } from "../workspace/Id.ts"
import { type Instant, minute } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Transaction } from "../workspace/Transaction.ts"
import type { Campaign } from "./Campaign.ts"
import * as CampaignStanding from "./CampaignStanding.ts"
import type { CampaignStore, DuePace } from "./CampaignStore.ts"
import type { LeadChange } from "./LeadChange.ts"
import * as Draw from "./Draw.ts"
import * as Drawing from "./Drawing.ts"
import * as Lead from "./Lead.ts"
import { alone } from "./LeadStopping.ts"
import * as Routing from "./Routing.ts"

export interface Distributor {
  /** Gives leads of the pool to the accounts that want some. Returns how many. */
  draw(campaign: CampaignId, now: Instant): Effect.Effect<number, StorageError>
  /**
   * What an account that left or is not able held untouched goes back to the pool. Follow-ups wait with an account that
   * may come back; those of one that left or is banned go to others where the campaign says so, and end where it left. Of
   * one that left, leads of the pool that went to it alone are routed anew. Done again, it finishes what was left of it.
   */
  lost(
    campaign: Campaign,
    pace: Pick<DuePace["pace"], "leftAt">,
    account: Account.Account,
    now: Instant
  ): Effect.Effect<Lost, StorageError>
  /**
   * Takes an account out of the campaign, with what `lost` does. Who is not in it, or the last one, stays as it is. Each
   * in a transaction of its own, as others wait for leads and then for paces; the alarm of who left finishes the rest.
   */
  leave(
    campaign: Campaign,
    account: Account.Account,
    actor: Actor,
    now: Instant
  ): Effect.Effect<Lost | "absent" | "last", StorageError>
  /**
   * What becomes of an account that a claim found unable: one that was removed leaves its campaigns. Where it is the last
   * one it only gives back what it did not touch, and its follow-ups end, until another joins.
   */
  unable(one: Pick<DuePace, "campaign" | "pace" | "account">, now: Instant): Effect.Effect<void, StorageError>
  /**
   * Looks again which account leads of the pool go to: of some contacts, or of all. Those nobody reaches are skipped.
   * Returns how many were.
   */
  route(
    campaign: Campaign,
    contacts: ReadonlyArray<ContactId> | "all",
    now: Instant
  ): Effect.Effect<number, StorageError>
  /**
   * What is known of these people changed: their leads that nobody wrote to go where it says now, also from an account that
   * holds them already, and draws them where the campaign runs.
   */
  rerouteChanged(
    campaign: Campaign,
    contacts: ReadonlyArray<ContactId>,
    now: Instant
  ): Effect.Effect<void, StorageError>
}

/** How many leads of an account changed hands. */
export interface Lost {
  /** Untouched ones that are in the pool again. */
  readonly returned: number
  /** Touched ones whose follow-ups other accounts send. */
  readonly reassigned: number
  /** Touched ones that ended as `accountRemoved`. */
  readonly ended: number
  /** Leads of the pool that only it reached, and that are skipped. */
  readonly unreachable: number
}

/** Leads that change hands in one transaction. */
const batch = 1_000
/** When an account that left is looked at again whose touches are under way. */
const underWayMs = minute

/** A lead back in the pool. */
const pooledAgain = (lead: Lead.Lead): Lead.Lead => ({
  ...lead,
  status: "pending",
  account: null,
  dueAt: null,
  attempts: 0
})

/** The able account that reaches the lead and was given fewest follow-ups in proportion to what it can send. */
const heir = (
  accounts: ReadonlyArray<{ readonly account: Account.Account; readonly touches: number }>,
  got: ReadonlyMap<AccountId, number>,
  reach: string
): AccountId | null => {
  const load = (one: (typeof accounts)[number]) => (got.get(one.account.id) ?? 0) / one.touches
  const able = accounts.filter(({ account, touches }) => touches > 0 && Account.reachesOf(account).includes(reach))
  const [first] = able
  return first === undefined
    ? null
    : able.reduce((best, one) => (load(one) < load(best) ? one : best), first).account.id
}

export const make = (
  store: CampaignStore["Service"],
  channels: Drawing.Channels,
  transaction: Transaction["Service"],
  makeIds: Effect.Effect<IdGenerator>
): Distributor => {
  const drawn = (id: CampaignId, now: Instant) =>
    store.draw(id, now, (campaign, unordered, pool) =>
      Effect.gen(function* () {
        const accounts = Drawing.ordered(unordered)
        const drawers = Drawing.drawers(campaign, accounts, channels, now)
        const atMost = Draw.enough(drawers)
        if (atMost === 0) return []
        const parts = Drawing.parts(campaign, accounts)
        const sizes = yield* pool(parts, atMost)
        return Draw.takes(
          drawers,
          parts.map((part, i) => ({ ...part, size: sizes[i] ?? 0 }))
        )
      })
    )

  const putBack = (campaign: CampaignId, account: AccountId, now: Instant): Effect.Effect<number, StorageError> =>
    Effect.flatMap(
      store.changeLeads({ type: "campaign", campaign, account, statuses: ["assigned"], limit: batch }, now, (lead) => ({
        lead: pooledAgain(lead),
        ...alone
      })),
      ({ length }) =>
        length === batch ? Effect.map(putBack(campaign, account, now), (more) => length + more) : Effect.succeed(length)
    )

  /** Follow-ups of a lost account go to others that reach the person; those that none reaches end with the account. */
  const bequeath = Effect.fnUntraced(function* (campaign: Campaign, account: AccountId, ends: boolean, now: Instant) {
    const touches = Drawing.touchesOf(campaign, channels, now)
    const heirs =
      campaign.settings.onAccountLost === "reassign"
        ? Drawing.ordered(yield* store.paces(campaign.id)).map((one) => ({ ...one, touches: touches(one) }))
        : []
    const got = new Map<AccountId, number>()
    // A lead is counted once, however often its transaction is begun.
    const heirOf = new Map<LeadId, AccountId>()
    const ids = yield* makeIds
    const change = (lead: Lead.Lead): LeadChange | null => {
      if (lead.account !== account || lead.claim !== null || lead.dueAt === null || lead.step === null) return null
      const next = heirOf.get(lead.id) ?? heir(heirs, got, lead.reach)
      if (next !== null) {
        if (!heirOf.has(lead.id)) got.set(next, (got.get(next) ?? 0) + 1)
        heirOf.set(lead.id, next)
        return { ...alone, lead: { ...lead, account: next } }
      }
      if (!ends) return null
      return {
        ...alone,
        lead: Lead.end(lead, "accountRemoved"),
        events: [
          stamped(ids, now, {
            workspace: lead.workspace,
            type: "lead.ended",
            subject: lead.id,
            actor: { type: "campaign", id: campaign.id },
            data: { campaign: campaign.id, ended: "accountRemoved", status: lead.status }
          })
        ]
      }
    }
    let ended = 0
    let reassigned = 0
    while (true) {
      const leads = yield* store.followUpsOf(campaign.id, account, batch)
      const changed = leads.length === 0 ? [] : yield* store.changeLeads({ type: "ids", ids: leads }, now, change)
      const over = changed.filter((lead) => lead.ended !== null).length
      ended += over
      reassigned += changed.length - over
      if (changed.length < batch) break
    }
    if (got.size > 0) yield* store.ring([...got.keys()], now)
    return { ended, reassigned }
  })

  const routed = (
    campaign: Campaign,
    accounts: ReadonlyArray<Account.Account>,
    pooled: ReadonlyArray<Routing.PooledLead>,
    now: Instant
  ) =>
    Effect.gen(function* () {
      const ids = yield* makeIds
      const { distribution } = campaign.settings
      const routes = new Map(
        pooled.map(({ chats, contact, lead }) => [lead.id, Routing.routeOf(distribution, accounts, contact, chats)])
      )
      // An account keeps what it holds, unless another is wanted.
      const isRight = (lead: Lead.Lead, route: Routing.Route) =>
        lead.status === "assigned"
          ? route.wanted === null || route.wanted === lead.account
          : lead.reach === route.reach && lead.address === route.address && lead.wanted === route.wanted
      const others = pooled.flatMap(({ lead }) => {
        const route = routes.get(lead.id) ?? null
        return route !== null && isRight(lead, route) ? [] : [lead.id]
      })
      if (others.length === 0) return 0
      const changed = yield* store.changeLeads({ type: "ids", ids: others }, now, (lead): LeadChange | null => {
        const route = routes.get(lead.id) ?? null
        if (lead.status === "assigned" && lead.claim === null) {
          return route === null || isRight(lead, route) ? null : { ...alone, lead: { ...pooledAgain(lead), ...route } }
        }
        if (lead.status !== "pending") return null
        if (route !== null) return { ...alone, lead: { ...lead, ...route } }
        const step = lead.step
        const touches = step === null ? [] : [{ step, status: "skipped" as const, reason: "unreachable", at: now }]
        return {
          ...alone,
          lead: {
            ...lead,
            status: "skipped",
            reason: "unreachable",
            step: null,
            dueAt: null,
            touches: [...Lead.made(lead), ...touches]
          },
          counts: { skipped: 1 },
          events: [
            stamped(ids, now, {
              workspace: lead.workspace,
              type: "lead.skipped",
              subject: lead.id,
              actor: { type: "campaign", id: campaign.id },
              data: { campaign: campaign.id, step, reason: "unreachable" }
            })
          ]
        }
      })
      return changed.filter(({ status }) => status === "skipped").length
    })

  const sticks = ({ settings }: Campaign) => settings.distribution.strategy === "sticky"

  /** Routes anew what went to an account alone that left; returns how many are skipped. What is routed leaves its ranges. */
  const routeStranded = Effect.fnUntraced(function* (campaign: Campaign, left: Account.Account, now: Instant) {
    const accounts = Drawing.members(yield* store.paces(campaign.id))
    // The last one of a campaign stays its member, whatever became of it.
    if (accounts.some(({ id }) => id === left.id)) return 0
    const ranges = Drawing.strandedBy(left, accounts)
    const chatty = sticks(campaign) ? accounts.map(({ id }) => id) : []
    let unreachable = 0
    for (let former: LeadId | null = null; ; ) {
      const stranded: ReadonlyArray<Routing.PooledLead> = yield* store.pooled(
        campaign.id,
        { ranges, limit: batch },
        chatty
      )
      const first = stranded[0]?.lead.id ?? null
      if (first === null || first === former) return unreachable
      former = first
      unreachable += yield* routed(campaign, accounts, stranded, now)
    }
  })

  const lost: Distributor["lost"] = Effect.fnUntraced(function* (campaign, { leftAt }, account, now) {
    const returned = yield* putBack(campaign.id, account.id, now)
    const hasLeft = leftAt !== null
    const reassigns = campaign.settings.onAccountLost === "reassign"
    const { ended, reassigned } =
      hasLeft || (account.banned && reassigns)
        ? yield* bequeath(campaign, account.id, hasLeft, now)
        : { ended: 0, reassigned: 0 }
    const unreachable = hasLeft ? yield* routeStranded(campaign, account, now) : 0
    if (hasLeft && (yield* store.isUnderWay(campaign.id, account.id))) {
      yield* store.ring([account.id], now + underWayMs)
    }
    return { returned, reassigned, ended, unreachable }
  })

  const routeAll = Effect.fnUntraced(function* (
    campaign: Campaign,
    accounts: ReadonlyArray<Account.Account>,
    chatty: ReadonlyArray<AccountId>,
    now: Instant
  ) {
    let unreachable = 0
    for (let after: ContactId | null = null; ; ) {
      const page: ReadonlyArray<Routing.PooledLead> = yield* store.pooled(campaign.id, { after, limit: batch }, chatty)
      const last = page.at(-1)
      if (last === undefined) return unreachable
      unreachable += yield* routed(campaign, accounts, page, now)
      after = last.contact.id
    }
  })

  const route: Distributor["route"] = Effect.fnUntraced(function* (campaign, contacts, now) {
    const accounts = Drawing.members(yield* store.paces(campaign.id))
    const chatty = sticks(campaign) ? accounts.map(({ id }) => id) : []
    return contacts === "all"
      ? yield* routeAll(campaign, accounts, chatty, now)
      : yield* routed(campaign, accounts, yield* store.pooled(campaign.id, { contacts }, chatty), now)
  })

  const leave: Distributor["leave"] = Effect.fnUntraced(function* (campaign, account, actor, now) {
    const { id, workspace } = campaign
    const ids = yield* makeIds
    const event = stamped(ids, now, {
      workspace,
      type: "campaign.changed",
      subject: id,
      actor,
      data: { changed: ["accounts"], left: account.id }
    })
    const leaving = yield* transaction.within(
      Effect.tap(store.leave(workspace, id, account.id, now, [event]), (came) =>
        came === "left"
          ? store.tellStanding(workspace, { campaign: id }, CampaignStanding.left(account.id, ids, now))
          : Effect.void
      )
    )
    return leaving === "left" ? yield* lost(campaign, { leftAt: now }, account, now) : leaving
  })

  return {
    lost,
    leave,
    route,
    unable: Effect.fnUntraced(function* ({ account: { account }, campaign, pace }, now) {
      const isGone = account.removedAt !== undefined && pace.leftAt === null
      const left = isGone ? yield* leave(campaign, account, system, now) : "absent"
      if (typeof left === "string") yield* lost(campaign, isGone ? { leftAt: now } : pace, account, now)
    }),
    draw: (campaign, now) => Effect.map(drawn(campaign, now), (all) => all.reduce((sum, one) => sum + one.drawn, 0)),
    rerouteChanged: Effect.fnUntraced(function* (campaign, contacts, now) {
      const accounts = Drawing.members(yield* store.paces(campaign.id))
      for (let from = 0; from < contacts.length; from += batch) {
        const some = { contacts: contacts.slice(from, from + batch), held: true }
        yield* routed(campaign, accounts, yield* store.pooled(campaign.id, some, []), now)
      }
      if (campaign.status === "running") yield* Effect.asVoid(drawn(campaign.id, now))
    })
  }
}
