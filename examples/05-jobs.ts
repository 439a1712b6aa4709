/**
 * Work that takes long, as jobs: a list gathered from a page (of the sandbox, so the people do not exist), tagged, exported
 * to a file, and a kind of job of our own source. Kill the program anywhere: with a database in place of the memory it
 * would go on where it was.
 */
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import * as FileMedia from "@overture/adapters/media/FileMedia"
import * as HttpMedia from "@overture/adapters/media/HttpMedia"
import * as SandboxSource from "@overture/adapters/sources/SandboxSource"
import { ContactJobs } from "@overture/core/contact/ContactJobs"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { everyone } from "@overture/core/contact/Gathering"
import { JobFileStore } from "@overture/core/job/JobFileStore"
import { Jobs } from "@overture/core/job/Jobs"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { createOverture } from "@overture/core/Overture"
import { type ContactListId, fromUuid, type MediaId } from "@overture/core/workspace/Id"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, Layer, Scope, Stream } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const scope = Scope.makeUnsafe()
const sandbox = await Effect.runPromise(Scope.provide(Sandbox.make(), scope))
const folder = mkdtempSync(join(tmpdir(), "overture-example-"))

const overture = createOverture({
  storage: MemoryStorage.layer,
  channels: [sandbox],
  contactSources: [SandboxSource.page({ seed: "example" })],
  media: Layer.merge(FileMedia.layer({ root: folder }), HttpMedia.layer())
})

const workspace = fromUuid("wsp", "00000000-0000-7000-8000-0000000000aa")
const actor = { type: "api", id: "example" } as const

await overture.run(
  Effect.flatMap(WorkspaceStore, (workspaces) =>
    workspaces.create({
      id: workspace,
      name: "example",
      timezone: "UTC",
      paused: false,
      dailyCap: null,
      optOutScope: "contact",
      createdAt: Date.now(),
      metadata: {},
      retention: { jobs: 30 }
    })
  )
)
overture.start()

const lines = await overture.run(
  Effect.gen(function* () {
    const work = yield* ContactJobs
    const jobs = yield* Jobs

    const gathering = yield* work.gather({
      workspace,
      actor,
      // The same key again is the same job.
      key: "guests of the café",
      list: { name: "guests" },
      gathering: {
        ...everyone("sandbox.page", { page: "café", entries: 2_000 }),
        excludedKeywords: ["refund"],
        countries: ["PT", "DE"],
        max: 250
      },
      addressing: { channel: "sandbox", accounts: [] }
    })
    const gathered = yield* jobs.wait(workspace, gathering.id)
    console.log(gathered.kind, gathered.status, gathered.result)

    const list = gathered.subject as ContactListId
    const members = yield* (yield* ContactStore).members(workspace, list, 0, 500)
    const tagged = yield* work.tag({
      workspace,
      actor,
      ids: members.map(({ contact }) => contact.id),
      with: { add: ["from the café"], remove: [] }
    })
    if (tagged.type === "job") {
      const { kind, result, status } = yield* jobs.wait(workspace, tagged.job.id)
      console.log(kind, status, result)
    }

    const exporting = yield* work.export({ workspace, actor, list, forSpreadsheets: false })
    const exported = yield* jobs.wait(workspace, exporting.id)
    console.log(exported.kind, exported.status, exported.result)

    const files = yield* JobFileStore
    const { file } = exported.result as { readonly file: MediaId }
    return files === null ? "" : yield* Stream.mkString(Stream.decodeText(files.get(workspace, file)))
  })
)
console.log(lines.split("\r\n").slice(0, 3).join("\n"))

await overture.close()
rmSync(folder, { recursive: true })
