/**
 * A process of its own for the tests of a shared log. `send <log> <count>` sends that many keys as fast as it can, the
 * same ones as every other such process, and prints what each came to; `hold <log>` takes the log's lock, says so and
 * never lets go; `torn <log>` writes half a line and dies holding the lock.
 */
import { Effect } from "effect"
import { writeFileSync, writeSync } from "node:fs"
import * as Sandbox from "../../../src/channels/sandbox/Sandbox.ts"
import * as SentLog from "../../../src/channels/sandbox/SentLog.ts"
import { outbound, sender } from "./fixtures.ts"

const [mode, path = "", count = "0"] = process.argv.slice(2)

const send = Effect.gen(function* () {
  const sandbox = yield* Sandbox.make({ log: path, script: { idempotencyKeys: true } })
  writeSync(1, "ready\n")
  yield* Effect.callback<void>((resume) => {
    process.stdin.once("data", () => resume(Effect.void))
  })
  const outcomes = yield* Effect.forEach(Array.from({ length: Number(count) }), (_, i) =>
    sandbox.send(sender(), outbound(`person-${i}`, `key-${i}`))
  )
  writeSync(1, JSON.stringify(outcomes))
  process.stdin.destroy()
})

if (mode === "send") {
  await Effect.runPromise(Effect.scoped(send))
} else {
  SentLog.file(path, () => {}).exclusively(() => {
    if (mode === "torn") writeFileSync(path, `{"at":"2026-03-08T14:00:00.000Z","account":"pa`, { flag: "a" })
    writeSync(1, "held\n")
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
}
