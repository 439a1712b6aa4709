import { execFileSync } from "node:child_process"
import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { inProcess } from "./inProcess.ts"
import { campaign, contacts, type Desk, desk, overture, start } from "./spawn.ts"

let here: Desk
beforeEach(() => {
  here = desk()
})
afterEach(() => here.remove())

const database = () => ["--database", here.path("people.sqlite")]
const importing = (file: string, ...more: ReadonlyArray<string>) =>
  inProcess("import", here.path(file), "--list", "people", ...database(), ...more)
const exported = async (...more: ReadonlyArray<string>) =>
  (await inProcess("export", "--list", "people", ...database(), ...more)).stdout
const ndjson = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe("overture import and export", { timeout: 120_000 }, () => {
  it("goes on to the end where nobody reads any more how far it is", async () => {
    here.write("people.csv", contacts(20_000))
    const file = here.path("people.csv")
    const running = start(here.directory, ["import", file, "--list", "people", ...database(), "--json"])
    running.stopReading()
    expect((await running.ended).code).toBe(0)
    const again = await importing("people.csv", "--json")
    expect(ndjson(again.stdout).at(-1)).toMatchObject({ created: 0, merged: 20_000, resumed: false })
  })

  it("imports what it can, tells the rest by line, column and reason, and doubles nothing", async () => {
    here.write(
      "people.csv",
      "id,name,timezone,city\nann,Ann Lee,Europe/Berlin,Köln\nben,Ben,Mars/Base,Rome\n,Nobody,,\nann,Ann Lee,,Bonn\ncem,Cem 🌻,,\n"
    )
    const first = await importing("people.csv", "--rejected", here.path("out.csv"), "--json")
    expect(first.code).toBe(0)
    const done = ndjson(first.stdout).at(-1)
    expect(done).toMatchObject({ type: "done", records: 5, created: 2, merged: 1, rejected: 2, resumed: false })
    expect(done?.["list"]).toMatchObject({ name: "people", members: 2 })
    expect(readFileSync(here.path("out.csv"), "utf8")).toBe(
      'line,column,reason,value\r\n3,timezone,"not a known time zone, such as Europe/Berlin",Mars/Base\r\n4,id,neither an external id nor a phone number,\r\n'
    )
    expect(ndjson(await exported("--json"))).toEqual([
      {
        channel: "sandbox",
        externalId: "ann",
        name: "Ann Lee",
        first: "Ann",
        last: "Lee",
        timezone: "Europe/Berlin",
        tags: [],
        attributes: { city: "Bonn" }
      },
      { channel: "sandbox", externalId: "cem", name: "Cem 🌻", first: "Cem", last: "🌻", tags: [], attributes: {} }
    ])

    const again = await importing("people.csv", "--json")
    expect(again.code).toBe(0)
    expect(ndjson(again.stdout).at(-1)).toMatchObject({ created: 0, merged: 3, rejected: 2, resumed: false })
    expect(again.stderr).toContain("people.csv, line 3, column timezone: not a known time zone")
  })

  it("lets the file win, or fill what is empty", async () => {
    here.write("old.csv", "id,name,city\nann,Ann,\n")
    here.write("new.csv", "id,name,city\nann,Anne,Bonn\n")
    await importing("old.csv")
    await importing("new.csv", "--fill")
    expect(ndjson(await exported("--json"))[0]).toMatchObject({ name: "Ann", attributes: { city: "Bonn" } })
    await importing("new.csv", "--update")
    expect(ndjson(await exported("--json"))[0]).toMatchObject({ name: "Anne" })
  })

  it("reads columns with titles of their own", async () => {
    here.write("crm.csv", "Handle,Tel=mobile,Town,Notes\nann,0170 1234567,Bonn,secret\n")
    const mapping = ["Handle=externalId", "Tel=mobile=phone", "Town=attributes.city", "Notes="]
    const { code } = await importing("crm.csv", "--country", "DE", ...mapping.flatMap((entry) => ["--mapping", entry]))
    expect(code).toBe(0)
    expect(ndjson(await exported("--json"))[0]).toMatchObject({ externalId: "ann", attributes: { city: "Bonn" } })
  })

  it("exports what it imports again as it was", async () => {
    here.write(
      "people.csv",
      'externalId,name,first,last,timezone,tags,"a ""b"", c"\nann,"Lee, Ann",Ann,Lee,Asia/Kolkata,x;y,"two\nlines"\nben,=Ben,,,,,\n'
    )
    await importing("people.csv")
    const file = here.path("copy.csv")
    expect((await inProcess("export", "--list", "people", "--out", file, ...database())).code).toBe(0)
    const copy = readFileSync(file, "utf8")
    expect(copy).toBe(await exported())
    const other = ["--database", here.path("other.sqlite")]
    expect((await inProcess("import", file, "--list", "people", ...other)).code).toBe(0)
    expect((await inProcess("export", "--list", "people", ...other)).stdout).toBe(copy)
    expect(await exported("--for-spreadsheets")).toContain(",'=Ben,")
  })

  it("leaves the file alone where an export fails", async () => {
    here.write("people.csv", contacts(3))
    await importing("people.csv")
    here.write("old.csv", "precious")
    const failed = await inProcess("export", "--list", "gone", "--out", here.path("old.csv"), ...database())
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain("there is no list gone in this database")
    expect(readFileSync(here.path("old.csv"), "utf8")).toBe("precious")
    const nowhere = await inProcess("export", "--list", "people", "--out", here.path("no/x.csv"), ...database())
    expect(nowhere.stderr).toContain("its directory does not exist")
  })

  it("exports to where a link leads, and into a pipe, without putting a file in their place", async () => {
    here.write("people.csv", "id,name\nann,Ann\n")
    expect((await inProcess("import", here.path("people.csv"), "--list", "x", ...database())).code).toBe(0)
    here.write("real.csv", "former")
    symlinkSync(here.path("real.csv"), here.path("link.csv"))
    const out = (name: string) => inProcess("export", "--list", "x", "--out", here.path(name), ...database())
    expect((await out("link.csv")).code).toBe(0)
    expect(lstatSync(here.path("link.csv")).isSymbolicLink()).toBe(true)
    expect(readFileSync(here.path("real.csv"), "utf8")).toContain("ann,sandbox,Ann")
    execFileSync("mkfifo", [here.path("pipe")])
    const read = readFile(here.path("pipe"), "utf8")
    expect((await out("pipe")).code).toBe(0)
    expect(await read).toContain("ann,sandbox,Ann")
    expect(lstatSync(here.path("pipe")).isFIFO()).toBe(true)
  })

  it("asks for a list where there is no campaign to export", async () => {
    here.write("people.csv", "id,name\nann,Ann\n")
    const left = ["--rejected", here.path("no/left.csv")]
    const refused = await inProcess("import", here.path("people.csv"), "--list", "x", ...left, ...database())
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("its directory does not exist")])
    expect((await inProcess("import", here.path("people.csv"), "--list", "x", ...database())).code).toBe(0)
    const asked = await inProcess("export", ...database())
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining("x  1 contact\n")])
  })

  it("exports what became of a campaign, a row for each lead", async () => {
    here.write("contacts.csv", contacts(20))
    here.write("campaign.json", campaign({ followUps: [{ messages: ["Still there?"], sendAfterDays: 1 }] }))
    here.write("sandbox.json", {
      recipients: {
        "person-1": { outcomes: ["unreachable"] },
        "person-2": { replies: [{ text: "Yes", delay: 60_000 }] }
      }
    })
    const files = ["--contacts", here.path("contacts.csv"), "--campaign", here.path("campaign.json")]
    const run = await inProcess("run", ...files, "--virtual", "--sandbox", here.path("sandbox.json"), ...database())
    expect(run.code).toBe(0)
    const { stdout } = await inProcess("export", ...database())
    const [header, ...rows] = stdout.trim().split("\r\n")
    expect(header).toBe(
      "lead,contact,channel,externalId,externalRef,account,status,reason,ended,step,stepStatus,stepReason,firstSentAt,lastSentAt,repliedAt,nextStep,nextAt"
    )
    expect(rows.length).toBe(20)
    const all = ndjson((await inProcess("export", "--campaign", "hello", "--json", ...database())).stdout)
    const of = (id: string) => all.find(({ externalId }) => externalId === id)
    expect(of("person-1")).toMatchObject({
      account: "nora",
      status: "failed",
      reason: "unreachable",
      firstSentAt: null
    })
    expect(of("person-2")).toMatchObject({ status: "sent", ended: "replied", step: 0 })
    expect(of("person-3")).toMatchObject({ status: "sent", ended: "completed", step: 1, stepStatus: "sent" })
    expect(of("person-3")?.["touches"]).toHaveLength(2)
  })

  it("goes on after kill -9, without doubling a contact or a line of its report", async () => {
    const rows = 30_000
    const lines = Array.from({ length: rows }, (_, i) => (i % 1_000 === 7 ? `p${i},Mars/Base` : `p${i},`))
    here.write("people.csv", `id,timezone\n${lines.join("\n")}\n`)
    const args = ["import", "people.csv", "--list", "people", "--rejected", "out.csv", "--json"]
    const killed = start(here.directory, args)
    await killed.says(/"type":"progress"/)
    killed.kill("SIGKILL")
    expect((await killed.ended).signal).toBe("SIGKILL")
    // As if the process had died between the report and the commit of a chunk.
    writeFileSync(here.path("out.csv"), "99999,id,told but not committed,\r\n", { flag: "a" })

    const ended = await overture(here.directory, ...args)
    expect(ended.code).toBe(0)
    expect(ndjson(ended.stdout).at(-1)).toMatchObject({
      records: rows,
      created: rows - 30,
      merged: 0,
      rejected: 30,
      resumed: true
    })
    const told = readFileSync(here.path("out.csv"), "utf8").trim().split("\r\n")
    expect(told.slice(1).map((line) => Number(line.split(",")[0]))).toEqual(
      Array.from({ length: 30 }, (_, i) => i * 1_000 + 9)
    )
  })

  it("stops in good order on SIGTERM with exit code 3, and goes on", async () => {
    here.write("people.csv", contacts(30_000))
    const args = ["import", "people.csv", "--list", "people", "--json"]
    const stopped = start(here.directory, args)
    await stopped.says(/"type":"progress"/)
    stopped.kill("SIGTERM")
    const { code, stderr } = await stopped.ended
    expect(stderr).toContain("Start the same command again: it goes on.")
    expect(code).toBe(3)
    const ended = await overture(here.directory, ...args)
    expect(ndjson(ended.stdout).at(-1)).toMatchObject({ records: 30_000, created: 30_000, resumed: true })
  })
})

