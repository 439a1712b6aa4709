/**
 * What is wrong with a campaign file whose fields are all well by themselves, and what is allowed but probably not meant:
 * each by its field. Pure.
 */
import { Result } from "effect"
import * as SendBudget from "../outbox/SendBudget.ts"
import { format, type Instant } from "../workspace/Instant.ts"
import * as LocalDate from "../workspace/LocalDate.ts"
import type { Problem } from "../workspace/Problem.ts"
import * as RampUp from "../workspace/RampUp.ts"
import * as Zone from "../workspace/Zone.ts"
import * as AccountChoice from "./AccountChoice.ts"
import type { CampaignFile } from "./CampaignFile.ts"
import * as Distribution from "./Distribution.ts"
import { partOf } from "./MessageEntry.ts"
import * as RecipientHours from "./RecipientHours.ts"
import * as Rendering from "./Rendering.ts"
import * as UncarriedContent from "./UncarriedContent.ts"

/** Every template of the file, compiled once to find what is wrong with it. */
const templateProblems = (file: CampaignFile): ReadonlyArray<Problem> => {
  const steps = [
    ["messages", file.messages] as const,
    ...file.followUps.map((step, i) => [`followUps[${i}].messages`, step.messages] as const)
  ]
  return steps.flatMap(([field, messages]) =>
    messages.flatMap((entry, i) =>
      partOf(entry).variants.flatMap(({ content }, j): ReadonlyArray<Problem> => {
        const compiled = Rendering.compileContent(content)
        if (Result.isSuccess(compiled)) return []
        const variant = typeof entry !== "string" && "variants" in entry ? `.variants[${j}]` : ""
        return [{ field: `${field}[${i}]${variant}`, message: compiled.failure.message }]
      })
    )
  )
}

/** An end that comes before the start, and follow-ups that share an id. */
const orderProblems = (file: CampaignFile): ReadonlyArray<Problem> => {
  const seen = new Map<string, number>()
  const repeated = file.followUps.flatMap(({ id }, i): ReadonlyArray<Problem> => {
    const former = id === undefined ? undefined : seen.get(id)
    if (id !== undefined) seen.set(id, i)
    return former === undefined
      ? []
      : [{ field: `followUps[${i}].id`, message: `${id} is followUps[${former}] already` }]
  })
  return file.startAt !== undefined && file.endAt !== undefined && file.endAt <= file.startAt
    ? [...repeated, { field: "endAt", message: "is not after startAt" }]
    : repeated
}

/** Accounts that stand there twice: under one id, or as one account of a channel. */
const duplicates = (file: CampaignFile): ReadonlyArray<Problem> => {
  const byId = new Map<string, number>()
  const byExternalId = new Map<string, number>()
  return file.accounts.flatMap((entry, i): ReadonlyArray<Problem> => {
    const id = typeof entry === "string" ? entry : entry.id
    const former = byId.get(id)
    byId.set(id, i)
    if (former !== undefined) {
      return [{ field: `accounts[${i}]`, message: `${id} stands at accounts[${former}] already` }]
    }
    if (typeof entry === "string") return []
    const name = `${JSON.stringify(entry.externalId ?? id)} on ${entry.channel}`
    const same = byExternalId.get(name)
    byExternalId.set(name, i)
    return same === undefined
      ? []
      : [{ field: `accounts[${i}].externalId`, message: `${name} is accounts[${same}] already` }]
  })
}

/** Steps that an account's cap would never let pass. */
const overCaps = (file: CampaignFile): ReadonlyArray<Problem> => {
  const most = Math.max(file.messages.length, ...file.followUps.map(({ messages }) => messages.length))
  return file.accounts.flatMap((entry, i): ReadonlyArray<Problem> => {
    const dailyCap = typeof entry === "string" ? null : (entry.dailyCap ?? null)
    const below = SendBudget.capBelow(most, { account: { dailyCap }, workspace: { dailyCap: null } })
    return below === null ? [] : [{ field: `accounts[${i}].dailyCap`, message: AccountChoice.tooMany(most, below) }]
  })
}

/** What is wrong with how leads are given to the accounts. */
const unevenly = (file: CampaignFile): ReadonlyArray<Problem> =>
  Distribution.problems(
    file.distribution,
    file.accounts.map((entry) => (typeof entry === "string" ? entry : entry.id))
  )

/** What keeps it from being a campaign; nothing for a file that may be one. */
export const problems = (file: CampaignFile): ReadonlyArray<Problem> => [
  ...templateProblems(file),
  ...orderProblems(file),
  ...overCaps(file),
  ...duplicates(file),
  ...unevenly(file)
]

/** Messages that none of these channels, on which the file's accounts are, can carry. */
export const uncarried = (
  { followUps, messages }: CampaignFile,
  channels: ReadonlyArray<UncarriedContent.Carrier>
): ReadonlyArray<Problem> => {
  const of = (field: string, entries: CampaignFile["messages"]) =>
    entries.flatMap((entry, i) => UncarriedContent.problems(`${field}[${i}]`, partOf(entry), channels))
  return [...of("messages", messages), ...followUps.flatMap((step, i) => of(`followUps[${i}].messages`, step.messages))]
}

/** What is wrong with a campaign that is to begin at `at`: its end has passed by then. */
export const endedBy = ({ endAt }: CampaignFile, at: Instant): ReadonlyArray<Problem> =>
  endAt === undefined || endAt > at
    ? []
    : [{ field: "endAt", message: `${format(endAt)} has passed: the campaign would begin at ${format(at)}` }]

/** A week without a change of clocks. */
const someWeek = LocalDate.midnight("2023-01-01")

/** Whether the send window opens only while it is quiet, for people of the campaign's own zone. */
const isAlwaysQuiet = ({ quietHours, sendWindow }: CampaignFile): boolean => {
  const hours = { quietHours, sendWindow: { ...sendWindow, blackoutDates: [] }, timezone: "UTC" }
  return quietHours !== null && RecipientHours.next(hours, Zone.make("UTC"), someWeek) === null
}

/** What is allowed but probably not meant, in words. */
export const warnings = (file: CampaignFile): ReadonlyArray<Problem> => {
  const found: Array<Problem> = []
  const k0 = file.messages.length
  if (k0 > file.pacing.rangeMin) {
    found.push({
      field: "pacing.rangeMin",
      message: `a first touch has ${k0} messages and a day may have ${file.pacing.rangeMin}: only the day's first touch will pass it`
    })
  }
  const firstCap = RampUp.cap(file.rampUp, 1)
  if (firstCap !== null && k0 > firstCap) {
    found.push({
      field: "rampUp",
      message: `a first touch has ${k0} messages and the ramp begins at ${firstCap} a day: only the day's first touch will pass it`
    })
  }
  if (file.rampUp.type === "incremental" && file.rampUp.max < file.pacing.rangeMin) {
    found.push({
      field: "rampUp.max",
      message: `the ramp ends at ${file.rampUp.max}, below rangeMin ${file.pacing.rangeMin}: the volume then jumps`
    })
  }
  if (isAlwaysQuiet(file)) {
    found.push({
      field: "quietHours",
      message: "they cover the send window: only people of other zones will be written to"
    })
  }
  return found
}
