/** The engine over a setting, as a worker runs it and as the referee asks it. */
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import * as PostgresStorage from "@overture/adapters/storage/PostgresStorage"
import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { OutboxOptions } from "@overture/core/outbox/OutboxConfig"
import { OutboxStore } from "@overture/core/outbox/OutboxStore"
import * as Overture from "@overture/core/Overture"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Context, Effect, Layer } from "effect"
import * as Ledger from "./Ledger.ts"
import { logOf, modes, scriptOf, type Setting } from "./Setting.ts"

/** Which claim ends the process in the instant it has committed: of a campaign, or of the queue. */
export type Deadly = "campaigns" | "queue"

const storageOf = ({ place }: Setting) =>
  place.type === "sqlite" ? SqliteStorage.layer({ path: place.path }) : PostgresStorage.layer({ url: place.url })

const die = Effect.sync(() => process.kill(process.pid, "SIGKILL"))

/** How long a process that is to die works as any other (milliseconds). */
const lifeMs = 300

/**
 * A storage that works for a while, then claims nothing until all it had claimed is settled, and dies in the instant in
 * which the next claim of that kind has committed.
 */
const dying = (setting: Setting, deadly: Deadly, worker: string) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const campaigns = yield* CampaignStore
      const outbox = yield* OutboxStore
      const ledger = Ledger.open(setting.place)
      const end = performance.now() + lifeMs
      let isIdle = false
      const dies =
        (kind: Deadly) =>
        <A extends { readonly claim: unknown }, E>(claim: Effect.Effect<A | null, E>): Effect.Effect<A | null, E> =>
          Effect.gen(function* () {
            if (performance.now() < end) return yield* claim
            isIdle ||= (yield* Effect.promise(() => ledger.claimsOf(worker))) === 0
            if (!isIdle || kind !== deadly) return null
            return yield* Effect.tap(claim, (found) => (found === null || found.claim === null ? Effect.void : die))
          })
      return Context.make(CampaignStore, {
        ...campaigns,
        claim: (request) => dies("campaigns")(campaigns.claim(request))
      }).pipe(
        Context.add(OutboxStore, { ...outbox, claimQueued: (request) => dies("queue")(outbox.claimQueued(request)) })
      )
    })
  )

export interface Role {
  /** Whether it appends to the logs; the referee does not. */
  readonly sends: boolean
  readonly outbox?: Partial<OutboxOptions>
  readonly deadly?: Deadly | undefined
}

/** Builds the engine; its sandboxes live on pacing time. */
export const open = Effect.fnUntraced(function* (setting: Setting, { deadly, outbox, sends }: Role) {
  let clock = () => Date.now()
  const channels = yield* Effect.forEach(modes, (mode) =>
    Sandbox.make({
      name: mode,
      script: scriptOf(setting, mode),
      clock: () => clock(),
      ...(sends && { log: logOf(setting, mode) })
    })
  )
  const plain = storageOf(setting)
  const storage = deadly === undefined ? plain : Layer.provideMerge(dying(setting, deadly, outbox?.worker ?? ""), plain)
  const engine = yield* Layer.build(
    Overture.layer({
      storage,
      channels,
      time: PacingTime.layerRate(setting.rate),
      outbox: { leaseMs: setting.leaseMs, ...outbox }
    })
  )
  const time = Context.get(engine, PacingTime)
  clock = () => Effect.runSync(time.now)
  return engine
})

/** Runs a program of the referee, with an engine of its own that sends nothing. */
export const ask = <A, E>(setting: Setting, program: Effect.Effect<A, E, Overture.Services>): Promise<A> =>
  Effect.runPromise(
    Effect.scoped(Effect.flatMap(open(setting, { sends: false }), (engine) => Effect.provideContext(program, engine)))
  )
