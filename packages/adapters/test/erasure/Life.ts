/**
 * Everything that can happen to one person in a workspace, through the whole engine: imported, gathered, written to by a
 * campaign, answering with files, taken over, answered in private, told to webhooks, logged, and stopping at last.
 */
import { Accounts } from "@overture/core/account/Accounts"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { Previews } from "@overture/core/campaign/Previews"
import { Templates } from "@overture/core/campaign/Templates"
import * as Address from "@overture/core/channel/Address"
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import * as Chat from "@overture/core/chat/Chat"
import { Chats } from "@overture/core/chat/Chats"
import { Inbox } from "@overture/core/chat/Inbox"
import { MediaLibrary } from "@overture/core/chat/MediaLibrary"
import { MediaStore } from "@overture/core/chat/MediaStore"
import * as MediaJobFiles from "@overture/core/chat/MediaJobFiles"
import { Members } from "@overture/core/chat/Members"
import { ContactJobs } from "@overture/core/contact/ContactJobs"
import { Contacts } from "@overture/core/contact/Contacts"
import { type ContactSource, SourceFailed } from "@overture/core/contact/ContactSource"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { everyone } from "@overture/core/contact/Gathering"
import { type Actor, system } from "@overture/core/event/DomainEvent"
import { Webhooks } from "@overture/core/event/Webhooks"
import { Forecasts } from "@overture/core/forecast/Forecasts"
import { Jobs } from "@overture/core/job/Jobs"
import { Driver } from "@overture/core/outbox/Driver"
import { Messages } from "@overture/core/outbox/Messages"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { day, minute } from "@overture/core/workspace/Instant"
import type { ContactListId } from "@overture/core/workspace/Id"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as FileServer from "../media/FileServer.ts"

const { start } = Builders

/** What tells of the person; each is in nothing else of the life. */
export const traces = {
  first: "Zacharias",
  last: "Quillfeather",
  handle: "zq-5550199",
  phone: "+4915755501990",
  email: "quill.f@mail.example",
  attribute: "Zugspitze",
  tag: "Steinadler",
  contactMetadata: "Steinbock",
  reference: "crm-77-osprey",
  said: "Murmeltier grüßt 🦫",
  edited: "Murmeltierchen",
  deleted: "Schneehase",
  waiting: "Alpendohle",
  answered: "Bergfink",
  scheduled: "Kreuzotter",
  private: "Feuersalamander",
  comment: "comment-5550199-zq",
  picture: "edelweiss",
  booking: "Almabtrieb",
  platformsWords: "Gletscherspalte",
  fileName: "Passfoto",
  fileBytes: "ENZIAN-5550199-ENZIAN",
  uploadBytes: "LATSCHENKIEFER-5550199",
  evidence: "Hüttenbuch",
  source: "Gipfelkreuz",
  rawData: "Lawinenhund",
  messageReference: "Wolpertinger",
  withdrawn: "Wildbach"
} as const

/** Who stays, and what is theirs. */
export const other = { name: "Bea Anders", handle: "bea-1", said: "a word of somebody else" } as const

const csv = (rows: ReadonlyArray<ReadonlyArray<string>>) =>
  Buffer.from(
    [["channel", "id", "phone", "name", "email", "hobby", "tags", "externalRef"], ...rows]
      .map((row) => row.join(","))
      .join("\n")
  )

const imported = csv([
  [
    "sandbox",
    traces.handle,
    "",
    `${traces.first} ${traces.last}`,
    traces.email,
    traces.attribute,
    traces.tag,
    traces.reference
  ],
  ["phonelike", "", traces.phone, `${traces.first} ${traces.last}`, "", "", "", traces.reference],
  // Left out, as there is no such channel: what the row says must go all the same.
  ["pigeon", traces.handle, traces.phone, `${traces.first} ${traces.last}`, traces.email, "", "", ""],
  ["sandbox", other.handle, "", other.name, "", "", "", ""]
])

