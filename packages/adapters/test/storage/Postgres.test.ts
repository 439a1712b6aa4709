import { postgresPrefixes } from "./backends.ts"
import { runSuite } from "./runSuite.ts"

runSuite({ name: "PostgreSQL", clock: "live", storage: postgresPrefixes() })
