import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { inProcess } from "./inProcess.ts"
import { campaign, contacts, type Desk, desk } from "./spawn.ts"

let here: Desk
beforeEach(() => {
  here = desk()
})
afterEach(() => here.remove())

const run = (file: string, ...args: ReadonlyArray<string>) =>
  inProcess(
    "run",
    "--contacts",
    here.path("contacts.csv"),
    "--campaign",
    here.path(file),
    "--sandbox",
    here.path("sandbox.json"),
    "--database",
    here.path("overture.sqlite"),
    "--virtual",
    ...args
  )

describe("a cap below the messages of a step", { timeout: 120_000 }, () => {
  it("is refused by field where it is known, and named where it came later", async () => {
    const capped = { id: "nora", channel: "sandbox", minGap: 0, dailyCap: 2 }
    const three = { messages: ["one", "two", "three"] }
    here.write("contacts.csv", contacts(3))
    here.write("sandbox.json", {})
    here.write("small.json", campaign({ accounts: [capped] }))
    here.write("three.json", campaign({ id: "three", name: "Three", ...three, accounts: ["nora"] }))
    expect((await run("small.json", "--from", "2026-03-02T13:00:00Z")).code).toBe(0)
    const refused = await run("three.json")
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain("accounts[0]: a step has 3 messages, more than the 2 that it may send a day")

    const raised = { id: "other", name: "Other", accounts: [{ ...capped, dailyCap: 300 }] }
    here.write("raised.json", campaign(raised))
    expect((await run("raised.json")).code).toBe(0)
    expect((await run("three.json")).code).toBe(0)
    here.write("lowered.json", campaign({ ...raised, accounts: [capped] }))
    await run("lowered.json")
    here.write("contacts.csv", contacts(5))
    const blocked = await run("three.json")
    expect(blocked.code).toBe(3)
    expect(blocked.stderr).toContain("cannot go on")
    expect(blocked.stderr).toContain("nora: a step has 3 messages, more than the 2 that it may send a day")
    await run("raised.json")
    expect((await run("three.json")).code).toBe(0)
  })

  it("is none where the file that has the step raises the cap, for a campaign that is new or there already", async () => {
    const nora = (dailyCap: number) => ({ accounts: [{ id: "nora", channel: "sandbox", minGap: 0, dailyCap }] })
    const three = { messages: ["one", "two", "three"], ...nora(300) }
    here.write("contacts.csv", contacts(3))
    here.write("sandbox.json", {})
    here.write("one.json", campaign(nora(2)))
    here.write("grown.json", campaign(three))
    here.write("new.json", campaign({ ...three, id: "new", name: "New" }))
    for (const file of ["new.json", "grown.json"]) {
      await run("one.json")
      const ran = await run(file)
      expect(ran).toMatchObject({
        code: 0,
        stderr: expect.stringContaining("account nora follows the file: dailyCap changed")
      })
    }
    expect(here.lines("overture.sandbox.ndjson").filter(({ account }) => account === "nora").length).toBeGreaterThan(0)
  })
})
