/**
 * Erasing a person after a long life, on each storage: no row, file, event, delivery or log line tells of them any more,
 * in whatever way texts are written down, also once everything that was under way has ended. They cannot be imported
 * again, and may come back by writing.
 */
import * as Memory from "@overture/core/memory/Memory"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { Table } from "@overture/core/memory/Table"
import * as Address from "@overture/core/channel/Address"
import { ChatStore } from "@overture/core/chat/ChatStore"
import { Inbox } from "@overture/core/chat/Inbox"
import { ContactJobs } from "@overture/core/contact/ContactJobs"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { Suppressions } from "@overture/core/contact/Suppressions"
import { system } from "@overture/core/event/DomainEvent"
import { EventStore } from "@overture/core/event/EventStore"
import { Webhooks } from "@overture/core/event/Webhooks"
import { Jobs } from "@overture/core/job/Jobs"
import { Driver } from "@overture/core/outbox/Driver"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestVault from "@overture/core/testing/TestVault"
import { Chores } from "@overture/core/workspace/Chore"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Option, References } from "effect"
import { createHmac } from "node:crypto"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { tmpdir } from "node:os"
import path from "node:path"
import { inspect } from "node:util"
import pg from "pg"
import { afterAll } from "vitest"
import * as FileMedia from "../../src/media/FileMedia.ts"
import * as HttpMedia from "../../src/media/HttpMedia.ts"
import * as ContactFiles from "../../src/sources/ContactFiles.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import * as SqliteStorage from "../../src/storage/SqliteStorage.ts"
import * as HttpWebhooks from "../../src/webhooks/HttpWebhooks.ts"
import { freshDatabase } from "../storage/TestPostgres.ts"
import * as Receiver from "../webhooks/Receiver.ts"
import { live, other, page, platforms, traces } from "./Life.ts"
import { finder, type Kept } from "./Traces.ts"

const home = mkdtempSync(path.join(tmpdir(), "overture-erasure-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))
let made = 0

interface Opened {
  readonly storage: Layer.Layer<Overture.StoragePorts, unknown>
  /** Everything of every table, as the database gives it out. */
  readonly rows: () => Promise<ReadonlyArray<Kept>>
  /** The files of the database itself, once it is closed, where they overwrite what they no longer need. */
  readonly disk: () => ReadonlyArray<Kept>
}

const bigints = (_key: string, value: unknown) => (typeof value === "bigint" ? String(value) : value)

/** A row, its texts and bytes one after the other as they are, whatever they hold. */
const bytesOf = (row: Readonly<Record<string, unknown>>): Buffer =>
  Buffer.concat(
    Object.values(row).flatMap((value) => [
      value instanceof Uint8Array
        ? Buffer.from(value)
        : Buffer.from(typeof value === "string" ? value : (JSON.stringify(value, bigints) ?? "")),
      Buffer.from([0])
    ])
  )

const kept = (table: string, rows: ReadonlyArray<unknown>): ReadonlyArray<Kept> =>
  rows.map((row) => ({ where: table, bytes: bytesOf(row as Readonly<Record<string, unknown>>) }))

const inMemory = async (): Promise<Opened> => {
  const memory = await Effect.runPromise(Memory.make)
  return {
    storage: Layer.succeedContext(MemoryStorage.of(memory)),
    rows: async () =>
      Object.entries(memory.state).flatMap(([table, rows]) =>
        rows instanceof Table ? kept(table, rows.entries()) : []
      ),
    disk: () => []
  }
}

const onSqlite = async (): Promise<Opened> => {
  const file = path.join(home, `${++made}.db`)
  return {
    storage: SqliteStorage.layer({ path: file }),
    rows: async () => {
      const raw = new DatabaseSync(file, { readOnly: true })
      try {
        const tables = raw.prepare("select name from sqlite_master where type = 'table'").all()
        return tables.flatMap(({ name }) => kept(String(name), raw.prepare(`select * from "${String(name)}"`).all()))
      } finally {
        raw.close()
      }
    },
    disk: () => filesIn(home).filter(({ where }) => where.startsWith(file))
  }
}

const onPostgres = async (): Promise<Opened> => {
  const url = await freshDatabase()
  return {
    storage: PostgresStorage.layer({ url }),
    rows: async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      try {
        const tables = await client.query<{ name: string }>(
          "select relname as name from pg_class where relkind in ('r', 'm') and relnamespace = 'public'::regnamespace"
        )
        const all: Array<Kept> = []
        for (const { name } of tables.rows) {
          all.push(...kept(name, (await client.query(`select * from "${name}"`)).rows))
        }
        return all
      } finally {
        await client.end()
      }
    },
    // Its pages keep former rows until they are vacuumed, and its log longer.
    disk: () => []
  }
}

const filesIn = (folder: string): ReadonlyArray<Kept> =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const where = path.join(entry.parentPath, entry.name)
    const bytes = entry.isFile() ? readFileSync(where) : Buffer.alloc(0)
    return [{ where, bytes: Buffer.concat([Buffer.from(path.relative(folder, where)), bytes]) }]
  })

