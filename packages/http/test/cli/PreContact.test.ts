import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { inProcess } from "./inProcess.ts"
import { campaign, contacts, type Desk, desk } from "./spawn.ts"

let here: Desk
beforeEach(() => {
  here = desk()
})
afterEach(() => here.remove())

const request = { type: "preContact", note: "It is {{ first }}'s turn" }
const files = {
  "asked.json": { messages: [request, "Hi"] },
  "step.json": { id: "step", messages: [request], followUps: [{ messages: ["Hi"], type: "noReply", sendAfterDays: 2 }] }
}

const run = (file: string, script: object) => {
  here.write("contacts.csv", contacts(2))
  here.write("sandbox.json", script)
  for (const [name, more] of Object.entries(files)) here.write(name, campaign(more))
  const given = { contacts: "contacts.csv", campaign: file, sandbox: "sandbox.json", database: "overture.sqlite" }
  const args = Object.entries(given).flatMap(([flag, name]) => [`--${flag}`, here.path(name)])
  return inProcess("run", ...args, "--virtual", "--from", "2026-03-02T13:00:00Z")
}

describe("a contact request", { timeout: 120_000 }, () => {
  it.each(Object.keys(files))("comes before the first message: %s", async (file) => {
    expect(await run(file, {})).toMatchObject({ code: 0 })
    const heard = Map.groupBy(here.lines("overture.sandbox.ndjson"), ({ to }) => to)
    expect(heard.size).toBe(2)
    for (const lines of heard.values()) {
      expect(lines.map(({ body }) => body)).toEqual([expect.stringMatching(/^It is \S+'s turn$/), "Hi"])
    }
  })

  it("is not made where the platform has none, and says why", async () => {
    expect(await run("asked.json", { capabilities: { preContact: false } })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("the channel cannot send this 2")
    })
    expect(here.lines("overture.sandbox.ndjson")).toEqual([])
  })

  it("is not made with more words than the channel takes", async () => {
    here.write("long.json", campaign({ messages: [{ type: "preContact", note: "x".repeat(4_097) }] }))
    expect(await run("long.json", {})).toMatchObject({
      stdout: expect.stringContaining("the channel cannot send this 2")
    })
    expect(here.lines("overture.sandbox.ndjson")).toEqual([])
  })
})
