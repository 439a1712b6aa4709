import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { Effect, Option } from "effect"
import { existsSync, writeFileSync } from "node:fs"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { workspace } from "../../src/cli/Engine.ts"
import { inProcess } from "./inProcess.ts"
import { campaign, contacts, type Desk, desk, overture } from "./spawn.ts"

let here: Desk
beforeEach(() => {
  here = desk()
  here.write("contacts.csv", contacts(3))
  here.write("campaign.json", campaign())
  here.write("sandbox.json", {})
})
afterEach(() => here.remove())

/** Flags with the desk's files; one given again replaces it. */
const run = (change: Readonly<Record<string, string>> = {}) => [
  "run",
  "--virtual",
  ...Object.entries({
    "--contacts": here.path("contacts.csv"),
    "--campaign": here.path("campaign.json"),
    "--database": here.path("overture.sqlite"),
    ...change
  }).flat()
]

type Case = readonly [name: string, spoil: () => void, message: string, flags?: () => Readonly<Record<string, string>>]

const cases: ReadonlyArray<Case> = [
  [
    "no such file",
    () => undefined,
    "gone.json: there is no such file",
    () => ({ "--campaign": here.path("gone.json") })
  ],
  [
    "broken JSON",
    () => here.write("campaign.json", '{\n  "name": "x",\n}'),
    "campaign.json, line 3, column 1: it is not JSON"
  ],
  [
    "a field that stands twice, of which one would be lost",
    () => here.write("campaign.json", '{"name": "x",\n "messages": ["a"], "messages": ["b"]}'),
    'campaign.json, line 2, column 21: the field "messages" stands twice; remove one'
  ],
  [
    "endless nesting",
    () =>
      here.write(
        "campaign.json",
        JSON.stringify(campaign()).replace("{", `{"metadata":{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}},`)
      ),
    "it is nested more than 64 deep"
  ],
  [
    "an empty file",
    () => here.write("campaign.json", ""),
    "campaign.json, line 1, column 1: it is not JSON: it is empty"
  ],
  ["a missing field", () => here.write("campaign.json", campaign({ messages: undefined })), "campaign.json: messages:"],
  ["an unknown field", () => here.write("campaign.json", campaign({ mesages: [] })), "campaign.json: mesages:"],
  ["no account", () => here.write("campaign.json", campaign({ accounts: [] })), "campaign.json: accounts"],
  [
    "an unknown account",
    () => here.write("campaign.json", campaign({ accounts: ["nora"] })),
    "campaign.json: accounts[0]: there is no account nora"
  ],
  [
    "an unknown channel",
    () => here.write("campaign.json", campaign({ accounts: [{ id: "a", channel: "pigeon" }] })),
    "campaign.json: accounts[0].channel: this program has no channel pigeon"
  ],
  [
    "an unknown zone",
    () => here.write("campaign.json", campaign({ sendWindow: { timezone: "Mars/Base" } })),
    "campaign.json: sendWindow.timezone:"
  ],
  [
    "an account's unknown zone",
    () => here.write("campaign.json", campaign({ accounts: [{ id: "a", channel: "sandbox", timezone: "Mars/Base" }] })),
    "campaign.json: accounts[0].timezone:"
  ],
  [
    "a template error",
    () => here.write("campaign.json", campaign({ messages: ["Hi {{ first"] })),
    "campaign.json: messages[0]:"
  ],
  [
    "an end before the start",
    () => here.write("campaign.json", campaign({ startAt: "2026-03-09T10:00:00Z", endAt: "2026-03-08T10:00:00Z" })),
    "campaign.json: endAt: is not after startAt"
  ],
  [
    "an end that has passed",
    () => here.write("campaign.json", campaign({ endAt: "2026-03-01T00:00:00Z" })),
    "campaign.json: endAt: 2026-03-01T00:00:00.000Z has passed: the campaign would begin at 2026-03-02T13:00:00.000Z",
    () => ({ "--from": "2026-03-02T13:00:00Z" })
  ],
  [
    "a distance between touches of more than a day",
    () => here.write("campaign.json", campaign({ accounts: [{ id: "a", channel: "sandbox", minGap: 1e9 }] })),
    "campaign.json: accounts[0].minGap: expected an integer from 0 to 86400, got 1000000000"
  ],
  [
    "a cap that is none",
    () => here.write("campaign.json", campaign({ accounts: [{ id: "a", channel: "sandbox", dailyCap: 1e10 }] })),
    "campaign.json: accounts[0].dailyCap: expected a whole number from 1 to 1000000000, got 10000000000"
  ],
  [
    "messages of blanks alone",
    () => here.write("campaign.json", campaign({ messages: [" \n "] })),
    "campaign.json: messages[0]: text, line 1, column 1: it says nothing"
  ],
  [
    "a bad script",
    () => here.write("sandbox.json", { outcomes: [{ rate: 2, outcome: "accepted" }] }),
    "sandbox.json: outcomes[0].rate:",
    () => ({ "--sandbox": here.path("sandbox.json") })
  ],
  [
    "a CSV without ids",
    () => here.write("contacts.csv", "name\nAnn\n"),
    "contacts.csv, line 1: the header has no column externalId, id or phone"
  ],
  ["an empty list", () => here.write("contacts.csv", "id,name\n"), "contacts.csv: there are no rows below the header"],
  ["an open quote", () => here.write("contacts.csv", 'id,name\na,"Ann\n'), "contacts.csv, line 2"],
  [
    "only unusable rows",
    () => here.write("contacts.csv", "id,timezone\na,Mars/Base\n"),
    "contacts.csv, line 2, column timezone: not a known time zone"
  ],
  [
    "rows on a channel that no account is on",
    () => here.write("contacts.csv", "id,channel\na,pigeon\n"),
    "contacts.csv, line 2, column channel: no account of the campaign is on it, only on sandbox"
  ],
  [
    "Latin-1",
    () => writeFileSync(here.path("contacts.csv"), Buffer.from("id,name\na,Jos\xe9\n", "latin1")),
    "contacts.csv, line 2: it is not UTF-8"
  ],
  [
    "a missing directory",
    () => undefined,
    "its directory does not exist",
    () => ({ "--database": here.path("no/x.sqlite") })
  ]
]

