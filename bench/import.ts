/**
 * Import and export of a large list, against what the database can do at best. The rivals write the same rows into the
 * same tables with the same indexes and the same durability, and all of it in one transaction; ours commits each chunk.
 *
 * On PostgreSQL it is COPY of files that hold the rows of each table as they will be: nothing is parsed, normalised or
 * compared, and duplicates are left out beforehand. On SQLite it is a script that stages the file and merges it; its CSV
 * is lines cut at commas. Both know that no row is wrong and that nobody was known before.
 *
 * Each contestant works in a process of its own, whose peak of memory is told, on a fresh database. The processor time is
 * of the work alone, the server's included: on a busy machine it says more than the clock. Most of an export's peak over
 * idle is the young heap, which V8 lets grow to 32 MB whatever is in it.
 *
 * `npm run bench:import -- [--rows N] [--rounds N] [--on postgres|sqlite] [--chunk N]`
 */
import * as ContactFile from "@overture/adapters/sources/ContactFile"
import * as PostgresStorage from "@overture/adapters/storage/PostgresStorage"
import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import * as Address from "@overture/core/channel/Address"
import { Channels } from "@overture/core/channel/Channel"
import { ContactImports } from "@overture/core/contact/ContactImports"
import { ContactLists } from "@overture/core/contact/ContactLists"
import { ContactStore } from "@overture/core/contact/ContactStore"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { generator, Ids } from "@overture/core/workspace/Id"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import * as Seed from "@overture/core/workspace/Seed"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, Layer, Stream } from "effect"
import { fork } from "node:child_process"
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync
} from "node:fs"
import { tmpdir, totalmem } from "node:os"
import path from "node:path"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import pg from "pg"
import { open } from "../packages/adapters/src/storage/sqlite/open.ts"
import { start } from "../packages/adapters/test/storage/TestPostgres.ts"

interface Task {
  readonly role: "copy" | "raw" | "import" | "export"
  readonly storage: { readonly url: string } | { readonly path: string }
  readonly home: string
  readonly chunk?: number | undefined
}

interface Told {
  readonly ms: number
  readonly rows: number
  readonly peakMb: number
  readonly idleMb: number
  /** Seconds of processor time of the process, from its start of work to its end. */
  readonly cpu: number
}

/** What one contestant came to. */
interface Result extends Told {
  /** Seconds of processor time of the server. */
  readonly server: number
  /** What the server wrote to its log. */
  readonly walMb: number
}

const build = Builders.make("bench import")
const workspace = build.workspace()
const list = build.contactList(workspace.id, { status: "ready" })
const tables = ["contact", "contact_address", "list_member"] as const

/** The file to import, and the rows of each table it comes to, as COPY reads them. */
const generate = (home: string, rows: number) => {
  const random = Seed.random("bench import")
  const ids = generator(Builders.start, random)
  const given: Array<number> = []
  const names = ["rows.csv", ...tables]
  const files = names.map((name) => openSync(path.join(home, name), "w"))
  const texts = ["externalId,first,last,timezone,tags,city,company\n", "", "", ""]
  const flush = (least: number) => {
    for (const [i, file] of files.entries()) {
      if (texts[i]!.length < least) continue
      writeSync(file, texts[i]!)
      texts[i] = ""
    }
  }
  let people = 0
  for (let i = 0; i < rows; i++) {
    const again = i > 10 && random() < 0.1 ? given[Math.floor(random() * given.length)] : undefined
    const n = again ?? i
    const externalId = `lead-${Math.imul(n + 1, 2_654_435_761) >>> 0}-${n}`
    const [first, last, city, company] = [
      `First${n % 5_000}`,
      `Last${n % 70_000}`,
      `City ${n % 900}`,
      `Company ${n % 9_999}`
    ]
    texts[0] += `${externalId},${first},${last},Europe/Berlin,vip;batch${n % 10},${city},${company}\n`
    if (again === undefined) {
      given.push(i)
      people += 1
      const id = ids.next("con")
      const address = { channel: "sandbox", scope: "", externalId }
      const json = [[address], ["vip", `batch${n % 10}`], { city, company }].map((value) => JSON.stringify(value))
      const columns = [
        id,
        workspace.id,
        `${first} ${last}`,
        first,
        last,
        ...json,
        "Europe/Berlin",
        "[]",
        "\\N",
        "{}",
        Builders.start,
        "[]",
        "\\N"
      ]
      texts[1] += `${columns.join("\t")}\n`
      texts[2] += `${workspace.id}\t${Address.key(address)}\t${id}\n`
      texts[3] += `${list.id}\t${people}\t${id}\n`
    }
    if (i % 1_000 === 0) flush(65_536)
  }
  flush(1)
  for (const file of files) closeSync(file)
  return people
}

