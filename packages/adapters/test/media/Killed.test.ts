/** Processes that fetch files and are killed at any moment: no file is lost, none is left that nobody knows of. */
import { AccountStore } from "@overture/core/account/AccountStore"
import * as AttachedMedia from "@overture/core/chat/AttachedMedia"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { MediaRecordStore } from "@overture/core/chat/MediaRecordStore"
import { MediaStore } from "@overture/core/chat/MediaStore"
import { MediaUpkeep } from "@overture/core/chat/MediaUpkeep"
import { ContactStore } from "@overture/core/contact/ContactStore"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll } from "vitest"
import * as FileMedia from "../../src/media/FileMedia.ts"
import * as HttpMedia from "../../src/media/HttpMedia.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import * as FileServer from "./FileServer.ts"

const { png } = FileServer
const home = mkdtempSync(path.join(tmpdir(), "overture-killed-"))
const database = path.join(home, "overture.db")
const root = path.join(home, "media")
mkdirSync(root)
afterAll(() => rmSync(home, { recursive: true, force: true }))

const server = FileServer.ofTests()

const files = () =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)

const media = Layer.mergeAll(
  FileMedia.layer({ root }),
  HttpMedia.layer({ allowHttp: true, allowInward: true }, { timeoutMs: 2_000 })
)
const engine = Layer.mergeAll(
  Overture.layer({ storage: SqliteStorage.layer({ path: database }), channels: [TestChannel.make()], media }),
  media
)

const count = 8
const build = Builders.make("killed")

const fill = Effect.gen(function* () {
  const workspace = build.workspace()
  yield* (yield* WorkspaceStore).create(workspace)
  const account = build.account(workspace.id)
  yield* (yield* AccountStore).connect(account, [])
  const contact = build.contact(workspace.id)
  yield* (yield* ContactStore).import(workspace.id, [contact], null)
  const chats = yield* ChatStore
  yield* chats.open([build.opening(account, contact)])
  const messages = Array.from({ length: count }, (_, i) =>
    build.message(account, contact, {
      direction: "inbound",
      status: "received",
      dueAt: null,
      externalId: `x${i}`,
      details: {
        attachments: [{ id: build.ids.next("med"), kind: "image", url: `${server.url}/${i}`, status: "remote" }]
      }
    })
  )
  yield* chats.record(messages)
  yield* (yield* MediaRecordStore).add(messages.flatMap((message) => AttachedMedia.remote(message, Date.now() - 1)))
  return { workspace, messages }
})

it.live(
  "whatever was being fetched is fetched by those who come after",
  () =>
    Effect.gen(function* () {
      // Each file comes in two halves; a process is killed between those of one, or soon after the second.
      let asked = 0
      let plan: { readonly at: number; readonly after: number | null } | null = null
      let kill: () => void = () => undefined
      for (let i = 0; i < count; i++) {
        server.at.set(`/${i}`, (_request, response) => {
          const isIt = ++asked === plan?.at
          response.writeHead(200, { "content-type": "image/png", "content-length": png.length })
          response.write(png.subarray(0, 1_000))
          if (isIt && plan?.after === null) return kill()
          setImmediate(() => {
            response.end(png.subarray(1_000))
            // While the file is written, or what became of it.
            if (isIt) setTimeout(kill, plan?.after ?? 0)
          })
        })
      }
      const { messages, workspace } = yield* Effect.provide(fill, engine, { local: true })
      const args = ["--conditions=@overture/source", path.join(import.meta.dirname, "mirror.ts"), database, root]
      for (plan of [
        { at: 2, after: null },
        { at: 2, after: 0 },
        { at: 1, after: 4 }
      ]) {
        asked = 0
        const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] })
        kill = () => void child.kill("SIGKILL")
        const [, signal] = yield* Effect.promise(() => once(child, "exit"))
        assert.strictEqual(signal, "SIGKILL")
      }
      plan = null
      yield* Effect.provide(
        Effect.gen(function* () {
          const records = yield* MediaRecordStore
          const [chore] = (yield* MediaUpkeep).chores
          // Those who come after wait for what the killed had taken up; here it is over at once.
          for (let due = yield* records.nextDue; due !== null; due = yield* records.nextDue) {
            yield* chore!.round(Math.max(due, Date.now()))
          }
          const chats = yield* ChatStore
          const found = yield* chats.find(
            messages[0]!.workspace,
            messages.map(({ id }) => ({ id }))
          )
          assert.deepStrictEqual(
            found.map((message) => message?.details?.attachments?.[0]?.status),
            messages.map(() => "stored" as const)
          )
          const store = yield* MediaStore
          for (const message of found) {
            const { id } = message!.details!.attachments![0]!
            const { content } = yield* store.get({ workspace: workspace.id, id })
            assert.isTrue(Buffer.concat(yield* Stream.runCollect(content)).equals(png))
            assert.strictEqual(Option.getOrThrow(yield* records.get(workspace.id, id)).status, "stored")
            // What the killed left beside it goes with it.
            yield* store.delete({ workspace: workspace.id, id })
          }
          assert.deepStrictEqual(files(), [])
        }),
        engine,
        { local: true }
      )
    }),
  120_000
)
