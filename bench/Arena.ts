/**
 * The databases of the bench: a PostgreSQL server of its own with durable commits and room to work, and a SQLite file,
 * each seeded once and copied for every run; and how a run is started, timed and checked.
 */
import { type ChildProcess, fork } from "node:child_process"
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { totalmem, tmpdir } from "node:os"
import path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as pause } from "node:timers/promises"
import { Effect } from "effect"
import pg from "pg"
import { start } from "../packages/adapters/test/storage/TestPostgres.ts"
import { storage } from "./engine.ts"
import type { Left, Said, Storage, Task, Told } from "./Run.ts"
import * as Seed from "./Seed.ts"

/** What is to be run; the storage is a fresh copy. */
export interface Contestant {
  readonly name: string
  readonly what: string
  readonly on: Storage["type"]
  readonly processes: number
  /** Of the leads; less than 1 for one that is so slow that few of them tell as much. */
  readonly part: number
  readonly task: Pick<Task, "contestant" | "sendConcurrency" | "writes">
}

export interface Measured {
  readonly ms: number
  readonly leadsPerSecond: number
  /** Rows written per lead to the engine's tables: touches, claims, counters. */
  readonly rowsPerLead: number
  /** Rows written per lead to the tables of a queue, its adding of the jobs included. */
  readonly queueRowsPerLead: number
  /** Bytes of write-ahead log per lead, on PostgreSQL. */
  readonly walPerLead: number | null
  /** Microseconds of processor per lead: of our processes, and of the server's (null where that cannot be told). */
  readonly cpuPerLead: number
  readonly serverCpuPerLead: number | null
}

export interface Arena {
  readonly measure: (contestant: Contestant) => Promise<Measured>
  /** A new database, seeded, for measurements of another kind. */
  readonly postgres: (name: string) => Promise<string>
  readonly stop: () => Promise<void>
}

const longest = 300_000
const gigabyte = 2 ** 30
const settings = [
  `shared_buffers=${totalmem() > 12 * gigabyte ? "2GB" : "512MB"}`,
  "max_wal_size=8GB",
  "checkpoint_timeout=15min",
  "work_mem=64MB"
]

const written = `select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del) filter (where relname like 'overture_%'), 0)::int
    as ours, sum(n_tup_ins + n_tup_upd + n_tup_del)::int as n,
  pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as wal from pg_stat_user_tables`
const slowest = `select round(total_exec_time) as ms, calls, rows, wal_bytes, round(shared_blks_hit::numeric / calls) as blocks,
  regexp_replace(left(query, 400), '\\s+', ' ', 'g') as query from pg_stat_statements
  where dbid = (select oid from pg_database where datname = current_database()) order by total_exec_time desc limit 60`
const counted = `select (select count(*) from overture_lead where status = 'sent') as "sentLeads",
  (select count(*) from overture_message where status = 'sent') as "sentMessages",
  (select count(*) from overture_chat) as chats,
  (select count(*) from overture_event where type in ('message.sent', 'lead.sent')) as events`

const numbers = (row: object): Left =>
  Object.fromEntries(Object.entries(row).map(([key, value]) => [key, Number(value)])) as unknown as Left

const withClient = async <A>(url: string, use: (client: pg.Client) => Promise<A>): Promise<A> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

const ticksPerSecond = 100

/** Microseconds of processor that the server and its children have used, on Linux. */
const serverCpu = (pid: number): number | null => {
  const stat = (id: string | number) => readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1]!.split(" ").map(Number)
  const sum = (values: ReadonlyArray<number>) => values.reduce((all, one) => all + one, 0)
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")
    // utime and stime are fields 14 and 15; of the postmaster also those of children that ended, as one may just now.
    const living = children.filter((id) => existsSync(`/proc/${id}/stat`)).map((id) => sum(stat(id).slice(11, 13)))
    return ((sum(stat(pid).slice(11, 15)) + sum(living)) / ticksPerSecond) * 1e6
  } catch {
    return null
  }
}

interface Raced {
  readonly ms: number
  readonly written: number
  readonly cpu: number
  readonly serverCpu: number | null
}

