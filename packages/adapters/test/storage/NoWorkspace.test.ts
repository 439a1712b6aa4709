/** What hosts do in a workspace that does not exist: whatever would make something there answers so, on each storage. */
import { assert, describe, it } from "@effect/vitest"
import { AccountGroups } from "@overture/core/account/AccountGroups"
import { Accounts } from "@overture/core/account/Accounts"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { Templates } from "@overture/core/campaign/Templates"
import { Chats } from "@overture/core/chat/Chats"
import { MediaLibrary } from "@overture/core/chat/MediaLibrary"
import { Members } from "@overture/core/chat/Members"
import { OptOuts } from "@overture/core/chat/OptOuts"
import { ContactImports } from "@overture/core/contact/ContactImports"
import { ContactJobs } from "@overture/core/contact/ContactJobs"
import { ContactLists } from "@overture/core/contact/ContactLists"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { Suppressions } from "@overture/core/contact/Suppressions"
import { system } from "@overture/core/event/DomainEvent"
import { EventStore } from "@overture/core/event/EventStore"
import { Bulks } from "@overture/core/job/Bulks"
import { Jobs } from "@overture/core/job/Jobs"
import * as MemoryMediaStore from "@overture/core/memory/MemoryMediaStore"
import { Messages } from "@overture/core/outbox/Messages"
import * as Overture from "@overture/core/Overture"
import type { Services } from "@overture/core/Services"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { Effect, Layer, Stream } from "effect"
import { MediaSource } from "@overture/core/chat/MediaSource"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import * as SandboxSource from "../../src/sources/SandboxSource.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "./TestPostgres.ts"

const storages: ReadonlyArray<readonly [string, () => Promise<Layer.Layer<Overture.StoragePorts, unknown>>]> = [
  ["memory", async () => MemoryStorage.layer],
  ["SQLite", async () => SqliteStorage.layer({ path: ":memory:" })],
  ["PostgreSQL", async () => PostgresStorage.layer({ url: await freshDatabase() })]
]

const build = Builders.make("nowhere")
const workspace = build.workspace().id
const [account, contact, list] = [build.ids.next("acc"), build.ids.next("con"), build.ids.next("lst")]
const address = { channel: Builders.channel, scope: "", externalId: "ann" }
const row = { line: 1, externalId: "ann", tags: [], attributes: {} }
const rules = { channel: Builders.channel, accounts: [] }
const addressing = { channel: Builders.channel, accounts: [] }
const actor = system
const ids = Array.from({ length: 100 }, () => build.ids.next("con"))
const gathering = { source: "sandbox.group", query: { group: "g" }, mode: "preserve" as const }
const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

type Verb = Effect.Effect<unknown, { readonly _tag: string }, Services>

/** By the error that each answers with: that of what they name, where they name something of the workspace. */
const verbs = Effect.gen(function* () {
  const contacts = yield* Contacts
  const suppressions = yield* Suppressions
  const jobs = yield* ContactJobs
  const library = yield* MediaLibrary
  const author = { type: "api", id: null } as const
  const settings = build.campaign(workspace).settings
  const campaign = { workspace, name: "c", settings, accounts: [account] as const, externalRef: null, metadata: {} }
  return {
    WorkspaceNotFound: [
      (yield* Accounts).connect({ workspace, channel: Builders.channel, externalId: "page" }, actor),
      (yield* AccountGroups).create({ workspace, name: "g" }, actor),
      (yield* Members).add(workspace, { name: "Mia" }, actor),
      (yield* Templates).create(workspace, { content: Builders.text("Hi") }, actor),
      contacts.listNamed(workspace, "people"),
      contacts.importRows(workspace, list, [row], rules),
      (yield* ContactImports).run({
        workspace,
        id: "file",
        list: null,
        rules,
        fingerprint: "1",
        source: Stream.make({ rows: [row], rejected: [] })
      }),
      (yield* ContactLists).merge(workspace, "all", [], actor),
      suppressions.add(workspace, [address], actor),
      suppressions.add(workspace, [], actor),
      suppressions.addRows(workspace, [row], rules, actor),
      (yield* Jobs).submit({ workspace, kind: "retention.purge", input: {}, actor }),
      jobs.merge({ workspace, name: "all", sources: [list], actor }),
      jobs.gather({ workspace, list: { name: "found" }, gathering, addressing, actor } as never),
      jobs.tag({ workspace, ids, with: { add: ["a"], remove: [] }, actor }),
      (yield* Bulks).run((yield* Chats).bulk, { workspace, ids, with: { type: "close" }, actor }),
      library.upload(workspace, Stream.make(png), {}),
      library.decode(workspace, `data:image/png;base64,${Buffer.from(png).toString("base64")}`, {})
    ],
    AccountNotFound: [
      (yield* Messages).send(workspace, { to: { account, person: "ann" }, content: Builders.text("Hi"), author }),
      (yield* Chats).open(workspace, { account, person: "ann" }, actor)
    ],
    ContactNotFound: [(yield* OptOuts).optOut(workspace, contact, actor)],
    CampaignChangeRefused: [(yield* Campaigns).create(campaign, actor)]
  } satisfies Readonly<Record<string, ReadonlyArray<Verb>>>
})

describe.each(storages)("a workspace that does not exist on %s", (_, open) => {
  it.live("is not found, and nothing is in it", () => {
    const media = Layer.merge(
      MemoryMediaStore.layer((bytes) => `${bytes.length}`),
      Layer.succeed(MediaSource, MediaSource.of({ fetch: () => Effect.die("nothing is fetched") } as never))
    )
    const body = Effect.gen(function* () {
      for (const [tag, all] of Object.entries<ReadonlyArray<Verb>>(yield* verbs)) {
        for (const [i, verb] of all.entries()) {
          assert.strictEqual((yield* Effect.flip(verb))._tag, tag, `verb ${i}`)
        }
      }
      assert.deepStrictEqual((yield* (yield* ContactStore).lists(workspace, {})).data, [])
      assert.deepStrictEqual((yield* (yield* Jobs).page(workspace, {}, {})).data, [])
      assert.deepStrictEqual((yield* (yield* Suppressions).page(workspace, {})).data, [])
      assert.deepStrictEqual(yield* (yield* EventStore).read(workspace, null, 10), [])
    })
    return Effect.gen(function* () {
      const storage = yield* Effect.promise(open)
      const channels = [TestChannel.make()]
      const contactSources = [SandboxSource.group()]
      yield* Effect.provide(body, Overture.layer({ storage, channels, media, contactSources }))
    })
  })
})
