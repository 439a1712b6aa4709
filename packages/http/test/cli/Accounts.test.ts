import { randomBytes } from "node:crypto"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { inProcess } from "./inProcess.ts"
import { campaign, contacts, type Desk, desk } from "./spawn.ts"

let here: Desk
beforeEach(() => {
  here = desk()
})
afterEach(() => {
  vi.unstubAllEnvs()
  here.remove()
})

const database = () => ["--database", here.path("overture.sqlite")]
const run = (...more: ReadonlyArray<string>) =>
  inProcess(
    "run",
    "--contacts",
    here.path("contacts.csv"),
    "--campaign",
    here.path("campaign.json"),
    "--virtual",
    "--json",
    ...database(),
    ...more
  )
const accounts = (...args: ReadonlyArray<string>) => inProcess("accounts", ...args, ...database())
const listed = async (...args: ReadonlyArray<string>) =>
  JSON.parse((await accounts("list", "--json", ...args)).stdout).accounts as ReadonlyArray<Record<string, unknown>>

const two = [
  { id: "nora", channel: "sandbox", minGap: 0, name: "Nora" },
  { id: "maya", channel: "sandbox", minGap: 0, dailyCap: 5 }
]
const followUps = [{ messages: ["Still there?"], sendAfterDays: 3 }]

/** A run that stops as soon as its campaign does, which `paused` accounts see to. */
const begun = async () => {
  here.write("contacts.csv", contacts(40))
  here.write("campaign.json", campaign({ accounts: two, followUps, pacing: { rangeMin: 10, rangeMax: 10 } }))
  const first = await run("--from", "2026-03-02T13:00:00Z")
  expect(first.code).toBe(0)
  return first
}

describe("overture accounts", { timeout: 120_000 }, () => {
  it("shows them, switches them, and sets and clears what keeps them from sending", async () => {
    await begun()
    expect((await listed()).map((one) => [one["externalRef"], one["availability"]])).toEqual([
      ["nora", "able"],
      ["maya", "able"]
    ])
    const page = await accounts("list", "--campaign", "hello")
    expect(page.stdout).toMatch(/maya +maya +sandbox +5 a day +\d+ touches +ready/)

    expect((await accounts("disable", "Nora")).stdout).toBe("Nora: disabled\n")
    expect((await accounts("mark", "nora", "restricted")).stdout).toBe("Nora: disabled; restricted\n")
    expect((await accounts("mark", "nora", "banned")).stdout).toBe("Nora: banned\n")
    expect((await listed())[0]).toMatchObject({ enabled: false, health: "banned", attention: ["restricted"] })
    expect((await accounts("clear", "nora", "banned")).stdout).toBe("Nora: disabled; restricted\n")
    expect((await accounts("enable", "nora")).stdout).toBe("Nora: restricted\n")
    expect((await accounts("clear", "nora")).stdout).toBe("Nora: ready\n")
  })

  it("lets them join and leave, and says what that means for people", async () => {
    await begun()
    const last = ["leave", "nora", "--campaign", "hello"]
    const left = await accounts(...last)
    expect(left.stdout).toContain("Nora left:")
    expect((await accounts(...last)).stderr).toContain("account nora is not in the campaign hello")
    const alone = await accounts("leave", "maya")
    expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining("is the last one of campaign")])
    const tested = await inProcess("test-send", "me", "--account", "nora", ...database())
    expect([tested.code, tested.stderr]).toEqual([1, expect.stringContaining("account Nora is not in the campaign")])
    const joined = await accounts("join", "nora", "--json")
    expect(JSON.parse(joined.stdout)).toMatchObject({ joined: true })
    expect((await accounts("join", "nora")).stdout).toBe("Nora is in Hello already.\n")
    expect((await listed("--campaign", "hello")).map((one) => one["campaign"])).toMatchObject([
      { left: null },
      { left: null }
    ])
  })

  it("is told by a run whose file has one account less", async () => {
    await begun()
    here.write(
      "campaign.json",
      campaign({
        accounts: [two[0]],
        followUps: [...followUps, { messages: ["Last one"], sendAfterDays: 9 }],
        pacing: { rangeMin: 10, rangeMax: 10 }
      })
    )
    const again = await run()
    expect(again.code).toBe(0)
    expect(again.stderr).toMatch(
      /maya left: \d+ leads it had written to ended without the follow-ups that were to come/
    )
    const report = JSON.parse(again.stdout)
    expect(report.endedWithAccount).toBeGreaterThan(0)
    expect(again.stderr).toContain(`maya left: ${report.endedWithAccount} leads`)
  })

  it("connects one with credentials from a file, which nothing shows, and refuses them without a key", async () => {
    await begun()
    here.write("token.txt", "hunter2-token\n")
    const connect = (...more: ReadonlyArray<string>) =>
      accounts("connect", "--channel", "sandbox", "--id", "lena", "--name", "Lena", ...more)
    vi.stubEnv("OVERTURE_SECRET_KEYS", "")
    const keyless = await connect("--credentials", here.path("token.txt"))
    expect([keyless.code, keyless.stderr]).toEqual([1, expect.stringContaining("OVERTURE_SECRET_KEYS")])
    expect(await listed()).toHaveLength(2)
    vi.stubEnv("OVERTURE_SECRET_KEYS", `a:${randomBytes(32).toString("base64")}`)
    const connected = await connect("--credentials", here.path("token.txt"))
    expect(connected.stdout).toBe("Lena (lena) is connected; its credentials are stored, encrypted.\n")
    expect((await connect()).stdout).toBe("Lena (lena) is known already.\n")
    expect(JSON.stringify(await listed())).not.toContain("hunter2")
    expect((await accounts("join", "lena")).stdout).toContain("Lena is in Hello")
    const missing = await connect("--credentials", here.path("nothing.txt"))
    expect(missing.stderr).toContain("it cannot be read (ENOENT)")
    const named = await accounts("connect", "--channel", "Bad Name", "--id", "x")
    expect([named.code, named.stderr]).toEqual([2, expect.stringContaining("a channel name")])
  })

  it("refuses who is not there, and reasons that nobody has", async () => {
    await begun()
    expect((await accounts("enable", "ghost")).stderr).toContain("there is no account ghost; there are: nora, maya")
    const reason = await accounts("mark", "nora", "tired")
    expect([reason.code, reason.stderr]).toEqual([2, expect.stringContaining("unauthorized")])
    expect((await accounts("join", "nora", "--campaign", "other")).stderr).toContain("there is no campaign other")
  })
})