type Case = readonly [
  name: string,
  file: string,
  content: string | Uint8Array,
  message: string,
  flags?: ReadonlyArray<string>
]

const cases: ReadonlyArray<Case> = [
  ["a web page", "a.csv", "<!doctype html>\n<p>Log in</p>\n", "a.csv, line 1: it is a web page (HTML or XML)"],
  [
    "a spreadsheet",
    "a.csv",
    Uint8Array.from([80, 75, 3, 4, 20, 0, 6, 0]),
    "a.csv, line 1: it is a spreadsheet such as .xlsx"
  ],
  ["an old workbook", "a.csv", Uint8Array.from([0xd0, 0xcf, 0x11, 0xe0]), "a.csv, line 1: it is an old Excel workbook"],
  ["Latin-1", "a.csv", Buffer.from("id,name\na,Jos\xe9\n", "latin1"), "a.csv, line 2: it is not UTF-8"],
  ["UTF-16", "a.csv", Buffer.from("\ufeffid,name\na,b\n", "utf16le"), "a.csv, line 1: it is UTF-16"],
  ["NUL bytes", "a.csv", "id,name\na,\0\n", "a.csv, line 2: it contains NUL bytes"],
  [
    "a field of 100 MB",
    "a.csv",
    Buffer.concat([Buffer.from('id,name\na,"'), Buffer.alloc(100_000_000, 120)]),
    "a.csv, line 2"
  ],
  [
    "the same title twice",
    "a.csv",
    "id,name,Name\na,b,c\n",
    'a.csv, line 1, column Name: columns 2 ("name") and 3 ("Name") both give the name'
  ],
  ["the same attribute twice", "a.csv", "id,city,city\na,b,c\n", "both give the attribute city"],
  [
    "no column that identifies",
    "a.csv",
    "name\nAnn\n",
    "a.csv, line 1: the header has no column externalId, id or phone"
  ],
  ["nothing", "a.csv", "", "a.csv: the file is empty"],
  ["only a header", "a.csv", "id,name\n", "a.csv: there are no rows below the header"],
  [
    "a mapping of a column that is not there",
    "a.csv",
    "id,name\na,b\n",
    "a.csv, line 1, column Mobile: the mapping names this column, but the header does not have it",
    ["--mapping", "Mobile=phone"]
  ],
  [
    "a mapping to no field",
    "a.csv",
    "id,name\na,b\n",
    'a.csv, line 1, column name: the mapping gives it to "nick", which is no field',
    ["--mapping", "name=nick"]
  ],
  ["JSON that is cut off", "a.json", '[{"id":"a"},\n {"id":', "a.json, line 2"],
  ["JSON that is no list", "a.json", '"hello"', "a.json, line 1, column 1"]
]

