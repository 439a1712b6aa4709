/**
 * How the scripted platform answers one attempt. Pure over what it remembers: known keys first, then the account's own
 * trouble, then what the script has for this person, the reply window, and the rates.
 */
import type { AccountTrouble, Outcome, OutcomeType } from "@overture/core/channel/Outcome"
import type { Verification } from "@overture/core/channel/Verification"
import type { Instant } from "@overture/core/workspace/Instant"
import { chance, type Taken } from "./Happenings.ts"
import type { Memory } from "./Memory.ts"
import type { Script } from "./Script.ts"
import { full, type ScriptedOutcome } from "./ScriptedOutcome.ts"

export interface Attempt {
  readonly at: Instant
  readonly account: string
  readonly to: string
  readonly key: string
  /** What the sender calls with. */
  readonly token: string | null
  /** The comment whose author it answers in private. */
  readonly comment?: string | undefined
}

export interface Verdict {
  /** What the platform makes of it. */
  readonly scripted: ScriptedOutcome
  /** It took this key before. */
  readonly repeat: boolean
}

/** What keeps the account from sending: a wrong token, or the trouble that began with its `after`th message. */
const troubled = (
  script: Script,
  memory: Memory,
  { account, at, token }: Pick<Attempt, "account" | "at" | "token">
): AccountTrouble | null => {
  const needed = script.accounts[account]?.token
  if (needed !== undefined && token !== needed) return "unauthorized"
  const { takenAt } = memory.account(account)
  const trouble = script.troubles.find((trouble) => {
    const since = (trouble.account ?? account) === account ? takenAt[trouble.after - 1] : undefined
    return since !== undefined && (trouble.forMs === undefined || at < since + trouble.forMs)
  })
  return trouble === undefined ? null : trouble.outcome
}

/** Whether the person's last message is too long ago; before their first one, the window counts as open. */
const windowClosed = (script: Script, memory: Memory, { account, to, at }: Attempt): boolean => {
  if (script.replyWindow === null) return false
  const wrote = memory.person(account, to).writesAt.filter((instant) => instant <= at)
  return wrote.length > 0 && at - Math.max(...wrote) > script.replyWindow.afterMs
}

/** Why a comment cannot be answered: it is none of that person there, or was answered before. */
const unanswerable = (script: Script, memory: Memory, { account, comment, to }: Attempt): ScriptedOutcome | null => {
  if (comment === undefined) return null
  const refused = (code: string) => ({ type: "contentRejected", code, detail: `the comment: ${code}` }) as const
  const known = script.comments[comment]
  const isOurs = known === undefined ? Object.keys(script.comments).length === 0 : known.account === account
  if (!isOurs || (known !== undefined && known.person !== to)) return refused("unknown")
  return memory.hasAnswered(account, comment) ? refused("alreadyAnswered") : null
}

/** What the platform makes of an attempt. */
export const decide = (script: Script, memory: Memory, attempt: Attempt): Verdict => {
  const { account, to, key } = attempt
  if (script.idempotencyKeys && memory.taken(account, key) !== undefined) return { scripted: "accepted", repeat: true }
  const fresh = (scripted: ScriptedOutcome): Verdict => ({ scripted, repeat: false })

  const trouble = troubled(script, memory, attempt)
  if (trouble !== null) return fresh(trouble)

  const listed = script.recipients[to]?.outcomes
  if (listed !== undefined) return fresh(listed[memory.attempts(to)] ?? listed[listed.length - 1] ?? "accepted")

  const refused = unanswerable(script, memory, attempt)
  if (refused !== null) return fresh(refused)
  if (attempt.comment === undefined && windowClosed(script, memory, attempt)) return fresh("replyWindowClosed")

  let u = chance(script, account, to, "outcome", memory.person(account, to).attempts)()
  for (const { rate, outcome } of script.outcomes) {
    if (u < rate) return fresh(outcome)
    u -= rate
  }
  return fresh("accepted")
}

/** What the platform says of an account that asks whether it is welcome. */
export const verified = (
  script: Script,
  memory: Memory,
  asking: Pick<Attempt, "account" | "at" | "token">
): Verification => {
  const trouble = troubled(script, memory, asking)
  if (trouble !== null) return { type: trouble, detail: `the sandbox's script says ${trouble}` }
  const name = script.accounts[asking.account]?.name
  return { type: "valid", externalId: asking.account, ...(name !== undefined && { name }) }
}

/** What the log says of it: `accepted` when it reaches the person, null when nothing reached the platform. */
export const logged = (scripted: ScriptedOutcome): OutcomeType | null => {
  const outcome = full(scripted)
  if (outcome.type !== "outcomeUnknown") return outcome.type
  return outcome.received ? "accepted" : null
}

/** What the sender is told; `taken` is the message, where the platform took it. */
export const answer = (scripted: ScriptedOutcome, taken: Taken | undefined): Outcome => {
  const outcome = full(scripted)
  const said = {
    ...(outcome.code !== undefined && { code: outcome.code }),
    detail: outcome.detail ?? `the sandbox's script says ${outcome.type}`
  }
  switch (outcome.type) {
    case "accepted":
      return taken === undefined
        ? { type: "transient", ...said }
        : { type: "accepted", externalId: taken.externalId, at: taken.line.at }
    case "rateLimited":
      return { type: outcome.type, scope: outcome.scope, retryAfterMs: outcome.retryAfterMs, ...said }
    default:
      return { type: outcome.type, ...said }
  }
}
