/**
 * Files of inbound messages from a platform's server into a folder, through the whole engine: what comes, what does not,
 * what is removed again, and what a process leaves that is interrupted at any point.
 */
import { AccountStore } from "@overture/core/account/AccountStore"
import * as Channel from "@overture/core/channel/Channel"
import type { Download } from "@overture/core/channel/Download"
import type { Content, MediaKind } from "@overture/core/channel/Content"
import * as AttachedMedia from "@overture/core/chat/AttachedMedia"
import * as Chat from "@overture/core/chat/Chat"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { Inbox } from "@overture/core/chat/Inbox"
import * as Media from "@overture/core/chat/Media"
import { MediaLibrary } from "@overture/core/chat/MediaLibrary"
import { MediaRecordStore } from "@overture/core/chat/MediaRecordStore"
import { MediaStore } from "@overture/core/chat/MediaStore"
import { MediaUpkeep } from "@overture/core/chat/MediaUpkeep"
import type { Message } from "@overture/core/chat/Message"
import type { Attachment } from "@overture/core/chat/MessageDetails"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { system } from "@overture/core/event/DomainEvent"
import { EventStore } from "@overture/core/event/EventStore"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Stream } from "effect"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll } from "vitest"
import * as FileMedia from "../../src/media/FileMedia.ts"
import * as HttpMedia from "../../src/media/HttpMedia.ts"
import * as FileServer from "./FileServer.ts"

const { file, png, status } = FileServer

const server = FileServer.ofTests()

