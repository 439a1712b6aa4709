/**
 * A source of claims that holds up no other: what fails or breaks in it is logged, and it is left alone for ten seconds of
 * real time. Only a storage that may be back soon is everyone's trouble. A rehearsal does without, as it would go on for
 * ever where it can do nothing.
 */
import { Effect } from "effect"
import { apart } from "../workspace/Chore.ts"
import { second } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import * as Clearance from "./Clearance.ts"
import type { ClaimSource } from "./ClaimSource.ts"

/** How long a source is left alone that broke (milliseconds). */
const restMs = 10 * second

/** Work that may break, with what stands in its place while it is left alone. */
export const steadily = (name: string) => {
  let restsUntil = -Infinity
  return <A, E>(work: Effect.Effect<A, E>, otherwise: A): Effect.Effect<A, StorageError> =>
    Effect.flatMap(Clearance.monotonicMs, (at) =>
      at < restsUntil
        ? Effect.succeed(otherwise)
        : apart(work, (cause) => {
            restsUntil = at + restMs
            return Effect.as(Effect.logError(`${name} broke and is left alone for a while`, cause), otherwise)
          })
    )
}

export const make = ({ claim, idle, name, nextDue }: ClaimSource): ClaimSource => {
  const steady = steadily(name)
  return {
    name,
    claim: (now, limit, lease) => steady(claim(now, limit, lease), { claim: null, worked: false }),
    nextDue: steady(nextDue, null),
    idle: (now) => steady(idle(now), false)
  }
}
