/**
 * How campaigns come to their end: by having nothing left to do, or at their `endAt`, when open leads are skipped and
 * sequences end, batch by batch, and what is being sent finishes.
 */
import { Effect } from "effect"
import { stamped, system } from "../event/DomainEvent.ts"
import type { CampaignId, IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Transaction } from "../workspace/Transaction.ts"
import type { Campaign } from "./Campaign.ts"
import type { CampaignStore } from "./CampaignStore.ts"
import { change } from "./LeadReactions.ts"
import * as LeadStopping from "./LeadStopping.ts"

export interface CampaignEnding {
  /** Finishes campaigns that have nothing left to do, unless they are evergreen. Whether there were any. */
  finish(now: Instant): Effect.Effect<boolean, StorageError>
  /** Ends what is open of a campaign as `cancelled`, batch by batch; what is being sent finishes. */
  stop(campaign: CampaignId, now: Instant): Effect.Effect<void, StorageError>
  /** Ends a running campaign whose `endAt` has come; to be called again while something of it is being sent. */
  end(campaign: Campaign, now: Instant): Effect.Effect<void, StorageError>
}

/** Leads that end in one transaction. */
const batch = 1_000

export const make = (
  store: CampaignStore["Service"],
  { within }: Transaction["Service"],
  makeIds: Effect.Effect<IdGenerator>
): CampaignEnding => {
  /** Where it is done: that is looked at under its lock, as whoever enrols sees under that whether it is to run again. */
  const finished = (
    { id, workspace }: Campaign,
    now: Instant,
    data: { readonly reason?: string },
    isMeant: (current: Campaign) => boolean
  ) =>
    within(
      Effect.gen(function* () {
        const ids = yield* makeIds
        yield* store.modify(workspace, id, now, (campaign) => ({ campaign, events: [] }))
        if (!(yield* store.isDone(id))) return
        yield* store.modify(workspace, id, now, (current) =>
          current.status !== "running" || !isMeant(current)
            ? { campaign: current, events: [] }
            : {
                campaign: { ...current, status: "finished" },
                events: [
                  stamped(ids, now, {
                    workspace,
                    type: "campaign.finished",
                    subject: id,
                    actor: system,
                    data
                  })
                ]
              }
        )
      })
    )

  const stop: CampaignEnding["stop"] = (campaign, now) =>
    Effect.gen(function* () {
      const ids = yield* makeIds
      const ended = yield* store.changeLeads({ type: "active", campaign, limit: batch }, now, (lead, messages) =>
        change(ids, now, LeadStopping.stop(lead, messages, "cancelled", now, null))
      )
      if (ended.length === batch) yield* stop(campaign, now)
    })

  const end: CampaignEnding["end"] = (campaign, now) =>
    Effect.gen(function* () {
      yield* stop(campaign.id, now)
      // What is being sent is marked, and is no lead of this campaign's any more once it is settled.
      yield* finished(
        campaign,
        now,
        { reason: "endAt" },
        ({ settings }) => settings.endAt !== null && settings.endAt <= now
      )
    })

  return {
    finish: Effect.fnUntraced(function* (now: Instant) {
      const campaigns = (yield* store.finishable(100)).filter(({ settings }) => !settings.evergreen)
      yield* Effect.forEach(
        campaigns,
        (campaign) => finished(campaign, now, {}, ({ settings }) => !settings.evergreen),
        {
          discard: true
        }
      )
      return campaigns.length > 0
    }),
    stop,
    end
  }
}
