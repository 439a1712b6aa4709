/** Worker processes as the referee sees them: started, watched, ended by their own id. */
import { spawn } from "node:child_process"
import { appendFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Deadly } from "./Engine.ts"
import { flagsOf, type Setting } from "./Setting.ts"

export interface Worker {
  readonly name: string
  readonly isAlive: () => boolean
  /** Everything it has said on stderr. */
  readonly said: () => string
  /** SIGSTOP puts it to sleep and SIGCONT wakes it. */
  readonly kill: (signal: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT") => void
  /** Its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>
}

const here = import.meta.dirname
const root = dirname(dirname(here))
const alive = new Set<Worker>()
let started = 0

export interface Start {
  readonly deadly?: Deadly | "--ticks"
  /** A module to load before everything else. */
  readonly preload?: string
  readonly env?: Readonly<Record<string, string>>
}

const conditions = ["--conditions=@overture/source", "--disable-warning=ExperimentalWarning"]

/** Starts a worker. Its name is also what claim rows call it, and its words are kept beside the setting. */
export const start = (setting: Setting, { deadly, env, preload }: Start = {}): Worker => {
  const ours = `w${++started}`
  const command = setting.cli
    ? [join(root, "packages/http/bin/overture.js"), ...flagsOf(setting)]
    : [...conditions, join(here, "worker.ts"), setting.directory, ours, ...(deadly === undefined ? [] : [deadly])]
  const child = spawn(
    process.execPath,
    [...(preload === undefined ? [] : ["--import", join(here, preload)]), ...command],
    { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] }
  )
  // As the command line calls itself in claim rows.
  const name = setting.cli ? `cli-${child.pid}` : ours
  let said = ""
  let isAlive = true
  child.stderr.on("data", (text: Buffer) => {
    said = (said + text.toString()).slice(-100_000)
    appendFileSync(join(setting.directory, `${name}.log`), text)
  })
  const worker: Worker = {
    name,
    isAlive: () => isAlive,
    said: () => said,
    kill: (signal) => void child.kill(signal),
    exited: new Promise((resolve) => {
      child.once("close", (code) => {
        isAlive = false
        alive.delete(worker)
        resolve(code)
      })
    })
  }
  alive.add(worker)
  return worker
}

/** Ends what is left, when a scenario was given up. */
export const endAll = async (): Promise<void> => {
  const left = [...alive]
  for (const worker of left) worker.kill("SIGKILL")
  await Promise.all(left.map(({ exited }) => exited))
}

process.once("exit", () => {
  for (const worker of alive) worker.kill("SIGKILL")
})

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Asks again until the answer is true, at most so long. Returns whether it was. */
export const until = async (
  isSo: () => boolean | Promise<boolean>,
  atMostMs: number,
  everyMs = 10
): Promise<boolean> => {
  for (const end = performance.now() + atMostMs; performance.now() < end; ) {
    if (await isSo()) return true
    await sleep(everyMs)
  }
  return isSo()
}

/** Waits for a process, at most so long; undefined = it is still there. */
export const exitWithin = (worker: Worker, atMostMs: number): Promise<number | null | undefined> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), atMostMs)
    void worker.exited.then((code) => {
      clearTimeout(timer)
      resolve(code)
    })
  })