const storageOf = (where: Task["storage"]) =>
  "url" in where ? PostgresStorage.layer({ url: where.url }) : SqliteStorage.layer({ path: where.path })

const people = (where: Task["storage"]) =>
  Layer.mergeAll(ContactImports.layer, ContactLists.layer).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        storageOf(where),
        Layer.succeed(Channels, Channels.from([TestChannel.make()])),
        Ids.layer,
        PacingTime.layer
      )
    )
  )

const memory = (field: "VmHWM" | "VmRSS") =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) / 1_024

/** Measures from now on; call the answer at the end of the work. */
const meter = () => {
  const idleMb = memory("VmRSS")
  const used = process.cpuUsage()
  const began = performance.now()
  return () => {
    const { system, user } = process.cpuUsage(used)
    return { ms: performance.now() - began, cpu: (user + system) / 1e6, idleMb }
  }
}

const prepare = Effect.gen(function* () {
  yield* (yield* WorkspaceStore).create(workspace)
  yield* (yield* ContactStore).createList(list)
})

const ours = ({ chunk, home, storage }: Task) =>
  Effect.gen(function* () {
    const imports = yield* ContactImports
    const file = path.join(home, "rows.csv")
    const measured = meter()
    const done = yield* imports.run({
      workspace: workspace.id,
      id: "bench",
      list: list.id,
      rules: { channel: "sandbox", accounts: [] },
      fingerprint: yield* ContactFile.fingerprint(file),
      source: ContactFile.read(file),
      chunk
    })
    return { ...measured(), rows: done.created }
  }).pipe(Effect.provide(people(storage)))

const exported = ({ storage }: Task) =>
  Effect.gen(function* () {
    const lists = yield* ContactLists
    yield* lists.get(workspace.id, list.id)
    const measured = meter()
    let rows = -1
    yield* Stream.runForEach(lists.csv(workspace.id, list.id), (text) =>
      Effect.sync(() => {
        for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) rows++
      })
    )
    return { ...measured(), rows }
  }).pipe(Effect.provide(people(storage)))

/** COPY of a file into a table, by what pg offers to whoever brings a query of their own. */
const copyIn = (client: pg.Client, table: string, file: string) =>
  new Promise<void>((resolve, reject) => {
    interface Wire {
      query(text: string): void
      sendCopyFromChunk(chunk: Buffer): void
      endCopyFrom(): void
      readonly stream: NodeJS.WritableStream & { readonly writableNeedDrain: boolean }
    }
    const send = async (wire: Wire) => {
      for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
        wire.sendCopyFromChunk(chunk)
        if (wire.stream.writableNeedDrain) await new Promise((drained) => wire.stream.once("drain", drained))
      }
      wire.endCopyFrom()
    }
    const query = {
      submit: (wire: Wire) => wire.query(`copy ${table} from stdin`),
      handleCopyInResponse: (wire: Wire) => void send(wire).catch(reject),
      handleCommandComplete: () => {},
      handleError: reject,
      handleReadyForQuery: () => resolve(),
      callback: () => {}
    }
    client.query(query as unknown as pg.Submittable)
  })

const copied = async ({ home, storage }: Task) => {
  const client = new pg.Client({ connectionString: (storage as { readonly url: string }).url })
  await client.connect()
  const measured = meter()
  await client.query("begin")
  for (const table of tables) await copyIn(client, `overture_${table}`, path.join(home, table))
  await client.query("commit")
  const told = measured()
  const { rows } = await client.query<{ readonly n: string }>("select count(*) as n from overture_contact")
  await client.end()
  return { ...told, rows: Number(rows[0]?.n) }
}

