/** Starts the command line with the arguments of this process. */
import { main } from "./Cli.ts"

process.exitCode = await main(process.argv.slice(2))
