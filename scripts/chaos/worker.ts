/**
 * A worker process: sends until every campaign is finished, or until SIGTERM, and then in good order. Takes the directory
 * of a setting, its name, and which claim is to be its last, if one is.
 *
 * `--ticks` makes it call `Outbox.tick` in a loop, as a host that embeds the engine may.
 */
import * as SqliteWorkerLock from "@overture/adapters/storage/sqlite/SqliteWorkerLock"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Driver } from "@overture/core/outbox/Driver"
import { Outbox } from "@overture/core/outbox/Outbox"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Cause, Effect, Exit, Logger } from "effect"
import * as Engine from "./Engine.ts"
import * as Setting from "./Setting.ts"

const [directory = "", name = "worker", deadly] = process.argv.slice(2)
const setting = Setting.read(directory)

/** Whether no campaign will ever send again. A storage that is away does not know. */
const isDone = Effect.gen(function* () {
  const store = yield* CampaignStore
  for (const { id } of yield* (yield* WorkspaceStore).list) {
    const { data } = yield* store.list(id, { limit: 100 })
    if (data.length === 0 || data.some(({ status }) => status !== "finished")) return false
  }
  return true
}).pipe(Effect.catch(() => Effect.succeed(false)))

/** As a host would that has a loop of its own. */
const ticking = Effect.gen(function* () {
  const { drain, tick } = yield* Outbox
  yield* Effect.ensuring(
    Effect.gen(function* () {
      for (;;) {
        const { worked } = yield* tick
        if (worked) continue
        if (yield* isDone) return
        yield* Effect.sleep(20)
      }
    }),
    drain
  )
})

const main = Effect.scoped(
  Effect.gen(function* () {
    if (setting.place.type === "sqlite") yield* SqliteWorkerLock.acquire(setting.place.path)
    const engine = yield* Engine.open(setting, {
      sends: true,
      outbox: { worker: name },
      deadly: deadly === "campaigns" || deadly === "queue" ? deadly : undefined
    })
    const driving = Effect.gen(function* () {
      yield* (yield* Driver).runUntil(Effect.provideContext(isDone, engine))
    })
    yield* deadly === "--ticks" ? Effect.provideContext(ticking, engine) : Effect.provideContext(driving, engine)
  })
).pipe(Effect.provide(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])))

const fiber = Effect.runFork(main)
process.once("SIGTERM", () => fiber.interruptUnsafe())
fiber.addObserver((exit) => {
  if (Exit.isSuccess(exit)) process.exit(0)
  if (Cause.hasInterruptsOnly(exit.cause)) process.exit(143)
  process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
  process.exit(1)
})
