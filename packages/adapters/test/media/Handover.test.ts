/** What channels are handed for a media content, by what they take: through the engine, from stored files and from URLs. */
import { AccountStore } from "@overture/core/account/AccountStore"
import * as Channel from "@overture/core/channel/Channel"
import type { Content } from "@overture/core/channel/Content"
import type { MediaIntake } from "@overture/core/channel/MediaIntake"
import { ChatStore } from "@overture/core/chat/ChatStore"
import * as Media from "@overture/core/chat/Media"
import { MediaLibrary } from "@overture/core/chat/MediaLibrary"
import { MediaRecordStore } from "@overture/core/chat/MediaRecordStore"
import type { Message } from "@overture/core/chat/Message"
import { ContactStore } from "@overture/core/contact/ContactStore"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { Messages } from "@overture/core/outbox/Messages"
import { Outbox } from "@overture/core/outbox/Outbox"
import { OutboxStore } from "@overture/core/outbox/OutboxStore"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import * as Seed from "@overture/core/workspace/Seed"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Stream } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import sharp from "sharp"
import { afterAll } from "vitest"
import * as SharpImages from "../../src/accounts/SharpImages.ts"
import * as FileMedia from "../../src/media/FileMedia.ts"
import * as HttpMedia from "../../src/media/HttpMedia.ts"
import * as SignedUrl from "../../src/media/SignedUrl.ts"
import * as FileServer from "./FileServer.ts"

const { file, png, status } = FileServer

const server = FileServer.ofTests()

