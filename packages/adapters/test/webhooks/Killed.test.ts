/** Processes that deliver and are killed at any moment: what the receiver got is counted, and nothing is missing. */
import type { DomainEvent } from "@overture/core/event/DomainEvent"
import { EventStore } from "@overture/core/event/EventStore"
import { Webhooks } from "@overture/core/event/Webhooks"
import * as Builders from "@overture/core/testing/Builders"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { Database } from "../../src/storage/Database.ts"
import { freshDatabase } from "../storage/TestPostgres.ts"
import { engine } from "./engine.ts"
import * as Receiver from "./Receiver.ts"
import { type Place, storageOf } from "./worker.ts"

const count = 2_400
const chats = 50
const kills = 3
/** What a process may have in hand that it has not written: what it wrote last, and what it sent since. */
const mostRepeated = 2_000

const starting = (place: Place): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(
        process.execPath,
        [
          "--conditions=@overture/source",
          "--disable-warning=ExperimentalWarning",
          path.join(import.meta.dirname, "worker.ts"),
          JSON.stringify(place)
        ],
        { stdio: ["ignore", "ignore", "inherit"] }
      )
    ),
    (child) => kill(child)
  )

const kill = (child: ChildProcess) =>
  Effect.promise(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const over = once(child, "exit")
    child.kill("SIGKILL")
    await over
  })

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "overture-webhooks-"))),
  (home) => Effect.sync(() => rmSync(home, { recursive: true, force: true }))
)

const places: ReadonlyArray<readonly [string, number, Effect.Effect<Place, never, Scope.Scope>]> = [
  ["SQLite", 1, Effect.map(directory, (home) => ({ path: path.join(home, "webhooks.db") }))],
  ["PostgreSQL", 2, Effect.map(Effect.promise(freshDatabase), (url) => ({ url }))]
]

describe.each(places)("killed while delivering, on %s", (_, processes, opening) => {
  it.live(
    "nothing is lost, and what a chat is told stays in order",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const place = yield* opening
          // A few are refused once, so that deliveries wait and follow.
          const refused = new Set<string>()
          const taken: Array<DomainEvent> = []
          const receiver = yield* Receiver.start((response, { body }) => {
            const told = JSON.parse(body) as DomainEvent
            const isRefused = Number(told.data["n"]) % 479 === 7 && !refused.has(told.id)
            refused.add(told.id)
            if (!isRefused) taken.push(told)
            response.writeHead(isRefused ? 500 : 200).end()
          })
          yield* Effect.provide(
            Effect.gen(function* () {
              const build = Builders.make("killed")
              const workspace = build.workspace()
              yield* (yield* WorkspaceStore).create(workspace)
              yield* (yield* Webhooks).create(workspace.id, { url: receiver.url })
              const feed = yield* EventStore
              const events = Array.from({ length: count }, (_, n) =>
                build.event(workspace.id, `msg_${n}`, { data: { chat: `cht_${n % chats}`, n } })
              )
              yield* feed.append(events)
              const { script, sql } = yield* Database
              const endLeases = script("end leases", `update ${sql.t("webhook_endpoint")} set until = 0`)

              const running: Array<ChildProcess> = []
              for (let i = 0; i < processes; i++) running.push(yield* starting(place))
              const got = () => new Set(taken.map(({ id }) => id)).size
              for (let killed = 0; killed < kills; ) {
                const from = receiver.got.length
                const enough = from + 100 + Math.floor((count / kills) * 0.6)
                while (receiver.got.length < enough && got() < count) yield* Effect.sleep(2)
                if (got() === count) break
                for (const child of running.splice(0)) yield* kill(child)
                killed += 1
                yield* endLeases
                for (let i = 0; i < processes; i++) running.push(yield* starting(place))
              }
              for (let waited = 0; got() < count && waited < 120_000; waited += 20) yield* Effect.sleep(20)
              const ids = new Set(taken.map(({ id }) => id))
              assert.deepStrictEqual(
                events.filter(({ id }) => !ids.has(id)).map(({ subject }) => subject),
                []
              )
              assert.isAtMost(receiver.got.length - count, kills * mostRepeated)
              const last = new Map<unknown, number>()
              const seen = new Set<string>()
              for (const { data, id } of taken) {
                if (seen.has(id)) continue
                seen.add(id)
                assert.isAbove(Number(data["n"]), last.get(data["chat"]) ?? -1)
                last.set(data["chat"], Number(data["n"]))
              }
              process.stdout.write(
                `webhooks: ${count} told in ${receiver.got.length} requests, ${kills} times killed\n`
              )
            }),
            engine(storageOf(place))
          )
        })
      ),
    180_000
  )
})
