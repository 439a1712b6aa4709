import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { appendFileSync, readFileSync, truncateSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { text } from "node:stream/consumers"
import * as Sandbox from "../../../src/channels/sandbox/Sandbox.ts"
import type { ScriptInput } from "../../../src/channels/sandbox/Script.ts"
import { logPath, outbound, people, sendAll, sender } from "./fixtures.ts"

const lines = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1)

/** A child that has said its first word. */
const child = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const file = new URL("child.ts", import.meta.url).pathname
      const flags = ["--conditions=@overture/source", "--disable-warning=ExperimentalWarning"]
      const process_ = spawn(process.execPath, [...flags, file, ...args], { stdio: ["pipe", "pipe", "inherit"] })
      await once(process_.stdout, "readable")
      process_.stdout.read()
      return process_
    }),
    (process_) => Effect.sync(() => process_.kill("SIGKILL"))
  )

const kill = (process_: ChildProcess) =>
  Effect.promise(async () => {
    const gone = once(process_, "exit")
    process_.kill("SIGKILL")
    await gone
  })

describe("the log", () => {
  it.effect("has one line of JSON for every message that reached the platform", () =>
    Effect.gen(function* () {
      const path = yield* logPath
      const sandbox = yield* Sandbox.make({
        log: path,
        script: {
          recipients: {
            bob: { outcomes: ["blocked"] },
            eve: { outcomes: [{ type: "outcomeUnknown", received: false }] }
          }
        }
      })
      yield* TestClock.setTime(1_772_971_200_000)
      yield* sendAll(sandbox, ["ann", "bob", "eve"])
      const at = "2026-03-08T12:00:00.000Z"
      assert.deepStrictEqual(lines(path), [
        `{"at":"${at}","account":"page","to":"ann","key":"page-ann-0","body":"Hello ann","outcome":"accepted","repeat":false}`,
        `{"at":"${at}","account":"page","to":"bob","key":"page-bob-1","body":"Hello bob","outcome":"blocked","repeat":false}`
      ])
    })
  )

  it.effect("has the line before the sender has its answer, and none before the platform received it", () =>
    Effect.gen(function* () {
      const path = yield* logPath
      const sandbox = yield* Sandbox.make({ log: path, script: { latency: 1_000 } })
      const fiber = yield* Effect.forkChild(sandbox.send(sender(), outbound("ann", "k")))
      yield* TestClock.adjust(0)
      assert.isEmpty(lines(path))
      while (lines(path).length === 0) yield* TestClock.adjust(1)
      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
      assert.lengthOf(lines(path), 1)
    })
  )

  it.effect("lets a platform that starts again go on where it was", () =>
    Effect.gen(function* () {
      const path = yield* logPath
      const script: ScriptInput = {
        idempotencyKeys: true,
        lookup: { afterMs: 0 },
        replies: [{ text: "Yes", rate: 0.5, delay: { minMs: 1_000, maxMs: 9_000 } }],
        outcomes: [{ rate: 0.3, outcome: "transient" }],
        troubles: [{ after: 60 }]
      }
      const crowd = people(60)
      const whole = yield* Sandbox.make({ script })
      const expected = [...(yield* sendAll(whole, crowd)), ...(yield* sendAll(whole, crowd, sender("page")))]

      const before = yield* Effect.scoped(
        Effect.gen(function* () {
          const sandbox = yield* Sandbox.make({ script, log: path })
          const outcomes = yield* sendAll(sandbox, crowd)
          return { outcomes, polled: yield* sandbox.poll(sender(), null, 4_000) }
        })
      )
      const sandbox = yield* Sandbox.make({ script, log: path })
      assert.deepStrictEqual([...before.outcomes, ...(yield* sendAll(sandbox, crowd))], expected)
      const accepted = before.outcomes[0]
      assert.strictEqual(accepted?.type, "accepted")
      const { to, content } = outbound("person-0", "")
      const found = yield* sandbox.lookup(sender(), { key: "page-person-0-0", to, content, at: 0 })
      assert.deepStrictEqual(found, accepted)

      const rest = yield* sandbox.poll(sender(), before.polled.cursor, 1e6)
      const all = yield* whole.poll(sender(), null, 1e6)
      const keys = (polled: typeof all) => polled.events.map(({ dedupeKey }) => dedupeKey)
      assert.deepStrictEqual([...keys(before.polled), ...keys(rest)].toSorted(), keys(all).toSorted())
    })
  )

  it.effect("survives a line cut off anywhere: it is not received, or received once", () =>
    Effect.gen(function* () {
      const path = yield* logPath
      const script: ScriptInput = { idempotencyKeys: true, lookup: { afterMs: 0 } }
      yield* Effect.scoped(
        Effect.flatMap(Sandbox.make({ script, log: path }), (sandbox) => sendAll(sandbox, ["ünal", "bob"]))
      )
      const whole = readFileSync(path)
      const start = whole.indexOf("\n") + 1
      for (const cut of [1, 20, whole.length - start - 2, whole.length - start - 1]) {
        truncateSync(path, 0)
        appendFileSync(path, whole.subarray(0, start + cut))
        const complete = start + cut === whole.length - 1
        const sandbox = yield* Sandbox.make({ script, log: path })
        assert.lengthOf(sandbox.received(), complete ? 2 : 1)
        yield* sandbox.send(sender(), outbound("bob", "page-bob-1"))
        assert.deepStrictEqual(
          sandbox.received().map(({ to, repeat }) => [to, repeat]),
          [["ünal", false], ["bob", false], ...(complete ? [["bob", true]] : [])]
        )
        assert.include(readFileSync(path, "utf8").slice(-3), "}\n")
      }
    })
  )

  it.effect("that cannot be opened is an error that names it", () =>
    Effect.gen(function* () {
      const path = yield* logPath
      appendFileSync(path, "")
      const error = yield* Effect.flip(Sandbox.make({ log: `${path}/sent.ndjson` }))
      assert.strictEqual(error._tag, "SandboxLogError")
      assert.include(error.message, path)
    })
  )
})

