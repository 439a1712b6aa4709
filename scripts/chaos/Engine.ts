/** The engine over a setting, as a worker runs it and as the referee asks it. */
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import * as PostgresStorage from "@overture/adapters/storage/PostgresStorage"
import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { type OutboxOptions } from "@overture/core/outbox/OutboxConfig"
import { OutboxStore } from "@overture/core/outbox/OutboxStore"
import * as Overture from "@overture/core/Overture"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Context, Effect, Layer } from "effect"
import { logOf, modes, scriptOf, type Setting } from "./Setting.ts"

/** Which claim ends the process in the instant it has committed: of a campaign, or of the queue. */
export type Deadly = "campaigns" | "queue"

const storageOf = ({ place }: Setting) =>
  place.type === "sqlite" ? SqliteStorage.layer({ path: place.path }) : PostgresStorage.layer({ url: place.url })

const die = Effect.sync(() => process.kill(process.pid, "SIGKILL"))

/** A storage whose first claim of that kind is the last thing the process does. Other claims find nothing meanwhile. */
const dying = (deadly: Deadly) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const campaigns = yield* CampaignStore
      const outbox = yield* OutboxStore
      const nothing = Effect.succeed(null)
      return Context.make(CampaignStore, {
        ...campaigns,
        claim: (request) =>
          deadly === "queue"
            ? nothing
            : Effect.tap(campaigns.claim(request), (found) => (found?.claim == null ? Effect.void : die))
      }).pipe(
        Context.add(OutboxStore, {
          ...outbox,
          claimQueued: (request) =>
            deadly === "campaigns"
              ? nothing
              : Effect.tap(outbox.claimQueued(request), (found) => (found?.claim == null ? Effect.void : die))
        })
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
  const storage = deadly === undefined ? plain : Layer.provideMerge(dying(deadly), plain)
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
    Effect.scoped(
      Effect.flatMap(open(setting, { sends: false }), (engine) => Effect.provideContext(program, engine))
    )
  )
