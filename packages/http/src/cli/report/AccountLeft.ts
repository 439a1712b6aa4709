/** What it meant for people that an account left a campaign, in a line. */
import type { Lost } from "@overture/core/campaign/Distributor"
import * as Text from "./Text.ts"

/** `nora left: 12 leads it had not written to went back to the pool` … */
export const line = (name: string, { ended, reassigned, returned, unreachable }: Lost): string => {
  const people = (count: number) => Text.count(count, "lead")
  const parts = [
    ...(returned > 0 ? [`${people(returned)} it had not written to went back to the pool`] : []),
    ...(reassigned > 0 ? [`${people(reassigned)} it had written to went to other accounts`] : []),
    ...(ended > 0 ? [`${people(ended)} it had written to ended without the follow-ups that were to come`] : []),
    ...(unreachable > 0 ? [`${people(unreachable)} that only it reaches were skipped`] : [])
  ]
  return `${name} left: ${parts.length === 0 ? "no lead was with it" : parts.join(", ")}`
}
