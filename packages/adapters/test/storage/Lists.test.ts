/** Every list that hosts read: whole page by page on each storage, and what makes no sense is refused by its field. */
import { assert, describe, it } from "@effect/vitest"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { createOverture } from "@overture/core/Overture"
import type { StoragePorts } from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { cursorOf, maxLimit, type Page, type PageRequest } from "@overture/core/workspace/Page"
import { type Layer, Option } from "effect"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import { freshDatabase } from "./TestPostgres.ts"

const storages: ReadonlyArray<readonly [string, () => Promise<Layer.Layer<StoragePorts, unknown>>]> = [
  ["memory", async () => MemoryStorage.layer],
  ["SQLite", async () => SqliteStorage.layer({ path: ":memory:" })],
  ["PostgreSQL", async () => PostgresStorage.layer({ url: await freshDatabase() })]
]

const actor = { type: "api", id: "host" } as const
const { start } = Builders

/** An engine with three of each thing. */
const filled = async (storage: Layer.Layer<StoragePorts, unknown>) => {
  const channel = TestChannel.make()
  const overture = createOverture({ storage, channels: [channel] })
  const { id: workspace } = await overture.workspaces.create({ name: "lists" }, actor)
  const author = { type: "api", id: null } as const
  const accounts = []
  for (const name of ["one", "two", "three"]) {
    const input = { workspace, channel: channel.name, externalId: name }
    const { account } = await overture.accounts.connect(input, actor)
    accounts.push(account)
    await overture.members.add(workspace, { name }, actor)
    await overture.templates.create(workspace, { content: Builders.text(name) }, actor)
    await overture.contacts.listNamed(workspace, name)
    await overture.jobs.submit({ workspace, kind: "retention.purge", input: {}, actor })
  }
  const address = (externalId: string) => ({ channel: channel.name, scope: "", externalId })
  await overture.suppressions.add(workspace, ["x", "y", "z"].map(address), actor)
  const rows = ["ann", "ben", "cid"].map((externalId, i) => ({ line: i, externalId, tags: [], attributes: {} }))
  const people = await overture.contacts.listNamed(workspace, "people")
  await overture.contacts.importRows(workspace, people.id, rows, { channel: channel.name, accounts })
  const [account] = accounts
  const settings = { ...Builders.make("lists").campaign(workspace).settings }
  for (const name of ["a", "b", "c"]) {
    const input = { workspace, name, settings, accounts: [account!.id] as const, externalRef: name, metadata: {} }
    const { campaign } = await overture.campaigns.create(input, actor)
    await overture.campaigns.enrollList(workspace, campaign.id, people.id)
  }
  const campaign = Option.getOrThrow(await overture.campaigns.byExternalRef(workspace, "a"))
  const party = { account: account!.id, person: "ann" }
  for (const person of ["ann", "ann", "ann", "ben", "cid"]) {
    await overture.messages.send(workspace, { to: { ...party, person }, content: Builders.text("Hello"), author })
  }
  const { chat } = await overture.chats.open(workspace, party, actor)
  const { chat: otherChat } = await overture.chats.open(workspace, { ...party, person: "ben" }, actor)
  const contacts = (await overture.contacts.list(workspace, {})).data
  const personOf = (name: string) => contacts.find(({ addresses: [one] }) => one?.externalId === name)!.id
  return {
    overture,
    workspace,
    list: people.id,
    campaign: campaign.id,
    chat: chat.id,
    contact: personOf("ann"),
    channel,
    others: {
      list: (await overture.contacts.listNamed(workspace, "one")).id,
      campaign: Option.getOrThrow(await overture.campaigns.byExternalRef(workspace, "b")).id,
      chat: otherChat.id,
      contact: personOf("ben")
    }
  }
}

type Filled = Awaited<ReturnType<typeof filled>>
type Reader = (page: PageRequest) => Promise<Page<unknown>>

/** Of the lists in `readers` that belong to something, those of another campaign, chat, list, person or channel. */
const elsewhere = ({ channel, contact, others, overture, workspace }: Filled) =>
  ({
    listMembers: [(page) => overture.contactLists.members(workspace, others.list, page)],
    leads: [(page) => overture.campaigns.leads(workspace, others.campaign, {}, page)],
    oldest: [(page) => overture.chats.messages(workspace, others.chat, "oldest", page)],
    thread: [
      (page) => overture.chats.thread(workspace, others.contact, channel.name, "oldest", page),
      (page) => overture.chats.thread(workspace, contact, "elsewhere", "oldest", page)
    ]
  }) satisfies Readonly<Record<string, ReadonlyArray<Reader>>>