describe("overture import refuses, by line and column, and leaves nothing behind:", { timeout: 120_000 }, () => {
  for (const [name, file, content, message, flags = []] of cases) {
    it(name, async () => {
      writeFileSync(here.path(file), content)
      const { code, stderr, stdout } = await importing(file, ...flags)
      expect(stderr).toContain(message)
      expect(stderr).not.toMatch(/^\s+at |defect/m)
      expect(stderr.length).toBeLessThan(2_000)
      expect(stdout).toBe("")
      expect(code).toBe(1)
      expect(existsSync(here.path("people.sqlite"))).toBe(false)
    })
  }

  it("no such file, and a directory", async () => {
    expect((await importing("gone.csv")).stderr).toContain("gone.csv: there is no such file")
    expect((await importing(".")).stderr).toContain("it is a directory")
    expect(existsSync(here.path("people.sqlite"))).toBe(false)
  })

  it("a file of which no row can be used", async () => {
    here.write("a.csv", "id,timezone\na,Mars/Base\n")
    const { code, stderr } = await importing("a.csv")
    expect(stderr).toContain("a.csv, line 2, column timezone: not a known time zone")
    expect(stderr).toContain("no row of it can be used; 1 row left out")
    expect(code).toBe(1)
  })

  it("a row that matches two contacts", async () => {
    here.write("known.csv", "id,externalRef\nann,\nben,crm-7\n")
    here.write("a.csv", "id,externalRef\nann,crm-7\ncem,\n")
    await importing("known.csv")
    const { code, stderr } = await importing("a.csv")
    expect(stderr).toMatch(/a\.csv, line 2, column externalId: matches 2 contacts: con_\w+, con_\w+ \("ann"\)/)
    expect(code).toBe(0)
    expect(ndjson(await exported("--json")).map(({ externalId }) => externalId)).toEqual(["ann", "ben", "cem"])
  })

  it("a later line that cannot be trusted: what stands before it stays, and the mended file goes through", async () => {
    here.write("a.csv", `${contacts(30_000)}x,"never closed\n`)
    const broken = await importing("a.csv")
    expect(broken.stderr).toMatch(/a\.csv, line 30002.*: a quoted field never ends/)
    expect(broken.code).toBe(1)
    here.write("a.csv", `${contacts(30_000)}x,closed\n`)
    expect((await importing("a.csv")).code).toBe(0)
    expect((await exported("--json")).trim().split("\n").length).toBe(30_001)
  })

  it("a newer database", async () => {
    here.write("a.csv", contacts(1))
    await importing("a.csv")
    const { DatabaseSync } = await import("node:sqlite")
    const raw = new DatabaseSync(here.path("people.sqlite"))
    raw.exec("insert into overture_migration(version, name, at) values (999, 'later', 0)")
    raw.close()
    for (const refused of [await importing("a.csv"), await inProcess("export", "--list", "people", ...database())]) {
      expect(refused.stderr).toContain("the database has schema version 999, this program knows")
      expect(refused.code).toBe(1)
    }
  })

  it("wrong usage, with exit code 2", async () => {
    here.write("a.csv", contacts(1))
    for (const [args, message] of [
      [["import", here.path("a.csv"), ...database()], "Missing required flag: --list"],
      [["import", here.path("a.csv"), "--list", " ", ...database()], "Expected a name"],
      [["import", here.path("a.csv"), "--list", "x", "--update", "--fill", ...database()], "exclude each other"],
      [["import", here.path("a.csv"), "--list", "x", "--mapping", "phone", ...database()], "expected COLUMN=FIELD"],
      [
        ["import", here.path("a.csv"), "--list", "x", "--country", "Germany", ...database()],
        "the two letters of a country"
      ],
      [["import", here.path("a.csv"), "--list", "x", "--database", ":memory:"], "keeps nothing"],
      [["export", "--list", "x", "--campaign", "y", ...database()], "exclude each other"]
    ] as const) {
      const { code, stderr } = await inProcess(...args)
      expect(stderr).toContain(message)
      expect(code).toBe(2)
    }
    expect(existsSync(here.path("people.sqlite"))).toBe(false)
  })
})
