/** Every promise of the MediaStore port, on memory, files and S3. */
import type { MediaStore } from "@overture/core/chat/MediaStore"
import * as MemoryMediaStore from "@overture/core/memory/MemoryMediaStore"
import { cases } from "@overture/core/testing/MediaSuite"
import { describe, it } from "@effect/vitest"
import { Effect, type Layer, Redacted } from "effect"
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, beforeAll } from "vitest"
import * as FileMedia from "../../src/media/FileMedia.ts"
import * as S3Media from "../../src/media/S3Media.ts"
import * as FakeS3 from "./FakeS3.ts"

const suite = (name: string, store: () => Layer.Layer<MediaStore>) =>
  describe(`media suite on ${name}`, () => {
    for (const { name: title, run } of cases) it.live(title, () => Effect.provide(run, store()))
  })

suite("memory", () => MemoryMediaStore.layer((bytes) => createHash("sha256").update(bytes).digest("hex")))

const home = mkdtempSync(path.join(tmpdir(), "overture-media-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))
let made = 0
suite("files", () => FileMedia.layer({ root: path.join(home, String(++made)) }))

let server: FakeS3.FakeS3
beforeAll(async () => {
  server = await FakeS3.start()
})
afterAll(() => server.close())
suite("S3", () =>
  S3Media.layer({
    endpoint: server.endpoint,
    region: "eu-test-1",
    bucket: "bucket",
    accessKeyId: FakeS3.credentials.accessKeyId,
    secretAccessKey: Redacted.make(FakeS3.credentials.secretAccessKey),
    prefix: `suite ${++made}/`
  }))
