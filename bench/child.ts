/** One process of a run: prepares, says so, works when told to, and says when all of it is in the database. */
import * as engine from "./engine.ts"
import * as graphile from "./peers/graphile.ts"
import * as pgboss from "./peers/pgboss.ts"
import type { Said, Task, Told } from "./Run.ts"

const say = (said: Said) => new Promise<void>((resolve) => process.send?.(said, undefined, {}, () => resolve()))

let heard: (told: Told) => void = () => {}
process.on("message", (told: Told) => heard(told))
const hear = () =>
  new Promise<Told>((resolve) => {
    heard = resolve
  })

const task = JSON.parse(process.argv[2] ?? "") as Task
const contestants = { engine, graphile, pgboss } as const

const isOver = async (sent: number) => {
  const answer = hear()
  await say({ type: "idle", sent })
  const told = await answer
  return told.type === "answer" && told.over
}

const work = await contestants[task.contestant].prepare(task, isOver)
const go = hear()
await say({ type: "ready" })
await go
const before = process.cpuUsage()
const { close, sent, written } = await work()
const { system, user } = process.cpuUsage(before)
await say({ type: "finished", sent, written, cpuMicros: system + user })
await close()
process.disconnect()
