/**
 * A gate is a rule that answers whether a message may go out now. Gates are one ordered list; the strongest answer wins
 * (Block > Skip > Defer > Allow), among deferrals those of the pace and of these the latest `until`, and the first gate in
 * the list that answered so names the reason.
 */
import { type Instant, minute } from "../workspace/Instant.ts"

export type Verdict =
  | { readonly type: "allow" }
  /** Not now: the lead waits (`lead`), or the whole pace sleeps and the lead stays as it is (`pace`). */
  | { readonly type: "defer"; readonly until: Instant; readonly reason: string; readonly of: "lead" | "pace" }
  /** Never: the touch ends with this reason. */
  | { readonly type: "skip"; readonly reason: string }
  /** Nothing changes until someone acts: nothing wakes what sleeps for this but a change of its campaign, account or workspace. */
  | { readonly type: "block"; readonly reason: string }

export interface Gate<Context> {
  readonly name: string
  decide(context: Context): Verdict
}

export const allow: Verdict = { type: "allow" }
export const skip = (reason: string): Verdict => ({ type: "skip", reason })
/** For what never passes by itself: the pace sleeps until someone changes its campaign, account, group or workspace. */
export const block = (reason: string): Verdict => ({ type: "block", reason })
/** For what passes by itself: at `until` it is judged anew. */
export const defer = (of: "lead" | "pace", until: Instant, reason: string): Verdict => ({
  type: "defer",
  until,
  reason,
  of
})

/** How long waits what nobody can judge now (milliseconds). */
const restMs = 15 * minute

/**
 * Of what could not be judged because a gate, or what it was asked about, broke: it waits a quarter of an hour, so that
 * nothing else has to.
 */
export const failed = (of: "lead" | "pace", now: Instant): Verdict => defer(of, now + restMs, "gateFailed")

/** What broke while something was judged, for the log. */
export interface Broken {
  /** The id of what was judged. */
  readonly subject: string
  readonly error: unknown
}

const strength = { block: 3, skip: 2, defer: 1, allow: 0 } as const

/**
 * The answer of two, the first of them before the other in the list. A pace that must sleep does so whatever its lead
 * waits for, as other leads may go as soon as it wakes: of deferrals of both kinds, those of the pace count.
 */
export const stronger = (first: Verdict, other: Verdict): Verdict => {
  if (strength[other.type] > strength[first.type]) return other
  if (first.type !== "defer" || other.type !== "defer") return first
  if (first.of !== other.of) return first.of === "pace" ? first : other
  return other.until > first.until ? { ...first, until: other.until } : first
}

/** The answer of all gates together. */
export const decide = <Context>(gates: ReadonlyArray<Gate<Context>>, context: Context): Verdict =>
  gates.reduce<Verdict>((answer, gate) => stronger(answer, gate.decide(context)), allow)