/** What a script would do by hand: split the lines, stage them, and merge in the order of the keys. */
const raw = async ({ home, storage }: Task) => {
  const db = await Effect.runPromise(open((storage as { readonly path: string }).path))
  db.exec("pragma temp_store = file")
  const measured = meter()
  const ids = generator(Builders.start, Seed.random("raw"))
  db.exec(`begin immediate; create temp table stage(n integer primary key, id, address, name, first, last, addresses, tags,
    attributes, timezone)`)
  const insert = db.prepare("insert into stage values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
  let n = -1
  for await (const line of createInterface({ input: createReadStream(path.join(home, "rows.csv")) })) {
    n += 1
    if (n === 0) continue
    const [externalId, first, last, timezone, tags, city, company] = line.split(",") as [
      string,
      string,
      string,
      string,
      string,
      string,
      string
    ]
    const addresses = JSON.stringify([{ channel: "sandbox", scope: "", externalId }])
    insert.run(
      n,
      ids.next("con"),
      `sandbox//${externalId}`,
      `${first} ${last}`,
      first,
      last,
      addresses,
      JSON.stringify(tags.split(";")),
      JSON.stringify({ city, company }),
      timezone
    )
  }
  db.exec(`insert into overture_contact_address select '${workspace.id}', address, id from
    (select address, id, min(n) from stage group by address) where true order by address on conflict do nothing`)
  db.exec(`create temp table firsts as select s.n from stage s join overture_contact_address a
    on a.workspace_id = '${workspace.id}' and a.address = s.address and a.contact_id = s.id order by s.n`)
  db.exec(`insert into overture_contact select id, '${workspace.id}', name, first, last, addresses, tags, attributes,
    timezone, '[]', null, '{}', ${Builders.start}, '[]', null from firsts f join stage s on s.n = f.n order by f.n`)
  db.exec(`insert into overture_list_member select '${list.id}', row_number() over (order by f.n), s.id
    from firsts f join stage s on s.n = f.n order by f.n`)
  db.exec("commit")
  const told = measured()
  const row = db.prepare("select count(*) as n from overture_contact").get() as { readonly n: number }
  db.close()
  return { ...told, rows: row.n }
}

const roles = {
  copy: copied,
  raw,
  import: (task: Task) => Effect.runPromise(ours(task)),
  export: (task: Task) => Effect.runPromise(exported(task))
}

const measure = (task: Task): Promise<Told> =>
  new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, [JSON.stringify(task)], { execArgv: process.execArgv })
    child.once("message", (told: Told) => resolve(told))
    child.once("exit", (code) => (code === 0 ? undefined : reject(new Error(`${task.role} ended with ${code}`))))
  })

/** Processor time of a process, its children and those of them that ended, in seconds. */
const secondsOf = (pid: number | undefined): number => {
  if (pid === undefined) return 0
  const ticksOf = (id: string) => readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1]!.split(" ").slice(11, 15)
  const alive = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")
  const ticks = alive.flatMap((id) => (existsSync(`/proc/${id}`) ? ticksOf(id).slice(0, 2) : []))
  return [...ticksOf(String(pid)), ...ticks].reduce((sum, tick) => sum + Number(tick), 0) / 100
}

