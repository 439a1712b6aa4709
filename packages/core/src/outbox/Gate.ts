/**
 * A gate is a rule that answers whether a message may go out now. Gates are one ordered list; the strongest answer wins
 * (Block > Skip > Defer > Allow), among deferrals the latest `until`, and the first gate in the list names the reason.
 */
import type { Instant } from "../workspace/Instant.ts"

export type Verdict =
  | { readonly type: "allow" }
  /** Not now: the lead waits (`lead`), or the whole pace sleeps and the lead stays as it is (`pace`). */
  | { readonly type: "defer"; readonly until: Instant; readonly reason: string; readonly of: "lead" | "pace" }
  /** Never: the touch ends with this reason. */
  | { readonly type: "skip"; readonly reason: string }
  /** Nothing changes until someone acts. */
  | { readonly type: "block"; readonly reason: string }

export interface Gate<Context> {
  readonly name: string
  decide(context: Context): Verdict
}

export const allow: Verdict = { type: "allow" }
export const skip = (reason: string): Verdict => ({ type: "skip", reason })
export const block = (reason: string): Verdict => ({ type: "block", reason })
export const defer = (of: "lead" | "pace", until: Instant, reason: string): Verdict => ({ type: "defer", until, reason, of })

const strength = { block: 3, skip: 2, defer: 1, allow: 0 } as const

/** The answer of all gates together. A pace that must sleep does so even where a lead must wait longer. */
export const decide = <Context>(gates: ReadonlyArray<Gate<Context>>, context: Context): Verdict => {
  let answer: Verdict = allow
  for (const gate of gates) {
    const verdict = gate.decide(context)
    if (strength[verdict.type] > strength[answer.type]) answer = verdict
    else if (verdict.type === "defer" && answer.type === "defer") {
      answer = {
        type: "defer",
        until: Math.max(verdict.until, answer.until),
        reason: answer.reason,
        of: verdict.of === "pace" || answer.of === "pace" ? "pace" : "lead"
      }
    }
  }
  return answer
}
