import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { randomBytes } from "node:crypto"
import { Webhook } from "standardwebhooks"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { inProcess } from "./inProcess.ts"
import { campaign, contacts, type Desk, desk } from "./spawn.ts"

interface Heard {
  readonly headers: Record<string, string>
  readonly body: string
}

let here: Desk
let server: Server
let heard: Array<Heard>
let answer: number

beforeEach(async () => {
  here = desk()
  heard = []
  answer = 204
  server = createServer((request, response) => {
    let body = ""
    request.on("data", (data: Buffer) => (body += data.toString()))
    request.on("end", () => {
      heard.push({ headers: request.headers as Record<string, string>, body })
      response.writeHead(answer).end()
    })
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  vi.stubEnv("OVERTURE_LOCAL_WEBHOOKS", "1")
  vi.stubEnv("OVERTURE_SECRET_KEYS", `a:${randomBytes(32).toString("base64")}`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  here.remove()
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
})

const database = () => ["--database", here.path("overture.sqlite")]
const webhooks = (...args: ReadonlyArray<string>) => inProcess("webhooks", ...args, ...database())
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`

const begun = () => {
  here.write("contacts.csv", contacts(3))
  here.write("campaign.json", campaign())
  const files = ["--contacts", here.path("contacts.csv"), "--campaign", here.path("campaign.json")]
  return inProcess("run", ...files, "--virtual", "--json", ...database())
}

describe("overture webhooks", { timeout: 60_000 }, () => {
  it("makes an endpoint before there is a database, which then hears of a run from beginning to end", async () => {
    expect((await webhooks("create", url())).code).toBe(0)
    expect((await begun()).code).toBe(0)
    const types = heard.map(({ body }) => JSON.parse(body).type)
    expect(types).toEqual(expect.arrayContaining(["campaign.created", "lead.sent", "campaign.finished"]))
    expect(types.filter((type) => type === "lead.sent")).toHaveLength(3)
  })

  it("makes an endpoint, shows its secret once, pings it, signed, and says when it does not answer", async () => {
    expect((await begun()).code).toBe(0)
    const made = await webhooks("create", url(), "--events", "message.*, lead.replied", "--json")
    expect(made.code).toBe(0)
    const { endpoint, secret } = JSON.parse(made.stdout)
    expect(endpoint).toMatchObject({ url: url(), events: ["message.*", "lead.replied"], status: "enabled" })

    const pinged = await webhooks("ping", endpoint.id)
    expect(pinged.stdout).toContain(`${endpoint.id} answered 204`)
    const [first] = heard
    expect(new Webhook(secret).verify(first!.body, first!.headers)).toMatchObject({ type: "webhook.ping" })

    const listed = await webhooks("list", "--json")
    expect(listed.stdout).not.toContain(secret)
    expect(JSON.parse(listed.stdout).endpoints).toHaveLength(1)
    expect((await webhooks("list")).stdout).toContain(url())

    answer = 500
    const refused = await webhooks("ping", endpoint.id)
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("500")])
  })

  it("is switched, given another secret, replayed and removed", async () => {
    expect((await begun()).code).toBe(0)
    const { endpoint, secret } = JSON.parse((await webhooks("create", url(), "--json")).stdout)
    expect((await webhooks("disable", endpoint.id)).stdout).toContain("disabled: member")
    expect((await webhooks("enable", endpoint.id, "--from", "now")).stdout).toContain("enabled")
    const rotated = JSON.parse((await webhooks("rotate", endpoint.id, "--json")).stdout)
    expect(rotated.secret).not.toBe(secret)
    expect((await webhooks("replay", endpoint.id, "--since", "2026-01-01T00:00:00Z")).code).toBe(0)
    expect((await webhooks("deliveries", endpoint.id, "--json")).code).toBe(0)
    expect((await webhooks("remove", endpoint.id)).stdout).toContain("is gone")
    expect((await webhooks("ping", endpoint.id)).stderr).toContain(`there is no webhook endpoint ${endpoint.id}`)
  })

  it("refuses what it should not reach, and what it cannot keep a secret for", async () => {
    expect((await begun()).code).toBe(0)
    const wrong = await webhooks("create", url(), "--events", "messages")
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("events: expected an event type")])
    vi.stubEnv("OVERTURE_SECRET_KEYS", "")
    const keyless = await webhooks("create", url())
    expect([keyless.code, keyless.stderr]).toEqual([1, expect.stringContaining("OVERTURE_SECRET_KEYS")])
    vi.stubEnv("OVERTURE_LOCAL_WEBHOOKS", "")
    const inward = await webhooks("create", url())
    expect([inward.code, inward.stderr]).toEqual([1, expect.stringContaining("https:")])
    vi.stubEnv("OVERTURE_LOCAL_WEBHOOKS", "yes")
    expect((await webhooks("list")).stderr).toContain('OVERTURE_LOCAL_WEBHOOKS: expected 0 or 1, got "yes"')
  })
})

describe("overture jobs", { timeout: 60_000 }, () => {
  it("shows that there are none, and refuses one that is not there", async () => {
    expect((await begun()).code).toBe(0)
    expect(JSON.parse((await inProcess("jobs", "list", "--json", ...database())).stdout)).toEqual({ jobs: [] })
    const missing = await inProcess("jobs", "cancel", "job_1", ...database())
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("there is no job job_1")])
  })
})
