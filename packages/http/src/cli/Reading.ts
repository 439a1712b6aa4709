/**
 * A command that looks at a database, turns a switch in it or sets something up, while a worker may be at work on the same
 * one. Nothing is sent.
 */
import type { Campaign } from "@overture/core/campaign/Campaign"
import { Effect, type Option, type Scope } from "effect"
import * as ChannelsInUse from "./ChannelsInUse.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import { ensureWorkspace } from "./run/Setup.ts"
import * as Selection from "./Selection.ts"
import * as Target from "./Target.ts"

const within = <A, E, R extends Engine.Services | Scope.Scope>(target: Target.Target, use: Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const storage = yield* Target.open(target)
      const channels = yield* ChannelsInUse.silent(yield* Effect.provideContext(ChannelsInUse.names, storage))
      const engine = yield* Engine.build(storage, { channels, mayMissErased: true })
      return yield* Effect.provideContext(use as Effect.Effect<A, E, Engine.Services>, engine)
    })
  )

/** Runs `use` over the engine of a database that is there. */
export const over = <A, E, R extends Engine.Services | Scope.Scope>(
  target: Target.Target,
  use: Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    yield* Target.ensureThere(target)
    yield* Target.ensureOurs(target)
    return yield* within(target, use)
  })

/** Runs `use` for what may come before a first run: the database and the workspace are made where they are not there. */
export const settingUp = <A, E, R extends Engine.Services | Scope.Scope>(
  target: Target.Target,
  use: Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    yield* Target.ensureKept(target)
    const isNew = Target.isMissing(target)
    const made = yield* within(target, Effect.andThen(ensureWorkspace, use))
    if (isNew) Output.say(`${Target.nameOf(target)} is a new database`)
    return made
  })

/** Runs `use` for the campaign that is meant. */
export const ofCampaign = <A, E>(
  target: Target.Target,
  ref: Option.Option<string>,
  use: (campaign: Campaign) => Effect.Effect<A, E, Engine.Services>
) => over(target, Effect.flatMap(Selection.one(ref), use))
