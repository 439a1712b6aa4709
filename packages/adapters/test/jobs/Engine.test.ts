/** Jobs in a whole engine, run by its driver: from a source to a file, and what becomes of both when a person goes. */
import { ContactJobs } from "@overture/core/contact/ContactJobs"
import { ContactLists } from "@overture/core/contact/ContactLists"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { everyone } from "@overture/core/contact/Gathering"
import { system } from "@overture/core/event/DomainEvent"
import type { Job } from "@overture/core/job/Job"
import { Jobs } from "@overture/core/job/Jobs"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { Driver } from "@overture/core/outbox/Driver"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import type { ContactListId } from "@overture/core/workspace/Id"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll } from "vitest"
import * as Sandbox from "../../src/channels/sandbox/Sandbox.ts"
import * as FileMedia from "../../src/media/FileMedia.ts"
import * as HttpMedia from "../../src/media/HttpMedia.ts"
import * as ContactFiles from "../../src/sources/ContactFiles.ts"
import * as SandboxSource from "../../src/sources/SandboxSource.ts"
import { workspace } from "./engine.ts"

const root = mkdtempSync(path.join(tmpdir(), "overture-jobs-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const engine = Layer.unwrap(
  Effect.map(Sandbox.make({}), (channel) =>
    Overture.layer({
      storage: MemoryStorage.layer,
      channels: [channel],
      contactSources: [SandboxSource.group(), SandboxSource.page()],
      contactFiles: (files) => ContactFiles.make({ files }),
      media: Layer.merge(FileMedia.layer({ root }), HttpMedia.layer()),
      addressHash: (address) => `hash of ${address.length}`
    })
  )
)

/** Every file below the root, as text. */
const texts = () =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8"))

describe("jobs of a whole engine", () => {
  it.live("gather, export, import again and forget", () =>
    Effect.gen(function* () {
      yield* (yield* WorkspaceStore).create({ ...Builders.make("jobs").workspace(), id: workspace })
      yield* Effect.forkScoped((yield* Driver).run)
      const [work, jobs, lists, store] = [yield* ContactJobs, yield* Jobs, yield* ContactLists, yield* ContactStore]
      const over = (job: Job) =>
        Effect.tap(jobs.wait(workspace, job.id), (done) =>
          Effect.sync(() => assert.strictEqual(done.status, "succeeded", done.error ?? ""))
        )
      const addressing = { channel: "sandbox", accounts: [] }
      const gathering = {
        ...everyone("sandbox.page", { page: "cafe", entries: 600 }),
        excludedKeywords: ["never again"],
        countries: ["PT", "DE"],
        max: 40
      }
      const gathered = yield* over(
        yield* work.gather({ workspace, actor: system, list: { name: "guests" }, gathering, addressing })
      )
      const list = gathered.subject as ContactListId
      assert.deepInclude(yield* lists.get(workspace, list), { status: "ready", members: 40 })
      const members = yield* store.members(workspace, list, 0, 100)
      for (const { contact } of members) {
        assert.match(contact.attributes["country"] ?? "", /^(PT|DE)$/)
        assert.notMatch(contact.attributes["text"] ?? "", /never again/i)
      }

      const exported = yield* over(yield* work.export({ workspace, actor: system, list, forSpreadsheets: false }))
      const { file } = exported.result as { file: string }
      const csv = yield* Stream.mkString(lists.csv(workspace, list))
      assert.deepStrictEqual(texts(), [csv])

      const erased = members[0]!.contact
      yield* (yield* Contacts).erase(workspace, erased.id, system)
      assert.isEmpty(texts())
      assert.isNull((yield* jobs.get(workspace, exported.id)).result)
      const lost = yield* work.import({
        workspace,
        actor: system,
        file,
        name: "guests.csv",
        list: { name: "copy" },
        mode: "update",
        addressing
      })
      assert.match((yield* jobs.wait(workspace, lost.id)).error ?? "", /guests\.csv.*not there any more/)
    }).pipe(Effect.provide(engine), Effect.scoped)
  )
})