describe("overture run refuses, by field or line, and leaves nothing behind:", { timeout: 60_000 }, () => {
  for (const [name, spoil, message, flags] of cases) {
    it(name, async () => {
      spoil()
      const { code, stderr, stdout } = await inProcess(...run(flags?.()))
      expect(stderr).toContain(message)
      expect(stderr).not.toMatch(/^\s+at |defect/m)
      expect(stdout).toBe("")
      expect(code).toBe(1)
      expect(existsSync(here.path("overture.sqlite"))).toBe(false)
    })
  }

  it("a file that is no database", async () => {
    here.write("notes.txt", "these are notes, too long to be the beginning of a database\n".repeat(20))
    const { code, stderr } = await inProcess(...run({ "--database": here.path("notes.txt") }))
    expect(stderr).toContain("notes.txt: it is not a SQLite database")
    expect(code).toBe(1)
  })

  it("an end that has passed by the clock of the database, unless the campaign began before it", async () => {
    const until = (id: string) => here.write("campaign.json", campaign({ id, name: id, endAt: "2026-03-02T18:00:00Z" }))
    until("first")
    expect((await inProcess(...run({ "--from": "2026-03-02T13:00:00Z" }))).code).toBe(0)
    here.write("campaign.json", campaign({ id: "later", name: "later", startAt: "2026-03-05T00:00:00Z" }))
    expect((await inProcess(...run())).code).toBe(0)
    until("first")
    expect((await inProcess(...run())).code).toBe(0)
    until("second")
    const { code, stderr } = await inProcess(...run())
    expect(stderr).toContain("campaign.json: endAt: 2026-03-02T18:00:00.000Z has passed")
    expect(code).toBe(1)
    const forecast = await inProcess("forecast", here.path("campaign.json"), "--from", "2026-03-02T18:00:00Z")
    expect(forecast).toMatchObject({ code: 1, stderr: expect.stringContaining("campaign.json: endAt: ") })
    const plan = await inProcess("plan", here.path("campaign.json"), "--from", "2026-03-03")
    expect(plan).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("campaign.json: endAt: ") })
    expect((await inProcess("plan", here.path("campaign.json"), "--from", "2026-03-02")).code).toBe(0)
  })

  it("an unknown account of a database that is there, and writes nothing", async () => {
    expect((await inProcess(...run())).code).toBe(0)
    here.write("campaign.json", campaign({ id: "second", accounts: ["nora", "ghost"] }))
    const { code, stderr } = await inProcess(...run())
    expect(stderr).toContain("campaign.json: accounts[1]: there is no account ghost in this database")
    expect(code).toBe(1)
    const report = await inProcess("report", "--json", "--database", here.path("overture.sqlite"))
    expect(JSON.parse(report.stdout).campaign.externalRef).toBe("hello")
  })

  it("a list that is still being gathered, and writes nothing", async () => {
    const database = ["--database", here.path("overture.sqlite")]
    here.write("guests.csv", "id\nguest\n")
    expect((await inProcess("import", here.path("guests.csv"), "--list", "guests", ...database)).code).toBe(0)
    const storage = SqliteStorage.layer({ path: here.path("overture.sqlite"), durable: false })
    const read = <A>(use: (store: ContactStore["Service"]) => Effect.Effect<A, unknown>) =>
      Effect.runPromise(Effect.flatMap(ContactStore, use).pipe(Effect.provide(storage)))
    await read((store) =>
      Effect.flatMap(store.listByName(workspace, "guests"), (list) =>
        store.gatherList(workspace, Option.getOrThrow(list).id, false)
      )
    )
    const { code, stderr } = await inProcess(...run({ "--list": "guests" }))
    expect(stderr).toContain("the list guests is still being gathered")
    expect(code).toBe(1)
    expect(
      (await read((store) => store.list(workspace, {}))).data.map(({ addresses }) => addresses[0]?.externalId)
    ).toEqual(["guest"])
    expect((await inProcess("report", ...database)).stderr).toContain("no campaign")
  })

  it("a newer database", async () => {
    expect((await inProcess(...run())).code).toBe(0)
    const { DatabaseSync } = await import("node:sqlite")
    const raw = new DatabaseSync(here.path("overture.sqlite"))
    raw.exec("insert into overture_migration(version, name, at) values (999, 'later', 0)")
    raw.close()
    for (const args of [run(), ["report", "--database", here.path("overture.sqlite")]]) {
      const { code, stderr } = await inProcess(...args)
      expect(stderr).toContain("the database has schema version 999, this program knows")
      expect(code).toBe(1)
    }
  })

  it("a real clock on a database in virtual time, and tells the way out", async () => {
    expect((await inProcess(...run())).code).toBe(0)
    const { code, stderr } = await inProcess(...run().filter((arg) => arg !== "--virtual"))
    expect(stderr).toContain("this database runs on virtual time")
    expect(code).toBe(1)
  })

  it("wrong usage, with exit code 2", async () => {
    for (const [args, message] of [
      [["run", "--contacts", "a.csv"], "Missing required flag: --campaign"],
      [[...run().filter((arg) => arg !== "--virtual"), "--from", "2026-03-02T13:00:00Z"], "--from is for --virtual"],
      [[...run(), "--clock-rate", "2"], "exclude each other"],
      [["pause", "--all", "--campaign", "x"], "exclude each other"],
      [["report", "--database", "mysql://user:hunter2@host/db"], '--database: "mysql://…". Expected a SQLite file'],
      [["report", "--database", "postgres:/user:hunter2@host/db"], '"postgres://…"'],
      [["report", "--database", "postgres:user:hunter2@host/db"], '"postgres://…"'],
      [["preview", "--people", "many"], '--people: "many". Expected a number\n'],
      [["report", "--json=perhaps"], '--json: "perhaps". Expected true or false\n'],
      [["forecast", "--from", "soon"], '--from: "soon". Expected an ISO 8601 instant'],
      [["test-send", "me", "--step", "-1"], '--step: "-1". Expected a number of at least 0'],
      [["fly"], "fly"]
    ] as const) {
      const { code, stderr } = await inProcess(...args)
      expect(stderr).toContain(message)
      expect(stderr).not.toContain("hunter2")
      expect(code).toBe(2)
    }
  })

  it("a server that is away, without its password, however the scheme is written", async () => {
    for (const scheme of ["postgres", "PostgreSQL"]) {
      const { code, stderr } = await inProcess("report", "--database", `${scheme}://user:hunter2@127.0.0.1:1/db`)
      expect(stderr).toBe(
        "overture: 127.0.0.1:1/db: nothing answers there. Start the server, or correct host and port\n"
      )
      expect(code).toBe(1)
    }
  })

  it("the same as a process: one line on stderr, its exit code, no file", async () => {
    here.write("campaign.json", campaign({ mesages: [] }))
    const { code, stderr, stdout } = await overture(
      here.directory,
      "run",
      "--contacts",
      "contacts.csv",
      "--campaign",
      "campaign.json"
    )
    expect(stderr).toMatch(
      /^overture: campaign\.json: mesages: there is no such field; there are id, name, accounts, messages,.*\n$/
    )
    expect(stdout).toBe("")
    expect(code).toBe(1)
    expect(existsSync(here.path("overture.sqlite"))).toBe(false)
  })
})
