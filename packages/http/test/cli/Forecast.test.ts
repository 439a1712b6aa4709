import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { inProcess } from "./inProcess.ts"
import { campaign, contacts, type Desk, desk } from "./spawn.ts"

let here: Desk
beforeEach(() => {
  here = desk()
})
afterEach(() => here.remove())

const zone = "America/New_York"
const from = "2026-03-05T15:00:00Z"
const people = 90
const settings = {
  accounts: [
    { id: "nora", channel: "sandbox", minGap: 0, dailyCap: 25 },
    { id: "samir", channel: "sandbox", minGap: 60, warmUp: { type: "incremental", increment: 9, max: 40 } }
  ],
  messages: ["Hi {{ first }}!"],
  pacing: { rangeMin: 18, rangeMax: 30 },
  rampUp: {
    type: "staged",
    stages: [
      { start: 1, end: 1, value: 8 },
      { start: 2, end: 3, value: 16 }
    ]
  },
  // From Friday to Monday the clocks change.
  sendWindow: { timezone: zone, days: [1, 2, 3, 4, 5], windows: [{ start: "09:00", end: "17:00" }] },
  quietHours: { start: "20:00", end: "10:30" },
  followUps: [
    { messages: ["Still there?"], sendAfterDays: 2 },
    { messages: ["One last word", "Goodbye!"], sendAfterDays: 1 }
  ]
}

const write = (script: object) => {
  const rows = contacts(people).trim().split("\n").slice(1)
  const zones = ["America/New_York", "America/Los_Angeles", "Europe/Paris", ""]
  here.write(
    "contacts.csv",
    `id,first,timezone\n${rows.map((row, i) => `${row},${zones[i % 4]}`).join("\n")}\nno-name,,\n`
  )
  here.write("campaign.json", campaign(settings))
  here.write("sandbox.json", script)
}
const database = () => ["--database", here.path("overture.sqlite")]
const run = () =>
  inProcess(
    "run",
    ...Object.entries({ contacts: "contacts.csv", campaign: "campaign.json", sandbox: "sandbox.json" }).flatMap(
      ([flag, file]) => [`--${flag}`, here.path(file)]
    ),
    "--virtual",
    "--from",
    from,
    "--json",
    ...database()
  )

interface Count {
  readonly forecast: number
  readonly actual: number
  readonly causes: Readonly<Record<string, number>>
}
interface Day {
  readonly account: string
  readonly date: string
  readonly firstTouches: Count
  readonly followUps: Count
}
interface Place {
  readonly account: string
  readonly date: string
}
interface Difference {
  readonly lead: string
  readonly step: number
  readonly cause: string
  readonly forecast: Place | null
  readonly actual: Place | null
}

const compared = async () => {
  const { code, stdout } = await inProcess("forecast", "hello", "--json", ...database())
  expect(code).toBe(0)
  return JSON.parse(stdout).actual as {
    readonly days: ReadonlyArray<Day>
    readonly differences: ReadonlyArray<Difference>
    readonly causes: Readonly<Record<string, number>>
  }
}

type Counted = readonly [key: string, count: number]
const inOrder = (counts: ReadonlyArray<Counted>) => counts.toSorted(([a], [b]) => (a < b ? -1 : 1))

/** `account date: first messages of touches`, as the platform's own log has them. */
const received = () => {
  const days = new Map<string, number>()
  for (const { account, at, body, outcome, repeat } of here.lines("overture.sandbox.ndjson")) {
    // The second part belongs to the touch whose first part went out.
    if (outcome !== "accepted" || repeat === true || body === "Goodbye!") continue
    const date = new Date(String(at)).toLocaleDateString("en-CA", { timeZone: zone })
    const key = `${String(account)} ${date}`
    days.set(key, (days.get(key) ?? 0) + 1)
  }
  return inOrder([...days])
}

const sums = (days: ReadonlyArray<Day>, of: "forecast" | "actual") =>
  inOrder(
    days
      .map(
        ({ account, date, firstTouches, followUps }) =>
          [`${account} ${date}`, firstTouches[of] + followUps[of]] as const
      )
      .filter(([, count]) => count > 0)
  )

