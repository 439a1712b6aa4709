import { readdirSync } from "node:fs"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { inProcess } from "./inProcess.ts"
import { campaign, contacts, type Desk, desk, overture } from "./spawn.ts"

let here: Desk
beforeEach(() => {
  here = desk()
  here.write("contacts.csv", contacts(1))
  here.write("campaign.json", campaign())
  const photo = { url: "sandbox:photo", filename: "broken.gif", data: "R0lGODlhAQABAAAAACwAAAAAAQABAAA=" }
  const vera = {
    account: "nora",
    person: "vera",
    at: "2026-03-02T15:00:00Z",
    text: "It came like this",
    media: [photo]
  }
  here.write("sandbox.json", { visitors: [vera] })
})
afterEach(() => {
  vi.unstubAllEnvs()
  here.remove()
})

const flags = () => ({
  "--contacts": here.path("contacts.csv"),
  "--campaign": here.path("campaign.json"),
  "--sandbox": here.path("sandbox.json"),
  "--database": here.path("overture.sqlite"),
  "--from": "2026-03-02T13:00:00Z"
})
const run = (more: Readonly<Record<string, string>> = {}) => [
  "run",
  "--virtual",
  "--json",
  ...Object.entries({ ...flags(), ...more }).flat()
]
const kept = () =>
  readdirSync(here.path("media"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)

describe("files that people send", { timeout: 60_000 }, () => {
  it("are kept in the folder that --media names, which is made", async () => {
    const { code, stderr } = await inProcess(...run({ "--media": here.path("media") }))
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("warning")])
    expect(kept()).toEqual([expect.stringMatching(/^med_[0-9a-f]{32}$/)])
  })

  it("are kept where OVERTURE_MEDIA says, and nowhere when it is empty", async () => {
    const files = () => readdirSync(here.directory).filter((name) => !name.startsWith("overture"))
    const before = files()
    vi.stubEnv("OVERTURE_MEDIA", "")
    expect((await overture(here.directory, ...run())).code).toBe(0)
    expect(files()).toEqual(before)
    vi.stubEnv("OVERTURE_MEDIA", here.path("media"))
    const another = run({ "--database": here.path("overture-2.sqlite") })
    expect((await overture(here.directory, ...another)).code).toBe(0)
    expect(kept()).toHaveLength(1)
  })

  const misplaced: ReadonlyArray<readonly [what: string, media: () => string, code: number, message: string]> = [
    ["a file in place of the folder", () => here.path("contacts.csv"), 1, "it is a file, not a folder"],
    ["a folder below a file", () => here.path("contacts.csv/media"), 1, "it lies below a file"],
    ["a URL of something else", () => "ftp://user:secret@host/x", 2, "Expected a folder or s3://bucket/prefix"],
    ["a bucket without a key to it", () => "s3://inbox/media", 1, "AWS_REGION, AWS_ACCESS_KEY_ID"]
  ]
  it.each(misplaced)("are refused %s, before anything is written", async (_, media, code, message) => {
    for (const name of ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) vi.stubEnv(name, "")
    const refused = await inProcess(...run({ "--media": media() }))
    expect([refused.code, refused.stderr]).toEqual([code, expect.stringContaining(message)])
    expect(refused.stderr).not.toContain("secret")
    expect(readdirSync(here.directory)).not.toContain("overture.sqlite")
  })
})
