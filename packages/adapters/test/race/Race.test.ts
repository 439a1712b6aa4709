/**
 * Two who claim the same campaigns at the same moment. What the platforms received is counted by person and text, and what
 * the ledger tells by lead: a unique key could hide a second send, and an event told twice.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Outbox } from "@overture/core/outbox/Outbox"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { afterEach, assert, describe, it } from "@effect/vitest"
import { Context, Effect } from "effect"
import * as Engine from "../../../../scripts/chaos/Engine.ts"
import * as Ledger from "../../../../scripts/chaos/Ledger.ts"
import { seed } from "../../../../scripts/chaos/seed.ts"
import * as Setting from "../../../../scripts/chaos/Setting.ts"
import { judge } from "../../../../scripts/chaos/verdict.ts"
import * as Workers from "../../../../scripts/chaos/Workers.ts"
import { freshDatabase } from "../storage/TestPostgres.ts"

const directories: Array<string> = []
afterEach(async () => {
  await Workers.endAll()
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** Few accounts with many slots, so that whoever claims finds the other at the same rows. */
const prepare = async (place: (directory: string) => Promise<Setting.Place>, leads = 300): Promise<Setting.Setting> => {
  const directory = mkdtempSync(join(tmpdir(), "overture-race-"))
  directories.push(directory)
  const setting: Setting.Setting = {
    directory,
    place: await place(directory),
    leads,
    accounts: 2,
    rate: 3_600,
    quota: 1_440,
    dailyCap: 2_000,
    latency: { minMs: 0, maxMs: 0 },
    leaseMs: 60_000,
    partDelay: { minSeconds: 3, maxSeconds: 8 },
    cli: false,
    conversation: false,
    cut: false
  }
  Setting.write(setting)
  await seed(setting)
  return setting
}

/** Everything went out once, and was told once. */
const check = async (setting: Setting.Setting): Promise<void> => {
  const ledger = Ledger.open(setting.place)
  try {
    const verdict = await judge(setting, ledger, { unknown: new Set(), unknownBeyond: 0 })
    assert.deepStrictEqual(verdict.violations, [])
    assert.strictEqual(verdict.sent, verdict.received)
    assert.isAbove(verdict.sent, setting.leads)
  } finally {
    await ledger.close()
  }
}

const onSqlite = (directory: string): Promise<Setting.Place> =>
  Promise.resolve({ type: "sqlite", path: join(directory, "race.db") })

/** Sends everything by two ticks at a time. */
const ticking = (setting: Setting.Setting): Promise<void> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const engine = yield* Engine.open(setting, { sends: true })
        const { tick } = Context.get(engine, Outbox)
        const campaigns = Context.get(engine, CampaignStore)
        const [workspace] = yield* Context.get(engine, WorkspaceStore).list
        const isOver = Effect.map(campaigns.list(workspace!.id, { limit: 100 }), ({ data }) =>
          data.every(({ status }) => status === "finished")
        )
        let ticks = 0
        for (; ticks < 4_000 && !(yield* isOver); ticks++) {
          const both = yield* Effect.all([tick, tick], { concurrency: 2 })
          // Pacing is fast, but real: there is nothing to do before the next slot.
          if (both.every(({ worked }) => !worked)) yield* Effect.sleep(5)
        }
        assert.isBelow(ticks, 4_000)
      })
    )
  )

describe("a race for the same leads", () => {
  it("of two processes on one PostgreSQL", { timeout: 60_000 }, async () => {
    const setting = await prepare(async () => ({ type: "postgres", url: await freshDatabase() }))
    const workers = [Workers.start(setting), Workers.start(setting, { deadly: "--ticks" })]
    const ledger = Ledger.open(setting.place)
    const claimants = new Set<string>()
    await Workers.until(async () => {
      for (const { worker } of await ledger.rows<{ readonly worker: string }>("select worker from overture_claim")) {
        claimants.add(worker)
      }
      return workers.every((worker) => !worker.isAlive())
    }, 40_000)
    await ledger.close()
    for (const worker of workers) assert.strictEqual(await worker.exited, 0, worker.said())
    assert.strictEqual(claimants.size, 2)
    await check(setting)
  })

  it("of two ticks at a time in one process on SQLite", { timeout: 60_000 }, async () => {
    const setting = await prepare(onSqlite)
    await ticking(setting)
    await check(setting)
  })
})

describe("the referee of these races and of the chaos", () => {
  it("sees what was received twice, lost, left open or told twice", { timeout: 60_000 }, async () => {
    const setting = await prepare(onSqlite, 24)
    await ticking(setting)
    const log = Setting.logOf(setting, "plain")
    const whole = readFileSync(log, "utf8")
    const [first = "", ...rest] = whole
      .trimEnd()
      .split("\n")
      .filter((line) => line.includes('"accepted"'))
    const ledger = Ledger.open(setting.place)
    const violations = async () => {
      const verdict = await judge(setting, ledger, { unknown: new Set(), unknownBeyond: 0 })
      return verdict.violations.map((violation) => violation.split(":").slice(0, 2).join(":"))
    }
    try {
      assert.deepStrictEqual(await violations(), [])
      writeFileSync(log, `${rest.join("\n")}\n`)
      assert.include(await violations(), "plain: sent in the database, never received")
      writeFileSync(log, `${whole}${first}\n`)
      assert.include(await violations(), "plain: keys received twice")
      writeFileSync(log, `${whole}${first.replace(/"key":"[^"]*/, "$&x")}\n`)
      const another = await violations()
      assert.include(another, "plain: received, neither sent nor unknown in the database")
      assert.include(another, "plain: texts that one person received twice")
      writeFileSync(log, whole)
      await ledger.rows(
        "insert into overture_event select null, xid, id, workspace_id, type, at, subject, actor, cause, data from overture_event where type = 'lead.sent' limit 1"
      )
      await ledger.rows("update overture_pace set used = used + 1, sent = sent + 1")
      await ledger.rows("update overture_lead set claim_id = 'clm' where id = (select min(id) from overture_lead)")
      await ledger.rows("insert into overture_claim values ('clm', 'w', 0, '[]')")
      const books = (await violations()).map((violation) => violation.split(":")[0])
      for (const wrong of [
        "claims left",
        "leads without an end",
        "events told twice",
        "paces whose used is not what went out on their day",
        "counters that differ from a recount"
      ]) {
        assert.include(books, wrong)
      }
    } finally {
      await ledger.close()
    }
  })
})
