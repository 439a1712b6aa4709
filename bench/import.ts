/** prototype */
import * as PostgresStorage from "@overture/adapters/storage/PostgresStorage"
import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import * as Csv from "@overture/adapters/sources/Csv"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import * as Builders from "@overture/core/testing/Builders"
import * as Address from "@overture/core/channel/Address"
import { Effect, Stream } from "effect"
import pg from "pg"
import { rmSync, writeFileSync, createWriteStream, openSync, writeSync, closeSync, readFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { start } from "../packages/adapters/test/storage/TestPostgres.ts"

const n = Number(process.argv[3] ?? 200000)
const batch = Number(process.argv[4] ?? 20000)
const mode = process.argv[2]!
const build = Builders.make("bench")
const ws = build.workspace()
const list = build.contactList(ws.id, { status: "ready" })
let seed = 42
const rnd = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32
const ids: string[] = []
const rowOf = (i: number) => {
  const id = i > 10 && rnd() < 0.1 ? ids[Math.floor(rnd() * ids.length)]! : `lead-${Math.floor(rnd() * 2 ** 40).toString(36)}-${i}`
  ids.push(id)
  return { externalId: id, first: `First${i % 5000}`, last: `Last${i % 70000}`, timezone: "Europe/Berlin", tags: ["vip", `batch${i % 10}`], attributes: { city: `City ${i % 900}`, company: `Company ${i % 9999}` } as Record<string,string> }
}
const contactOf = (r: ReturnType<typeof rowOf>) => build.contact(ws.id, { name: `${r.first} ${r.last}`, first: r.first, last: r.last, timezone: r.timezone, tags: r.tags, attributes: r.attributes, addresses: [{ channel: "sandbox", scope: "", externalId: r.externalId }] })

const csv = (path: string) => {
  const fd = openSync(path, "w")
  let out = "externalId,first,last,timezone,tags,city,company\n"
  for (let i = 0; i < n; i++) { const r = rowOf(i); out += `${r.externalId},${r.first},${r.last},${r.timezone},${r.tags.join(";")},${r.attributes.city},${r.attributes.company}\n`; if (out.length > 1e6) { writeSync(fd, out); out = "" } }
  writeSync(fd, out); closeSync(fd)
}
const t = async (name: string, f: () => Promise<unknown>) => { const a = performance.now(); await f(); const ms = performance.now() - a; console.log(name, Math.round(ms), "ms", Math.round(n / ms * 1000), "rows/s", Math.round(process.memoryUsage().rss / 1e6), "MB") }

const ours = (layer: any) => Effect.gen(function*() {
  const w = yield* WorkspaceStore; const store = yield* ContactStore
  yield* w.create(ws); yield* store.createList(list)
  const rows = Array.from({ length: n }, (_, i) => contactOf(rowOf(i)))
  yield* Effect.promise(() => t("ours " + batch, () => Effect.runPromise(Effect.gen(function*() {
    for (let i = 0; i < n; i += batch) yield* store.import(ws.id, rows.slice(i, i + batch), list.id)
  }))))
}).pipe(Effect.provide(layer), Effect.scoped, (e: any) => Effect.runPromise(e))

if (mode === "csv") {
  csv("/tmp/imp/rows.csv")
  await t("csv", () => Effect.runPromise(Stream.runForEach(Csv.read("/tmp/imp/rows.csv"), () => Effect.void)))
} else if (mode === "pg") {
  const server = await start({ fsync: true, settings: ["shared_buffers=2GB", "max_wal_size=8GB", "checkpoint_timeout=15min", "work_mem=64MB"] })
  await ours(PostgresStorage.layer({ url: server.url }))
  const c = new pg.Client({ connectionString: server.url }); await c.connect()
  await c.query("truncate overture_contact, overture_contact_address, overture_list_member; checkpoint")
  // COPY baseline
  seed = 42; ids.length = 0
  const seen = new Set<string>(); const people: any[] = []
  for (let i = 0; i < n; i++) { const r = rowOf(i); if (seen.has(r.externalId)) continue; seen.add(r.externalId); people.push(contactOf(r)) }
  const esc = (s: unknown) => s === null ? "\\N" : String(typeof s === "object" ? JSON.stringify(s) : s).replaceAll("\\", "\\\\")
  const contacts = people.map((p) => [p.id, ws.id, p.name, p.first, p.last, p.addresses, p.tags, p.attributes, p.timezone, p.consents, p.externalRef, p.metadata, p.createdAt, []].map(esc).join("\t")).join("\n") + "\n"
  const addresses = people.map((p) => [ws.id, Address.key(p.addresses[0]), p.id].map(esc).join("\t")).join("\n") + "\n"
  const members = people.map((p, i) => [list.id, i + 1, p.id].map(esc).join("\t")).join("\n") + "\n"
  const copy = (table: string, data: string) => new Promise<void>((res, rej) => {
    const sub: any = {
      submit(con: any) { this.con = con; con.query(`copy ${table} from stdin`) },
      handleCopyInResponse(con: any) { const buf = Buffer.from(data); for (let i = 0; i < buf.length; i += 65536) con.sendCopyFromChunk(buf.subarray(i, i + 65536)); con.endCopyFrom() },
      handleCommandComplete() {}, handleError(e: any) { rej(e) }, handleReadyForQuery() { res() }, callback() {}, handleRowDescription() {}, handleDataRow() {}
    }
    ;(c as any).query(sub)
  })
  await t("copy", async () => {
    await c.query("begin")
    const a = performance.now()
    await copy("overture_contact", contacts); const b = performance.now()
    await copy("overture_contact_address", addresses); const d = performance.now()
    await copy("overture_list_member", members); const e = performance.now()
    await c.query("commit")
    console.log({ contact: b - a, address: d - b, member: e - d, people: people.length })
  })
  await c.end(); await server.stop()
} else if (mode === "sl") {
  for (const e of ["", "-wal", "-shm"]) rmSync("/tmp/imp/a.db" + e, { force: true })
  await ours(SqliteStorage.layer({ path: "/tmp/imp/a.db" }))
} else if (mode === "slraw") {
  for (const e of ["", "-wal", "-shm"]) rmSync("/tmp/imp/b.db" + e, { force: true })
  await Effect.gen(function*() { const w = yield* WorkspaceStore; const store = yield* ContactStore; yield* w.create(ws); yield* store.createList(list) }).pipe(Effect.provide(SqliteStorage.layer({ path: "/tmp/imp/b.db" })), Effect.runPromise)
  const rows = Array.from({ length: n }, (_, i) => contactOf(rowOf(i)))
  const db = new DatabaseSync("/tmp/imp/b.db")
  db.exec("pragma journal_mode=wal; pragma synchronous=full; pragma temp_store=file; pragma wal_autocheckpoint=4000")
  await t("raw", async () => {
    db.exec("begin; create temp table stage(n integer primary key, id, address, name, first, last, addresses, tags, attributes, timezone, created_at)")
    const ins = db.prepare("insert into stage select key + ?2, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9 from json_each(?1)")
    for (let i = 0; i < n; i += 5000) ins.run(JSON.stringify(rows.slice(i, i + 5000).map((p) => [p.id, Address.key(p.addresses[0]!), p.name, p.first, p.last, p.addresses, p.tags, p.attributes, p.timezone, p.createdAt])), i + 1)
    db.exec(`insert into overture_contact_address select '${ws.id}', address, id from (select address, id, min(n) from stage group by address) where true order by address on conflict do nothing`)
    db.exec(`create temp table firsts as select s.n from stage s join overture_contact_address a on a.workspace_id='${ws.id}' and a.address = s.address and a.contact_id = s.id order by n`)
    db.exec(`insert into overture_contact select id, '${ws.id}', name, first, last, addresses, tags, attributes, timezone, '[]', null, '{}', created_at, '[]' from firsts f join stage s on s.n=f.n order by f.n`)
    db.exec(`insert into overture_list_member select '${list.id}', row_number() over (order by f.n), s.id from firsts f join stage s on s.n=f.n order by f.n`)
    db.exec("commit")
  })
  console.log(db.prepare("select count(*) n from overture_contact").get())
}
process.exit(0)