const none = `whk_${"0".repeat(32)}` as never

const readers = ({ campaign, channel, chat, contact, list, overture, workspace }: Filled) =>
  ({
    accounts: (page) => overture.accounts.list(workspace, {}, page),
    members: (page) => overture.members.list(workspace, page),
    templates: (page) => overture.templates.list(workspace, page),
    lists: (page) => overture.contactLists.page(workspace, page),
    listMembers: (page) => overture.contactLists.members(workspace, list, page),
    contacts: (page) => overture.contacts.list(workspace, page),
    suppressions: (page) => overture.suppressions.page(workspace, page),
    campaigns: (page) => overture.campaigns.list(workspace, page),
    leads: (page) => overture.campaigns.leads(workspace, campaign, {}, page),
    jobs: (page) => overture.jobs.page(workspace, {}, page),
    chats: (page) => overture.chats.list(workspace, {}, page),
    oldest: (page) => overture.chats.messages(workspace, chat, "oldest", page),
    newest: (page) => overture.chats.messages(workspace, chat, "newest", page),
    thread: (page) => overture.chats.thread(workspace, contact, channel.name, "oldest", page),
    messages: (page) => overture.messages.list(workspace, {}, page)
  }) satisfies Readonly<Record<string, Reader>>

/** Lists of what nothing makes here: only what is asked of them is looked at. */
const unfilled = ({ overture, workspace }: Filled) =>
  ({
    endpoints: (page) => overture.webhooks.list(workspace, page),
    deliveries: (page) => overture.webhooks.deliveries(workspace, none, page)
  }) satisfies Readonly<Record<string, Reader>>

const refusal = async (asked: Promise<unknown>): Promise<string> => {
  try {
    await asked
    return "nothing was refused"
  } catch (error) {
    const { _tag, message } = error as { readonly _tag: string; readonly message: string }
    return `${_tag} ${message}`
  }
}

const wrong: ReadonlyArray<readonly [page: unknown, field: string, got?: string]> = [
  [{ limit: 0 }, "page.limit", "0"],
  [{ limit: -1 }, "page.limit", "-1"],
  [{ limit: NaN }, "page.limit", "NaN"],
  [{ limit: 1.5 }, "page.limit", "1.5"],
  [{ limit: maxLimit + 1 }, "page.limit", "501"],
  [{ limit: "10" }, "page.limit", '"10"'],
  [{ cursor: "" }, "page.cursor"],
  [{ cursor: "garbage" }, "page.cursor", '"garbage"'],
  [{ cursor: "null" }, "page.cursor"],
  [{ cursor: "[null]" }, "page.cursor"],
  [{ cursor: cursorOf([1, 2, 3]) }, "page.cursor"],
  [{ cursor: '["\\u0000"]' }, "page.cursor"],
  [{ cursor: '[0.5,"x"]' }, "page.cursor"],
  [{ cursor: '[1e999,"x"]' }, "page.cursor"],
  [{ cursor: null }, "page.cursor", "null"],
  [{ rows: 5 }, "page.rows"],
  [undefined, "page"],
  ["first", "page"]
]

