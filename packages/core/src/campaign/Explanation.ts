/**
 * Why a lead has not been written to, or what happens to it next: the answer of the same gates and the same plan that the
 * next claim asks.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import * as Account from "../account/Account.ts"
import { Channels } from "../channel/Channel.ts"
import { idOf } from "../chat/Chat.ts"
import { ChatStore } from "../chat/ChatStore.ts"
import { AddressHash } from "../contact/Suppression.ts"
import type { Verdict } from "../outbox/Gate.ts"
import { allow, decide, skip, stronger } from "../outbox/Gate.ts"
import * as SendBudget from "../outbox/SendBudget.ts"
import * as Budget from "../workspace/Budget.ts"
import type { CampaignId, LeadId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as Paging from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import { CampaignNotFound, isOver, stepAt } from "./Campaign.ts"
import type { DuePace, LeadCandidate } from "./CampaignStore.ts"
import { CampaignStore } from "./CampaignStore.ts"
import * as Drawing from "./Drawing.ts"
import * as DryRun from "./DryRun.ts"
import * as HostGate from "./HostGate.ts"
import * as Lead from "./Lead.ts"
import { LeadNotFound } from "./Lead.ts"
import * as LeadJudgement from "./LeadJudgement.ts"
import { noSlot, paceGates } from "./PaceGates.ts"
import * as PacePlan from "./PacePlan.ts"
import * as Sequence from "./Sequence.ts"
import * as SendWindow from "./SendWindow.ts"
import * as TouchRendering from "./TouchRendering.ts"

export type Answer =
  /** Nothing more will be sent to it. */
  | { readonly type: "over"; readonly reason: string }
  /** Being sent now, or between two parts. */
  | { readonly type: "underWay" }
  /** In the pool of a campaign that runs: no account has drawn it yet. */
  | { readonly type: "inPool" }
  /** Not before `at`. */
  | { readonly type: "waits"; readonly reason: string; readonly at: Instant | null }
  | { readonly type: "skipped"; readonly reason: string; readonly detail: string | null }
  | { readonly type: "blocked"; readonly reason: string }
  /** In its turn at the account's next slot. */
  | { readonly type: "ready"; readonly at: Instant | null }

export interface Explained {
  readonly lead: Lead.Lead
  /** What the next claim that looks at it does, if nothing changes until then. */
  readonly answer: Answer
  /**
   * Whether a claim looks at the leads of its account now: `allow`, or what the pace sleeps for meanwhile. Null where that
   * does not matter: it is over, under way or in the pool.
   */
  readonly pace: Verdict | null
}

export class Explanation extends Context.Service<
  Explanation,
  {
    explain(workspace: WorkspaceId, lead: LeadId): Effect.Effect<Explained, StorageError | LeadNotFound>
    /**
     * The verdict of the lead's own gates over at most `limit` leads (1–10,000) with something to come, whether the campaign runs or
     * not: at the next instant at which it may send, with unused budgets. Those in the pool are judged for the first able
     * account that reaches them.
     */
    dryRun(
      workspace: WorkspaceId,
      campaign: CampaignId,
      limit: number
    ): Effect.Effect<DryRun.DryRun, StorageError | CampaignNotFound | Paging.InvalidListRequest>
  }
>()("@overture/core/Explanation") {
  static readonly layer = Layer.effect(
    Explanation,
    Effect.suspend(() => make)
  )
}

const statuses: ReadonlyArray<Lead.LeadStatus> = ["assigned", "pending", "sent", "partial"]
const readAtOnce = 16

const checkDryRun = Paging.checker(Schema.Struct({ limit: Paging.upTo(10_000) }))