/** Runs the processes of a contestant from "go" until the last has everything in the database. */
const race = async (task: Task, processes: number, pid: number, profile: string | undefined): Promise<Raced> => {
  const profiling = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]
  const file = path.join(import.meta.dirname, "child.ts")
  const children = Array.from({ length: processes }, (_, i) =>
    fork(file, [JSON.stringify({ ...task, worker: `bench-${i}` })], { execArgv: [...process.execArgv, ...profiling] })
  )
  const tell = (child: ChildProcess, told: Told) => void child.send(told)
  const sent = children.map(() => 0)
  let ready = 0
  let finished = 0
  let total = 0
  let cpu = 0
  let began = 0
  let server: number | null = null
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${task.contestant} did not end in time`)), longest)
      for (const [i, child] of children.entries()) {
        child.once("error", reject)
        child.once("exit", (code) => {
          if (code !== 0) reject(new Error(`a process of ${task.contestant} ended with ${code}`))
        })
        child.on("message", (said: Said) => {
          if (said.type === "ready") {
            ready += 1
            if (ready < processes) return
            server = serverCpu(pid)
            began = performance.now()
            for (const each of children) tell(each, { type: "go" })
            return
          }
          sent[i] = said.sent
          if (said.type === "idle") {
            tell(child, { type: "answer", over: sent.reduce((sum, one) => sum + one, 0) >= task.leads })
            return
          }
          finished += 1
          total += said.written ?? 0
          cpu += said.cpuMicros
          if (finished < processes) return
          clearTimeout(timer)
          const ms = performance.now() - began
          const after = serverCpu(pid)
          resolve({ ms, written: total, cpu, serverCpu: server === null || after === null ? null : after - server })
        })
      }
    })
  } finally {
    const over = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null
    for (let waited = 0; waited < 5_000 && !children.every(over); waited += 20) await pause(20)
    for (const child of children) if (!over(child)) child.kill("SIGKILL")
  }
}

const check = (name: string, left: Left, leads: number, events: number) => {
  const wanted: Left = { sentLeads: leads, sentMessages: leads, chats: leads, events: events * leads }
  for (const [key, value] of Object.entries(wanted)) {
    const found = left[key as keyof Left]
    if (found !== value) throw new Error(`${name} left ${found} ${key}, not ${value}: it is not to be measured`)
  }
}

/** Starts the server and seeds both databases. */
export const open = async (size: Seed.Size, options: { readonly profile?: string | undefined }): Promise<Arena> => {
  const profiling = options.profile === undefined ? [] : ["shared_preload_libraries=pg_stat_statements"]
  const server = await start({ fsync: true, settings: [...settings, ...profiling] })
  const home = mkdtempSync(path.join(tmpdir(), "overture-bench-"))
  const url = (name: string) => server.url.replace(/\/postgres$/, `/${name}`)
  const admin = (text: string) => withClient(server.url, (client) => client.query(text))
  const template = path.join(home, "template.db")
  let seeded: Promise<void> | undefined
  const seed = () =>
    (seeded ??= (async () => {
      await admin("create database template_bench")
      const each: ReadonlyArray<Storage> = [
        { type: "postgres", url: url("template_bench") },
        { type: "sqlite", path: template }
      ]
      for (const where of each) await Effect.runPromise(Effect.provide(Seed.seed(size), storage(where)))
      await withClient(url("template_bench"), async (client) => {
        if (options.profile !== undefined) await client.query("create extension pg_stat_statements")
        await client.query("vacuum (freeze, analyze)")
      })
      const raw = new DatabaseSync(template)
      raw.exec("pragma wal_checkpoint(truncate); analyze")
      raw.exec("pragma wal_checkpoint(truncate)")
      raw.close()
    })())
  let runs = 0

  const leadsOf = ({ part }: Contestant) => Math.ceil(size.leads * part)
  const perLead = ({ cpu, ms, serverCpu }: Raced, leads: number) => ({
    ms,
    leadsPerSecond: (leads / ms) * 1_000,
    cpuPerLead: cpu / leads,
    serverCpuPerLead: serverCpu === null ? null : serverCpu / leads
  })

  const onPostgres = async (contestant: Contestant): Promise<Measured> => {
    const { name, processes, task } = contestant
    const leads = leadsOf(contestant)
    const database = `run_${++runs}`
    await admin(`create database ${database} template template_bench strategy file_copy`)
    const where: Storage = { type: "postgres", url: url(database) }
    await admin("checkpoint")
    const before = await withClient(where.url, async (client) => (await client.query(written)).rows[0])
    const run = await race({ ...task, storage: where, leads, worker: "" }, processes, server.pid(), options.profile)
    // Backends report what they wrote when they end.
    await pause(200)
    const after = await withClient(where.url, async (client) => {
      check(name, numbers((await client.query(counted)).rows[0]), leads, task.writes === "four" ? 1 : 2)
      if (options.profile !== undefined) {
        const { rows } = await client.query(slowest)
        writeFileSync(path.join(options.profile, `${database}-${name}.json`), JSON.stringify(rows, null, 1))
      }
      return (await client.query(written)).rows[0]
    })
    await admin(`drop database ${database} with (force)`)
    return {
      ...perLead(run, leads),
      rowsPerLead: (after.ours - before.ours) / leads,
      queueRowsPerLead: (after.n - after.ours - before.n + before.ours) / leads,
      walPerLead: (after.wal - before.wal) / leads
    }
  }

  const onSqlite = async (contestant: Contestant): Promise<Measured> => {
    const { name, processes, task } = contestant
    const leads = leadsOf(contestant)
    const file = path.join(home, `run-${++runs}.db`)
    copyFileSync(template, file)
    const where: Storage = { type: "sqlite", path: file }
    const run = await race({ ...task, storage: where, leads, worker: "" }, processes, 0, options.profile)
    const raw = new DatabaseSync(file)
    check(name, numbers(raw.prepare(counted).get()!), leads, 2)
    raw.close()
    for (const end of ["", "-wal", "-shm", "-guard"]) rmSync(file + end, { force: true })
    return {
      ...perLead(run, leads),
      rowsPerLead: run.written / leads,
      queueRowsPerLead: 0,
      walPerLead: null
    }
  }

  return {
    measure: async (contestant) => {
      await seed()
      return contestant.on === "postgres" ? onPostgres(contestant) : onSqlite(contestant)
    },
    postgres: async (name) => {
      await admin(`create database ${name}`)
      return url(name)
    },
    stop: async () => {
      await server.stop()
      rmSync(home, { recursive: true, force: true })
    }
  }
}
