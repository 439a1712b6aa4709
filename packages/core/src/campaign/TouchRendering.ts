/** From a step and a contact to the contents of a touch: variant, template, capability. Compiled once per campaign version. */
import { Result } from "effect"
import * as Capability from "../channel/Capability.ts"
import type { Channel } from "../channel/Channel.ts"
import type { Content } from "../channel/Content.ts"
import type { Gate } from "../outbox/Gate.ts"
import { allow, skip } from "../outbox/Gate.ts"
import type { Campaign } from "./Campaign.ts"
import type { CompiledContent } from "./Rendering.ts"
import * as Rendering from "./Rendering.ts"
import type { Step } from "./Step.ts"
import * as StepRules from "./Step.ts"

export type RenderedTouch =
  | { readonly type: "rendered"; readonly contents: ReadonlyArray<Content> }
  /** `missingVariable`, or why the channel cannot carry it. */
  | { readonly type: "refused"; readonly reason: string; readonly detail: string }

type Template = Result.Result<CompiledContent, Rendering.TemplateError>

/** Compiled contents of one process: what a text compiles to never changes, so nothing in it grows stale. */
export interface TemplateCache {
  readonly byText: Map<string, Template>
  /** The same by the object at hand: one claim renders the same ones for hundreds of leads. */
  readonly byContent: WeakMap<Content, Template>
}

/** An empty one. */
export const templateCache = (): TemplateCache => ({ byText: new Map(), byContent: new WeakMap() })

const compiled = (cache: TemplateCache, content: Content): Template => {
  const known = cache.byContent.get(content)
  if (known !== undefined) return known
  const text = JSON.stringify(content)
  const made = cache.byText.get(text) ?? Rendering.compileContent(content)
  if (cache.byText.size > 10_000) cache.byText.clear()
  cache.byText.set(text, made)
  cache.byContent.set(content, made)
  return made
}

/** What one content says to a contact on a channel, or why it says nothing. */
export type Said =
  | { readonly type: "rendered"; readonly content: Content }
  | Extract<RenderedTouch, { readonly type: "refused" }>

/** Renders one content for one contact. */
export const say = (
  cache: TemplateCache,
  content: Content,
  values: Rendering.Variables,
  onMissing: Rendering.OnMissing,
  channel: Channel
): Said => {
  const template = compiled(cache, content)
  if (Result.isFailure(template)) {
    return { type: "refused", reason: "contentRejected", detail: template.failure.message }
  }
  const made = Rendering.renderContent(template.success, values, onMissing)
  if (made._tag === "MissingVariable") {
    return { type: "refused", reason: "missingVariable", detail: made.names.join(", ") }
  }
  if (made._tag === "Failed") {
    return { type: "refused", reason: "contentRejected", detail: `${made.field}: ${made.problem}` }
  }
  const refusal = Capability.refusal(channel.capabilities, made.content)
  return refusal === null
    ? { type: "rendered", content: made.content }
    : { type: "refused", reason: "unsupported", detail: refusal }
}

/** The variant of a part of a step that a lead gets; `seed` as in `render`. */
export const chosen = (settings: Campaign["settings"], step: Step, part: number, seed: string): Content =>
  StepRules.choose(step.parts[part]!, `${seed}|${settings.steps.findIndex(({ id }) => id === step.id)}|${part}`)

/** Renders every part of a step for one lead. `seed` chooses the variants: the same lead gets the same ones again. */
export const render = (
  cache: TemplateCache,
  campaign: Pick<Campaign, "settings">,
  step: Step,
  contact: Rendering.ContactFields,
  channel: Channel,
  seed: string
): RenderedTouch => {
  const values = Rendering.variablesOf(contact)
  const contents: Array<Content> = []
  for (const part of step.parts.keys()) {
    const content = chosen(campaign.settings, step, part, seed)
    const said = say(cache, content, values, campaign.settings.onMissing, channel)
    if (said.type === "refused") return said
    contents.push(said.content)
  }
  return { type: "rendered", contents }
}

/** The last gates: what cannot be said is not sent. */
export const contentGate: Gate<RenderedTouch> = {
  name: "content",
  decide: (touch) => (touch.type === "refused" ? skip(touch.reason) : allow)
}
