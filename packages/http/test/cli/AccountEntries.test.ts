import { existsSync } from "node:fs"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { inProcess } from "./inProcess.ts"
import { campaign, contacts, type Desk, desk } from "./spawn.ts"

let here: Desk
beforeEach(() => {
  here = desk()
  here.write("contacts.csv", contacts(12))
})
afterEach(() => here.remove())

const database = () => ["--database", here.path("overture.sqlite")]
/** Runs a campaign whose file says this of its accounts. */
const run = (accounts: ReadonlyArray<unknown>, more: object = {}) => {
  here.write("campaign.json", campaign({ accounts, pacing: { rangeMin: 10, rangeMax: 10 }, ...more }))
  const files = ["--contacts", here.path("contacts.csv"), "--campaign", here.path("campaign.json")]
  return inProcess("run", ...files, "--virtual", "--from", "2026-03-02T00:00:00Z", ...database())
}
const listed = async () =>
  JSON.parse((await inProcess("accounts", "list", "--json", ...database())).stdout).accounts as ReadonlyArray<
    Record<string, unknown>
  >
const sentByDate = () =>
  Object.values(
    Object.groupBy(here.lines("overture.sandbox.ndjson"), ({ at }) => String(at).slice(0, 10)) as Record<
      string,
      ReadonlyArray<unknown>
    >
  ).map(({ length }) => length)

const nora = { id: "nora", channel: "sandbox", minGap: 0 }
const limits = {
  dailyCap: 4,
  minGap: 60,
  name: "Nora Vale",
  timezone: "Asia/Kolkata",
  warmUp: { type: "incremental", increment: 2, max: 50 }
}

describe("an account of a campaign file that is there already", { timeout: 60_000 }, () => {
  it("is changed to what the file says of it, whether or not the campaign was there", async () => {
    expect((await run([nora])).code).toBe(0)
    expect(sentByDate()).toEqual([10, 2])

    const limited = await run([{ ...nora, ...limits }], { id: "second", name: "Second" })
    expect(limited.code).toBe(0)
    expect(limited.stderr).toContain(
      "campaign.json: account nora follows the file: name, dailyCap, minGap, warmUp, timezone changed"
    )
    expect(await listed()).toMatchObject([limits])
    expect(Math.max(...sentByDate().slice(2))).toBe(4)

    const renamed = await run([{ ...nora, ...limits, name: "N. Vale", timezone: "UTC" }], { id: "second" })
    expect(renamed.stderr).toContain("account nora follows the file: name, timezone changed")
    expect(await listed()).toMatchObject([{ ...limits, name: "N. Vale", timezone: "UTC" }])
  })

  it("keeps the limits that the file does not name, says so, and loses those that are null", async () => {
    expect((await run([{ ...nora, ...limits }])).code).toBe(0)
    const silent = await run([{ id: "nora", channel: "sandbox" }], { id: "second", name: "Second" })
    expect(silent.code).toBe(0)
    expect(silent.stderr).toContain(
      'campaign.json: accounts[0]: nora keeps what the file does not name: "dailyCap": 4, "minGap": 60, "timezone": "Asia/Kolkata", "warmUp": {"type":"incremental","increment":2,"max":50}'
    )
    expect(await listed()).toMatchObject([limits])

    const none = { dailyCap: null, timezone: null, warmUp: null }
    const lifted = await run([{ ...nora, ...none }], { id: "second", name: "Second" })
    expect([lifted.code, lifted.stderr]).toEqual([0, expect.not.stringContaining("keeps what")])
    expect(await listed()).toMatchObject([{ ...none, minGap: 0, name: "Nora Vale" }])
  })

  it("is not taken for another one: neither on another channel or externalId, nor under another id", async () => {
    expect((await run([{ ...nora, externalId: "page-1" }])).code).toBe(0)
    const before = await listed()
    here.write("contacts.csv", "id\nsomebody-else\n")
    for (const [account, message] of [
      [{ ...nora, externalId: "page-2" }, 'accounts[0].externalId: nora is "page-1" there and stays it, got "page-2"'],
      [{ ...nora, channel: "other" }, "accounts[0].channel: nora is on sandbox and stays on it, got other"],
      [{ ...nora, id: "maya", externalId: "page-1" }, 'accounts[0].externalId: "page-1" is the account nora already'],
      [{ ...nora, id: "page-1" }, 'accounts[0].externalId: "page-1" is the account nora already']
    ] as const) {
      here.write("campaign.json", campaign({ id: "second", accounts: [account] }))
      here.write("sandbox.json", {})
      const files = ["--contacts", here.path("contacts.csv"), "--campaign", here.path("campaign.json")]
      const refused = await inProcess(
        "run",
        ...files,
        "--virtual",
        "--sandbox",
        here.path("sandbox.json"),
        ...database()
      )
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`campaign.json: ${message}`) })
    }
    expect(await listed()).toEqual(before)
    const exported = await inProcess("report", "--json", ...database())
    expect(JSON.parse(exported.stdout)).toMatchObject({ campaign: { externalRef: "hello" }, leads: { total: 12 } })
    expect((await run([{ ...nora, dailyCap: 7 }])).code).toBe(0)
    expect(await listed()).toMatchObject([{ externalId: "page-1", dailyCap: 7 }])
  })

  it("stands in a file once, by its id and by its externalId, for run, plan and forecast alike", async () => {
    const twice = [nora, { ...nora, id: "maya", externalId: "nora" }]
    const message = 'campaign.json: accounts[1].externalId: "nora" on sandbox is accounts[0] already'
    const ran = await run(twice)
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining(message) })
    expect(existsSync(here.path("overture.sqlite"))).toBe(false)
    for (const command of ["plan", "forecast"]) {
      const answer = await inProcess(command, here.path("campaign.json"))
      expect(answer).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining(message) })
    }
  })
})
