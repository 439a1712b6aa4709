/**
 * How the scripted platform answers one attempt. Pure over what it remembers: known keys first, then the account's own
 * trouble, then what the script has for this person, the reply window, and the rates.
 */
import type { Outcome, OutcomeType } from "@overture/core/channel/Outcome"
import type { Instant } from "@overture/core/workspace/Instant"
import { chance, type Taken } from "./Happenings.ts"
import type { Memory } from "./Memory.ts"
import { full, type Script, type ScriptedOutcome } from "./Script.ts"

export interface Attempt {
  readonly at: Instant
  readonly account: string
  readonly to: string
  readonly key: string
}

export interface Verdict {
  /** What the platform makes of it. */
  readonly scripted: ScriptedOutcome
  /** It took this key before. */
  readonly repeat: boolean
}

/** Whether the account is in the trouble that began with its `after`th message. */
const troubled = (script: Script, memory: Memory, { account, at }: Attempt): ScriptedOutcome | null => {
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

/** What the platform makes of an attempt. */
export const decide = (script: Script, memory: Memory, attempt: Attempt): Verdict => {
  const { account, to, key } = attempt
  if (script.idempotencyKeys && memory.taken(account, key) !== undefined) return { scripted: "accepted", repeat: true }
  const fresh = (scripted: ScriptedOutcome): Verdict => ({ scripted, repeat: false })

  const trouble = troubled(script, memory, attempt)
  if (trouble !== null) return fresh(trouble)

  const listed = script.recipients[to]?.outcomes
  if (listed !== undefined) return fresh(listed[memory.attempts(to)] ?? listed[listed.length - 1] ?? "accepted")

  if (windowClosed(script, memory, attempt)) return fresh("replyWindowClosed")

  let u = chance(script, account, to, "outcome", memory.person(account, to).attempts)()
  for (const { rate, outcome } of script.outcomes) {
    if (u < rate) return fresh(outcome)
    u -= rate
  }
  return fresh("accepted")
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
