/** A command that looks at a database, or turns a switch in it, while a worker may be at work on the same one. */
import type { Campaign } from "@overture/core/campaign/Campaign"
import { Effect, type Option, type Scope } from "effect"
import * as ChannelsInUse from "./ChannelsInUse.ts"
import * as Engine from "./Engine.ts"
import * as Selection from "./Selection.ts"
import * as Target from "./Target.ts"

/** Runs `use` over the engine of a database that is there. Nothing is sent. */
export const over = <A, E, R extends Engine.Services | Scope.Scope>(
  target: Target.Target,
  use: Effect.Effect<A, E, R>
) =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* Target.ensureThere(target)
      const storage = yield* Target.open(target)
      const channels = yield* ChannelsInUse.silent(yield* Effect.provideContext(ChannelsInUse.names, storage))
      const engine = yield* Engine.build(storage, { channels, reads: true })
      return yield* Effect.provideContext(use as Effect.Effect<A, E, Engine.Services>, engine)
    })
  )

/** Runs `use` for the campaign that is meant. */
export const ofCampaign = <A, E>(
  target: Target.Target,
  ref: Option.Option<string>,
  use: (campaign: Campaign) => Effect.Effect<A, E, Engine.Services>
) => over(target, Effect.flatMap(Selection.one(ref), use))
