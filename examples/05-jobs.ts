/**
 * Work that takes long, as jobs: a list gathered from a page (of the sandbox, so the people do not exist), tagged, exported
 * to a file, and a kind of job of our own source. Kill the program anywhere: with a database in place of the memory it
 * would go on where it was.
 */
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import * as FileMedia from "@overture/adapters/media/FileMedia"
import * as HttpMedia from "@overture/adapters/media/HttpMedia"
import * as SandboxSource from "@overture/adapters/sources/SandboxSource"
import { everyone } from "@overture/core/contact/Gathering"
import { JobFileStore } from "@overture/core/job/JobFileStore"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { createOverture } from "@overture/core/Overture"
import type { ContactListId, MediaId } from "@overture/core/workspace/Id"
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

const actor = { type: "api", id: "example" } as const
const { id: workspace } = await overture.workspaces.create({ name: "example", retention: { jobs: 30 } }, actor)
overture.start()
const { contactJobs, contactLists, jobs } = overture

const gathering = await contactJobs.gather({
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
const gathered = await jobs.wait(workspace, gathering.id)
console.log(gathered.kind, gathered.status, gathered.result)

const list = gathered.subject as ContactListId
const { data: members } = await contactLists.members(workspace, list, { limit: 500 })
const tagged = await contactJobs.tag({
  workspace,
  actor,
  ids: members.map(({ id }) => id),
  with: { add: ["from the café"], remove: [] }
})
if (tagged.type === "job") {
  const { kind, result, status } = await jobs.wait(workspace, tagged.job.id)
  console.log(kind, status, result)
}

const exporting = await contactJobs.export({ workspace, actor, list, forSpreadsheets: false })
const exported = await jobs.wait(workspace, exporting.id)
console.log(exported.kind, exported.status, exported.result)

const { file } = exported.result as { readonly file: MediaId }
const lines = await overture.run(
  Effect.flatMap(JobFileStore, (files) =>
    files === null ? Effect.succeed("") : Stream.mkString(Stream.decodeText(files.get(workspace, file)))
  )
)
console.log(lines.split("\r\n").slice(0, 3).join("\n"))

await overture.close()
rmSync(folder, { recursive: true })
