/**
 * One scenario under way: a setting of its own, the referee's view of it, and what its faults did so far. Ends with the
 * campaigns finished by healthy workers, and judged.
 */
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { system } from "@overture/core/event/DomainEvent"
import type { CampaignId, WorkspaceId } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ask } from "./Engine.ts"
import * as Ledger from "./Ledger.ts"
import { seed } from "./seed.ts"
import * as Setting from "./Setting.ts"
import { judge } from "./verdict.ts"
import * as Workers from "./Workers.ts"

/** How large a scenario is. */
export interface Size {
  /** Faults of each kind. */
  readonly rounds: number
  readonly leads: number
  readonly accounts: number
  readonly rate: number
  readonly latency: Setting.Setting["latency"]
  /** The longest a fault waits for its instant once something is in flight (milliseconds). */
  readonly span: number
  /** The longest without any news once only healthy workers are left: more than a day of pacing (milliseconds). */
  readonly patience: number
}

export interface Report {
  readonly name: string
  readonly database: string
  readonly faults: number
  readonly leads: number
  readonly sent: number
  readonly received: number
  readonly repeats: number
  readonly unknown: number
  /** Messages that were being sent when their worker was lost. */
  readonly caught: number
  readonly seconds: number
  readonly violations: ReadonlyArray<string>
}

export interface Game {
  readonly setting: Setting.Setting
  readonly ledger: Ledger.Ledger
  readonly size: Size
  /** Faults that hit something. */
  faults: number
  /** Messages that were being sent when their worker was lost. */
  readonly caught: Set<string>
  /** What may be unknown beyond `caught`. */
  beyond: number
  readonly problems: Array<string>
  start(options?: Workers.Start): Workers.Worker
}

/** The longest that healthy workers may take to the end, however busy the machine is (milliseconds). */
const longestMs = 30 * 60_000

/** Whether nothing has been published for so long. */
const silence = (ledger: Ledger.Ledger, patienceMs: number): (() => Promise<boolean>) => {
  let last = -1
  let since = performance.now()
  return async () => {
    const [news] = await ledger.rows<{ readonly n: number | null }>("select max(n) as n from overture_event")
    if ((news?.n ?? 0) !== last) since = performance.now()
    last = news?.n ?? 0
    return performance.now() - since > patienceMs
  }
}

/** Runs workers to the end of all campaigns; restarts campaigns that stop themselves, as an operator would. */
export const finish = async (game: Game, first: ReadonlyArray<Workers.Worker>): Promise<void> => {
  const { ledger, setting, size } = game
  const workers = [...first]
  const nurse = async () => {
    const paused = await ledger.rows<{ readonly id: CampaignId; readonly workspace_id: WorkspaceId }>(
      "select id, workspace_id from overture_campaign where status = 'paused'"
    )
    if (paused.length === 0) return
    await ask(
      setting,
      Effect.forEach(paused, ({ id, workspace_id }) =>
        Effect.flatMap(Campaigns, (campaigns) => Effect.ignore(campaigns.start(workspace_id, id, system)))
      )
    )
  }
  const isOver = async () => {
    await nurse()
    if (workers.some((worker) => worker.isAlive())) return false
    const open = await ledger.rows("select id from overture_campaign where status <> 'finished' limit 1")
    // The command line's worker ends also when everything has stopped itself.
    const again = open.length > 0 && setting.cli && workers.length < first.length + 10
    if (again) workers.push(game.start())
    return !again
  }
  const isSilent = silence(ledger, size.patience)
  let isEnded = false
  await Workers.until(async () => (isEnded = await isOver()) || (await isSilent()), longestMs, 250)
  if (!isEnded) {
    const open = await ledger.rows<{ readonly status: string; readonly n: number }>(
      "select status, count(*) as n from overture_lead where step_id is not null or claim_id is not null group by status"
    )
    game.problems.push(
      `nothing happens any more; open leads: ${open.map(({ n, status }) => `${n} ${status}`).join(", ")}`
    )
    for (const worker of workers) worker.kill("SIGKILL")
  }
  for (const worker of workers) {
    const code = await worker.exited
    if (code !== 0) game.problems.push(`${worker.name} ended with ${code}: ${worker.said().trim().slice(-300)}`)
  }
}

/** Everything that differs between scenarios: where it runs, how it is seeded, and the faults. */
export interface Scenario {
  readonly name: string
  readonly database: "SQLite" | "PostgreSQL"
  readonly change?: Partial<Setting.Setting>
  /** Ends with all workers gone and the campaigns finished. */
  readonly play: (game: Game) => Promise<void>
}

/** Plays a scenario. `place` makes its database in the directory given. */
export const play = async (
  scenario: Scenario,
  size: Size,
  place: (directory: string) => Promise<Setting.Place>
): Promise<Report> => {
  const began = performance.now()
  const directory = mkdtempSync(join(tmpdir(), "overture-chaos-"))
  const setting: Setting.Setting = {
    directory,
    place: await place(directory),
    leads: size.leads,
    accounts: size.accounts,
    rate: size.rate,
    quota: 144,
    dailyCap: 200,
    latency: size.latency,
    // A worker that is only starved of its processor must not lose what it holds.
    leaseMs: 10_000,
    partDelay: { minSeconds: 60, maxSeconds: 1_200 },
    cli: false,
    conversation: false,
    cut: false,
    ...scenario.change
  }
  Setting.write(setting)
  await seed(setting)
  const ledger = Ledger.open(setting.place)
  const game: Game = {
    setting,
    ledger,
    size,
    faults: 0,
    caught: new Set(),
    beyond: 0,
    problems: [],
    start: (options) => Workers.start(setting, options)
  }
  try {
    await scenario.play(game)
    const verdict = await judge(setting, ledger, { unknown: game.caught, unknownBeyond: game.beyond })
    const violations = [...game.problems, ...verdict.violations]
    if (violations.length === 0) rmSync(directory, { recursive: true, force: true })
    return {
      ...verdict,
      name: scenario.name,
      database: scenario.database,
      faults: game.faults,
      leads: setting.leads,
      caught: game.caught.size,
      seconds: Math.round((performance.now() - began) / 1_000),
      violations: violations.length === 0 ? [] : [...violations, `what happened is in ${directory}`]
    }
  } finally {
    await Workers.endAll()
    await ledger.close()
  }
}
