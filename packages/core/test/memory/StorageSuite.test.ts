import { memory } from "../../../adapters/test/storage/backends.ts"
import { runSuite } from "../../../adapters/test/storage/runSuite.ts"

runSuite({ name: "memory", clock: "test", storage: memory })
