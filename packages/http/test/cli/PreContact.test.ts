import { existsSync } from "node:fs"
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

  it("is refused before anything is written where the platform has none, and so are too many words with it", async () => {
    const long = { type: "preContact", note: "x".repeat(4_097) }
    here.write("long.json", campaign({ messages: ["Hi"], followUps: [{ messages: [long], sendAfterDays: 2 }] }))
    const none = { capabilities: { preContact: false } }
    const refusals = [
      ["asked.json", none, "messages[0]: none of the campaign's channels can send it: sandbox: people cannot be asked"],
      [
        "long.json",
        {},
        "followUps[0].messages[0]: none of the campaign's channels can send it: sandbox: the text has 4097"
      ]
    ] as const
    for (const [file, script, why] of refusals) {
      expect(await run(file, script)).toMatchObject({ code: 1, stderr: expect.stringContaining(`${file}: ${why}`) })
      expect(existsSync(here.path("overture.sqlite"))).toBe(false)
    }
  })

  it("is forecast for the platform of a script", async () => {
    here.write("none.json", { capabilities: { preContact: false } })
    here.write("asked.json", campaign(files["asked.json"]))
    const forecast = (...script: ReadonlyArray<string>) =>
      inProcess("forecast", here.path("asked.json"), "--people", "2", ...script)
    expect(await forecast()).toMatchObject({ code: 0 })
    const why = "asked.json: messages[0]: none of the campaign's channels can send it: sandbox: "
    expect(await forecast("--sandbox", here.path("none.json"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(why)
    })
  })

  it("is refused of a campaign that has it, too, as soon as no channel of the file takes it", async () => {
    expect(await run("asked.json", {})).toMatchObject({ code: 0 })
    expect(await run("asked.json", { capabilities: { preContact: false } })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("asked.json: messages[0]: ")
    })
  })

  it("is not made with more words than the channel takes, where the words are each person's own", async () => {
    const note = `{{ first }}${"x".repeat(4_095)}`
    here.write("long.json", campaign({ messages: [{ type: "preContact", note }] }))
    expect(await run("long.json", {})).toMatchObject({
      stdout: expect.stringContaining("the channel cannot send this 2")
    })
    expect(here.lines("overture.sandbox.ndjson")).toEqual([])
  })
})
