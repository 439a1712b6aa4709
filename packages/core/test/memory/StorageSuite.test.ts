import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { LeaseClock } from "@overture/core/testing/storage/StorageCase"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { runSuite } from "../../../adapters/test/storage/runSuite.ts"

const moment = Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow, { discard: true })
const leaseClock = Layer.succeed(LeaseClock, LeaseClock.of({ advance: (ms) => TestClock.adjust(ms), moment }))

runSuite({ name: "memory", clock: "test", storage: () => Layer.mergeAll(MemoryStorage.layer, leaseClock) })
