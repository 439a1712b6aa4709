/**
 * The main job on real input: imports contacts.csv (a thousand people, as real lists are), runs campaign.json on three
 * sandbox accounts in virtual time on a new SQLite file, across the night in which New York's clocks change, and prints the
 * report. It is `overture run` with the flags below and nothing else; then it counts in the sandbox's own log what people
 * really got.
 */
import { main } from "@overture/http/cli/Cli"
import { mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const here = (file: string) => join(import.meta.dirname, file)
const directory = mkdtempSync(join(tmpdir(), "overture-demo-"))
const database = join(directory, "demo.sqlite")
const log = join(directory, "sent.ndjson")

const begun = performance.now()
const code = await main([
  "run",
  "--contacts",
  here("contacts.csv"),
  "--campaign",
  here("campaign.json"),
  "--sandbox",
  here("sandbox.json"),
  "--sandbox-log",
  log,
  "--database",
  database,
  "--virtual",
  "--from",
  "2026-03-02T13:00:00Z"
])

if (code === 0) {
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  const received = readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { to: string; key: string; outcome: string; repeat: boolean })
  const got = received.filter(({ outcome, repeat }) => outcome === "accepted" && !repeat)
  const twice = got.length - new Set(got.map(({ key }) => key)).size
  console.log(`
The sandbox's own log: ${got.length} messages to ${new Set(got.map(({ to }) => to)).size} people, ${twice} of them twice. Three weeks took ${seconds} s.

  database  ${database}
  log       ${log}

Try next:
  npm exec -- overture explain ravi.dubois --database ${database}
  npm exec -- overture forecast --database ${database}
  npm exec -- overture export --campaign studio-spring --out results.csv --database ${database}
  npm exec -- overture doctor --database ${database}`)
}
process.exitCode = code
