/**
 * Which steps of a campaign are meant when its steps are written down again, so that a lead goes on where it was: by the
 * id they were given, else because they say the same, else by their order. Pure.
 */
import type { StepId } from "../workspace/Id.ts"
import type { Step } from "./Step.ts"

/** A follow-up as it is written down. */
export type WrittenStep = Omit<Step, "id">

const said = ({ parts, sendAfterDays, type }: WrittenStep): string => JSON.stringify([type, sendAfterDays, parts])

/**
 * The id of the former follow-up that each of the written ones is, or null for a new one. One with an id of the host's own
 * is never taken for a step that has none or another.
 */
export const identify = (
  written: ReadonlyArray<WrittenStep>,
  former: ReadonlyArray<Step>
): ReadonlyArray<StepId | null> => {
  const left = new Set(former)
  const found = new Map<number, StepId>()
  const take = (isSame: (step: Step, one: WrittenStep) => boolean): void => {
    for (const [i, one] of written.entries()) {
      if (found.has(i)) continue
      const step = [...left].find((candidate) => isSame(candidate, one))
      if (step === undefined) continue
      left.delete(step)
      found.set(i, step.id)
    }
  }
  const isNameless = (step: WrittenStep): boolean => step.externalRef === undefined
  take((step, one) => !isNameless(one) && step.externalRef === one.externalRef)
  take((step, one) => isNameless(one) && isNameless(step) && said(step) === said(one))
  take((step, one) => isNameless(one) && isNameless(step))
  return written.map((_, i) => found.get(i) ?? null)
}