const home = mkdtempSync(path.join(tmpdir(), "overture-mirroring-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))
let made = 0

const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)

type Place = Effect.Success<ReturnType<typeof place>>

interface Options {
  readonly download?: (url: string) => Download
  readonly limits?: Partial<Media.MediaLimits>
}

/** An engine over memory with a folder for files, and one chat in which messages come in. */
const scene = <A, E>(
  use: (made: Place) => Effect.Effect<A, E, Overture.Services | MediaStore>,
  options: Options = {}
) => {
  const root = path.join(home, String(++made))
  mkdirSync(root)
  const { download, limits } = options
  const channel = Channel.make({
    name: "sandbox",
    capabilities: TestChannel.capabilities,
    policy: TestChannel.policy,
    send: () => Effect.succeed({ type: "accepted", externalId: "x" }),
    ...(download !== undefined && { download: (_sender, { url }) => Effect.succeed(download(url)) })
  })
  const media = Layer.mergeAll(
    FileMedia.layer({ root }),
    HttpMedia.layer({ allowHttp: true, allowInward: true }, { timeoutMs: 400 })
  )
  const engine = Overture.layer({
    storage: MemoryStorage.layer,
    channels: [channel],
    media,
    mediaLimits: limits,
    addressHash: (address) => `hash of ${address.length}`
  })
  return Effect.provide(Effect.flatMap(place(root), use), Layer.merge(engine, media))
}

const place = (root: string) =>
  Effect.gen(function* () {
    const build = Builders.make(`mirroring ${root}`)
    const workspace = build.workspace()
    yield* (yield* WorkspaceStore).create(workspace)
    const account = build.account(workspace.id)
    yield* (yield* AccountStore).connect(account, [])
    const contact = build.contact(workspace.id)
    yield* (yield* ContactStore).import(workspace.id, [contact], null)
    const chats = yield* ChatStore
    const records = yield* MediaRecordStore
    const upkeep = yield* MediaUpkeep
    yield* chats.open([build.opening(account, contact)])

    /** A message that came in with one file, which is still at its platform. */
    const receive = (url: string, kind: MediaKind = "image", more: Partial<Attachment> = {}) =>
      Effect.gen(function* () {
        const attachment: Attachment = { id: build.ids.next("med"), kind, url, status: "remote", ...more }
        const content: Content = { type: "media", kind, url, caption: "look" }
        const message = build.message(account, contact, {
          direction: "inbound",
          status: "received",
          author: { type: "contact", id: contact.id },
          content,
          dueAt: null,
          externalId: `x${attachment.id}`,
          details: { attachments: [attachment] }
        })
        yield* chats.record([message])
        yield* records.add(AttachedMedia.remote(message, Date.now()))
        return { message, id: attachment.id }
      })

    /** Does what is due, and what becomes due by that, as if all waiting were over. */
    const settle = Effect.gen(function* () {
      for (let rounds = 0; rounds < 200; rounds++) {
        const due = yield* records.nextDue
        if (due === null) return
        yield* upkeep.chores[0]!.round(Math.max(due, Date.now()))
      }
      assert.fail("there is always something due")
    })

    const reread = (message: Message) =>
      Effect.map(
        chats.find(message.workspace, [{ id: message.id }]),
        ([found]) => found ?? assert.fail("the message is gone")
      )

    const attachment = (message: Message) =>
      Effect.map(reread(message), ({ details }) => details?.attachments?.[0] ?? assert.fail("the file is gone"))

    const told = Effect.map(
      Effect.flatMap(EventStore, (feed) => feed.read(workspace.id, null, 100)),
      (events) => events.filter(({ event }) => event.type.startsWith("attachment.")).map(({ event }) => event)
    )

    return {
      account,
      attachment,
      build,
      chats,
      contact,
      receive,
      records,
      reread,
      root,
      settle,
      told,
      upkeep,
      workspace
    }
  })

describe("inbound files", () => {
  it.live("are copied, and the message shows ours from then on", () =>
    scene(({ attachment, chats: _chats, receive, reread, root, settle, told, workspace }) =>
      Effect.gen(function* () {
        server.at.set("/a", file(png, { "content-disposition": 'inline; filename="cat.png"' }))
        const { id, message } = yield* receive(`${server.url}/a?token=1`)
        yield* settle
        const { reason, ...after } = yield* attachment(message)
        assert.deepInclude(after, { id, status: "stored", mime: "image/png", bytes: png.length, filename: "cat.png" })
        assert.isUndefined(reason)
        assert.deepInclude((yield* reread(message)).content, { url: `media:${id}`, caption: "look" })
        assert.deepStrictEqual(filesIn(root), [id])
        const library = yield* MediaLibrary
        const { content, media } = yield* library.read(workspace.id, id)
        assert.deepStrictEqual(Buffer.concat(yield* Stream.runCollect(content)), png)
        assert.deepInclude(media, { status: "stored", source: "inbound", url: null })
        assert.deepStrictEqual(
          (yield* told).map(({ data, subject, type }) => [type, subject, data["media"]]),
          [["attachment.stored", message.id, id]]
        )
      })
    )
  )

  it.live(
    "what fails for a moment comes later; what fails for good says why",
    () =>
      scene(
        ({ attachment, receive, root, settle, told }) =>
          Effect.gen(function* () {
            let asked = 0
            server.at.set("/flaky", (request, response) => (++asked < 4 ? status(503) : file(png))(request, response))
            server.at.set("/expired", status(403, {}, "<Error>Request has expired</Error>"))
            server.at.set("/gone", status(410))
            server.at.set(
              "/login",
              file(Buffer.from("<!doctype html><title>Log in</title>"), { "content-type": "text/html" })
            )
            server.at.set("/huge", file(Buffer.alloc(5_000)))
            server.at.set("/slow", (_request, response) => void response.writeHead(200).write("x"))
            const expected = {
              "/flaky": ["stored", undefined],
              "/expired": ["failed", "refused"],
              "/gone": ["failed", "gone"],
              "/login": ["failed", "mismatch"],
              "/huge": ["failed", "tooLarge"],
              "/slow": ["failed", "timeout"],
              "ftp://example.org/x": ["failed", "forbidden"]
            }
            const messages = yield* Effect.forEach(Object.keys(expected), (at) =>
              receive(at.startsWith("/") ? server.url + at : at)
            )
            yield* settle
            const found = yield* Effect.forEach(messages, ({ message }) =>
              Effect.map(attachment(message), ({ reason, status: is }) => [is, reason])
            )
            assert.deepStrictEqual(found, Object.values(expected))
            const counts = (at: string) => server.asked.filter((one) => one.startsWith(`${at} `)).length
            assert.deepStrictEqual(
              [counts("/gone"), counts("/huge"), counts("/login"), counts("/expired")],
              [1, 1, 3, 6]
            )
            assert.deepStrictEqual(filesIn(root), [messages[0]!.id])
            assert.strictEqual((yield* told).filter(({ type }) => type === "attachment.failed").length, 6)
          }),
        { limits: { image: 4_000 } }
      ),
    20_000
  )

  it.live("a channel may send elsewhere with what lets us in, hand the bytes itself, or have nothing more", () =>
    scene(
      ({ attachment, receive, settle }) =>
        Effect.gen(function* () {
          server.at.set("/private", (request, response) =>
            (request.headers.authorization === "Bearer t" ? file(png) : status(401))(request, response)
          )
          const messages = yield* Effect.forEach(["by-request", "by-bytes", "gone"], (url) => receive(url))
          yield* settle
          const found = yield* Effect.forEach(messages, ({ message }) => attachment(message))
          assert.deepStrictEqual(
            found.map(({ reason, status: is }) => reason ?? is),
            ["stored", "stored", "gone"]
          )
          assert.deepStrictEqual(server.asked, ["/private Bearer t"])
        }),
      {
        download: (url) =>
          url === "by-request"
            ? { type: "request", url: `${server.url}/private`, headers: { authorization: "Bearer t" } }
            : url === "by-bytes"
              ? { type: "bytes", bytes: png }
              : { type: "unavailable", reason: "gone", detail: "the platform has it no more" }
      }
    )
  )

  it.live("a folder that takes nothing loses nothing: the file comes once it does", () =>
    scene(({ attachment, receive, records, root, settle, upkeep, workspace }) =>
      Effect.gen(function* () {
        server.at.set("/a", file(png))
        writeFileSync(path.join(root, workspace.id), "in the way")
        const { id, message } = yield* receive(`${server.url}/a`)
        for (let rounds = 0; rounds < 30; rounds++) {
          yield* upkeep.chores[0]!.round((yield* records.nextDue) ?? assert.fail("it was given up"))
        }
        assert.deepInclude(yield* attachment(message), { status: "remote" })
        assert.deepInclude(Option.getOrThrow(yield* records.get(workspace.id, id)), {
          reason: "notStored",
          attempts: 30
        })
        rmSync(path.join(root, workspace.id))
        yield* settle
        assert.deepInclude(yield* attachment(message), { status: "stored" })
      })
    )
  )

  it.live("what an interrupted process had taken up is taken up again, not before it is surely gone", () =>
    scene(({ attachment, receive, records, settle, upkeep, workspace }) =>
      Effect.gen(function* () {
        let asked = 0
        server.at.set("/a", (request, response) => {
          if (++asked > 1) return file(png)(request, response)
          response.writeHead(200).write(png.subarray(0, 10))
        })
        const { id, message } = yield* receive(`${server.url}/a`)
        const worker = yield* Effect.forkChild(upkeep.chores[0]!.round(Date.now()))
        yield* Effect.repeat(Effect.yieldNow, { until: () => asked === 1 })
        yield* Fiber.interrupt(worker)
        const { attempts, dueAt, status: is } = Option.getOrThrow(yield* records.get(workspace.id, id))
        assert.deepStrictEqual([attempts, is], [1, "remote"])
        assert.isAbove(dueAt ?? 0, Date.now() + Media.workMs)
        assert.isFalse((yield* upkeep.chores[0]!.round(Date.now())).worked)
        yield* settle
        assert.deepInclude(yield* attachment(message), { status: "stored" })
      })
    )
  )

  it.live("one who comes back after another took the file over changes nothing", () =>
    scene(({ attachment, receive, records, settle, upkeep }) =>
      Effect.gen(function* () {
        const held: Array<() => void> = []
        server.at.set("/a", (request, response) => {
          if (held.length > 0) return status(410)(request, response)
          held.push(() => file(png)(request, response))
        })
        const { message } = yield* receive(`${server.url}/a`)
        const slow = yield* Effect.forkChild(upkeep.chores[0]!.round(Date.now()))
        yield* Effect.repeat(Effect.yieldNow, { until: () => held.length === 1 })
        // As if its time were over.
        yield* upkeep.chores[1]!.round((yield* records.nextDue) ?? 0)
        assert.deepInclude(yield* attachment(message), { status: "failed", reason: "gone" })
        held[0]!()
        yield* Fiber.join(slow)
        assert.deepInclude(yield* attachment(message), { status: "failed", reason: "gone" })
        yield* settle
      })
    )
  )

  it.live("a message that was taken back while its file was on its way leaves no file", () =>
    scene(({ chats, receive, root, settle, upkeep }) =>
      Effect.gen(function* () {
        const held: Array<() => void> = []
        server.at.set("/a", (request, response) => void held.push(() => file(png)(request, response)))
        const { message } = yield* receive(`${server.url}/a`)
        const worker = yield* Effect.forkChild(upkeep.chores[0]!.round(Date.now()))
        yield* Effect.repeat(Effect.yieldNow, { until: () => held.length === 1 })
        yield* chats.advance([{ id: message.id }], (before) => ({ ...before, details: { deletedAt: 1 } }))
        held[0]!()
        yield* Fiber.join(worker)
        yield* settle
        assert.deepStrictEqual(filesIn(root), [])
      })
    )
  )
})

describe("what a platform tells", () => {
  it.live("brings files that are copied, another one by an edit, and takes them back with the message", () =>
    scene(({ account, records, root, settle, upkeep, workspace }) =>
      Effect.gen(function* () {
        for (const at of ["/1", "/2", "/3"]) server.at.set(at, file(png))
        const inbox = yield* Inbox
        const chats = yield* ChatStore
        const common = { at: Builders.start, participant: { scope: "", externalId: "ann" }, externalId: "m1" }
        const image = (at: string): Content => ({ type: "media", kind: "image", url: server.url + at })
        const shown = Effect.gen(function* () {
          const chat = Chat.idOf(account.id, "sandbox//ann")
          const [message] = (yield* chats.messages(workspace.id, chat, {})).data
          return message ?? assert.fail("no message")
        })
        const idsOf = (message: Message) => (message.details?.attachments ?? []).map(({ id }) => id)
        const files = [{ kind: "image", url: `${server.url}/2` }] as const
        yield* inbox.receive(account, [
          { ...common, type: "messageReceived", dedupeKey: "1", content: image("/1"), files }
        ])
        yield* settle
        const received = yield* shown
        assert.deepInclude(received.content, { url: `media:${idsOf(received)[0]}` })
        assert.deepStrictEqual([...filesIn(root)].sort(), [...idsOf(received)].sort())
        yield* inbox.receive(account, [
          { ...common, type: "messageEdited", dedupeKey: "2", at: Builders.start + 1, content: image("/3") }
        ])
        yield* settle
        const edited = yield* shown
        assert.deepInclude(edited.content, { url: `media:${idsOf(edited)[0]}` })
        assert.deepStrictEqual([...filesIn(root)].sort(), [...idsOf(edited)].sort())
        assert.deepStrictEqual([idsOf(edited).length, idsOf(edited)[1]], [2, idsOf(received)[1]])
        yield* inbox.receive(account, [{ ...common, type: "messageDeleted", dedupeKey: "3", at: Builders.start + 2 }])
        yield* settle
        assert.deepStrictEqual(filesIn(root), [])
        assert.deepStrictEqual((yield* records.list(workspace.id, {})).data, [])
        assert.isFalse((yield* upkeep.chores[0]!.round(Date.now())).worked)
      })
    )
  )
})

describe("files that go", () => {
  const stored = (receive: Place["receive"]) =>
    Effect.suspend(() => {
      server.at.set("/a", file(png))
      return receive(`${server.url}/a`)
    })

  it.live("erasing a person removes their files, also where the process was killed in between", () =>
    scene(({ build, contact, receive, records, root, settle, upkeep, workspace }) =>
      Effect.gen(function* () {
        const { id } = yield* stored(receive)
        yield* settle
        const library = yield* MediaLibrary
        const own = yield* library.upload(workspace.id, Stream.make(png), { filename: "logo.png" })
        const theirs = yield* library.upload(workspace.id, Stream.make(png), {
          filename: "invoice of Ada.png",
          chat: build.opening((yield* (yield* AccountStore).list(workspace.id, {})).data[0]!, contact).id
        })
        assert.deepStrictEqual([...filesIn(root)].sort(), [id, own.id, theirs.id].sort())
        const exported = yield* (yield* Contacts).export(workspace.id, contact.id)
        assert.include(JSON.stringify(exported.more["media"]), "invoice of Ada.png")
        yield* (yield* Contacts).erase(workspace.id, contact.id, system)
        // The rows say that there is something to remove, and nothing of the person.
        const rows = yield* Effect.forEach([id, theirs.id], (one) => records.get(workspace.id, one))
        assert.deepStrictEqual(
          rows.map((row) => Option.getOrThrow(row).status),
          ["deleted", "deleted"]
        )
        assert.notInclude(JSON.stringify(rows), "Ada")
        for (const one of [id, theirs.id]) {
          assert.strictEqual((yield* Effect.flip(library.read(workspace.id, one)))._tag, "MediaNotFound")
        }
        // Killed after the bytes went and before the row did.
        yield* (yield* MediaStore).delete({ workspace: workspace.id, id })
        const claimed = Option.getOrThrow(yield* records.claim(Date.now() + 1, Date.now() + 1_000))
        assert.strictEqual(claimed.status, "deleted")
        yield* settle
        assert.deepStrictEqual(filesIn(root), [own.id])
        assert.deepStrictEqual(
          (yield* records.list(workspace.id, {})).data.map((media) => media.id),
          [own.id]
        )
        assert.isFalse((yield* upkeep.chores[0]!.round(Date.now())).worked)
      })
    )
  )

  it.live("a person erased while their file is being fetched leaves no file", () =>
    scene(({ contact, receive, records, root, settle, upkeep, workspace }) =>
      Effect.gen(function* () {
        const held: Array<() => void> = []
        server.at.set("/a", (request, response) => void held.push(() => file(png)(request, response)))
        const { id } = yield* receive(`${server.url}/a`)
        const worker = yield* Effect.forkChild(upkeep.chores[0]!.round(Date.now()))
        yield* Effect.repeat(Effect.yieldNow, { until: () => held.length === 1 })
        yield* (yield* Contacts).erase(workspace.id, contact.id, system)
        // Not swept before whoever fetches it is surely done.
        assert.isFalse((yield* upkeep.chores[1]!.round(Date.now())).worked)
        held[0]!()
        yield* Fiber.join(worker)
        assert.strictEqual(Option.getOrThrow(yield* records.get(workspace.id, id)).status, "deleted")
        yield* settle
        assert.deepStrictEqual(filesIn(root), [])
        assert.isTrue(Option.isNone(yield* records.get(workspace.id, id)))
      })
    )
  )

  it.live("a file whose bytes cannot be removed is tried again until they are", () =>
    scene(({ receive, records, root, settle, upkeep, workspace }) =>
      Effect.gen(function* () {
        const { id } = yield* stored(receive)
        yield* settle
        // A folder under the file's own name cannot be removed as a file.
        const folder = path.join(root, workspace.id, id.slice(-2))
        rmSync(path.join(folder, id))
        mkdirSync(path.join(folder, id))
        yield* (yield* MediaLibrary).discard(workspace.id, id)
        yield* upkeep.chores[0]!.round(Date.now())
        const row = Option.getOrThrow(yield* records.get(workspace.id, id))
        assert.strictEqual(row.status, "deleted")
        assert.isAbove(row.dueAt ?? 0, Date.now())
        rmSync(path.join(folder, id), { recursive: true })
        yield* settle
        assert.isTrue(Option.isNone(yield* records.get(workspace.id, id)))
      })
    )
  )

  it.live("what is older than its retention goes, of chats alone; the message says that it expired", () =>
    scene(({ attachment, receive, records, root, settle, upkeep, workspace }) =>
      Effect.gen(function* () {
        const { id, message } = yield* stored(receive)
        yield* settle
        const own = yield* (yield* MediaLibrary).upload(workspace.id, Stream.make(png), {})
        const { purge } = upkeep.retained[0]!
        assert.strictEqual(yield* purge(workspace.id, Date.now() - 60_000, 10), 0)
        assert.strictEqual(yield* purge(workspace.id, Date.now() + 1, 10), 1)
        assert.strictEqual(yield* purge(workspace.id, Date.now() + 1, 10), 0)
        yield* settle
        assert.deepStrictEqual(filesIn(root), [own.id])
        assert.isTrue(Option.isNone(yield* records.get(workspace.id, id)))
        assert.deepInclude(yield* attachment(message), { status: "expired" })
      })
    )
  )

  it.live("an upload goes at its own time, and one whose process was killed with what it left", () =>
    scene(({ build, records, root, settle, upkeep, workspace }) =>
      Effect.gen(function* () {
        const library = yield* MediaLibrary
        const short = yield* library.upload(workspace.id, Stream.make(png), { expiresAt: Date.now() + 3_600_000 })
        const id = build.ids.next("med")
        const lost: Media.Media = {
          ...Media.unsettled,
          id,
          workspace: workspace.id,
          kind: "image",
          status: "pending",
          source: "upload",
          createdAt: Date.now(),
          dueAt: Date.now() + Media.uploadLeaseMs
        }
        yield* records.add([lost])
        yield* (yield* MediaStore).put(lost, Stream.make(png), { mime: "image/png", maxBytes: 10_000 })
        assert.isFalse((yield* upkeep.chores[0]!.round(Date.now())).worked)
        assert.deepStrictEqual([...filesIn(root)].sort(), [short.id, id].sort())
        yield* settle
        assert.deepStrictEqual(filesIn(root), [])
        assert.deepStrictEqual((yield* records.list(workspace.id, {})).data, [])
      })
    )
  )
})
