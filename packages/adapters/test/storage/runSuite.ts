/** Runs the cases of core's storage suite on a storage under vitest, each on a fresh one, and says how many ran. */
import { cases } from "@overture/core/testing/StorageSuite"
import type { StoragePorts } from "@overture/core/testing/storage/StorageCase"
import { describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { afterAll } from "vitest"

export interface SuiteBackend {
  readonly name: string
  /** Whether time is the test's (a storage on Effect's clock) or real (a database). */
  readonly clock: "test" | "live"
  /** A fresh, empty storage for every case. Failing to make one fails the case. */
  readonly storage: () => Promise<Layer.Layer<StoragePorts, unknown>> | Layer.Layer<StoragePorts, unknown>
  /** Names of cases that cannot run here, each with its reason. */
  readonly skipped?: Readonly<Record<string, string>>
}

/** Registers every case. */
export const runSuite = ({ clock, name, skipped = {}, storage }: SuiteBackend): void => {
  describe(`storage suite on ${name}`, () => {
    let ran = 0
    const test = clock === "test" ? it.effect : it.live
    for (const { name: title, run } of cases) {
      const reason = skipped[title]
      if (reason !== undefined) {
        it.skip(`${title} (${reason})`)
        continue
      }
      test(
        title,
        () =>
          Effect.gen(function* () {
            const layer = yield* Effect.promise(async () => storage())
            yield* Effect.provide(run, layer)
            ran += 1
          }),
        20_000
      )
    }
    it("knows every case it skips", () => {
      const titles = new Set(cases.map(({ name: title }) => title))
      const unknown = Object.keys(skipped).filter((title) => !titles.has(title))
      if (unknown.length > 0) throw new Error(`no such case: ${unknown.join(", ")}`)
      if (titles.size !== cases.length) throw new Error("two cases have the same name")
    })
    afterAll(() => {
      process.stdout.write(`storage suite: ${ran} cases on ${name}\n`)
    })
  })
}
