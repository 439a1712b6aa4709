/**
 * Files: what a person sends is copied into a folder before the platform lets go of it, a file of ours is sent, and both
 * go when the person is erased; a file of the workspace stays.
 */
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import * as FileMedia from "@overture/adapters/media/FileMedia"
import * as HttpMedia from "@overture/adapters/media/HttpMedia"
import { reference } from "@overture/core/chat/Media"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { createOverture } from "@overture/core/Overture"
import { Effect, Layer, Scope, Stream } from "effect"
import { createHmac } from "node:crypto"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { setTimeout } from "node:timers/promises"

/** The smallest picture there is. */
const gif = Buffer.from("R0lGODlhAQABAAAAACwAAAAAAQABAAA=", "base64")
const photo = { url: "sandbox:photo-1", filename: "broken.gif", data: gif.toString("base64") }
const script = { visitors: [{ account: "page", person: "vera", at: 0, text: "It arrived like this", media: [photo] }] }
const sandbox = await Effect.runPromise(Scope.provide(Sandbox.make({ script }), Scope.makeUnsafe()))

const root = await mkdtemp(path.join(tmpdir(), "overture-media-"))
const media = Layer.mergeAll(FileMedia.layer({ root }), HttpMedia.layer())
const addressHash = (address: string) =>
  createHmac("sha256", "a secret of the host's own").update(address).digest("hex")
await using overture = createOverture({ storage: MemoryStorage.layer, channels: [sandbox], media, addressHash })

const author = { type: "api", id: "example" } as const
const { id: workspace } = await overture.workspaces.create({ name: "example" }, author)
await overture.accounts.connect({ workspace, channel: "sandbox", externalId: "page", minGapMs: 0 }, author)

/** Waits until something is so: the engine works in the background. */
const until = async <A>(what: () => Promise<A | undefined>): Promise<A> => {
  for (let tries = 0; tries < 200; tries++) {
    const found = await what()
    if (found !== undefined) return found
    await setTimeout(50)
  }
  throw new Error("it did not happen within ten seconds")
}
const names = async () =>
  (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())

overture.start()

const { chat, message } = await until(async () => {
  const [chat] = (await overture.chats.list(workspace, {}, {})).data
  if (chat === undefined) return undefined
  const [message] = (await overture.chats.messages(workspace, chat.id, "oldest", {})).data
  return message?.details?.attachments?.[0]?.status === "stored" ? { chat, message } : undefined
})
console.log("came in ", message.details?.attachments?.[0])

const upload = (filename: string, more: { readonly chat?: typeof chat.id } = {}) =>
  overture.media.upload(workspace, Stream.make(gif), { filename, ...more })
const ours = await upload("logo.gif")
const theirs = await upload("voucher for Vera.gif", { chat: chat.id })
await overture.messages.send(workspace, {
  to: { chat: chat.id },
  content: { type: "media", kind: "image", url: reference(theirs.id), caption: "We are sorry!" },
  author
})
await until(async () => (sandbox.received().length > 0 ? true : undefined))
console.log("sent    ", theirs.filename, "as", sandbox.received()[0]?.body)
console.log("kept    ", (await names()).length, "files")

await overture.contacts.erase(workspace, chat.contact!, author)
await until(async () => ((await names()).length === 1 ? true : undefined))
console.log("erased  ", (await names())[0]?.name === ours.id ? "only the logo is left" : "something is wrong")

await overture.close()
await rm(root, { recursive: true })
