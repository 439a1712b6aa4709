/** Files beyond the suite: a process killed in the middle, a disk that refuses, names that would lead out of the folder. */
import { MediaStoreError, type MediaKey } from "@overture/core/chat/MediaStore"
import * as Builders from "@overture/core/testing/Builders"
import type { MediaId } from "@overture/core/workspace/Id"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { text as consumeText } from "node:stream/consumers"
import { afterAll } from "vitest"
import * as FileMedia from "../../src/media/FileMedia.ts"
import * as SignedUrl from "../../src/media/SignedUrl.ts"

const home = mkdtempSync(path.join(tmpdir(), "overture-files-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))
let made = 0
const root = () => path.join(home, String(++made))

const build = Builders.make("files")
const workspace = build.workspace().id
const key = (): MediaKey => ({ workspace, id: build.ids.next("med") })
const text = (value: string) => Stream.make(new TextEncoder().encode(value))
const options = { mime: "text/plain", maxBytes: 2 ** 20 }

const node = ["--conditions=@overture/source", path.join(import.meta.dirname, "child.ts")]

const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))

describe("FileMedia", () => {
  it.live("files lie by workspace and the end of their id, for their owner alone", () =>
    Effect.gen(function* () {
      const folder = root()
      const one = key()
      yield* FileMedia.make({ root: folder }).put(one, text("x"), options)
      const file = path.join(workspace, one.id.slice(-2), one.id)
      assert.deepStrictEqual(filesIn(folder), [file])
      if (process.platform !== "win32") {
        assert.strictEqual(statSync(path.join(folder, file)).mode & 0o777, 0o600)
        assert.strictEqual(statSync(folder).mode & 0o777, 0o700)
      }
    })
  )

  it.live("a name that is no id is refused before the disk is touched", () =>
    Effect.gen(function* () {
      const folder = root()
      const files = FileMedia.make({ root: folder })
      writeFileSync(path.join(home, "secret"), "secret")
      for (const id of ["../../../secret", "med_../../../../secret", `${key().id}/../x`, `${key().id}\0`, ""]) {
        const bad = { workspace, id: id as MediaId }
        for (const verb of [files.put(bad, text("x"), options), files.get(bad), files.delete(bad)]) {
          const error = yield* Effect.flip(verb as Effect.Effect<unknown, MediaStoreError>)
          assert.include(error.message, "expected the ids of a workspace and a file")
        }
      }
      assert.deepStrictEqual(
        filesIn(home)
          .filter((name) => name !== "secret")
          .filter((name) => name.startsWith(String(made))),
        []
      )
    })
  )

  it.live("a process killed while it writes leaves nothing that is seen, and a delete removes the rest", () =>
    Effect.gen(function* () {
      const folder = root()
      const [fresh, kept] = [key(), key()]
      const files = FileMedia.make({ root: folder })
      yield* files.put(kept, text("former"), options)
      const child = spawn(process.execPath, [...node, "halves", folder, workspace, fresh.id, kept.id], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      yield* Effect.promise(() => once(child.stdout, "data"))
      child.kill("SIGKILL")
      yield* Effect.promise(() => once(child, "exit"))
      const parts = filesIn(folder).filter((name) => path.basename(name).startsWith("."))
      assert.strictEqual(parts.length, 2)
      assert.isTrue(parts.every((part) => statSync(path.join(folder, part)).size > 0))
      assert.strictEqual((yield* Effect.flip(files.get(fresh)))._tag, "MediaMissing")
      const { content } = yield* files.get(kept)
      assert.strictEqual(Buffer.concat(yield* Stream.runCollect(content)).toString(), "former")
      yield* files.delete(fresh)
      yield* files.delete(kept)
      assert.deepStrictEqual(filesIn(folder), [])
    })
  )

  it.live("what the disk refuses is an error with its reason, and leaves nothing", () =>
    Effect.gen(function* () {
      const folder = root()
      const files = FileMedia.make({ root: folder })
      const one = key()
      // A file where the folder of the workspace should be fails every user alike, root too.
      yield* files.put(one, text("x"), options)
      const other = { workspace: build.workspace().id, id: build.ids.next("med") }
      writeFileSync(path.join(folder, other.workspace), "in the way")
      const error = yield* Effect.flip(files.put(other, text("x"), options))
      assert.instanceOf(error, MediaStoreError)
      assert.match(error.message, /^FileMedia\.put: (ENOTDIR|EEXIST)/)
      assert.strictEqual(filesIn(folder).length, 2)
      assert.strictEqual((yield* Effect.flip(files.delete(other)))._tag, "MediaStoreError")
    })
  )

  it.live.runIf(process.getuid?.() !== 0)("a folder without permission is an error, not a loss", () =>
    Effect.gen(function* () {
      const folder = root()
      const files = FileMedia.make({ root: folder })
      yield* files.put(key(), text("x"), options)
      chmodSync(path.join(folder, workspace), 0o500)
      const error = yield* Effect.flip(files.put({ workspace, id: build.ids.next("med") }, text("x"), options))
      chmodSync(path.join(folder, workspace), 0o700)
      assert.match(error.message, /EACCES/)
    })
  )

  it.live.runIf(process.platform !== "win32")("a disk that takes no more is an error, and nothing is left on it", () =>
    Effect.gen(function* () {
      const folder = root()
      const one = key()
      const files = FileMedia.make({ root: folder })
      yield* files.put(one, text("former"), options)
      // A process that may write 32 KiB to a file, and is told so instead of being ended.
      const child = spawn(
        "sh",
        [
          "-c",
          `trap "" XFSZ; ulimit -f 64; exec "$@"`,
          "sh",
          process.execPath,
          ...node,
          "fill",
          folder,
          workspace,
          one.id
        ],
        { stdio: ["ignore", "pipe", "inherit"] }
      )
      const said = yield* Effect.promise(() => consumeText(child.stdout))
      assert.match(said, /^FileMedia\.put: EFBIG/)
      assert.deepStrictEqual(filesIn(folder), [path.join(workspace, one.id.slice(-2), one.id)])
      const { content } = yield* files.get(one)
      assert.strictEqual(Buffer.concat(yield* Stream.runCollect(content)).toString(), "former")
    })
  )
})

describe("SignedUrl", () => {
  const urls = { base: "https://inbox.example.com/media/", secret: Redacted.make("s".repeat(32)) }
  const one = key()
  const url = SignedUrl.sign(urls, one, 2_000)

  it("opens one file until its time is over", () => {
    assert.deepStrictEqual(SignedUrl.verify(urls, url, 1_999), one)
    assert.deepStrictEqual(SignedUrl.verify(urls, url.slice("https://inbox.example.com".length), 0), one)
    assert.isNull(SignedUrl.verify(urls, url, 2_000))
  })

  it("opens nothing once anything of it was changed", () => {
    const changed = [
      url.replace(one.id, key().id),
      url.replace(workspace, build.workspace().id),
      url.replace("until=2000", "until=9000"),
      url.replace(/signature=../, "signature=AA"),
      url.replace(/&signature=.*/, ""),
      url.replace(one.id, "../x"),
      "",
      "::"
    ]
    for (const text of changed) assert.isNull(SignedUrl.verify(urls, text, 0), text)
    assert.isNull(SignedUrl.verify({ ...urls, secret: Redacted.make("t".repeat(32)) }, url, 0))
  })
})
