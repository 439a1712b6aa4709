/**
 * Steps that an edit adds, for leads that had every step before: they go on, a page of leads in each transaction, and the
 * campaign's row says how far that came. Whoever edits begins it; a process that dies leaves it to the chore of another.
 */
import { Effect, Option, Schema } from "effect"
import { turns } from "../workspace/Chore.ts"
import type { AccountId, CampaignId, IdGenerator, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { maxLimit } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Transaction } from "../workspace/Transaction.ts"
import type { Campaign, CampaignSettings } from "./Campaign.ts"
import * as CampaignRevival from "./CampaignRevival.ts"
import type { CampaignStore } from "./CampaignStore.ts"
import * as Lead from "./Lead.ts"
import type { LeadChange } from "./LeadChange.ts"
import * as LeadNews from "./LeadNews.ts"
import { alone } from "./LeadStopping.ts"
import * as Sequence from "./Sequence.ts"

export interface LateSteps {
  /** Lets leads of a campaign go on until none is left to be looked at. Returns how many do by this call. */
  finish(workspace: WorkspaceId, id: CampaignId, now: Instant): Effect.Effect<number, StorageError>
  /** One page of each campaign that someone has left behind; whether there was any. */
  catchUp(now: Instant): Effect.Effect<boolean, StorageError>
}

/** Someone else looked at the page meanwhile, or changed the steps. */
class Overtaken extends Schema.TaggedError<Overtaken>()("Overtaken", {}) {}

/** Where looking begins. */
export const fromTheFirst = ""

/** Whether settings have a step that others did not have. */
export const hasNewStep = (before: CampaignSettings, after: CampaignSettings): boolean => {
  const known = new Set<string>(before.steps.map(({ id }) => id))
  return after.steps.some(({ id }) => !known.has(id))
}

/** A lead that had every step, with the one that comes now; null for others. */
const goingOn =
  (settings: CampaignSettings, now: Instant) =>
  (lead: Lead.Lead): LeadChange | null => {
    if (lead.ended !== "completed" || lead.step !== null || !Lead.isTouched(lead) || LeadNews.isSettled(lead))
      return null
    const next = Sequence.proceed(lead, settings, Sequence.placeOf(settings, lead), lead.lastSentAt ?? now)
    return next.step === null ? null : { ...alone, lead: { ...next, ended: null } }
  }

export const make = (
  store: CampaignStore["Service"],
  transaction: Transaction["Service"],
  makeIds: Effect.Effect<IdGenerator>
): LateSteps => {
  /** The next page of a campaign's leads. */
  const page = (campaign: Campaign, now: Instant) =>
    transaction.within(
      Effect.gen(function* () {
        const { id, resumeAfter = null, settings, version, workspace } = campaign
        if (resumeAfter === null) return 0
        const cursor = resumeAfter === fromTheFirst ? undefined : resumeAfter
        const { data, nextCursor } = yield* store.leads(workspace, id, {}, { limit: maxLimit, cursor })
        // What is under way may be settled at this moment by the steps that there were: its lock waits for that.
        const over = data.flatMap((lead) => (lead.ended === "completed" || Lead.isUnderWay(lead) ? [lead.id] : []))
        const resumed =
          over.length === 0 ? [] : yield* store.changeLeads({ type: "ids", ids: over }, now, goingOn(settings, now))
        const goesOn = campaign.status === "finished" && resumed.length > 0
        const touched = goesOn ? yield* CampaignRevival.touchedIn(store, campaign) : 0
        const ids = yield* makeIds
        let overtaken = false
        yield* store.modify(workspace, id, now, (current) => {
          const { resumeAfter: at, ...rest } = current
          overtaken = at !== resumeAfter || current.version !== version || current.status !== campaign.status
          if (overtaken) return { campaign: current, events: [] }
          const looked = { ...rest, ...(nextCursor !== null && { resumeAfter: nextCursor }) }
          return goesOn ? CampaignRevival.revived(looked, touched, ids, now) : { campaign: looked, events: [] }
        })
        if (overtaken) return yield* new Overtaken()
        const accounts = new Set(
          resumed.flatMap(({ account }): ReadonlyArray<AccountId> => (account === null ? [] : [account]))
        )
        if (accounts.size > 0) yield* store.ring([...accounts], now)
        if (goesOn) yield* CampaignRevival.tellBegun(store, campaign, ids, now)
        return resumed.length
      })
    )

  const isLeft = (campaign: Option.Option<Campaign>): campaign is Option.Some<Campaign> =>
    Option.isSome(campaign) && campaign.value.status !== "deleted" && campaign.value.resumeAfter != null

  const each = turns("steps that an edit added")

  return {
    finish: Effect.fnUntraced(function* (workspace, id, now) {
      let resumed = 0
      while (true) {
        const campaign = yield* store.get(workspace, id)
        if (!isLeft(campaign)) return resumed
        resumed += yield* Effect.catchTag(page(campaign.value, now), "Overtaken", () => Effect.succeed(0))
      }
    }),
    catchUp: Effect.fnUntraced(function* (now) {
      const campaigns = new Map((yield* store.resuming(10)).map((campaign) => [campaign.id, campaign]))
      const had = yield* each([...campaigns.keys()], now, (id) =>
        Effect.asVoid(Effect.catchTag(page(campaigns.get(id)!, now), "Overtaken", () => Effect.succeed(0)))
      )
      return had > 0
    })
  }
}