describe("overture forecast", { timeout: 180_000 }, () => {
  it("agrees with every day of an all-accepting, silent sandbox, before as afterwards", async () => {
    write({})
    const files = [here.path("campaign.json"), "--contacts", here.path("contacts.csv"), "--from", from]
    const before = await inProcess("forecast", ...files, "--json")
    expect(before.code).toBe(0)
    const { forecast } = JSON.parse(before.stdout)
    expect(forecast.leads).toEqual({ type: "known", count: people + 1 })
    expect(forecast.skipped).toEqual([{ reason: "missingVariable", count: 1 }])

    const ran = await run()
    expect(ran.code).toBe(0)
    expect(received()).toEqual(
      inOrder(
        (forecast.days as ReadonlyArray<{ account: string; date: string; firstTouches: number; followUps: number }>)
          .map(
            ({ account, date, firstTouches, followUps }) => [`${account} ${date}`, firstTouches + followUps] as const
          )
          .filter(([, count]) => count > 0)
      )
    )
    const report = JSON.parse(ran.stdout)
    expect(report.campaign.finishedAt).toBe(forecast.finishAt)
    expect(report.forecast).toMatchObject({ differences: 0, causes: {} })

    const { days, differences } = await compared()
    expect(differences).toEqual([])
    expect(sums(days, "forecast")).toEqual(received())
    expect(sums(days, "actual")).toEqual(received())
    const page = await inProcess("report", ...database())
    expect(page.stdout).toMatch(/Forecast → actual\n {2}270 touches, as forecast on every day/)
  })

  it("names the cause of every difference by lead, and the causes add up to it", async () => {
    write({
      seed: "lively",
      outcomes: [
        { rate: 0.04, outcome: "unreachable" },
        { rate: 0.05, outcome: "transient" },
        { rate: 0.02, outcome: { type: "rateLimited", scope: "account", retryAfterMs: 1_800_000 } },
        { rate: 0.02, outcome: { type: "outcomeUnknown", received: false } }
      ],
      replies: [{ rate: 0.3, delay: { minMs: 60_000, maxMs: 172_800_000 }, text: "Yes" }],
      optOuts: [{ rate: 0.06, delay: { minMs: 60_000, maxMs: 86_400_000 }, by: "word" }]
    })
    expect((await run()).code).toBe(0)
    const { causes, days, differences } = await compared()
    expect(new Set(Object.keys(causes))).toEqual(new Set(["deferral", "failure", "optOut", "reply", "retry"]))
    expect(Object.values(causes).reduce((a, b) => a + b, 0)).toBe(differences.length)
    expect(sums(days, "actual")).toEqual(received())

    /** What the differences, lead by lead, come to on a day. */
    const told = (account: string, date: string, isFirst: boolean) => {
      const sum = new Map<string, number>()
      const isHere = (place: Place | null) => place?.account === account && place.date === date
      for (const { actual, cause, forecast, step } of differences) {
        if ((step === 0) !== isFirst) continue
        if (isHere(forecast)) sum.set(cause, (sum.get(cause) ?? 0) - 1)
        if (isHere(actual)) sum.set(cause, (sum.get(cause) ?? 0) + 1)
      }
      return Object.fromEntries(sum)
    }
    for (const { account, date, firstTouches, followUps } of days) {
      for (const [count, isFirst] of [
        [firstTouches, true],
        [followUps, false]
      ] as const) {
        expect(count.causes, `${account} ${date}`).toEqual(told(account, date, isFirst))
        expect(Object.values(count.causes).reduce((a, b) => a + b, 0)).toBe(count.actual - count.forecast)
      }
    }

    const page = await inProcess("forecast", ...database())
    expect(page.stdout).toContain(`${differences.length} differ`)
    expect(page.stdout).toMatch(/led_\w+ {2}follow-up 1: \w+ on .* → nothing {2}\(they replied\)/)
  })

  it("keeps the first forecast, whatever is enrolled later", async () => {
    write({})
    here.write("contacts.csv", contacts(4))
    expect((await run()).code).toBe(0)
    here.write("contacts.csv", contacts(6))
    expect((await run()).code).toBe(0)
    const { causes, differences } = await compared()
    expect(causes).toEqual({ enrolled: 6 })
    expect(new Set(differences.map(({ lead }) => lead)).size).toBe(2)
  })

  it("shows what limits each day of a draft, without people and with a number of them", async () => {
    write({})
    here.write("campaign.json", campaign({ ...settings, quietHours: null }))
    const forecast = async (...flags: ReadonlyArray<string>) =>
      JSON.parse((await inProcess("forecast", here.path("campaign.json"), "--from", from, "--json", ...flags)).stdout)
        .forecast as {
        readonly cut: unknown
        readonly finishDate: string | null
        readonly days: ReadonlyArray<{ readonly account: string; readonly date: string; readonly limitedBy: string }>
      }
    const endless = await forecast()
    expect(endless.cut).toEqual({ by: "days", limit: 14 })
    const limits = new Map(endless.days.map((day) => [`${day.account} ${day.date}`, day.limitedBy]))
    expect(limits.get("nora 2026-03-06")).toBe("ramp")
    expect(limits.get("nora 2026-03-07")).toBe("window")
    expect([...limits.values()]).toContain("accountCap")
    const few = await forecast("--people", "10")
    expect(few).toMatchObject({ cut: null, finishDate: "2026-03-10" })
    expect(few.days.at(-1)?.limitedBy).toBe("poolEmpty")
    expect((await forecast("--people", "10", "--days", "2")).cut).toEqual({ by: "days", limit: 2 })
  })

  it("refuses what it cannot forecast", async () => {
    write({})
    here.write("bad.json", campaign({ pacing: { rangeMin: 9, rangeMax: 3 } }))
    for (const [args, message, code] of [
      [[here.path("gone.json")], "gone.json: there is no such file", 1],
      [[here.path("bad.json")], "bad.json: pacing.rangeMax: rangeMax 3 is less than rangeMin 9", 1],
      [["hello", ...database()], "overture.sqlite: there is no such database", 1],
      [["hello", "--contacts", here.path("contacts.csv"), ...database()], "--contacts is for a campaign file", 2],
      [[here.path("campaign.json"), "--days", "0"], "Expected a number from 1", 2]
    ] as const) {
      const answer = await inProcess("forecast", ...args)
      expect(answer.stderr).toContain(message)
      expect(answer.code).toBe(code)
    }
    expect((await run()).code).toBe(0)
    const unknown = await inProcess("forecast", "other", ...database())
    expect(unknown.stderr).toContain("there is no campaign other")
    expect((await inProcess("forecast", "hello", "--people", "3", ...database())).code).toBe(0)
  })
})
