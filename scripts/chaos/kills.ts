/** Scenarios in which workers are killed: while they send, and between claim and begin. */
import { finish, type Game, type Scenario } from "./Game.ts"
import { defaults } from "@overture/core/outbox/OutboxConfig"
import { exitWithin, sleep, until, type Worker } from "./Workers.ts"

/** The most that one worker sends at once, and so the most that its loss leaves unknown. */
export const { sendConcurrency } = defaults

/** How long a worker may take to begin something (milliseconds). */
const beginMs = 90_000

/** How long a worker that is to die waits for a claim of its kind: when it finds none, the next one waits for the other. */
const claimMs = 20_000

/** How long a worker may take to end after SIGTERM: its slowest send and some more, on a busy machine (milliseconds). */
const endMs = 60_000

/** Waits until a worker is sending; false when it has nothing to send any more. */
export const isSending = (game: Game, worker: Worker): Promise<boolean> =>
  until(async () => !worker.isAlive() || (await game.ledger.inFlight(worker.name)).length > 0, beginMs).then(
    (isSo) => isSo && worker.isAlive()
  )

/** Kills a worker while it sends, and notes what it was sending. False when it was sending nothing. */
const kill = async (game: Game, worker: Worker): Promise<boolean> => {
  await sleep(Math.random() * game.size.span)
  if (!(await isSending(game, worker))) return false
  worker.kill("SIGKILL")
  await worker.exited
  // What it took over from one that was killed before is sending too, but not by it.
  const caught = (await game.ledger.inFlight(worker.name)).filter((id) => !game.caught.has(id))
  for (const id of caught) game.caught.add(id)
  // What its platform is to be asked about later is nobody's meanwhile, but named after it.
  if (caught.length > sendConcurrency && !game.setting.cut)
    game.problems.push(`${worker.name} was sending ${caught.length} at once, more than ${sendConcurrency}`)
  if (caught.length > 0) game.faults += 1
  return caught.length > 0
}

/** Kills one of `count` workers again and again, each time starting another; then lets them finish. */
const killing =
  (count: number) =>
  async (game: Game): Promise<void> => {
    const workers = Array.from({ length: count }, () => game.start())
    // Rounds in which nothing was being sent do not count.
    for (let tries = 0; game.faults < game.size.rounds && tries < game.size.rounds * 5; tries++) {
      const index = Math.floor(Math.random() * count)
      const victim = workers[index]
      if (victim === undefined || !(await isSending(game, victim))) continue
      await kill(game, victim)
      if (victim.isAlive()) continue
      workers[index] = game.start()
    }
    if (game.faults < game.size.rounds)
      game.problems.push(`only ${game.faults} of ${game.size.rounds} kills hit a send`)
    await finish(game, workers)
  }

/** Ends a worker in good order; what it leaves behind is a problem. */
export const terminate = async (game: Game, worker: Worker): Promise<void> => {
  worker.kill("SIGTERM")
  const code = await exitWithin(worker, endMs)
  if (code === undefined) {
    game.problems.push(`${worker.name} did not end within ${endMs / 1_000} s of SIGTERM`)
    worker.kill("SIGKILL")
    await worker.exited
    return
  }
  if (code !== 143 && code !== 0)
    game.problems.push(`${worker.name} ended with ${code} after SIGTERM: ${worker.said().slice(-400)}`)
  const left = await game.ledger.claimsOf(worker.name)
  if (left > 0) game.problems.push(`${worker.name} left ${left} claims after SIGTERM`)
}

/** Workers that work for a while and die in the instant in which a claim of theirs has committed. */
const dyingAfterClaim = async (game: Game): Promise<void> => {
  for (let round = 0; game.faults < game.size.rounds && round < game.size.rounds * 2; round++) {
    const victim = game.start({ deadly: round % 2 === 0 ? "campaigns" : "queue" })
    const code = await exitWithin(victim, claimMs)
    if (code === undefined) await terminate(game, victim)
    if (code !== null) continue
    const left = await game.ledger.rows<{ readonly status: string; readonly n: number }>(
      `select m.status, count(*) as n from overture_message m join overture_claim c on c.id = m.claim_id
        where c.worker = ? group by m.status`,
      victim.name
    )
    if (left.some(({ status }) => status !== "queued")) game.problems.push(`${victim.name} had begun something`)
    if (left.length > 0) game.faults += 1
  }
  if (game.faults < game.size.rounds) game.problems.push(`only ${game.faults} workers died between claim and begin`)
  await finish(game, [game.start()])
}

/** So that the queue has something whenever a worker comes to it. */
const slowParts = { partDelay: { minSeconds: 600, maxSeconds: 3_600 } }

export const onSqlite: Scenario = { name: "killed while sending", database: "SQLite", play: killing(1) }
export const onPostgres: Scenario = { name: "two workers, one killed", database: "PostgreSQL", play: killing(2) }
export const commandLineOnPostgres: Scenario = {
  name: "command line killed",
  database: "PostgreSQL",
  change: { cli: true },
  play: killing(2)
}
export const afterClaimOnSqlite: Scenario = {
  name: "killed after claim",
  database: "SQLite",
  change: slowParts,
  play: dyingAfterClaim
}
export const afterClaimOnPostgres: Scenario = { ...afterClaimOnSqlite, database: "PostgreSQL" }
export const cutOnSqlite: Scenario = {
  name: "killed while connections are cut",
  database: "SQLite",
  change: { cut: true },
  play: killing(1)
}
export const cutOnPostgres: Scenario = { ...cutOnSqlite, database: "PostgreSQL", play: killing(2) }
export const conversationOnSqlite: Scenario = {
  name: "killed while people answer",
  database: "SQLite",
  change: { conversation: true },
  play: killing(1)
}
export const conversationOnPostgres: Scenario = { ...conversationOnSqlite, database: "PostgreSQL", play: killing(2) }
