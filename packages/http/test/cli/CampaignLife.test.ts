import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { inProcess } from "./inProcess.ts"
import { campaign, contacts, type Desk, desk, overture } from "./spawn.ts"

const run = [
  "run",
  "--contacts",
  "contacts.csv",
  "--campaign",
  "campaign.json",
  "--sandbox",
  "sandbox.json",
  "--virtual"
]

let here: Desk
beforeEach(() => {
  here = desk()
})
afterEach(() => here.remove())

const command = (...args: ReadonlyArray<string>) => overture(here.directory, ...args)
const texts = () => here.lines("overture.sandbox.ndjson").filter((line) => line["outcome"] === "accepted").length

describe("the life of a campaign on the command line", { timeout: 180_000 }, () => {
  it("follows its file, tries again what failed, and is copied", async () => {
    const [head, ...rows] = contacts(6).trim().split("\n")
    here.write("contacts.csv", [`${head},order`, ...rows.map((row) => `${row},   `)].join("\n"))
    here.write("campaign.json", campaign({ messages: ["Hi {{ name }}, {{ order }}"] }))
    here.write("sandbox.json", {})

    const skipped = await command(...run, "--from", "2026-03-02T13:00:00Z", "--json")
    expect(skipped.code).toBe(0)
    expect(JSON.parse(skipped.stdout).leads).toMatchObject({ total: 6, skipped: 6 })
    const preview = await command("preview", "--people", "2")
    expect(preview.stdout).toContain("order: 2 people of these without it")
    expect(texts()).toBe(0)

    const steps = {
      messages: ["Hi {{ name }}"],
      followUps: [{ id: "later", messages: ["Still there?"], sendAfterDays: 2 }]
    }
    here.write("campaign.json", campaign(steps))
    const followed = await command(...run, "--json")
    expect(followed.stderr).toContain("the campaign follows the file: steps changed")
    expect(texts()).toBe(0)

    const unknown = await command("retry", "--reason", "missingVariable", "--include-unknown")
    expect(unknown.code).toBe(2)
    const nobody = await command("retry", "--reason", "missingVariables")
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining("has the reason missingVariables") })
    const retried = await command("retry", "--reason", "missingVariable")
    expect(retried.stdout).toContain("6 leads will be tried again")
    const sent = await command(...run, "--json")
    expect(sent.code).toBe(0)
    expect(JSON.parse(sent.stdout).leads).toMatchObject({ total: 6, sent: 6, skipped: 0 })
    expect(texts()).toBe(12)

    here.write("campaign.json", campaign({ ...steps, followUps: [{ ...steps.followUps[0], sendAfterDays: 0 }] }))
    const refused = await command(...run)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain("followUps[0].sendAfterDays")

    for (const nothing of [
      ["--name", " "],
      ["--ref", ""]
    ]) {
      const nameless = await command("duplicate", ...nothing)
      expect(nameless.code).toBe(2)
      expect(nameless.stderr).toContain(String(nothing[0]))
    }
    const copied = await command("duplicate", "--ref", "again", "--json")
    expect(JSON.parse(copied.stdout).campaign).toMatchObject({ externalRef: "again", status: "draft" })
    const test = await command("test-send", "me", "--campaign", "hello", "--step", "1")
    expect(test.stdout).toContain("1 message to me queued")
  })

  it("shows that nobody can send for it, and is deleted once it is paused", async () => {
    here.write("contacts.csv", contacts(6))
    here.write("campaign.json", campaign({ followList: true }))
    here.write("sandbox.json", { outcomes: [{ rate: 1, outcome: "unauthorized" }] })
    expect((await command(...run, "--from", "2026-03-02T13:00:00Z")).code).toBe(3)

    const report = JSON.parse((await command("report", "--json")).stdout)
    expect(report.campaign).toMatchObject({ status: "running", standing: "inactive" })
    expect((await command("report")).stdout).toContain("inactive: none of its accounts can send")
    expect((await command("doctor")).stdout).toContain("inactive, 6 leads")
    const database = ["--database", here.path("overture.sqlite")]
    const explained = JSON.parse((await inProcess("explain", "person-0", ...database, "--json")).stdout)
    expect(explained.campaign).toMatchObject({ status: "running", standing: "inactive" })

    const unnamed = await command("delete")
    expect(unnamed).toMatchObject({ code: 2, stderr: expect.stringContaining("--campaign") })
    const refused = await command("delete", "--campaign", "hello")
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("overture pause --campaign hello") })
    await command("pause")
    const resumed = await command("resume")
    expect(resumed.stdout).toContain("none of its accounts can send")
    await command("pause")

    const deleted = JSON.parse((await command("delete", "--campaign", "hello", "--json")).stdout).campaign
    expect(deleted).toMatchObject({ externalRef: "hello", status: "deleted" })
    const after = JSON.parse((await command("report", "--campaign", deleted.id, "--json")).stdout)
    expect(after.leads).toMatchObject({ total: 6, skipped: 6 })
    expect(after.campaign).toMatchObject({ status: "deleted", standing: "deleted" })
    const again = await command("delete", "--campaign", deleted.id)
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("was deleted before") })
  })

  it("tells what a deleted campaign did, and means by a name the one that is not deleted", async () => {
    here.write("contacts.csv", contacts(1))
    here.write("campaign.json", campaign({ id: undefined, name: "Unnamed" }))
    here.write("sandbox.json", {})
    const at = ["--database", here.path("overture.sqlite")]
    const given = { contacts: "contacts.csv", campaign: "campaign.json", sandbox: "sandbox.json" }
    const files = Object.entries(given).flatMap(([flag, name]) => [`--${flag}`, here.path(name)])
    const send = () => inProcess("run", ...files, ...at, "--virtual", "--from", "2026-03-02T13:00:00Z", "--json")
    const remove = () => inProcess("delete", "--campaign", "Unnamed", ...at, "--json")
    const explained = async () => JSON.parse((await inProcess("explain", "person-0", ...at, "--json")).stdout)

    const first = JSON.parse((await send()).stdout).campaign.id
    await remove()
    expect(await explained()).toMatchObject({ campaign: { id: first }, lead: { status: "sent" } })
    const second = JSON.parse((await send()).stdout).campaign.id
    expect(second).not.toBe(first)
    const report = await inProcess("report", "--campaign", "Unnamed", ...at, "--json")
    expect(JSON.parse(report.stdout).campaign.id).toBe(second)
    expect(await explained()).toMatchObject({ campaign: { id: second } })
    await remove()
    const either = await inProcess("explain", "person-0", ...at)
    expect(either).toMatchObject({ code: 2, stderr: expect.stringContaining(`${first}, ${second}`) })
  })

  it("explains what a stranger wrote without letting it look like anything else", async () => {
    const text = "\u001b[2J\u001b]0;pwned\u0007well\r\n  Mon 2 Mar 2026 09:00  we    forged  (sent)"
    here.write("contacts.csv", contacts(1))
    here.write("campaign.json", campaign())
    here.write("sandbox.json", { replies: [{ delay: 60_000, text }] })
    const at = ["--database", here.path("overture.sqlite")]
    const files = ["--contacts", here.path("contacts.csv"), "--campaign", here.path("campaign.json")]
    const ran = await inProcess("run", "--virtual", ...files, "--sandbox", here.path("sandbox.json"), ...at)
    expect(ran.code).toBe(0)
    const { stdout } = await inProcess("explain", "person-0", ...at)
    expect(stdout).toMatch(
      / {2}they {2}\ufffd\[2J\ufffd\]0;pwned\ufffdwell\n {20,}Mon 2 Mar 2026 09:00 {2}we {4}forged/
    )
    const told = JSON.parse((await inProcess("explain", "person-0", ...at, "--json")).stdout)
    expect(told.messages.at(-1).text).toBe(text)
  })
})
