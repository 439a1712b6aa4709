/** Jobs whose processes are killed in the middle, again and again: what they leave is what an undisturbed one leaves. */
import { ContactJobs } from "@overture/core/contact/ContactJobs"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { system } from "@overture/core/event/DomainEvent"
import { JobRunner } from "@overture/core/job/JobRunner"
import { Jobs } from "@overture/core/job/Jobs"
import * as Builders from "@overture/core/testing/Builders"
import type { ContactListId, JobId } from "@overture/core/workspace/Id"
import type { Services } from "@overture/core/Overture"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { createInterface } from "node:readline"
import { afterAll, assert, beforeAll } from "vitest"
import { freshDatabase } from "../storage/TestPostgres.ts"
import { engine, workspace } from "./engine.ts"

const rows = 50_000
let folder = ""

/** Some people stand in the file twice, some rows are nobody. */
const csv = () => {
  let text = "id,name,city,tags\n"
  for (let i = 0; i < rows; i++) {
    const id = i % 11 === 10 ? i - 7 : i
    text += i % 997 === 996 ? `,nobody ${i},,\n` : `p${id},Person ${i},City ${i % 50},t${i % 3}\n`
  }
  return text
}

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "overture-killed-"))
  writeFileSync(path.join(folder, "people.csv"), csv())
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const submit = Effect.gen(function* () {
  yield* (yield* WorkspaceStore).create({ ...Builders.make("killed").workspace(), id: workspace })
  const job = yield* (yield* ContactJobs).import({
    workspace,
    actor: system,
    file: "people.csv",
    name: "people.csv",
    list: { name: "people" },
    mode: "update",
    addressing: { channel: "sandbox", accounts: [] }
  })
  return job.id
})

/** What the import left: the job's result, and everyone on the list in their places, without ids and times. */
const outcome = (id: JobId) =>
  Effect.gen(function* () {
    const job = yield* (yield* Jobs).get(workspace, id)
    const store = yield* ContactStore
    const list = job.subject as ContactListId
    const digest = createHash("sha256")
    let members = 0
    for (let after = 0; ; ) {
      const page = yield* store.members(workspace, list, after, 5_000)
      for (const { contact, position } of page) {
        const { addresses, attributes, first, last, name, tags } = contact
        digest.update(JSON.stringify([position, addresses, name, first, last, attributes, tags]))
      }
      members += page.length
      const last = page.at(-1)
      if (last === undefined) break
      after = last.position
    }
    const { total } = yield* store.list(workspace, { limit: 1, count: true })
    return { status: job.status, result: job.result, members, contacts: total, people: digest.digest("hex") }
  })

const within = <A, E>(database: string, program: Effect.Effect<A, E, Services>) =>
  Effect.runPromise(Effect.scoped(Effect.provide(program, engine(database, folder))))

/** A process that runs the job until it is over, or until `isTime` says so of a line, and then it is killed. */
const run = async (database: string, id: JobId, isTime: (status: string, done: number) => boolean) => {
  const flags = ["--conditions=@overture/source", "--disable-warning=ExperimentalWarning"]
  const file = path.join(import.meta.dirname, "child.ts")
  const child = spawn(process.execPath, [...flags, file, database, folder, id], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const exit = once(child, "exit")
  try {
    for await (const line of createInterface(child.stdout)) {
      const [status = "", done = "0"] = line.split(" ")
      if (isTime(status, Number(done))) {
        child.kill("SIGKILL")
        await exit
        return { killedAt: Number(done), status }
      }
    }
    await exit
    return null
  } finally {
    child.kill("SIGKILL")
  }
}

const databases: ReadonlyArray<readonly [string, (name: string) => Promise<string>]> = [
  ["SQLite", (name) => Promise.resolve(path.join(folder, `${name}.db`))],
  ["PostgreSQL", freshDatabase]
]

describe("an import whose process is killed", () => {
  for (const [name, fresh] of databases) {
    it(`ends as one that nobody disturbed, on ${name}`, async () => {
      const [calm, wild] = [await fresh("calm"), await fresh("wild")]
      const expected = await within(
        calm,
        Effect.gen(function* () {
          const undisturbed = yield* submit
          yield* (yield* JobRunner).runOne
          return yield* outcome(undisturbed)
        })
      )
      assert.strictEqual(expected.status, "succeeded")
      assert.strictEqual(expected.members, expected.contacts)

      const id = await within(wild, submit)
      const killed: Array<number> = []
      for (const from of [0, 10_000, 30_000]) {
        const seen = await run(wild, id, (status, done) => status === "running" && done >= from)
        if (seen === null) break
        killed.push(seen.killedAt)
      }
      assert.lengthOf(new Set(killed), 3, `where it was killed: ${killed.join(", ")}`)
      await run(wild, id, () => false)
      assert.deepStrictEqual(await within(wild, outcome(id)), expected)
    }, 600_000)
  }
})