const hash = (address: string) => createHmac("sha256", "a secret of the host").update(address).digest("hex")
const find = finder(Object.values(traces))

/** An engine over an opened storage, with all that it keeps of the person in one hand. */
const scene = Effect.fnUntraced(function* (open: () => Promise<Opened>) {
  const { disk, rows, storage } = yield* Effect.promise(open)
  const folder = path.join(home, `media-${++made}`)
  mkdirSync(folder)
  const lines: Array<string> = []
  const { phonelike, sandbox } = platforms()
  const media = Layer.merge(FileMedia.layer({ root: folder }), HttpMedia.layer())
  const engine = Overture.layer({
    storage,
    channels: [sandbox, phonelike],
    time: PacingTime.layerVirtual(Builders.start),
    addressHash: hash,
    vault: TestVault.make(),
    media,
    contactSources: [page],
    contactFiles: (files) => ContactFiles.make({ files }),
    webhooks: HttpWebhooks.layer({ allowHttp: true, allowInward: true })
  })
  const logger = Logger.make(({ cause, message }) => void lines.push(inspect([message, cause], { depth: 9 })))
  const logs = Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "All"))
  const all = Effect.map(Effect.promise(rows), (stored) => [
    ...stored,
    ...filesIn(folder),
    ...lines.map((line) => ({ where: "log", bytes: Buffer.from(line) }))
  ])
  return { all, disk: Effect.sync(disk), folder, layer: Layer.mergeAll(engine, media, logs) }
})

/** Does what is to be done beside sending, until the scope ends. */
const choring = Effect.flatMap(Chores, (chores) =>
  Effect.forkScoped(
    Effect.forEach(
      chores,
      ({ round }) =>
        Effect.forever(
          Effect.andThen(
            Effect.suspend(() => round(Date.now())),
            Effect.sleep("100 millis")
          )
        ),
      { concurrency: "unbounded", discard: true }
    )
  )
)

/** Asks until the answer is true, half a minute at most. */
const until = <E, R>(what: string, isSo: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 300; tries++) {
      if (yield* isSo) return
      yield* Effect.sleep("100 millis")
    }
    return assert.fail(`not so within half a minute: ${what}`)
  })

const storages: ReadonlyArray<readonly [string, () => Promise<Opened>]> = [
  ["memory", inMemory],
  ["SQLite", onSqlite],
  ["PostgreSQL", onPostgres]
]

