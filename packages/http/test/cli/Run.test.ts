import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { campaign, contacts, type Desk, desk, overture, start } from "./spawn.ts"

const files = ["--contacts", "contacts.csv", "--campaign", "campaign.json"]
const virtual = ["--virtual", "--from", "2026-03-02T13:00:00Z"]

let here: Desk
beforeEach(() => {
  here = desk()
})
afterEach(() => here.remove())

/** Keys that reached the platform as new messages, and those among them that stand there twice. */
const accepted = () => {
  const keys = here
    .lines("overture.sandbox.ndjson")
    .filter((line) => line["outcome"] === "accepted" && line["repeat"] === false)
    .map((line) => String(line["key"]))
  return { keys, twice: keys.length - new Set(keys).size }
}

describe("overture run", { timeout: 180_000 }, () => {
  it("does the whole job once, and nothing when it is started again", async () => {
    here.write("contacts.csv", `${contacts(12)}person-3,Again\n`)
    here.write("campaign.json", campaign({ followUps: [{ messages: ["Still there?"], sendAfterDays: 1 }] }))
    here.write("sandbox.json", { replies: [{ rate: 0.4, text: "Yes", delay: 60_000, onMessage: 1 }] })

    const first = await overture(here.directory, "run", ...files, ...virtual, "--sandbox", "sandbox.json", "--json")
    expect(first.stderr).toContain("12 new contacts, 1 known already")
    expect(first.code).toBe(0)
    const report = JSON.parse(first.stdout)
    expect(report.campaign).toMatchObject({ externalRef: "hello", status: "finished" })
    expect(report.leads).toMatchObject({ total: 12, sent: 12, pending: 0, failed: 0 })
    expect(report.finishedBefore).toBe(false)
    expect(accepted().twice).toBe(0)
    const sent = accepted().keys.length
    expect(sent).toBe(24 - report.stoppedByReply)

    const again = await overture(here.directory, "run", ...files, "--virtual", "--sandbox", "sandbox.json")
    expect(again.code).toBe(0)
    expect(again.stderr).toContain("finished already: nothing was sent")
    expect(accepted().keys.length).toBe(sent)
  })

  it("goes on after kill -9: every lead is decided, and nobody got a message twice", async () => {
    here.write("contacts.csv", contacts(40))
    here.write("campaign.json", campaign())
    here.write("sandbox.json", { latency: { minMs: 20, maxMs: 60 }, idempotencyKeys: true })
    const args = ["run", ...files, ...virtual, "--sandbox", "sandbox.json", "--lease", "1"]

    const killed = start(here.directory, args)
    await killed.says(/ [1-9]\d* of 40 sent/)
    killed.kill("SIGKILL")
    expect((await killed.ended).signal).toBe("SIGKILL")
    expect(accepted().keys.length).toBeLessThan(40)

    const ended = await overture(here.directory, ...args, "--json")
    expect(ended.stderr).not.toContain("defect")
    expect(ended.code).toBe(0)
    expect(JSON.parse(ended.stdout).leads).toMatchObject({ total: 40, sent: 40, failed: 0 })
    expect(accepted()).toMatchObject({ twice: 0 })
    expect(accepted().keys.length).toBe(40)
  })

  it("stops in good order on SIGTERM with exit code 3, and goes on", async () => {
    here.write("contacts.csv", contacts(30))
    here.write("campaign.json", campaign())
    here.write("sandbox.json", { latency: 40 })
    const args = ["run", ...files, ...virtual, "--sandbox", "sandbox.json"]

    const stopped = start(here.directory, args)
    await stopped.says(/ [1-9]\d* of 30 sent/)
    stopped.kill("SIGTERM")
    const { code, stderr } = await stopped.ended
    expect(stderr).toContain("Start the same command again: it goes on.")
    expect(code).toBe(3)

    const ended = await overture(here.directory, ...args, "--json")
    expect(ended.code).toBe(0)
    expect(JSON.parse(ended.stdout).outcomes).toEqual([{ status: "sent", reason: null, ended: "completed", count: 30 }])
    expect(accepted()).toMatchObject({ twice: 0 })
  })

  it("is the only worker on its file, which can be read meanwhile", async () => {
    here.write("contacts.csv", contacts(30))
    here.write("campaign.json", campaign({ pacing: { rangeMin: 24, rangeMax: 24 } }))
    const worker = start(here.directory, ["run", ...files, "--clock-rate", "1"])
    await worker.says(/Hello has begun/)

    const second = await overture(here.directory, "worker")
    expect(second.code).toBe(1)
    expect(second.stderr).toMatch(/process \d+ already works on overture\.sqlite/)
    const report = await overture(here.directory, "report", "--json")
    expect(report.code).toBe(0)
    expect(JSON.parse(report.stdout).leads.total).toBe(30)
    const explained = await overture(here.directory, "explain", "person-29", "--json")
    expect(JSON.parse(explained.stdout)).toMatchObject({ contact: { name: "P29" }, lead: { status: "assigned" } })

    const paused = await overture(here.directory, "pause")
    expect(paused.code).toBe(0)
    const { code, stderr } = await worker.ended
    expect(code).toBe(3)
    expect(stderr).toContain("is paused: paused by hand")
    expect((await overture(here.directory, "run", ...files)).code).toBe(3)
    expect((await overture(here.directory, "resume")).stdout).toContain("Hello is running")
    expect((await overture(here.directory, "doctor")).code).toBe(0)
  })

  it("tells what it waits for while the platform cannot say what became of a message", async () => {
    here.write("contacts.csv", contacts(2))
    here.write("campaign.json", campaign())
    const cut = { rate: 1, outcome: { type: "outcomeUnknown", received: false } }
    here.write("sandbox.json", { idempotencyKeys: true, outcomes: [cut] })
    const waiting = start(here.directory, ["run", ...files, "--clock-rate", "1000", "--sandbox", "sandbox.json"])
    await waiting.says(/0 of 2 sent, 2 being sent, 0 replied/)
    const explained = await overture(here.directory, "explain", "person-1")
    expect(explained.stdout).toContain("its channel could not tell what became of it and is asked again")
    waiting.kill("SIGINT")
    expect(await waiting.ended).toMatchObject({ code: 3, stdout: expect.stringMatching(/being sent\s+2/) })
  })

  it("lets a worker finish what a run has begun", async () => {
    here.write("contacts.csv", contacts(5))
    here.write("campaign.json", campaign())
    const begun = start(here.directory, ["run", ...files, "--clock-rate", "0.001"])
    await begun.says(/Hello has begun; forecast: 5 touches/)
    begun.kill("SIGINT")
    expect((await begun.ended).code).toBe(3)
    const worker = await overture(here.directory, "worker", "--clock-rate", "5000", "--exit-when-idle")
    expect(worker.stderr).toContain("no campaign is running any more")
    expect(worker.code).toBe(0)
    const report = await overture(here.directory, "report", "--json")
    expect(JSON.parse(report.stdout).campaign.status).toBe("finished")
  })
})
