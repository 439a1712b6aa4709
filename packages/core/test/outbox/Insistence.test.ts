import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger } from "effect"
import { TestClock } from "effect/testing"
import * as Insistence from "@overture/core/outbox/Insistence"
import { StorageError } from "@overture/core/workspace/StorageError"

const away = new StorageError({ operation: "commit", retryable: true, cause: new Error("the disk is full") })

/** What is said while a verb fails so many times before it succeeds. */
const saidOver = (failures: number) =>
  Effect.gen(function* () {
    const said: Array<string> = []
    let left = failures
    const verb = Effect.suspend(() => (left-- > 0 ? Effect.fail(away) : Effect.void))
    const insisting = yield* Effect.forkChild(
      Insistence.insist(() => true)(verb).pipe(
        Effect.provide(Logger.layer([Logger.make(({ message }) => void said.push(String(message)))]))
      )
    )
    yield* TestClock.adjust("5 minutes")
    yield* Fiber.join(insisting)
    return said
  })

describe("a verb that is insisted on", () => {
  it.effect("says nothing of what passes soon", () =>
    Effect.map(saidOver(5), (said) => assert.deepStrictEqual(said, []))
  )

  it.effect("says once what does not pass, and goes on", () =>
    Effect.map(saidOver(30), (said) => assert.deepStrictEqual(said, ["trying again: commit: the disk is full"]))
  )
})
