/** What a campaign would say to people, every step and variant, with what each text lacks; counted over all of them. Pure. */
import type { Channel } from "../channel/Channel.ts"
import type { Content } from "../channel/Content.ts"
import type { Contact } from "../contact/Contact.ts"
import type { ContactId, StepId } from "../workspace/Id.ts"
import type { CampaignSettings } from "./Campaign.ts"
import * as Rendering from "./Rendering.ts"
import * as TouchRendering from "./TouchRendering.ts"

export interface PreviewedVariant {
  readonly weight: number
  /** Whether it is the one that this person gets. */
  readonly chosen: boolean
  /** What it says, blank where a variable is missing and that is allowed; null where it cannot be said. */
  readonly content: Content | null
  /** Variables without value or default. */
  readonly missing: ReadonlyArray<string>
  /** Why it cannot be said, where that is not a missing variable: too long, or nothing the channel can carry. */
  readonly problem: string | null
}

export interface PreviewedStep {
  readonly step: StepId
  readonly parts: ReadonlyArray<ReadonlyArray<PreviewedVariant>>
}

export interface PreviewedPerson {
  readonly contact: ContactId
  readonly name: string
  readonly channel: string
  readonly steps: ReadonlyArray<PreviewedStep>
}

export interface Preview {
  readonly people: ReadonlyArray<PreviewedPerson>
  /** How many of these people lack a variable in a variant that they get, most frequent first. */
  readonly missing: ReadonlyArray<{ readonly variable: string; readonly people: number }>
  /** How many of them get a variant that cannot be said. */
  readonly unsayable: number
}

/** What one person would be told. `seed` as claims have it: so the variants are those of the real touch. */
export const person = (
  cache: TouchRendering.TemplateCache,
  settings: CampaignSettings,
  contact: Contact,
  channel: Channel,
  seed: string
): PreviewedPerson => {
  const values = Rendering.variablesOf(contact)
  return {
    contact: contact.id,
    name: contact.name,
    channel: channel.name,
    steps: settings.steps.map((step) => ({
      step: step.id,
      parts: step.parts.map((part, index) => {
        const own = TouchRendering.chosen(settings, step, index, seed)
        return part.variants.map(({ content, weight }): PreviewedVariant => {
          const strict = TouchRendering.say(cache, content, values, "skip", channel)
          const lacks = strict.type === "refused" && strict.reason === "missingVariable"
          const said =
            lacks && settings.onMissing === "blank"
              ? TouchRendering.say(cache, content, values, "blank", channel)
              : strict
          return {
            weight,
            chosen: content === own,
            content: said.type === "rendered" ? said.content : null,
            missing: lacks ? strict.detail.split(", ") : [],
            problem: said.type === "refused" && said.reason !== "missingVariable" ? said.detail : null
          }
        })
      })
    }))
  }
}

/** Previews of people with what they have in common. */
export const of = (people: ReadonlyArray<PreviewedPerson>): Preview => {
  const lacking = new Map<string, number>()
  let unsayable = 0
  for (const { steps } of people) {
    const variants = steps.flatMap(({ parts }) => parts.flat().filter(({ chosen }) => chosen))
    for (const variable of new Set(variants.flatMap(({ missing }) => missing))) {
      lacking.set(variable, (lacking.get(variable) ?? 0) + 1)
    }
    if (variants.some(({ problem }) => problem !== null)) unsayable += 1
  }
  return {
    people,
    missing: Array.from(lacking, ([variable, count]) => ({ variable, people: count })).sort(
      (a, b) => b.people - a.people || (a.variable < b.variable ? -1 : 1)
    ),
    unsayable
  }
}