/** A page on which the person commented. */
export const page: ContactSource = {
  name: "page",
  check: (query) => Effect.succeed(query as never),
  page: ({ cursor, query }) => {
    if (cursor !== null && (query as { readonly breaks?: boolean }).breaks === true) {
      const problem = `nothing came after ${traces.handle}`
      return Effect.fail(new SourceFailed({ source: "page", problem, retryable: false }))
    }
    return Effect.succeed({
      people: [
        {
          row: { line: 1, externalId: traces.handle, name: traces.last, tags: [], attributes: {} },
          text: `I say ${traces.source}`,
          location: "Garmisch",
          country: "DE",
          joinedAt: start
        }
      ],
      rejected: [{ line: 2, column: "id", value: traces.handle, reason: "nobody" }],
      // As sources do that page by the last one seen.
      cursor: cursor === null ? `after:${traces.handle}` : null,
      total: 2,
      version: null
    })
  }
}

/** The platforms: one answers most of what it is sent with trouble in words that repeat whom it was for. */
export const platforms = () => {
  const profile = { name: `${traces.first} Q.`, username: traces.handle, pictureUrl: `https://x/${traces.picture}.jpg` }
  const sandbox = TestChannel.make({
    answer: ({ text, to }) =>
      to === traces.handle && text.includes("refuse this")
        ? { type: "contentRejected", detail: `${traces.platformsWords}: not to ${to}`, code: "131" }
        : undefined,
    profileOf: (person) => (person === traces.handle ? profile : null)
  })
  const phonelike = TestChannel.make({ name: "phonelike", capabilities: { phoneNumbers: true } })
  const bytes = Buffer.concat([FileServer.png, Buffer.from(traces.fileBytes)])
  const download: typeof sandbox.download = () => Effect.succeed({ type: "bytes", bytes, mime: "image/png" })
  return { sandbox: Object.assign(sandbox, { download }), phonelike }
}