describe.each(storages)("a person of a long life on %s", { timeout: 120_000 }, (_, open) => {
  it.live("is nowhere once they are erased, stays away, and may come back", () =>
    Effect.gen(function* () {
      const { all, disk, folder, layer } = yield* scene(open)
      const good = yield* Receiver.start((response, { body }) => void response.writeHead(200).end(`got ${body}`))
      let isWell = false
      const bad = yield* Receiver.start(
        (response, { body }) => void response.writeHead(isWell ? 200 : 500).end(`this came: ${body}`)
      )
      const life = yield* Effect.gen(function* () {
        yield* choring
        const life = yield* live({ good: good.url, bad: bad.url })
        const { person, workspace } = life
        const webhooks = yield* Webhooks
        yield* until(
          "files are here, webhooks told",
          Effect.gen(function* () {
            const deliveries = yield* webhooks.deliveries(workspace, life.badEndpoint, { limit: 500 })
            return (
              deliveries.data.length > 5 &&
              good.got.some(({ body }) => body.includes("contact.opted_out")) &&
              filesIn(folder).filter(({ bytes }) => bytes.includes(traces.fileBytes)).length === 2
            )
          })
        )

        assert.isTrue(
          good.got.some(({ body }) => body.includes(traces.edited)),
          "webhooks tell what messages say"
        )
        // What endpoints answered to what they were told is theirs.
        const isAnswer = ({ where }: Kept) => /deliver/.test(where)
        const held = find((yield* all).filter((one) => !isAnswer(one)))
        for (const word of Object.values(traces)) {
          const isTakenBack = word === traces.deleted || word === traces.withdrawn
          const isHeld = held.some((one) => one.includes(`: ${word} (`))
          assert.strictEqual(isHeld, !isTakenBack, `what tells of ${word}`)
        }
        const under = yield* (yield* ContactJobs).import(yield* life.file("under way", "people.csv"))

        yield* (yield* Contacts).erase(workspace, person.id, system)
        yield* (yield* Jobs).wait(workspace, under.id)
        yield* until(
          "the files are gone",
          Effect.sync(() => filesIn(folder).every(({ bytes }) => !bytes.includes(traces.fileBytes)))
        )
        yield* run(60_000)
        // Deliveries that wait go on without the person.
        const before = bad.got.length
        isWell = true
        yield* webhooks.ping(workspace, life.badEndpoint)
        yield* until(
          "everything was delivered at last",
          Effect.sync(() => bad.got.some(({ body }) => body.includes("contact.erased")))
        )
        assert.deepStrictEqual(find(yield* all), [])
        assert.deepStrictEqual(
          find(bad.got.slice(before).map(({ body }) => ({ where: "told", bytes: Buffer.from(body) }))),
          []
        )
        const feed = yield* (yield* EventStore).read(workspace, null, 500)
        assert.isTrue(feed.some(({ event }) => event.type === "contact.erased"))

        // Somebody else is as they were.
        const others = Buffer.concat((yield* all).map(({ bytes }) => bytes))
        for (const word of Object.values(other)) assert.isTrue(others.includes(word), word)

        return life
      }).pipe(Effect.scoped, Effect.provide(layer, { local: true }))
      assert.deepStrictEqual(find(yield* disk), [])

      yield* Effect.gen(function* () {
        yield* choring
        const { person, studio, workspace } = life
        assert.deepStrictEqual(
          (yield* (yield* Suppressions).of(workspace, person.addresses)).map(({ reason }) => reason),
          ["erased", "erased"]
        )
        const again = yield* (yield* ContactJobs).import(yield* life.file("again", "people.csv"))
        const { result } = yield* (yield* Jobs).wait(workspace, again.id)
        assert.deepInclude(result as object, { created: 0, merged: 1, rejected: 3 })
        assert.deepStrictEqual(find(yield* all), [])

        const at = (yield* (yield* PacingTime).now) + 1
        yield* (yield* Inbox).receive(studio, [
          {
            type: "messageReceived",
            dedupeKey: "back",
            at,
            participant: { scope: "", externalId: traces.handle },
            externalId: "back",
            content: Builders.text("I am back")
          }
        ])
        const key = Address.key({ channel: "sandbox", scope: "", externalId: traces.handle })
        const anew = Option.getOrThrow(yield* (yield* ContactStore).byAddress(workspace, key))
        assert.notStrictEqual(anew.id, person.id)
        const chat = Option.getOrThrow(yield* (yield* ChatStore).get(workspace, life.chat))
        assert.deepInclude(chat, { contact: anew.id, address: key, tags: [], profile: null })
      }).pipe(Effect.scoped, Effect.provide(layer, { local: true }))
    }).pipe(Effect.scoped)
  )
})

/** Sends what is due for so long. */
const run = (ms: number) =>
  Effect.gen(function* () {
    const [driver, time] = [yield* Driver, yield* PacingTime]
    const end = (yield* time.now) + ms
    for (let rounds = 0; rounds < 1_000; rounds++) {
      const { nextDue, worked } = yield* driver.step
      if (worked) continue
      if (nextDue === null || nextDue >= end) return yield* time.waitUntil(end, 0)
      yield* time.waitUntil(nextDue, 0)
    }
  })
