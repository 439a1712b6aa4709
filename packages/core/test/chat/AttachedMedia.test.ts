/** Files as messages show them: what is fetched, what is shown once that is settled, and what an edit makes of them. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as AttachedMedia from "../../src/chat/AttachedMedia.ts"
import * as Media from "../../src/chat/Media.ts"
import type { Message } from "../../src/chat/Message.ts"
import type { Attachment } from "../../src/chat/MessageDetails.ts"
import * as Notice from "../../src/chat/Notice.ts"
import type { Content } from "../../src/channel/Content.ts"
import * as Builders from "../../src/testing/Builders.ts"

const build = Builders.make("attached")
const { id: workspace } = build.workspace()
const [account, contact] = [build.account(workspace), build.contact(workspace)]
const { start } = Builders

const image = (url: string): Content => ({ type: "media", kind: "image", url })
const attachment = (url: string, more: Partial<Attachment> = {}): Attachment => ({
  id: build.ids.next("med"),
  kind: "image",
  url,
  status: "remote",
  ...more
})

/** An inbound message with an image as its content and a file beside it. */
const inbound = (overrides: Partial<Message> = {}): Message =>
  build.message(account, contact, {
    direction: "inbound",
    status: "received",
    author: { type: "contact", id: contact.id },
    content: image("https://p/1"),
    externalId: "x",
    details: {
      attachments: [attachment("https://p/1"), attachment("https://p/2", { kind: "file", filename: "a.pdf" })]
    },
    ...overrides
  })

const attachments = ({ details }: Message) => details?.attachments ?? []
const first = (message: Message) => attachments(message)[0] ?? assert.fail("no file")

const row = (message: Message, one: Attachment): Media.Media =>
  AttachedMedia.remote(message, start).find(({ id }) => id === one.id) ?? assert.fail("no row")

const isStored = (message: Message, one: Attachment) =>
  AttachedMedia.settled(
    message,
    Media.stored(row(message, one), { mime: "image/png", bytes: 5, sha256: "00" }, "n.png")
  )

describe("AttachedMedia", () => {
  it("every file that is still at its platform is to be fetched for its chat", () => {
    const message = inbound()
    const rows = AttachedMedia.remote(message, start + 7)
    assert.deepStrictEqual(
      rows.map(({ chat, dueAt, filename, id, kind, status, url }) => [id, kind, status, url, filename, chat, dueAt]),
      attachments(message).map(({ filename, id, kind, url }) => [
        id,
        kind,
        "remote",
        url,
        filename ?? null,
        message.chat,
        start + 7
      ])
    )
    assert.deepStrictEqual(AttachedMedia.remote(isStored(message, first(message)), start).length, 1)
    assert.deepStrictEqual(AttachedMedia.remote(inbound({ details: null }), start), [])
  })

  it("a stored file is shown with what it is, and the content refers to it", () => {
    const message = inbound()
    const after = isStored(message, first(message))
    assert.deepInclude(first(after), { status: "stored", mime: "image/png", bytes: 5, filename: "n.png" })
    assert.deepInclude(after.content, { url: Media.reference(first(message).id) })
    const second = attachments(message)[1]!
    assert.deepStrictEqual(isStored(message, second).content, message.content)
    assert.deepInclude(attachments(isStored(message, second))[1], { filename: "a.pdf", status: "stored" })
  })

  it("a file that will not come says why; one that the message has no more changes nothing", () => {
    const message = inbound()
    const failed = Media.missed({ ...row(message, first(message)), attempts: 1 }, "gone", start, 0)
    assert.deepInclude(first(AttachedMedia.settled(message, failed)), { status: "failed", reason: "gone" })
    const waiting = Media.missed({ ...row(message, first(message)), attempts: 1 }, "timeout", start, 0)
    assert.strictEqual(AttachedMedia.settled(message, waiting), message)
    const other = inbound()
    assert.strictEqual(AttachedMedia.settled(other, failed), other)
  })

  it("a message that is taken back drops its files", () => {
    const message = inbound()
    const after = Notice.applied(message, { type: "messageDeleted", at: start + 1 })
    assert.deepStrictEqual(
      AttachedMedia.dropped(message, after),
      attachments(message).map(({ id }) => id)
    )
  })

  it("an edit that leaves the file keeps it, stored or not; another file takes its place", () => {
    const edit = (message: Message, content: Content) =>
      Notice.applied(message, { type: "messageEdited", at: start + 1, content })
    const message = inbound()
    const stored = isStored(message, first(message))
    const captioned: Content = { type: "media", kind: "image", url: "https://p/1", caption: "new" }
    assert.deepStrictEqual(attachments(edit(message, captioned)), attachments(message))
    assert.deepStrictEqual(edit(message, captioned).content, captioned)
    assert.deepStrictEqual(edit(stored, captioned).content, { ...captioned, url: Media.reference(first(stored).id) })
    for (const before of [message, stored]) {
      const after = edit(before, image("https://p/3"))
      assert.deepInclude(first(after), { url: "https://p/3", status: "remote" })
      assert.deepStrictEqual(attachments(after)[1], attachments(before)[1])
      assert.deepStrictEqual(AttachedMedia.dropped(before, after), [first(before).id])
      assert.deepStrictEqual(
        AttachedMedia.gained(before, after, start).map(({ url }) => url),
        ["https://p/3"]
      )
      const worded = edit(before, { type: "text", text: "no picture" })
      assert.deepStrictEqual(attachments(worded), attachments(before).slice(1))
    }
  })

  it("nothing that we sent ourselves is fetched because the platform tells of an edit", () => {
    const ours = build.message(account, contact, { status: "sent", content: image("https://ours/1"), externalId: "y" })
    const after = Notice.applied(ours, { type: "messageEdited", at: start + 1, content: image("https://p/1") })
    assert.deepStrictEqual(attachments(after), [])
  })

  const Edit = Schema.Struct({
    at: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 50 })),
    url: Schema.NullOr(Schema.Literals(["https://p/1", "https://p/2", "https://p/3"]))
  })
  it.prop("edits in any order leave the same files", [Schema.Array(Edit)], ([edits]) => {
    const unique = [...new Map(edits.map((edit) => [edit.at, edit])).values()]
    const message = inbound({ details: { attachments: [attachment("https://p/1")] } })
    const apply = (all: ReadonlyArray<typeof Edit.Type>) =>
      all.reduce(
        (one, { at, url }) =>
          Notice.applied(one, {
            type: "messageEdited",
            at: start + at,
            content: url === null ? { type: "text", text: `at ${at}` } : image(url)
          }),
        message
      )
    const ordered = apply(unique.toSorted((a, b) => a.at - b.at))
    // The id of a file that was edited away and back is another than that of the first.
    const shown = (one: Message) => attachments(one).map(({ url }) => url)
    assert.deepStrictEqual(shown(apply(unique)), shown(ordered))
    assert.deepStrictEqual(apply(unique).content, ordered.content)
  })
})