/** Lives the life; what is left over is still under way: messages, notices, deliveries, a job. */
export const live = (hooks: { readonly good: string; readonly bad: string }) =>
  Effect.gen(function* () {
    const build = Builders.make("a long life")
    const workspace = build.workspace({ optOutReply: "You will hear no more of us." })
    const { id } = workspace
    yield* (yield* WorkspaceStore).create(workspace)
    const time = yield* PacingTime
    const webhooks = yield* Webhooks
    yield* webhooks.create(id, { url: hooks.good, headers: {} })
    const bad = yield* webhooks.create(id, { url: hooks.bad, headers: {} })

    const accounts = yield* Accounts
    const connect = (channel: string, externalId: string) =>
      Effect.map(accounts.connect({ workspace: id, channel, externalId, minGapMs: 0 }, system), (made) => made.account)
    const studio = yield* connect("sandbox", "studio")
    const second = yield* connect("sandbox", "second")
    const line = yield* connect("phonelike", "+4930123456")
    const { member } = yield* (yield* Members).add(id, { name: "Mo" }, system)
    const by: Actor = { type: "member", id: member.id }

    const [contacts, store, jobs, work] = [yield* Contacts, yield* ContactStore, yield* Jobs, yield* ContactJobs]
    const files = MediaJobFiles.over(yield* MediaStore)
    const addressing = { channel: null, accounts: [studio.id, second.id, line.id] }
    const file = (key: string, name = `${traces.last}.csv`) =>
      Effect.gen(function* () {
        const upload = build.ids.next("med")
        yield* files.put(id, upload, Stream.make(imported), "text/csv")
        return {
          workspace: id,
          actor: by,
          key,
          file: upload,
          name,
          list: { name: "everyone" },
          mode: "update" as const,
          addressing
        }
      })
    const importing = yield* work.import(yield* file("first"))
    const first = yield* jobs.wait(id, importing.id)
    assert.strictEqual(first.status, "succeeded", first.error ?? "")
    assert.deepInclude(first.result as object, { created: 2, merged: 1, rejected: 1 })
    const list = first.subject as ContactListId
    const addressOf = (channel: string, externalId: string) => Address.key({ channel, scope: "", externalId })
    const known = yield* store.byAddresses(id, [
      addressOf("sandbox", traces.handle),
      addressOf("sandbox", other.handle)
    ])
    const person = known.get(addressOf("sandbox", traces.handle))!
    assert.strictEqual(person.addresses.length, 2)
    yield* store.modify(id, person.id, (contact) => ({
      contact: { ...contact, metadata: { note: traces.contactMetadata } },
      events: []
    }))
    for (const [query, ends] of [
      [{ member: traces.handle }, "succeeded"],
      [{ breaks: true }, "failed"]
    ] as const) {
      const gathering = everyone("page", query)
      const of = { channel: "sandbox", accounts: [] }
      const job = yield* work.gather({ workspace: id, actor: by, list: { name: ends }, gathering, addressing: of })
      assert.strictEqual((yield* jobs.wait(id, job.id)).status, ends)
    }
    const missing = yield* file("lost")
    yield* files.remove(id, missing.file)
    yield* jobs.wait(id, (yield* work.import(missing)).id)
    yield* jobs.wait(id, (yield* work.export({ workspace: id, actor: by, list, forSpreadsheets: false })).id)
    yield* work.tag({ workspace: id, ids: [person.id], with: { add: [traces.tag], remove: [] }, actor: by })

    const campaigns = yield* Campaigns
    const part = (...texts: ReadonlyArray<string>) => ({
      variants: texts.map((words) => ({ weight: 1, content: Builders.text(words) })) as unknown as readonly [
        { readonly weight: 1; readonly content: ReturnType<typeof Builders.text> }
      ]
    })
    const { campaign } = yield* campaigns.create(
      {
        workspace: id,
        name: "spring",
        settings: build.settings({
          steps: [
            {
              id: build.ids.next("stp"),
              type: "first",
              sendAfterDays: 0,
              parts: [part("Dear {{ first }} of {{ hobby | default: 'here' }}", "{{ name }}, hello!")]
            },
            {
              id: build.ids.next("stp"),
              type: "noReplyResponded",
              sendAfterDays: 1,
              parts: [part("Still, {{ last }}?")]
            }
          ]
        }),
        accounts: [studio.id],
        externalRef: "spring",
        metadata: {}
      },
      by
    )
    yield* campaigns.enrollList(id, campaign.id, list)
    const previews = yield* Previews
    yield* previews.preview(id, campaign.id, 5)
    yield* previews.testSend(id, { campaign: campaign.id, account: studio.id, to: "our-own-phone", as: person.id }, by)
    yield* (yield* Forecasts).keep(id, campaign.id)
    yield* campaigns.start(id, campaign.id, by)

    const driver = yield* Driver
    const run = (ms: number) =>
      Effect.gen(function* () {
        const until = (yield* time.now) + ms
        for (let rounds = 0; rounds < 1_000; rounds++) {
          const { nextDue, worked } = yield* driver.step
          if (worked) continue
          if (nextDue === null || nextDue >= until) return yield* time.waitUntil(until, 0)
          yield* time.waitUntil(nextDue, 0)
        }
      })
    yield* run(day)

    const inbox = yield* Inbox
    let told = 0
    const tell = (make: (common: { dedupeKey: string; at: number; participant: object }) => unknown, of = studio) =>
      Effect.gen(function* () {
        const at = (yield* time.now) + ++told
        const participant = { scope: "", externalId: traces.handle, name: traces.last }
        const event = make({ dedupeKey: `${traces.handle}/${told}`, at, participant }) as ChannelEvent
        yield* inbox.receive(of, [event])
      })
    const says = (externalId: string, text: string, more: object = {}, of = studio) =>
      tell(
        (common) => ({
          type: "messageReceived",
          ...common,
          externalId: `${traces.handle}:${externalId}`,
          content: Builders.text(text),
          ...more
        }),
        of
      )
    const notice = (type: string, externalId: string, more: object = {}) =>
      tell((common) => ({ type, ...common, externalId: `${traces.handle}:${externalId}`, ...more }))

    yield* says("in-1", `${traces.said} "${traces.handle}"`, {
      raw: { profile: { wa_id: traces.handle, note: traces.rawData } },
      files: [
        { kind: "image", url: `https://platform.example/${traces.handle}`, filename: `${traces.fileName}.png` },
        { kind: "image", url: `https://platform.example/${traces.handle}/2` }
      ]
    })
    yield* says("in-2", `at first ${traces.withdrawn}`)
    yield* notice("messageEdited", "in-2", { content: Builders.text(traces.edited) })
    yield* says("in-3", `not for long: ${traces.deleted}`)
    yield* notice("messageDeleted", "in-3")
    yield* notice("reactionAdded", "in-1", { emoji: "🦫", fromUs: false })
    yield* notice("messageEdited", "never-came", { content: Builders.text(traces.waiting) })
    yield* notice("messageFailed", "never-came-either", { code: "1", detail: traces.platformsWords })
    yield* tell((common) => ({ type: "booked", ...common, ref: `${traces.booking} for ${traces.handle}` }))
    yield* tell((common) => ({
      type: "messageEchoed",
      ...common,
      externalId: "echo-1",
      content: Builders.text(`from the phone of the owner, ${traces.last}`)
    }))
    yield* tell((common) => ({
      type: "accountTroubled",
      dedupeKey: common.dedupeKey,
      at: common.at,
      reason: "challenge",
      detail: `${traces.platformsWords}: too many messages to ${traces.handle}`
    }))
    yield* accounts.change(id, studio.id, { clearAttention: ["challenge"] }, system)
    yield* says("in-9", traces.said, {}, second)

    const [chats, messages, library] = [yield* Chats, yield* Messages, yield* MediaLibrary]
    const chat = Chat.idOf(studio.id, addressOf("sandbox", traces.handle))
    yield* chats.refresh(id, chat)
    yield* chats.change(id, [chat], { type: "tag", add: [traces.tag], remove: [] }, by)
    yield* chats.change(id, [chat], { type: "assign", member: member.id }, by)
    yield* chats.read(id, [chat], { member: member.id }, by)
    const author = { type: "member", id: member.id } as const
    const send = (text: string, more: object = {}) =>
      messages.send(id, { to: { chat }, content: Builders.text(text), author, ...more })
    yield* send(`you are right, ${traces.answered}`, {
      replyTo: `${traces.handle}:in-1`,
      externalRef: traces.messageReference,
      metadata: { for: traces.messageReference }
    })
    yield* send(`refuse this, ${traces.last}`)
    yield* send(traces.private, { comment: traces.comment })
    yield* send(`tomorrow, ${traces.scheduled}`, { notBefore: (yield* time.now) + 20 * day })
    const given = yield* library.upload(id, Stream.make(Buffer.from(`%PDF-1.7 ${traces.uploadBytes}`)), {
      kind: "file",
      chat,
      filename: `${traces.fileName}.pdf`
    })
    yield* messages.send(id, {
      to: { chat },
      content: { type: "media", kind: "file", url: `media:${given.id}`, caption: traces.answered },
      author
    })
    const data = `data:application/octet-stream;base64,${Buffer.from(traces.uploadBytes).toString("base64")}`
    yield* messages.send(id, { to: { chat }, content: { type: "media", kind: "file", url: data }, author })
    yield* messages.send(id, {
      to: { account: line.id, person: traces.phone, name: traces.last },
      content: Builders.text(traces.answered),
      author
    })
    const templates = yield* Templates
    const template = yield* templates.create(id, { name: "hi", content: Builders.text("Hi {{ first }}!") }, by)
    yield* templates.send(id, template.id, { to: { chat }, author })
    yield* run(minute)

    yield* contacts.recordConsent(
      id,
      person.id,
      { channel: "*", scope: "", source: traces.source, evidence: traces.evidence, at: start },
      by
    )
    yield* tell((common) => ({
      type: "messageReceived",
      ...common,
      participant: { scope: "", externalId: other.handle, name: other.name },
      externalId: "theirs",
      content: Builders.text(other.said)
    }))
    yield* says("in-4", "STOP")
    yield* run(minute)

    const workspaces = yield* WorkspaceStore
    const answers: ReadonlyArray<readonly [string, unknown]> = [
      ["request-1", { contact: person.id, name: traces.last }],
      ["request-2", { message: { chat, text: traces.answered } }],
      ["request-3", { text: "about nobody" }]
    ]
    for (const [key, answer] of answers) {
      yield* workspaces.idempotent(id, key, "f", yield* time.now)
      yield* workspaces.remember(id, key, JSON.stringify(answer))
    }
    return { workspace: id, person, studio, list, chat, file, badEndpoint: bad.endpoint.id, addressing }
  })
