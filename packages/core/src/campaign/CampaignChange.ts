/**
 * What a campaign may be and become, and what is wrong with one that is made or changed. Steps keep their ids: by them leads find
 * where they were. Pure.
 */
import { Result, Schema } from "effect"
import * as Json from "../workspace/Json.ts"
import * as Problems from "../workspace/Problem.ts"
import type { Problem } from "../workspace/Problem.ts"
import * as Zone from "../workspace/Zone.ts"
import { CampaignSettings } from "./Campaign.ts"
import * as Rendering from "./Rendering.ts"
import { maxParts } from "./Step.ts"

/** A campaign that could not be one, or a change that one cannot take; nothing of it was done. */
export class CampaignChangeRefused extends Schema.TaggedError<CampaignChangeRefused>()("CampaignChangeRefused", {
  problems: Schema.Array(Schema.Struct({ field: Schema.String, message: Schema.String }))
}) {
  override get message(): string {
    return this.problems.map(({ field, message }) => `${field}: ${message}`).join("\n")
  }
}

const decode = Schema.decodeUnknownResult(Schema.toType(CampaignSettings))

const stepProblems = (before: CampaignSettings | null, { steps }: CampaignSettings): ReadonlyArray<Problem> => {
  const found: Array<Problem> = []
  const seen = new Set<string>()
  for (const [i, { id, parts, sendAfterDays, type }] of steps.entries()) {
    const problem = (field: string, message: string) => found.push({ field: `steps[${i}].${field}`, message })
    if (i === 0 && type !== "first") problem("type", `the first step is of type first, not ${type}`)
    if (i > 0 && type === "first") problem("type", "only the first step is of type first")
    if (i > 0 && sendAfterDays < 1) problem("sendAfterDays", `at least 1 day, not ${sendAfterDays}`)
    if (parts.length > maxParts) problem("parts", `at most ${maxParts} messages, not ${parts.length}`)
    if (seen.has(id)) problem("id", `${id} stands there twice`)
    seen.add(id)
  }
  if (before !== null && steps[0].id !== before.steps[0].id) {
    found.push({
      field: "steps[0].id",
      message: `the first touch is ${before.steps[0].id} and stays it: change what it says, or make another campaign`
    })
  }
  return found
}

const templateProblems = ({ steps }: CampaignSettings): ReadonlyArray<Problem> =>
  steps.flatMap((step, i) =>
    step.parts.flatMap((part, j) =>
      part.variants.flatMap(({ content }, k) => {
        const compiled = Rendering.compileContent(content)
        return Result.isSuccess(compiled)
          ? []
          : [{ field: `steps[${i}].parts[${j}].variants[${k}]`, message: compiled.failure.message }]
      })
    )
  )

/** The zone of its days: one that exists, and that of its send window where that names one. */
const zoneProblems = ({ sendWindow, timezone }: CampaignSettings): ReadonlyArray<Problem> => [
  ...(Zone.find(timezone) === null
    ? [{ field: "timezone", message: `${JSON.stringify(timezone)} is no IANA time zone` }]
    : []),
  ...(sendWindow.timezone !== undefined && sendWindow.timezone !== timezone
    ? [
        {
          field: "sendWindow.timezone",
          message: `is ${sendWindow.timezone}, but the campaign's timezone is ${timezone}`
        }
      ]
    : [])
]

/** What is wrong with settings that are to follow `before` (null = none); nothing for those that may. */
export const problems = (before: CampaignSettings | null, after: CampaignSettings): ReadonlyArray<Problem> => {
  const decoded = decode(after, Problems.showing)
  if (Result.isFailure(decoded)) return Problems.of(decoded.failure)
  const { endAt, pacing, partDelay, startAt } = after
  return [
    ...stepProblems(before, after),
    ...templateProblems(after),
    ...zoneProblems(after),
    ...(pacing.rangeMin > pacing.rangeMax
      ? [{ field: "pacing.rangeMax", message: `${pacing.rangeMax} is less than rangeMin ${pacing.rangeMin}` }]
      : []),
    ...(partDelay.minSeconds > partDelay.maxSeconds
      ? [{ field: "partDelay.maxSeconds", message: `${partDelay.maxSeconds} is less than ${partDelay.minSeconds}` }]
      : []),
    ...(startAt !== null && endAt !== null && endAt <= startAt
      ? [{ field: "endAt", message: "is not after startAt" }]
      : [])
  ]
}

const plainly = (settings: CampaignSettings): CampaignSettings => ({
  ...settings,
  skipContacted: settings.skipContacted ?? false,
  followList: settings.followList ?? false
})

/** The fields that differ, for people; what is absent says the same as its default. */
export const changedFields = (before: CampaignSettings, after: CampaignSettings): ReadonlyArray<string> =>
  Json.changedFields(plainly(before), plainly(after))
