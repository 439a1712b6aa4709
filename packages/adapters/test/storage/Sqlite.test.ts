import { sqliteFiles } from "./backends.ts"
import { runSuite } from "./runSuite.ts"

runSuite({ name: "SQLite", clock: "live", storage: sqliteFiles() })
