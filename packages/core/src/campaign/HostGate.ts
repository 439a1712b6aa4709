/**
 * Gates that a host adds: they come after the engine's own and answer for one lead. What a gate must know beside the
 * locked rows it loads for all candidates of a claim at once; then it decides, pure, like every other.
 *
 * @example
 * const crm: HostGate<ReadonlySet<string>> = {
 *   name: "crm",
 *   load: (candidates) => Effect.orDie(customersAmong(candidates.map(({ contact }) => contact.externalRef))),
 *   decide: ({ contact }, customers) => customers.has(contact.externalRef ?? "") ? skip("isCustomer") : allow
 * }
 * Layer.succeed(HostGates, [hostGate(crm)])
 */
import { Context, Effect, Option } from "effect"
import type { Verdict } from "../outbox/Gate.ts"
import { allow, failed, stronger } from "../outbox/Gate.ts"
import type { LeadCandidate } from "./CampaignStore.ts"
import type { LeadContext } from "./LeadGates.ts"

export interface HostGate<A = undefined> {
  /** Unique among the gates of a host. */
  readonly name: string
  /**
   * Runs in the transaction of the claim, where the candidates are locked: it must be quick, and must not write to the
   * engine's storage. While it dies, or does not answer within five seconds, paces wait a quarter of an hour.
   */
  readonly load?: ((candidates: ReadonlyArray<LeadCandidate>) => Effect.Effect<A>) | undefined
  /**
   * Pure: the same answer for the same rows in a claim, an explanation and a forecast. A Block puts the pace of the account
   * to sleep until someone acts on campaign or account; what passes by itself is a Defer.
   */
  readonly decide: (context: LeadContext, loaded: A) => Verdict
}

/** A gate with what it loaded put away, so that gates of all kinds stand in one list. */
export interface AnyHostGate {
  readonly name: string
  readonly load: ((candidates: ReadonlyArray<LeadCandidate>) => Effect.Effect<Loaded>) | null
  readonly decide: (context: LeadContext, loaded: Loaded | undefined) => Verdict
}

/** What one gate loaded. */
export interface Loaded {
  readonly value: unknown
}

/** A host's gate for the list. */
export const hostGate = <A = undefined>(gate: HostGate<A>): AnyHostGate => {
  const { decide, load, name } = gate
  return {
    name,
    load: load === undefined ? null : (candidates) => Effect.map(load(candidates), (value) => ({ value })),
    // Without its load a gate cannot say yes.
    decide: (context, loaded) =>
      load !== undefined && loaded === undefined ? failed("pace", context.now) : decide(context, loaded?.value as A)
  }
}

/** The gates that this process adds; all processes of a database should add the same. */
export const HostGates = Context.Reference<ReadonlyArray<AnyHostGate>>("@overture/core/HostGates", {
  defaultValue: () => []
})

/** What the gates of a host loaded, by the name of the gate. */
export type LoadedGates = ReadonlyMap<string, Loaded>

/** How long a load may hold the claim (milliseconds). */
const loadMs = 5_000

/** Runs every load over the candidates; one that breaks is logged and left out. */
export const load = (
  gates: ReadonlyArray<AnyHostGate>,
  candidates: ReadonlyArray<LeadCandidate>
): Effect.Effect<LoadedGates> =>
  Effect.gen(function* () {
    const loaded = new Map<string, Loaded>()
    for (const { load, name } of gates) {
      if (load === null) continue
      const found = yield* Effect.suspend(() => load(candidates)).pipe(
        Effect.timeoutOption(loadMs),
        Effect.catchDefect((defect) => Effect.as(Effect.logError(`the gate ${name} broke`, defect), Option.none()))
      )
      if (Option.isSome(found)) loaded.set(name, found.value)
    }
    return loaded
  })

/** The answer of a host's gates together. */
export const decide = (gates: ReadonlyArray<AnyHostGate>, loaded: LoadedGates, context: LeadContext): Verdict =>
  gates.reduce<Verdict>((answer, gate) => stronger(answer, gate.decide(context, loaded.get(gate.name))), allow)
