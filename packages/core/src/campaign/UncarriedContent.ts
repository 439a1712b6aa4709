/**
 * Contents that none of a campaign's channels can carry: whoever would get them is skipped, so they are refused where they are
 * written. What one of the channels can carry may stay; leads of the others are skipped. Pure.
 */
import { Result } from "effect"
import * as Capability from "../channel/Capability.ts"
import type { Channel } from "../channel/Channel.ts"
import type { Content } from "../channel/Content.ts"
import type { Problem } from "../workspace/Problem.ts"
import * as Rendering from "./Rendering.ts"
import type { Part } from "./Step.ts"

export type Carrier = Pick<Channel, "name" | "capabilities">

/**
 * The channels of these names; none where one of them is not of this process: what that one carries, nobody here knows.
 */
export const carriers = (
  names: ReadonlyArray<string>,
  channels: ReadonlyMap<string, Carrier>
): ReadonlyArray<Carrier> => {
  const found = [...new Set(names)].sort().map((name) => channels.get(name))
  return found.every((channel) => channel !== undefined) ? found : []
}

/** What a content says to everybody alike; null where that depends on who reads it. */
const saidToAll = (content: Content): Content | null => {
  const compiled = Rendering.compileContent(content)
  if (Result.isFailure(compiled) || compiled.success.variables.length > 0) return null
  const said = Rendering.renderContent(compiled.success, {}, "blank")
  return said._tag === "Rendered" ? said.content : null
}

/**
 * What of a part none of the channels can carry, by its place below `field`; nothing where there is no channel, and nothing of
 * what is old.
 */
export const problems = (
  field: string,
  { variants }: Part,
  channels: ReadonlyArray<Carrier>,
  isOld: (content: Content) => boolean = () => false
): ReadonlyArray<Problem> => {
  if (channels.length === 0) return []
  return variants.flatMap(({ content }, i): ReadonlyArray<Problem> => {
    if (isOld(content)) return []
    const said = saidToAll(content)
    const refusals = channels.map(({ capabilities, name }) => {
      const refusal = said === null ? Capability.lack(capabilities, content) : Capability.refusal(capabilities, said)
      return refusal === null ? null : `${name}: ${refusal}`
    })
    if (refusals.includes(null)) return []
    const place = variants.length === 1 ? field : `${field}.variants[${i}]`
    return [{ field: place, message: `none of the campaign's channels can send it: ${refusals.join("; ")}` }]
  })
}