const home = mkdtempSync(path.join(tmpdir(), "overture-handover-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))
let made = 0

const urls: SignedUrl.SignedUrls = { base: "https://inbox.example.com/m", secret: Redacted.make("s".repeat(32)) }

const place = (sent: ReadonlyArray<Channel.Outbound>) =>
  Effect.gen(function* () {
    const build = Builders.make(`handover ${++made}`)
    const workspace = build.workspace()
    const account = build.account(workspace.id)
    const contact = build.contact(workspace.id)
    yield* (yield* WorkspaceStore).create(workspace)
    yield* (yield* AccountStore).connect(account, [])
    yield* (yield* ContactStore).import(workspace.id, [contact], null)
    const outbox = yield* Outbox
    const chats = yield* ChatStore
    const library = yield* MediaLibrary

    /** What became of a message with this content, and what the channel was handed. */
    const send = (content: Content) =>
      Effect.gen(function* () {
        const message = build.message(account, contact, { content, createdAt: Date.now(), dueAt: Date.now() })
        yield* (yield* OutboxStore).enqueue([message], [build.opening(account, contact)], [])
        yield* outbox.tick
        const [after] = yield* chats.find(message.workspace, [{ id: message.id }])
        return { message: after ?? assert.fail("no message"), media: sent.at(-1)?.media ?? null }
      })

    return { account, build, contact, library, send, sent, workspace }
  })

type Place = Effect.Success<ReturnType<typeof place>>

/** An engine with a channel that takes files in this way. */
const scene = <A, E>(
  intake: MediaIntake | undefined,
  use: (given: Place) => Effect.Effect<A, E, Overture.Services>,
  hasUrls = true
) => {
  const sent: Array<Channel.Outbound> = []
  const channel = Channel.make({
    name: "sandbox",
    capabilities: {
      ...TestChannel.capabilities,
      polling: false,
      ...(intake !== undefined && { mediaIntake: intake })
    },
    policy: TestChannel.policy,
    send: (_sender, outbound) =>
      Effect.sync(() => {
        sent.push(outbound)
        return { type: "accepted", externalId: `x${sent.length}` }
      })
  })
  const engine = Overture.layer({
    storage: MemoryStorage.layer,
    channels: [channel],
    imageResizer: SharpImages.make(),
    media: Layer.mergeAll(
      FileMedia.layer({ root: path.join(home, `f${++made}`), ...(hasUrls && { urls }) }),
      HttpMedia.layer({ allowHttp: true, allowInward: true }, { timeoutMs: 300 })
    )
  })
  return Effect.provide(Effect.flatMap(place(sent), use), engine)
}

const image = (url: string): Content => ({ type: "media", kind: "image", url })
const outcomeOf = ({ message: { errorDetail, reason, status: is } }: { readonly message: Message }) => [
  is,
  reason,
  errorDetail
]
const upload = ({ library, workspace }: Place, bytes: Uint8Array = png, filename = "cat.png") =>
  Effect.map(library.upload(workspace.id, Stream.make(bytes), { filename }), ({ id }) => image(`media:${id}`))

describe("what a channel is handed", () => {
  it.live("one that says nothing of files gets contents as they are", () =>
    scene(undefined, ({ send }) =>
      Effect.gen(function* () {
        const { media, message } = yield* send(image("https://example.org/a.png"))
        assert.deepStrictEqual([message.status, media], ["sent", null])
      })
    )
  )

  it.live("and in place of a file of ours a URL that it can fetch", () =>
    scene(undefined, (given) =>
      Effect.gen(function* () {
        const { media, message } = yield* given.send(yield* upload(given))
        assert.deepStrictEqual([message.status, media], ["sent", null])
        const content = given.sent.at(-1)?.content
        assert.isNotNull(SignedUrl.verify(urls, content?.type === "media" ? content.url : "", Date.now()))
      })
    )
  )

  it.live("one that takes URLs gets one that opens the file for a while, and a stranger's as it is", () =>
    scene({ by: "url" }, (given) =>
      Effect.gen(function* () {
        const { media, message } = yield* given.send(yield* upload(given))
        assert.strictEqual(message.status, "sent")
        assert.deepInclude(media, { kind: "image", mime: "image/png", filename: "cat.png" })
        const source = media?.source
        const url = source?.type === "url" ? source.url : ""
        assert.isNotNull(SignedUrl.verify(urls, url, Date.now() + 50 * 60_000))
        assert.isNull(SignedUrl.verify(urls, url, Date.now() + 61 * 60_000))
        const foreign = yield* given.send(image("https://example.org/a.png"))
        assert.deepStrictEqual(foreign.media?.source, { type: "url", url: "https://example.org/a.png", until: null })
        assert.deepStrictEqual(server.asked, [])
      })
    )
  )

  it.live("one that takes bytes gets them, from the store, from a URL and out of a data URI", () =>
    scene({ by: "bytes" }, (given) =>
      Effect.gen(function* () {
        server.at.set("/a", file(png, { "content-disposition": "inline; filename=dog.png" }))
        const contents = [
          yield* upload(given),
          image(`${server.url}/a`),
          image(`data:image/jpeg;base64,${png.toString("base64")}`)
        ]
        const names: Array<string | null> = []
        for (const content of contents) {
          const { media, message } = yield* given.send(content)
          assert.strictEqual(message.status, "sent")
          const bytes = media?.source.type === "bytes" ? media.source.bytes : new Uint8Array()
          assert.deepStrictEqual([Buffer.from(bytes).equals(png), media?.mime], [true, "image/png"])
          names.push(media?.filename ?? null)
        }
        assert.deepStrictEqual(names, ["cat.png", "dog.png", null])
      })
    )
  )

  it.live("where there is no URL to give, one that takes either gets bytes, and one that takes URLs nothing", () =>
    Effect.gen(function* () {
      const either = yield* scene({ by: "either" }, (given) => Effect.flatMap(upload(given), given.send), false)
      assert.strictEqual(either.media?.source.type, "bytes")
      const url = yield* scene({ by: "url" }, (given) => Effect.flatMap(upload(given), given.send), false)
      assert.deepStrictEqual(outcomeOf(url), [
        "failed",
        "contentRejected",
        "this channel takes files by URL, and the media store has none to give"
      ])
      assert.isNull(url.media)
    })
  )

  it.live("an image over the limit is made smaller; anything else that does not fit is not sent", () =>
    Effect.gen(function* () {
      const chance = Seed.random("noise")
      const noise = Buffer.from(Array.from({ length: 300 * 300 * 3 }, () => chance() * 256))
      const large = yield* Effect.promise(() =>
        sharp(noise, { raw: { width: 300, height: 300, channels: 3 } })
          .png()
          .toBuffer()
      )
      const maxBytes = 20_000
      assert.isAbove(large.length, maxBytes)
      const limits = { image: { maxBytes, mimes: ["image/jpeg"] }, file: { maxBytes: 1_000 } }
      yield* scene({ by: "bytes", limits }, (given) =>
        Effect.gen(function* () {
          const { media, message } = yield* given.send(yield* upload(given, large))
          assert.strictEqual(message.status, "sent")
          const bytes = media?.source.type === "bytes" ? media.source.bytes : new Uint8Array()
          assert.isAtMost(bytes.length, maxBytes)
          assert.strictEqual((yield* Effect.promise(() => sharp(bytes).metadata())).format, "jpeg")
          const { id } = yield* given.library.upload(given.workspace.id, Stream.make(png), { kind: "file" })
          const refused = yield* given.send({ type: "media", kind: "file", url: `media:${id}` })
          assert.deepStrictEqual(outcomeOf(refused), [
            "failed",
            "contentRejected",
            `the file has ${png.length} bytes, at most 1000 are allowed`
          ])
        })
      )
    })
  )

  it.live("a file that is gone, or is not what it should be, is not sent; one that may come is tried again", () =>
    scene({ by: "bytes" }, (given) =>
      Effect.gen(function* () {
        const { id } = yield* given.library.upload(given.workspace.id, Stream.make(png), {})
        yield* given.library.discard(given.workspace.id, id)
        assert.deepStrictEqual(outcomeOf(yield* given.send(image(`media:${id}`))), [
          "failed",
          "contentRejected",
          "the file is not here any more"
        ])
        server.at.set("/html", file(Buffer.from("<html>log in</html>")))
        assert.deepStrictEqual(outcomeOf(yield* given.send(image(`${server.url}/html`))), [
          "failed",
          "contentRejected",
          "expected image, got text/html"
        ])
        server.at.set("/503", status(503))
        const { message } = yield* given.send(image(`${server.url}/503`))
        assert.deepStrictEqual([message.status, message.attempts], ["queued", 1])
      })
    )
  )
})

describe("what is given to be sent", () => {
  it.live("a data URI and, where the channel wants bytes, a URL become files of ours; else a URL stays", () =>
    scene({ by: "bytes" }, ({ build, library, workspace }) =>
      Effect.gen(function* () {
        server.at.set("/a", file(png))
        const accept = (url: string, intake: MediaIntake | undefined) =>
          library.accept(workspace.id, image(url), intake, { chat: build.ids.next("cht") })
        const data = yield* accept(`data:,%89PNG%0D%0A%1A%0A`, undefined)
        const fetched = yield* accept(`${server.url}/a`, { by: "bytes" })
        for (const content of [data, fetched])
          assert.match((content as { url: string }).url, /^media:med_[0-9a-f]{32}$/)
        for (const intake of [undefined, { by: "url" }, { by: "either" }] as const) {
          assert.deepStrictEqual(yield* accept("https://example.org/a", intake), image("https://example.org/a"))
        }
        assert.deepStrictEqual(yield* accept((data as { url: string }).url, { by: "url" }), data)
        assert.deepStrictEqual(server.asked.length, 1)
      })
    )
  )

  it.live("a name is a name alone, and a kind is what the bytes are", () =>
    scene({ by: "bytes" }, ({ library, workspace }) =>
      Effect.gen(function* () {
        const names = { "../../etc/passwd": "passwd", "C:\\x\\a.png": "a.png", "a\u0000b.png": "ab.png", "/": null }
        for (const [filename, expected] of Object.entries(names)) {
          const media = yield* library.upload(workspace.id, Stream.make(png), { filename })
          assert.deepInclude(media, { filename: expected, kind: "image", mime: "image/png", bytes: png.length })
        }
        const text = yield* library.upload(workspace.id, Stream.make(Buffer.from("a,b")), { mime: "text/csv" })
        assert.deepInclude(text, { kind: "file", mime: "text/csv" })
      })
    )
  )

  it.live("bad input is refused by its field, and leaves nothing", () =>
    scene({ by: "bytes" }, ({ build, library, workspace }) =>
      Effect.gen(function* () {
        server.at.set("/html", file(Buffer.from("<!doctype html>")))
        const field = "contents[0].url"
        const refusal = (url: string) =>
          Effect.map(
            Effect.flip(library.accept(workspace.id, image(url), { by: "bytes" }, { field })),
            ({ message }) => message
          )
        const expected = {
          "ftp://example.org/a":
            "expected an https: URL, a data URI or the id of a file as media:med_…, got something else",
          nonsense: "expected an https: URL, a data URI or the id of a file as media:med_…, got something else",
          "data:image/png": "expected data:<type>;base64,<bytes>, got a text without a comma",
          "data:image/png,hello": "expected image, got a file of no known type",
          "media:x": "expected a stored image, got no file of this workspace",
          [`media:${build.ids.next("med")}`]: "expected a stored image, got no file of this workspace",
          [`${server.url}/html`]: "expected image, got text/html",
          [`${server.url}/none`]: "expected the URL of a public file, got the server answered 404"
        }
        for (const [url, problem] of Object.entries(expected)) {
          assert.strictEqual(yield* refusal(url), `${field}: ${problem}`)
        }
        const tooLarge = yield* Effect.flip(
          library.upload(workspace.id, Stream.make(new Uint8Array(26 * 2 ** 20)), { kind: "image", field: "file" })
        )
        assert.strictEqual(tooLarge.message, `file: expected at most ${25 * 2 ** 20} bytes, got more`)
        assert.deepStrictEqual((yield* (yield* MediaRecordStore).list(workspace.id, {})).data, [])
      })
    )
  )

  it.live("a member's message with a data URI reaches the channel as bytes, and its file belongs to the chat", () =>
    scene({ by: "bytes" }, ({ library, sent, workspace, contact, account }) =>
      Effect.gen(function* () {
        const message = yield* (yield* Messages).send(workspace.id, {
          to: { contact: contact.id, account: account.id },
          author: { type: "api", id: null },
          content: image(`data:image/png;base64,${png.toString("base64")}`)
        })
        yield* (yield* Outbox).tick
        const source = sent.at(-1)?.media?.source
        assert.isTrue(source?.type === "bytes" && Buffer.from(source.bytes).equals(png))
        const id = Media.referred(message.content.type === "media" ? message.content.url : "")
        assert.deepInclude(yield* library.get(workspace.id, id ?? assert.fail("no file")), {
          chat: message.chat,
          source: "data",
          status: "stored"
        })
      })
    )
  )

  it.live("without a media store the answer names what is missing", () =>
    Effect.gen(function* () {
      const library = yield* MediaLibrary
      const build = Builders.make("nothing")
      const error = yield* Effect.flip(library.upload(build.workspace().id, Stream.make(png), {}))
      assert.strictEqual(error.message, "this engine cannot keep files: it lacks the port MediaStore")
    }).pipe(Effect.provide(Overture.layer({ storage: MemoryStorage.layer, channels: [] })))
  )
})
