/**
 * Why a lead has not been written to, or what happens to it next: the answer of the same gates and the same plan that the
 * next claim asks.
 */
import { Context, Effect, Layer, Option } from "effect"
import { Channels } from "../channel/Channel.ts"
import * as Gate from "../outbox/Gate.ts"
import type { LeadId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { stepAt } from "./Campaign.ts"
import { CampaignStore } from "./CampaignStore.ts"
import type { Lead } from "./Lead.ts"
import { LeadNotFound } from "./Lead.ts"
import { paceGates } from "./LeadGates.ts"
import * as LeadTouching from "./LeadTouching.ts"
import * as PacePlan from "./PacePlan.ts"

export type Answer =
  /** Nothing more will be sent to it. */
  | { readonly type: "over"; readonly reason: string }
  /** Being sent now, or between two parts. */
  | { readonly type: "underWay" }
  /** In the pool: no account has drawn it yet. */
  | { readonly type: "inPool" }
  /** Not before `at`. */
  | { readonly type: "waits"; readonly reason: string; readonly at: Instant | null }
  | { readonly type: "skipped"; readonly reason: string; readonly detail: string | null }
  | { readonly type: "blocked"; readonly reason: string }
  /** In its turn at the account's next slot. */
  | { readonly type: "ready"; readonly at: Instant | null }

export interface Explained {
  readonly lead: Lead
  readonly answer: Answer
}

export class Explanation extends Context.Service<Explanation, {
  explain(workspace: WorkspaceId, lead: LeadId): Effect.Effect<Explained, StorageError | LeadNotFound>
}>()("@overture/core/Explanation") {
  static readonly layer = Layer.effect(
    Explanation,
    Effect.gen(function*() {
      const store = yield* CampaignStore
      const channels = yield* Channels
      const time = yield* PacingTime
      return Explanation.of({
        explain: Effect.fn("Explanation.explain")(function*(workspace: WorkspaceId, id: LeadId) {
          const found = yield* store.candidate(workspace, id)
          if (Option.isNone(found)) return yield* new LeadNotFound({ lead: id })
          const { candidate, due } = found.value
          const { lead } = candidate
          const now = yield* time.now
          const answer = (value: Answer): Explained => ({ lead, answer: value })
          if (lead.step === null) return answer({ type: "over", reason: lead.ended ?? lead.reason ?? lead.status })
          if (lead.claim !== null || lead.status === "sending") return answer({ type: "underWay" })
          if (due === null) return answer({ type: "inPool" })
          const context = { ...due, now, channel: channels.all.get(due.account.account.channel) }
          const pace = Gate.decide(paceGates, context)
          if (pace.type === "block") return answer({ type: "blocked", reason: pace.reason })
          if (pace.type === "defer") return answer({ type: "waits", reason: pace.reason, at: pace.until })
          const step = stepAt(due.campaign.settings, lead.step)
          if (step === null) return answer({ type: "over", reason: "completed" })
          const { contents, verdict } = LeadTouching.judge(
            { now, channels: channels.all, templates: new Map() },
            due,
            candidate,
            step.step
          )
          switch (verdict.type) {
            case "block":
              return answer({ type: "blocked", reason: verdict.reason })
            case "skip":
              return answer({
                type: "skipped",
                reason: verdict.reason,
                detail: contents?.type === "refused" ? contents.detail : null
              })
            case "defer":
              return answer({ type: "waits", reason: verdict.reason, at: verdict.until })
            case "allow": {
              if (lead.dueAt !== null && lead.dueAt > now) return answer({ type: "waits", reason: "notDue", at: lead.dueAt })
              const planned = PacePlan.plan(due.pace, due.campaign, due.account, now)
              return answer({ type: "ready", at: planned.due > 0 ? now : planned.pace.nextAt })
            }
          }
        })
      })
    })
  )
}
