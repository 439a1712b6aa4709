/** Scenarios in which workers live on, or end in good order: a restarted database, SIGTERM, a clock that jumps. */
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { TestPostgres } from "../../packages/adapters/test/storage/TestPostgres.ts"
import { ask } from "./Engine.ts"
import { finish, type Game, type Scenario } from "./Game.ts"
import { isSending, sendConcurrency, terminate } from "./kills.ts"
import { sleep, until, type Worker } from "./Workers.ts"

/** The server is restarted in good order and by a crash in turn, while two workers send. */
export const restarting = (server: TestPostgres): Scenario => ({
  name: "database restarted",
  database: "PostgreSQL",
  play: async (game) => {
    const workers = [game.start(), game.start()]
    for (let round = 0; round < game.size.rounds; round++) {
      const are = await Promise.all(workers.map((worker) => isSending(game, worker)))
      if (!are.some(Boolean)) break
      await sleep(Math.random() * game.size.span)
      if (round % 2 === 1) await server.crash()
      await server.restart()
      game.faults += 1
      game.beyond += workers.length * sendConcurrency
      for (const worker of workers) {
        if (!worker.isAlive() && (await worker.exited) !== 0)
          game.problems.push(`${worker.name} did not outlive the database`)
      }
    }
    if (game.faults < game.size.rounds) game.problems.push(`the database was restarted only ${game.faults} times`)
    await finish(game, workers)
  }
})

/** Workers are asked to end while they send, and others go on. */
const terminating = async (game: Game): Promise<void> => {
  for (let round = 0; round < game.size.rounds; round++) {
    const worker = game.start()
    if (!(await isSending(game, worker))) {
      await worker.exited
      break
    }
    await sleep(Math.random() * Math.min(game.size.span, 1_000))
    if (!worker.isAlive()) break
    game.faults += 1
    await terminate(game, worker)
  }
  if (game.faults < game.size.rounds)
    game.problems.push(`only ${game.faults} workers were asked to end while they sent`)
  await finish(game, [game.start()])
}

/** How much longer than a lease a worker sleeps: what it held is another's by then (milliseconds). */
const oversleepMs = 4_000

/** Workers are put to sleep while they send, for longer than their leases, and go on where they were. */
const sleeping =
  (count: number) =>
  async (game: Game): Promise<void> => {
    const workers = Array.from({ length: count }, () => game.start())
    for (let tries = 0; game.faults < game.size.rounds && tries < game.size.rounds * 5; tries++) {
      const worker = workers[tries % count]
      if (worker === undefined || !worker.isAlive()) break
      await sleep(Math.random() * game.size.span)
      if (!(await isSending(game, worker))) continue
      worker.kill("SIGSTOP")
      // A statement that was under way ends without it.
      await sleep(200)
      const caught = await game.ledger.inFlight(worker.name)
      for (const id of caught) game.caught.add(id)
      if (caught.length > 0) game.faults += 1
      await sleep(game.setting.leaseMs + oversleepMs)
      worker.kill("SIGCONT")
    }
    if (game.faults < game.size.rounds) game.problems.push(`only ${game.faults} workers slept while they sent`)
    await finish(game, workers)
  }

const hour = 3_600_000

/** How long a worker may take to notice its clock, on a busy machine (milliseconds). */
const noticeMs = 30_000

/** How long what is already under way may still begin after a jump: one look at the clock (milliseconds). */
const graceMs = 1_000

/** Sets a worker's clock off by so much: it must stop, say so, and go on when the clock is right again. */
const jump = async (game: Game, worker: Worker, control: string, offset: number): Promise<void> => {
  const sense = offset > 0 ? "forward" : "back"
  if (!(await isSending(game, worker)))
    return void game.problems.push(`nothing left to send when the clock went ${sense}`)
  const before = worker.said().length
  writeFileSync(control, String(offset))
  game.faults += 1
  if (!(await until(() => worker.said().slice(before).includes("clock differs"), noticeMs))) {
    game.problems.push(`the worker did not say that its clock went ${sense}`)
  }
  await sleep(graceMs)
  const begun = () =>
    game.ledger.rows<{ readonly n: number }>("select count(*) as n from overture_message where begun_at is not null")
  const [first] = await begun()
  await sleep(2_500)
  const [second] = await begun()
  if (first?.n !== second?.n)
    game.problems.push(`${Number(second?.n) - Number(first?.n)} sends began while the clock was ${sense}`)
  writeFileSync(control, "0")
  const goesOn = async () => {
    const [now] = await begun()
    return now !== undefined && second !== undefined && now.n > second.n
  }
  if (!(await until(goesOn, noticeMs))) game.problems.push(`the worker did not go on after its clock was ${sense}`)
}

const jumping = async (game: Game): Promise<void> => {
  const control = join(game.setting.directory, "clock-offset")
  writeFileSync(control, "0")
  const worker = game.start({ preload: "jumpingClock.ts", env: { CHAOS_CLOCK: control } })
  for (let round = 0; round < Math.min(3, game.size.rounds); round++) {
    await jump(game, worker, control, -hour)
    await jump(game, worker, control, hour)
  }
  await finish(game, [worker])
  const now = await ask(
    game.setting,
    Effect.flatMap(PacingTime, (time) => time.now)
  )
  const [ahead] = await game.ledger.rows<{ readonly n: number }>(
    "select count(*) as n from overture_event where at > ?",
    now
  )
  if (ahead === undefined || ahead.n > 0) game.problems.push(`${ahead?.n} events are dated by the wrong clock`)
}

/** Slow enough that an hour is a few days of pacing, and that enough is left to send. */
const slowly = {
  rate: 60,
  quota: 2_880,
  dailyCap: 4_000,
  leads: 1_200,
  accounts: 4,
  partDelay: { minSeconds: 10, maxSeconds: 60 }
}

export const sigtermOnSqlite: Scenario = { name: "SIGTERM", database: "SQLite", play: terminating }
export const sigtermOnPostgres: Scenario = {
  name: "SIGTERM, command line",
  database: "PostgreSQL",
  change: { cli: true },
  play: terminating
}
export const sleepOnSqlite: Scenario = {
  name: "SIGSTOP for longer than a lease",
  database: "SQLite",
  play: sleeping(1)
}
export const sleepOnPostgres: Scenario = { ...sleepOnSqlite, database: "PostgreSQL", play: sleeping(2) }
export const clockOnSqlite: Scenario = {
  name: "clock set back and forward",
  database: "SQLite",
  change: slowly,
  play: jumping
}
export const clockOnPostgres: Scenario = { ...clockOnSqlite, database: "PostgreSQL" }
