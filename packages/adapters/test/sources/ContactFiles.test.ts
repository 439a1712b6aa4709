/** Files that jobs import and export: uploaded ones, those of one folder, and no others. */
import * as MediaJobFiles from "@overture/core/chat/MediaJobFiles"
import { MediaStore } from "@overture/core/chat/MediaStore"
import type { ContactFileRef } from "@overture/core/contact/ContactFileSource"
import { fromUuid } from "@overture/core/workspace/Id"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, beforeAll } from "vitest"
import * as FileMedia from "../../src/media/FileMedia.ts"
import * as ContactFiles from "../../src/sources/ContactFiles.ts"

const workspace = fromUuid("wsp", "019aa000-0000-7000-8000-000000000001")
const uploaded = fromUuid("med", "019aa000-0000-7000-8000-000000000002")

let home = ""
beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), "overture-contact-files-"))
  mkdirSync(path.join(home, "in/deep"), { recursive: true })
  writeFileSync(path.join(home, "secret.csv"), "id\nsecret\n")
  writeFileSync(path.join(home, "in/people.csv"), "id,name\na,Ada\n,nobody\n")
  writeFileSync(path.join(home, "in/deep/people.ndjson"), '{"id":"b"}\n')
  symlinkSync(path.join(home, "secret.csv"), path.join(home, "in/link.csv"))
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

const read = (source: ReturnType<typeof ContactFiles.make>, ref: ContactFileRef) =>
  Effect.gen(function* () {
    const file = yield* source.open(workspace, ref)
    const batches = yield* Stream.runCollect(file.batches)
    return {
      fingerprint: file.fingerprint,
      ids: batches.flatMap(({ rows }) => rows.map(({ externalId }) => externalId)),
      rejected: batches.flatMap(({ rejected }) => rejected.map(({ line }) => line))
    }
  })

describe("files of a folder", () => {
  it.effect("are read by their paths below it", () =>
    Effect.gen(function* () {
      const source = ContactFiles.make({ folder: path.join(home, "in") })
      const csv = yield* read(source, { file: "people.csv", name: "people.csv" })
      assert.deepInclude(csv, { ids: ["a"], rejected: [3] })
      const json = yield* read(source, { file: "deep/people.ndjson", name: "people.ndjson" })
      assert.deepInclude(json, { ids: ["b"], rejected: [] })
      const again = yield* read(source, { file: "people.csv", name: "people.csv" })
      assert.strictEqual(again.fingerprint, csv.fingerprint)
      const mapped = yield* read(source, { file: "people.csv", name: "people.csv", mapping: { name: null } })
      assert.notStrictEqual(mapped.fingerprint, csv.fingerprint)
    })
  )

  it.effect("are not left, by dots, links or absolute paths", () =>
    Effect.gen(function* () {
      const source = ContactFiles.make({ folder: path.join(home, "in") })
      for (const file of ["../secret.csv", "link.csv", path.join(home, "secret.csv"), "deep/../../secret.csv"]) {
        const refused = yield* Effect.flip(source.open(workspace, { file, name: "x.csv" }))
        assert.match(refused.message, /outside of the folder/)
      }
      const missing = yield* Effect.flip(source.open(workspace, { file: "none.csv", name: "none.csv" }))
      assert.match(missing.message, /there is no such file/)
      const none = yield* Effect.flip(ContactFiles.make({}).open(workspace, { file: "people.csv", name: "people.csv" }))
      assert.match(none.message, /none is read by its path/)
    })
  )
})

describe("uploaded files", () => {
  it.effect("are read by their ids, and what is wrong with them is told by their names", () =>
    Effect.gen(function* () {
      const files = MediaJobFiles.over(yield* MediaStore)
      const source = ContactFiles.make({ files })
      const ref: ContactFileRef = { file: uploaded, name: "guests.csv", country: "DE" }
      const missing = yield* Effect.flip(source.open(workspace, ref))
      assert.deepInclude(missing, { problem: "guests.csv: it is not there any more", retryable: false })
      yield* files.put(workspace, uploaded, Stream.succeed(Buffer.from("phone\n0170 1234567\nx\n")), "text/csv")
      const found = yield* read(source, ref)
      assert.deepStrictEqual(found.rejected, [3])
      yield* files.put(workspace, uploaded, Stream.succeed(Buffer.from("name\nAda\n")), "text/csv")
      const headless = yield* Effect.flip(read(source, ref))
      assert.match(headless.message, /^guests\.csv.*no column externalId/)
      const nowhere = yield* Effect.flip(source.open(workspace, { ...ref, country: "XX" }))
      assert.match(nowhere.message, /there is no country XX/)
      yield* files.remove(workspace, uploaded)
      yield* files.remove(workspace, uploaded)
      assert.match((yield* Effect.flip(source.open(workspace, ref))).message, /not there any more/)
    }).pipe(Effect.provide(FileMedia.layer({ root: path.join(tmpdir(), `overture-job-files-${process.pid}`) })))
  )
  afterAll(() => rmSync(path.join(tmpdir(), `overture-job-files-${process.pid}`), { recursive: true, force: true }))
})
