/** Tries touches again that came to nothing: those of some leads, or of all that have one of some reasons. */
import { Context, Effect, Layer, Option } from "effect"
import { Channels } from "../channel/Channel.ts"
import type { Actor } from "../event/DomainEvent.ts"
import type { CampaignId, LeadId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { maxLimit, walk } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { type Campaign, CampaignNotFound, type IllegalTransition } from "./Campaign.ts"
import { Campaigns } from "./Campaigns.ts"
import { CampaignStore } from "./CampaignStore.ts"
import * as Distributor from "./Distributor.ts"
import type { Lead } from "./Lead.ts"
import * as LeadReactions from "./LeadReactions.ts"
import * as LeadRetry from "./LeadRetry.ts"

/** Which leads. What may have gone out is never among those that are chosen by reason. */
export type RetryChoice =
  | {
      readonly type: "leads"
      readonly leads: ReadonlyArray<LeadId>
      /** A person looked at each of these and says that what may have gone out did not. */
      readonly includeUnknown?: boolean | undefined
    }
  | { readonly type: "reasons"; readonly reasons: ReadonlyArray<string> }

export interface Retried {
  readonly leads: ReadonlyArray<LeadId>
  /** Chosen leads that stay as they are, and why. */
  readonly left: ReadonlyArray<{ readonly lead: LeadId; readonly why: LeadRetry.Refusal | "notFound" }>
}

export class Retries extends Context.Service<
  Retries,
  {
    /** Makes the touches due again, under all gates; a campaign that was finished runs again. */
    retry(
      workspace: WorkspaceId,
      id: CampaignId,
      choice: RetryChoice,
      actor: Actor
    ): Effect.Effect<Retried, StorageError | CampaignNotFound | IllegalTransition>
  }
>()("@overture/core/Retries") {
  static readonly layer = Layer.effect(
    Retries,
    Effect.suspend(() => make)
  )
}

const statuses = ["failed", "skipped", "partial", "sent"] as const

const make = Effect.gen(function* () {
  const store = yield* CampaignStore
  const campaigns = yield* Campaigns
  const channels = yield* Channels
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const distributor = Distributor.make(store, channels.all, yield* Transaction, makeIds)

  /** Ids of leads that have one of the reasons, batch by batch; `sent` ones only where a follow-up of some failed. */
  const chosen = Effect.fnUntraced(function* (campaign: Campaign, reasons: ReadonlySet<string>) {
    const found: Array<LeadId> = []
    const groups = yield* store.breakdown(campaign.id)
    for (const status of statuses) {
      const may = groups.some((group) => group.status === status && (status !== "sent" || group.ended !== null))
      if (!may) continue
      yield* walk(
        (page) => store.leads(campaign.workspace, campaign.id, { status }, page),
        (leads) =>
          Effect.sync(() => {
            for (const lead of leads) {
              const reason = LeadRetry.candidate(lead, campaign.settings)?.reason ?? null
              if (reason !== null && reasons.has(reason)) found.push(lead.id)
            }
            return true
          })
      )
    }
    return found
  })

  return Retries.of({
    retry: Effect.fn("Retries.retry")(function* (workspace, id, choice, actor) {
      const found = yield* store.get(workspace, id)
      if (Option.isNone(found) || found.value.status === "deleted") {
        return yield* new CampaignNotFound({ campaign: id })
      }
      const campaign = found.value
      const includeUnknown = choice.type === "leads" && choice.includeUnknown === true
      const all = choice.type === "leads" ? choice.leads : yield* chosen(campaign, new Set(choice.reasons))
      const now = yield* time.now
      const left = new Map<LeadId, LeadRetry.Refusal | "notFound">()
      const retried: Array<Lead> = []
      for (let from = 0; from < all.length; from += maxLimit) {
        const batch = all.slice(from, from + maxLimit)
        for (const lead of batch) left.set(lead, "notFound")
        const ids = yield* makeIds
        const changed = yield* store.changeLeads(
          {
            type: "ids",
            ids: batch,
            step: (lead) => LeadRetry.candidate(lead, campaign.settings)?.step ?? null
          },
          now,
          (lead, messages) => {
            if (lead.workspace !== workspace || lead.campaign !== id) return null
            const answer = LeadRetry.retry(lead, messages, campaign.settings, includeUnknown, now)
            if (typeof answer === "string") {
              left.set(lead.id, answer)
              return null
            }
            left.delete(lead.id)
            const facts = answer.facts.map((fact) => ({ ...fact, actor }))
            return LeadReactions.change(ids, now, { ...answer, facts })
          }
        )
        retried.push(...changed)
      }
      // Also where a process died after it made leads due, and before the campaign ran again.
      const isAsleep = campaign.status === "finished" && !(yield* store.isDone(id))
      if (retried.length > 0 || isAsleep) {
        const pooled = retried.filter(({ account }) => account === null).map(({ contact }) => contact)
        if (pooled.length > 0) yield* distributor.route(campaign, pooled, now)
        if (isAsleep) yield* campaigns.start(workspace, id, actor)
        else if (campaign.status === "running") {
          yield* distributor.draw(id, now)
          const accounts = (yield* store.paces(id)).map(({ account }) => account.id)
          yield* store.ring(accounts, now)
        }
      }
      return { leads: retried.map((lead) => lead.id), left: Array.from(left, ([lead, why]) => ({ lead, why })) }
    })
  })
})
