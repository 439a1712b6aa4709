/** Runs the real `overture` as a process of its own, in a directory of its own. */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const bin = resolve(import.meta.dirname, "../../bin/overture.js")

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly ended: Promise<Ended>
  /** Resolves when stdout and stderr together hold a match; rejects when the process ends before. */
  readonly says: (pattern: RegExp) => Promise<void>
  readonly kill: (signal: NodeJS.Signals) => void
  /** Closes the pipe of its stdout, as `head` does. */
  readonly stopReading: () => void
}

export const start = (cwd: string, args: ReadonlyArray<string>): Running => {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: "1", OVERTURE_DATABASE: undefined, NODE_OPTIONS: undefined }
  })
  let stdout = ""
  let stderr = ""
  const watchers = new Set<() => void>()
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString()
    for (const watch of watchers) watch()
  })
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString()
    for (const watch of watchers) watch()
  })
  const ended = new Promise<Ended>((done) => {
    child.on("close", (code, signal) => done({ code, signal, stdout, stderr }))
  })
  const says = (pattern: RegExp) =>
    new Promise<void>((done, fail) => {
      const watch = () => {
        if (!pattern.test(`${stdout}\n${stderr}`)) return
        watchers.delete(watch)
        done()
      }
      watchers.add(watch)
      void ended.then(() => fail(new Error(`ended without saying ${String(pattern)}:\n${stderr}`)))
      watch()
    })
  return { ended, says, kill: (signal) => child.kill(signal), stopReading: () => child.stdout.destroy() }
}

export const overture = (cwd: string, ...args: ReadonlyArray<string>): Promise<Ended> => start(cwd, args).ended

export interface Desk {
  readonly directory: string
  readonly path: (name: string) => string
  readonly write: (name: string, content: unknown) => void
  readonly lines: (name: string) => ReadonlyArray<Record<string, unknown>>
  readonly remove: () => void
}

/** A directory with files to work with. */
export const desk = (): Desk => {
  const directory = mkdtempSync(join(tmpdir(), "overture-cli-"))
  const path = (name: string) => join(directory, name)
  return {
    directory,
    path,
    write: (name, content) =>
      writeFileSync(path(name), typeof content === "string" ? content : JSON.stringify(content)),
    lines: (name) =>
      readFileSync(path(name), "utf8")
        .trim()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    remove: () => rmSync(directory, { recursive: true, force: true })
  }
}

/** A campaign of one account with as many slots as anyone wants. */
export const campaign = (change: object = {}) => ({
  id: "hello",
  name: "Hello",
  accounts: [{ id: "nora", channel: "sandbox", minGap: 0 }],
  messages: ["Hi {{ first | default: 'there' }}!"],
  pacing: { rangeMin: 2_000, rangeMax: 2_000 },
  ...change
})

export const contacts = (count: number): string =>
  `id,first\n${Array.from({ length: count }, (_, i) => `person-${i},P${i}`).join("\n")}\n`
