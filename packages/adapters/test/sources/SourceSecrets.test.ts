/** The headers of HTTP sources while keys change: a list is gathered again when the key of its first time is long gone. */
import { ContactJobs } from "@overture/core/contact/ContactJobs"
import { ContactLists } from "@overture/core/contact/ContactLists"
import { everyone } from "@overture/core/contact/Gathering"
import { system } from "@overture/core/event/DomainEvent"
import { JobRunner } from "@overture/core/job/JobRunner"
import { JobStore } from "@overture/core/job/JobStore"
import { Jobs } from "@overture/core/job/Jobs"
import * as Memory from "@overture/core/memory/Memory"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import type { ContactListId } from "@overture/core/workspace/Id"
import { SecretRotation } from "@overture/core/workspace/SecretRotation"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import * as SafeHttp from "../../src/net/SafeHttp.ts"
import * as HttpSource from "../../src/sources/HttpSource.ts"
import * as KeyVault from "../../src/vault/KeyVault.ts"
import * as Receiver from "../webhooks/Receiver.ts"

const keyOf = (id: string) => `${id}:${randomBytes(32).toString("base64")}`
const [former, present] = [keyOf("2025"), keyOf("2026")]
const secret = "Bearer of the source"

describe("secrets of contact sources", () => {
  it.live("are sealed again with a new key, with which the list is gathered again", () =>
    Effect.gen(function* () {
      const storage = Layer.succeedContext(MemoryStorage.of(yield* Memory.make))
      let people = "id\nana\n"
      const server = yield* Receiver.start((response) =>
        response.writeHead(200, { "content-type": "text/csv" }).end(people)
      )
      /** What an engine with these keys does, with all jobs done that are due. */
      const under = <A, E>(keys: ReadonlyArray<string>, work: Effect.Effect<A, E, Overture.Services>) =>
        Effect.gen(function* () {
          const vault = yield* KeyVault.make(Redacted.make(keys.join(",")))
          const http = yield* SafeHttp.make({ allowHttp: true, allowInward: true })
          const engine = Overture.layer({
            storage,
            channels: [TestChannel.make()],
            vault,
            contactSources: [HttpSource.make({ http, vault })]
          })
          return yield* Effect.provide(work, engine, { local: true })
        })
      const done = (job: Effect.Success<ReturnType<Jobs["Service"]["get"]>>) =>
        Effect.gen(function* () {
          for (const { round } of (yield* JobRunner).chores) yield* round(Date.now())
          const over = yield* (yield* Jobs).wait(job.workspace, job.id)
          assert.strictEqual(over.status, "succeeded", over.error ?? "")
          return over
        })
      const build = Builders.make("source secrets")
      const workspace = build.workspace()
      const list = yield* under(
        [former],
        Effect.gen(function* () {
          yield* (yield* WorkspaceStore).create(workspace)
          const query = { url: server.url, headers: { authorization: secret } }
          const first = yield* (yield* ContactJobs).gather({
            workspace: workspace.id,
            actor: system,
            list: { name: "people" },
            gathering: everyone("http", query),
            addressing: { channel: "sandbox", accounts: [] }
          })
          const over = yield* done(first)
          // Of another version of the engine, and the first that is looked at.
          const odd = { ...over, id: build.ids.next("job"), key: null, subject: null, input: { gathering: ["odd"] } }
          yield* (yield* JobStore).submit(odd)
          return over.subject as ContactListId
        })
      )
      const rotate = Effect.flatMap(SecretRotation, (rotation) => rotation.rotate)
      const ofSources = (all: Effect.Success<typeof rotate>) =>
        all.find(({ name }) => name === "secrets of contact sources")?.rows
      const lost = yield* Effect.flip(under([present], rotate))
      assert.match(lost.message, /encrypted with the key 2025/)
      assert.strictEqual(ofSources(yield* under([present, former], rotate)), 1)
      assert.strictEqual(ofSources(yield* under([present, former], rotate)), 0)
      people = "id\nana\nben\n"
      const stored = yield* under(
        [present],
        Effect.gen(function* () {
          const again = { workspace: workspace.id, actor: system, list, mode: "override" } as const
          yield* done(yield* (yield* ContactJobs).gatherAgain(again))
          assert.strictEqual((yield* (yield* ContactLists).get(workspace.id, list)).members, 2)
          const jobs = yield* JobStore
          const { data } = yield* jobs.list(workspace.id, {}, { limit: 9 })
          const [odd] = data.filter(({ subject }) => subject === null)
          yield* jobs.modify(workspace.id, odd!.id, (job) => ({ job: { ...job, input: ["v1.2025.a.b"] }, events: [] }))
          return data
        })
      )
      // What nobody here can read is told rather than passed over: its key is still needed, as far as one knows.
      assert.match((yield* Effect.flip(under([present, former], rotate))).message, /encrypted with the key 2025/)
      assert.deepStrictEqual(
        server.got.map(({ headers }) => headers.authorization),
        [secret, secret]
      )
      assert.notInclude(JSON.stringify(stored), secret)
    }).pipe(Effect.scoped)
  )
})