describe("a log of several processes", () => {
  it.live("has every key once, however many send it at the same time", () =>
    Effect.gen(function* () {
      const path = yield* logPath
      const count = 300
      const children = yield* Effect.all([child("send", path, String(count)), child("send", path, String(count))], {
        concurrency: 2
      })
      const answers = yield* Effect.promise(() =>
        Promise.all(
          children.map(async (process_) => {
            process_.stdin.write("go\n")
            return JSON.parse(await text(process_.stdout)) as unknown
          })
        )
      )
      assert.deepStrictEqual(answers[0], answers[1], "both are told the same external ids")
      const sandbox = yield* Sandbox.make({ log: path, script: { idempotencyKeys: true } })
      const received = sandbox.received()
      assert.lengthOf(received, 2 * count)
      const firsts = received.filter(({ repeat }) => !repeat).map(({ key }) => key)
      assert.strictEqual(firsts.length, count)
      assert.strictEqual(new Set(firsts).size, count)
    })
  )

  it.live("is told to every reader: a message one process sent is an event for another", () =>
    Effect.gen(function* () {
      const path = yield* logPath
      const options = { log: path, script: { receipts: { delivered: {} } }, clock: () => 1_000 }
      const sends = yield* Sandbox.make(options)
      const polls = yield* Sandbox.make(options)
      const { cursor } = yield* polls.poll(sender(), null, 2_000)
      yield* sendAll(sends, ["ann"])
      assert.lengthOf((yield* polls.poll(sender(), cursor, 2_000)).events, 1)
    })
  )

  it.live.each(["hold", "torn"])("outlives one that is killed while it appends (%s)", (mode) =>
    Effect.gen(function* () {
      const path = yield* logPath
      const holder = yield* child(mode, path)
      using lock = new DatabaseSync(`${path}.lock`, { timeout: 0 })
      assert.throws(() => lock.exec("BEGIN EXCLUSIVE"), /locked/)
      yield* kill(holder)
      const sandbox = yield* Sandbox.make({ log: path })
      assert.deepStrictEqual(
        (yield* sendAll(sandbox, ["ann"])).map(({ type }) => type),
        ["accepted"]
      )
      assert.lengthOf(sandbox.received(), 1)
      assert.include(lines(path).at(-1), `"to":"ann"`)
    })
  )
})