const main = async () => {
  const { values } = parseArgs({
    options: {
      rows: { type: "string", default: "1000000" },
      rounds: { type: "string", default: "1" },
      on: { type: "string" },
      chunk: { type: "string" }
    }
  })
  const all = Number(values.rows)
  const chunk = values.chunk === undefined ? undefined : Number(values.chunk)
  const home = mkdtempSync(path.join(tmpdir(), "overture-import-"))
  const print = (name: string, rows: number, { cpu, idleMb, ms, peakMb, rows: found, server, walMb }: Result) =>
    console.log(
      `${name.padEnd(16)} ${String(rows).padStart(8)} rows ${String(Math.round(ms)).padStart(8)} ms ${String(Math.round((rows / ms) * 1_000)).padStart(8)} rows/s  peak ${Math.round(peakMb)} MB (idle ${Math.round(idleMb)})  cpu ${cpu.toFixed(1)} s, server ${server.toFixed(1)} s, ${Math.round(walMb)} MB WAL  ${found} people`
    )
  const server =
    values.on === "sqlite"
      ? undefined
      : await start({
          fsync: true,
          settings: [
            `shared_buffers=${totalmem() > 12e9 ? "2GB" : "512MB"}`,
            "max_wal_size=8GB",
            "checkpoint_timeout=15min",
            "work_mem=64MB",
            // It would work on ours while it is measured, and on the one transaction of COPY only afterwards.
            "autovacuum=off"
          ]
        })
  const admin = server === undefined ? undefined : new pg.Client({ connectionString: server.url })
  await admin?.connect()
  const written = async () =>
    admin === undefined
      ? 0
      : Number((await admin.query("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes")).rows[0].bytes) / 1e6
  const run = async (task: Task): Promise<Result> => {
    await admin?.query("checkpoint")
    const [wal, used] = [await written(), secondsOf(server?.pid())]
    const told = await measure(task)
    return { ...told, server: secondsOf(server?.pid()) - used, walMb: (await written()) - wal }
  }
  let made = 0
  const fresh = async (on: "postgres" | "sqlite"): Promise<Task["storage"]> => {
    const name = `import_${++made}`
    if (on === "sqlite") {
      const storage = { path: path.join(home, `${name}.db`) }
      await Effect.runPromise(Effect.provide(prepare, storageOf(storage)))
      return storage
    }
    await admin!.query(`create database ${name}`)
    const storage = { url: server!.url.replace(/\/postgres$/, `/${name}`) }
    await Effect.runPromise(Effect.provide(prepare, storageOf(storage)))
    return storage
  }
  const discard = async (storage: Task["storage"]) => {
    if ("url" in storage) await admin!.query(`drop database ${storage.url.slice(storage.url.lastIndexOf("/") + 1)}`)
    else for (const suffix of ["", "-wal", "-shm"]) rmSync(storage.path + suffix, { force: true })
  }
  try {
    const found = new Map<string, Array<number>>()
    const note = (name: string, ratio: number) => found.set(name, [...(found.get(name) ?? []), ratio])
    for (let round = 0; round < Number(values.rounds); round++) {
      const peaks: Record<string, number> = {}
      for (const rows of [Math.round(all / 10), all]) {
        const count = generate(home, rows)
        for (const on of ["postgres", "sqlite"] as const) {
          if (values.on !== undefined && values.on !== on) continue
          const compete = async () => {
            const storage = await fresh(on)
            const told = await run({ role: on === "postgres" ? "copy" : "raw", storage, home })
            await discard(storage)
            return told
          }
          // Who goes first changes, for the second finds the disk still busy.
          const early = round % 2 === 0 ? await compete() : undefined
          const storage = await fresh(on)
          const mine = await run({ role: "import", storage, home, chunk })
          const out = await run({ role: "export", storage, home })
          await discard(storage)
          const rival = early ?? (await compete())
          print(on === "postgres" ? "copy" : "raw sqlite", rows, rival)
          print(`import ${on}`, rows, mine)
          print(`export ${on}`, count, out)
          for (const told of [rival, mine, out])
            if (told.rows !== count) throw new Error(`${told.rows} people, not ${count}`)
          note(`${on}, ${rows} rows: time / rival`, mine.ms / rival.ms)
          note(`${on}, ${rows} rows: processor time / rival`, (mine.cpu + mine.server) / (rival.cpu + rival.server))
          note(`${on}, ${rows} rows: export, MB over idle`, out.peakMb - out.idleMb)
          if (peaks[on] !== undefined) note(`${on}: memory for 10 × the rows`, mine.peakMb / peaks[on])
          peaks[on] = mine.peakMb
        }
      }
    }
    for (const [name, ratios] of found) {
      const sorted = ratios.toSorted((a, b) => a - b)
      const [least, median, most] = [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!]
      console.log(`${name.padEnd(48)} ${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`)
    }
  } finally {
    await admin?.end()
    await server?.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

const task = process.argv[2]?.startsWith("{") === true ? (JSON.parse(process.argv[2]) as Task) : undefined
if (task === undefined) await main()
else {
  const told = await roles[task.role](task)
  process.send!({ ...told, peakMb: memory("VmHWM") } satisfies Told, () => process.exit(0))
}