describe.each(storages)("lists on %s", (_, open) => {
  it("are whole page by page, and refuse what makes no sense by its field", async () => {
    const it = await filled(await open())
    await using overture = it.overture
    for (const [name, read] of Object.entries<Reader>(readers(it))) {
      const whole = await read({ limit: maxLimit })
      assert.isAtLeast(whole.data.length, 3, name)
      const rows: Array<unknown> = []
      let cursor: string | null | undefined
      while (cursor !== null) {
        const page: Page<unknown> = await read({ limit: 1, cursor })
        rows.push(...page.data)
        cursor = page.nextCursor
      }
      assert.deepStrictEqual(rows, whole.data, name)
    }
    for (const [name, read] of Object.entries<Reader>({ ...readers(it), ...unfilled(it) })) {
      for (const [page, field, got = ""] of wrong) {
        const said = await refusal(read(page as PageRequest))
        assert.match(said, /^InvalidListRequest /, `${name} ${JSON.stringify(page)}`)
        assert.include(said, ` ${field}: `, name)
        assert.include(said, got, name)
      }
      const takesOffset = !["listMembers", "messages"].includes(name)
      const both = takesOffset ? { offset: -1 } : { offset: 0 }
      assert.include(await refusal(read(both as PageRequest)), "InvalidListRequest page.offset: ", name)
    }
    // A list from either end is one list.
    const cursors = await Promise.all(
      Object.entries<Reader>(readers(it)).map(
        async ([name, read]) => [name.replace("newest", "oldest"), (await read({ limit: 1 })).nextCursor!] as const
      )
    )
    const { endpoints } = unfilled(it)
    for (const [name, read] of Object.entries<Reader>({ ...readers(it), endpoints })) {
      for (const [other, cursor] of cursors.filter(([of]) => of !== name.replace("newest", "oldest"))) {
        const said = await refusal(read({ cursor }))
        assert.include(said, "InvalidListRequest page.cursor: expected the nextCursor", `${name} after ${other}`)
      }
    }
    for (const [name, reads] of Object.entries<ReadonlyArray<Reader>>(elsewhere(it))) {
      const [, cursor] = cursors.find(([of]) => of === name)!
      for (const read of reads) {
        assert.include(await refusal(read({ cursor })), "InvalidListRequest page.cursor: expected the nextCursor", name)
      }
    }
    const { workspace } = it
    const { nextCursor } = await overture.jobs.page(workspace, {}, { limit: 1 })
    const both = { cursor: nextCursor!, offset: 1 }
    assert.include(await refusal(overture.jobs.page(workspace, {}, both)), "InvalidListRequest page.offset: ")
  })

  it("refuse filters that mean nothing", async () => {
    const it = await filled(await open())
    await using overture = it.overture
    const { campaign, chat, channel, contact, workspace } = it
    const asked: ReadonlyArray<readonly [field: string, read: (filter: never) => Promise<unknown>, filter: unknown]> = [
      ["account", (filter) => overture.chats.list(workspace, filter, {}), { account: "acc_1" }],
      ["channel", (filter) => overture.chats.list(workspace, filter, {}), { channel: "Of Mine" }],
      ["after", (filter) => overture.chats.list(workspace, filter, {}), { after: NaN }],
      ["before", (filter) => overture.chats.list(workspace, filter, {}), { before: start * 1e6 }],
      ["waiting", (filter) => overture.chats.list(workspace, filter, {}), { waiting: "yes" }],
      ["unanswered", (filter) => overture.chats.list(workspace, filter, {}), { unanswered: true }],
      ["status", (filter) => overture.messages.list(workspace, filter, {}), { status: "gone" }],
      ["since", (filter) => overture.messages.list(workspace, filter, {}), { since: -1 }],
      ["author", (filter) => overture.messages.list(workspace, filter, {}), { author: "nobody" }],
      ["status", (filter) => overture.jobs.page(workspace, filter, {}), { status: "lost" }],
      ["kind", (filter) => overture.jobs.page(workspace, filter, {}), { kind: 7 }],
      ["status", (filter) => overture.campaigns.leads(workspace, campaign, filter, {}), { status: "open" }],
      ["availability[0]", (filter) => overture.accounts.list(workspace, filter, {}), { availability: ["well"] }],
      ["group", (filter) => overture.accounts.list(workspace, filter, {}), { group: "" }]
    ]
    for (const [field, read, filter] of asked) {
      assert.include(await refusal(read(filter as never)), `InvalidListRequest filter.${field}: `)
    }
    const order = "up" as "oldest"
    assert.include(await refusal(overture.chats.messages(workspace, chat, order, {})), "InvalidListRequest order: ")
    const thread = overture.chats.thread(workspace, contact, `${channel.name}!`, "oldest", {})
    assert.include(await refusal(thread), "InvalidListRequest channel: ")
    const following = { after: null, events: ["message.sung"] }
    const feed = overture.follow(workspace, following)[Symbol.asyncIterator]()
    assert.include(await refusal(feed.next()), "InvalidListRequest events[0]: ")
  })
})
