import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { DatabaseSync } from "node:sqlite"
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
    const lena = ["connect", "--channel", "sandbox", "--id", "lena"]
    expect((await accounts(...lena, "--name", "Helena")).stdout).toContain("its name stays what it was")
    expect((await accounts(...lena, "--ref", "helena")).stderr).toContain('"lena" is the account lena already')
    expect(JSON.stringify(await listed())).not.toContain("hunter2")
    expect((await accounts("join", "lena")).stdout).toContain("Lena is in Hello")
    const missing = await connect("--credentials", here.path("nothing.txt"))
    expect(missing.stderr).toContain("nothing.txt: there is no such file")
    const named = await accounts("connect", "--channel", "Bad Name", "--id", "x")
    expect([named.code, named.stderr]).toEqual([2, expect.stringContaining("a channel name")])
  })

  it("connects one before there is a database, which a campaign file then names", async () => {
    const connected = await accounts("connect", "--channel", "sandbox", "--id", "nora")
    expect([connected.code, connected.stdout]).toEqual([0, "nora (nora) is connected.\n"])
    expect(connected.stderr).toContain("overture.sqlite is a new database")
    here.write("contacts.csv", contacts(3))
    here.write("campaign.json", campaign({ accounts: ["nora"] }))
    expect(JSON.parse((await run()).stdout).leads).toMatchObject({ sent: 3 })
  })

  it("tries the proxy of one, and keeps what came of it", async () => {
    // Whoever answers a request for another host's page is a proxy.
    const proxy = createServer((_, response) => response.end("ok")).listen(0, "127.0.0.1")
    await once(proxy, "listening")
    const { port } = proxy.address() as AddressInfo
    vi.stubEnv("OVERTURE_SECRET_KEYS", `a:${randomBytes(32).toString("base64")}`)
    vi.stubEnv("OVERTURE_PROBE_URL", "http://example.com/")
    here.write("egress.txt", `http://ann:hunter2@127.0.0.1:${port}\n`)
    const connect = (...more: ReadonlyArray<string>) =>
      accounts("connect", "--channel", "sandbox", "--id", "nora", ...more)
    await connect()
    const without = await accounts("probe", "nora")
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining("nora has no proxy")])
    expect((await connect("--egress", here.path("egress.txt"))).stdout).toContain("its proxy is stored, encrypted")
    const inward = await accounts("probe", "nora")
    expect([inward.code, inward.stderr]).toEqual([1, expect.stringContaining("not at an address of the open internet")])
    vi.stubEnv("OVERTURE_LOCAL_PROXIES", "1")
    const probed = await accounts("probe", "nora")
    expect([probed.code, probed.stdout]).toEqual([
      0,
      expect.stringMatching(/^nora: the proxy answers after \d+ ms\.\n$/)
    ])
    expect((await listed())[0]?.["egress"]).toMatchObject({ host: "127.0.0.1", port, check: { error: null } })
    proxy.closeAllConnections()
    proxy.close()
    await once(proxy, "close")
    const gone = await accounts("probe", "nora", "--json")
    expect([gone.code, JSON.parse(gone.stdout).error]).toEqual([1, "the proxy refused the connection"])
    expect(JSON.stringify(await listed())).not.toContain("hunter2")
  })

  it("looks at no database that is not there, and says how to make one", async () => {
    const missing = await accounts("list")
    expect([missing.code, missing.stdout]).toEqual([1, ""])
    expect(missing.stderr).toContain("there is no such database\nName another with --database, or make this one")
    expect(existsSync(here.path("overture.sqlite"))).toBe(false)
    expect((await inProcess("migrate", ...database())).stdout).toContain("ran 1")
    expect((await accounts("list")).code).toBe(0)
  })

  it("leaves the database of another program as it is", async () => {
    const file = here.path("overture.sqlite")
    const theirs = new DatabaseSync(file)
    theirs.exec("create table note(text)")
    theirs.close()
    const before = readFileSync(file)
    for (const answer of [await accounts("list"), await inProcess("doctor", ...database())]) {
      expect(answer).toMatchObject({ code: 1, stdout: "" })
      expect(answer.stderr).toContain("overture.sqlite: it has no tables of Overture\nName another with --database")
    }
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it("refuses who is not there, and reasons that nobody has", async () => {
    await begun()
    expect((await accounts("enable", "ghost")).stderr).toContain("there is no account ghost; there are: nora, maya")
    const reason = await accounts("mark", "nora", "tired")
    expect([reason.code, reason.stderr]).toEqual([2, expect.stringContaining("unauthorized")])
    expect((await accounts("join", "nora", "--campaign", "other")).stderr).toContain("there is no campaign other")
  })
})