const make = Effect.gen(function* () {
  const store = yield* CampaignStore
  const chats = yield* ChatStore
  const workspaces = yield* WorkspaceStore
  const channels = yield* Channels
  const time = yield* PacingTime
  const gates = yield* HostGate.HostGates
  const addressHash = yield* AddressHash

  const benchFor = (now: Instant, candidates: ReadonlyArray<LeadCandidate>) =>
    Effect.map(
      HostGate.load(gates, candidates),
      (loaded): LeadJudgement.Bench => ({
        now,
        channels: channels.all,
        templates: TouchRendering.templateCache(),
        gates,
        loaded
      })
    )

  const explain = Effect.fn("Explanation.explain")(function* (workspace: WorkspaceId, id: LeadId) {
    const found = yield* store.candidate(workspace, id, addressHash)
    if (Option.isNone(found)) return yield* new LeadNotFound({ lead: id })
    const { candidate, due } = found.value
    const { lead } = candidate
    const now = yield* time.now
    const answer = (value: Answer, pace: Verdict | null = null): Explained => ({ lead, answer: value, pace })
    if (lead.step === null) return answer({ type: "over", reason: lead.ended ?? lead.reason ?? lead.status })
    if (Lead.isUnderWay(lead)) return answer({ type: "underWay" })
    const owner = due === null ? Option.getOrNull(yield* store.get(workspace, lead.campaign)) : due.campaign
    if (owner !== null && isOver(owner, now)) {
      return answer(
        Lead.isOpen(lead)
          ? { type: "skipped", reason: "cancelled", detail: null }
          : { type: "over", reason: "cancelled" }
      )
    }
    if (yield* workspaces.stopped) return answer({ type: "blocked", reason: "everythingPaused" })
    if (due === null) {
      const tenant = Option.getOrNull(yield* workspaces.get(workspace))
      if (tenant?.paused === true) return answer({ type: "blocked", reason: "workspacePaused" })
      if (owner?.status !== "running") return answer({ type: "blocked", reason: "campaignNotRunning" })
      return Drawing.isBelowParts(owner, yield* store.paces(owner.id), lead.reach, channels.all)
        ? answer({ type: "blocked", reason: SendBudget.partsOverCap })
        : answer({ type: "inPool" })
    }
    const bench = yield* benchFor(now, [candidate])
    const planned = PacePlan.plan(due.pace, due.campaign, due.account, now)
    const context = LeadJudgement.paceContext(bench, due, planned)
    const pace = decide(paceGates, context)
    if (pace.type === "block") return answer({ type: "blocked", reason: pace.reason }, pace)
    const isDue = lead.dueAt === null || lead.dueAt <= now
    // One whose step an edit took away takes the next once it is due.
    const coming = isDue ? (Sequence.relocate(lead, due.campaign.settings, now) ?? lead) : lead
    const present = stepAt(due.campaign.settings, coming.step)
    if (isDue && present === null) return answer({ type: "over", reason: "completed" }, pace)
    if (present === null || (coming.dueAt !== null && coming.dueAt > now)) {
      return answer({ type: "waits", reason: Lead.deferral(coming) ?? "notDue", at: coming.dueAt }, pace)
    }
    const judged = coming === lead ? candidate : { ...candidate, lead: coming, messages: [] }
    const own = LeadJudgement.judge(bench, { ...context, pace: planned.pace }, due, judged, present.step)
    const verdict = stronger(pace, own.verdict)
    switch (verdict.type) {
      case "block":
        return answer({ type: "blocked", reason: verdict.reason }, pace)
      case "skip": {
        const { contents } = own
        const detail = contents?.type === "refused" && contents.reason === verdict.reason ? contents.detail : null
        return answer({ type: "skipped", reason: verdict.reason, detail }, pace)
      }
      case "defer":
        return verdict.reason === noSlot
          ? answer({ type: "ready", at: verdict.until }, pace)
          : answer({ type: "waits", reason: verdict.reason, at: verdict.until }, pace)
      case "allow":
        return answer({ type: "ready", at: now }, pace)
    }
  })

  /** The first leads with something to come; one more than `limit` where there are more. */
  const coming = Effect.fnUntraced(function* (workspace: WorkspaceId, campaign: CampaignId, limit: number) {
    const found: Array<LeadId> = []
    for (const status of statuses) {
      yield* Paging.walk(
        (page) =>
          store.leads(workspace, campaign, { status }, { ...page, limit: Math.min(Paging.maxLimit, limit + 1) }),
        (leads) =>
          Effect.sync(() => {
            for (const lead of leads) if (lead.step !== null && !Lead.isUnderWay(lead)) found.push(lead.id)
            return found.length <= limit
          })
      )
    }
    return found
  })

  const dryRun = Effect.fn("Explanation.dryRun")(function* (workspace: WorkspaceId, id: CampaignId, most: number) {
    const { limit } = yield* Effect.fromResult(checkDryRun({ limit: most }))
    const found = yield* store.get(workspace, id)
    const tenant = yield* workspaces.get(workspace)
    if (Option.isNone(found) || Option.isNone(tenant)) return yield* new CampaignNotFound({ campaign: id })
    const campaign = found.value
    const paces = yield* store.paces(id)
    const { window, zone } = PacePlan.dayPlanSettings(campaign.settings)
    const from = Math.max(yield* time.now, campaign.settings.startAt ?? 0)
    const now = SendWindow.nextOpen(window, zone, from) ?? from

    /** The pace a lead is judged for, with nothing used of its budgets. */
    const dueFor = (lead: Lead.Lead, due: DuePace | null): DuePace | null => {
      const pace = paces.find(({ account, pace }) =>
        lead.account === null
          ? pace.leftAt === null && Account.isAble(account) && Account.reachesOf(account).includes(lead.reach)
          : account.id === lead.account
      )
      return pace === undefined
        ? null
        : {
            pace: { ...pace.pace, used: 0 },
            account: { account: pace.account, use: Budget.none, lastTouchAt: null },
            campaign,
            workspace: { workspace: tenant.value, use: Budget.none },
            group: due?.group === null || due?.group === undefined ? null : { ...due.group, use: Budget.none }
          }
    }

    const ids = yield* coming(workspace, id, limit)
    const read = yield* Effect.forEach(ids.slice(0, limit), (lead) => store.candidate(workspace, lead, addressHash), {
      concurrency: readAtOnce
    })
    const standing = yield* Effect.forEach(
      read.flatMap(Option.toArray),
      ({ candidate, due }) =>
        Effect.gen(function* () {
          const judged = dueFor(candidate.lead, due)
          if (judged === null || candidate.lead.account !== null) return { candidate, due: judged }
          const chat = yield* chats.get(workspace, idOf(judged.account.account.id, candidate.lead.address))
          return { candidate: { ...candidate, chat: Option.getOrNull(chat) }, due: judged }
        }),
      { concurrency: readAtOnce }
    )
    const bench = yield* benchFor(
      now,
      standing.map(({ candidate }) => candidate)
    )
    const verdicts = standing.map(({ candidate, due }): Verdict => {
      const step = stepAt(campaign.settings, candidate.lead.step)
      if (due === null || step === null) return due === null ? skip("unreachable") : allow
      const planned = PacePlan.plan(due.pace, campaign, due.account, now)
      const context = { ...LeadJudgement.paceContext(bench, due, planned), pace: due.pace }
      return LeadJudgement.judge(bench, context, due, candidate, step.step).verdict
    })
    return DryRun.count(verdicts, ids.length > limit)
  })

  return Explanation.of({ explain, dryRun })
})
