/** From a step and a contact to the contents of a touch: variant, template, capability. Compiled once per campaign version. */
import { Result } from "effect"
import * as Capability from "../channel/Capability.ts"
import type { Channel } from "../channel/Channel.ts"
import type { Content } from "../channel/Content.ts"
import type { Contact } from "../contact/Contact.ts"
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

/** Compiled contents of one process; a version's contents never change, so nothing in it grows stale. */
export type TemplateCache = Map<string, Result.Result<CompiledContent, Rendering.TemplateError>>

const compiled = (cache: TemplateCache, content: Content) => {
  const id = JSON.stringify(content)
  const known = cache.get(id)
  if (known !== undefined) return known
  if (cache.size > 10_000) cache.clear()
  const made = Rendering.compileContent(content)
  cache.set(id, made)
  return made
}

/** Renders every part of a step for one lead. `seed` chooses the variants: the same lead gets the same ones again. */
export const render = (
  cache: TemplateCache,
  campaign: Pick<Campaign, "settings">,
  step: Step,
  contact: Contact,
  channel: Channel,
  seed: string
): RenderedTouch => {
  const values = Rendering.variablesOf(contact)
  const contents: Array<Content> = []
  for (const [index, part] of step.parts.entries()) {
    const template = compiled(
      cache,
      StepRules.choose(part, `${seed}|${campaign.settings.steps.findIndex(({ id }) => id === step.id)}|${index}`)
    )
    if (Result.isFailure(template)) {
      return { type: "refused", reason: "contentRejected", detail: template.failure.message }
    }
    const made = Rendering.renderContent(template.success, values, campaign.settings.onMissing)
    if (made._tag === "MissingVariable") {
      return { type: "refused", reason: "missingVariable", detail: made.names.join(", ") }
    }
    if (made._tag === "Failed")
      return { type: "refused", reason: "contentRejected", detail: `${made.field}: ${made.problem}` }
    const refusal = Capability.refusal(channel.capabilities, made.content)
    if (refusal !== null) return { type: "refused", reason: "unsupported", detail: refusal }
    contents.push(made.content)
  }
  return { type: "rendered", contents }
}

/** The last gates: what cannot be said is not sent. */
export const contentGate: Gate<RenderedTouch> = {
  name: "content",
  decide: (touch) => (touch.type === "refused" ? skip(touch.reason) : allow)
}
