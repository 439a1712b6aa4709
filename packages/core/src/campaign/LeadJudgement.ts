/** What the gates say of one lead: asked by claims, explanations and dry runs, so that there is one answer. */
import * as Address from "../channel/Address.ts"
import type { Channel } from "../channel/Channel.ts"
import type { ChannelName } from "../channel/Address.ts"
import * as Gate from "../outbox/Gate.ts"
import type * as SendBudget from "../outbox/SendBudget.ts"
import type { Instant } from "../workspace/Instant.ts"
import { seedKey } from "./Campaign.ts"
import type { DuePace, LeadCandidate } from "./CampaignStore.ts"
import * as HostGate from "./HostGate.ts"
import { chooseAddress, type LeadContext, leadGates } from "./LeadGates.ts"
import type { PaceContext } from "./PaceGates.ts"
import type { PacePlan } from "./PacePlan.ts"
import type { Step } from "./Step.ts"
import { missingParts } from "./TouchMessages.ts"
import * as TouchRendering from "./TouchRendering.ts"

/** What is the same for all leads that are judged together. */
export interface Bench {
  readonly now: Instant
  readonly channels: ReadonlyMap<ChannelName, Channel>
  readonly templates: TouchRendering.TemplateCache
  readonly gates: ReadonlyArray<HostGate.AnyHostGate>
  readonly loaded: HostGate.LoadedGates
}

export interface Judgement {
  readonly verdict: Gate.Verdict
  readonly address: Address.Address | null
  readonly contents: TouchRendering.RenderedTouch | null
}

/** What the gates of a pace are asked about. */
export const paceContext = (bench: Pick<Bench, "now" | "channels">, due: DuePace, planned: PacePlan): PaceContext => ({
  ...due,
  now: bench.now,
  channel: bench.channels.get(due.account.account.channel),
  planned
})

/** Judges a lead. `pace.pace` and `payers` are what the sends before have left. */
export const judge = (
  bench: Bench,
  pace: PaceContext,
  payers: SendBudget.Payers,
  candidate: LeadCandidate,
  step: Step
): Judgement => {
  const { campaign, channel } = pace
  const { contact, lead, suppressions, unreachable } = candidate
  const { account } = pace.account
  const { address, isSuppressed } = chooseAddress(lead, contact, account, suppressions, unreachable)
  const contents =
    channel === undefined || address === null
      ? null
      : TouchRendering.render(
          bench.templates,
          campaign,
          step,
          contact,
          channel,
          `${seedKey(campaign)}|${Address.key(address)}`
        )
  const parts = missingParts(step, candidate.messages).length
  const context: LeadContext = { ...pace, ...candidate, payers, step, parts, address, isSuppressed, contents }
  const own = Gate.decide(leadGates, context)
  const verdict =
    bench.gates.length === 0 ? own : Gate.stronger(own, HostGate.decide(bench.gates, bench.loaded, context))
  return { verdict, address, contents }
}
