/** What would become of a campaign's leads if each had its turn: counted by verdict, without writing anything. */
import type { Verdict } from "../outbox/Gate.ts"

export interface DryRunCount {
  /** `allow`: it would be written to. */
  readonly verdict: Verdict["type"]
  /** Null where it is allowed. */
  readonly reason: string | null
  readonly count: number
}

export interface DryRun {
  /** Leads that were judged: those with something to come, in their order, at most as many as asked for. */
  readonly leads: number
  /** Whether there are more. */
  readonly more: boolean
  /** Most frequent first. */
  readonly counts: ReadonlyArray<DryRunCount>
}

/** Counts verdicts. */
export const count = (verdicts: ReadonlyArray<Verdict>, more: boolean): DryRun => {
  const counts = new Map<string, DryRunCount>()
  for (const verdict of verdicts) {
    const reason = verdict.type === "allow" ? null : verdict.reason
    const key = `${verdict.type}|${reason ?? ""}`
    counts.set(key, { verdict: verdict.type, reason, count: (counts.get(key)?.count ?? 0) + 1 })
  }
  return { leads: verdicts.length, more, counts: [...counts.values()].sort((a, b) => b.count - a.count) }
}
