import type { Compared } from "@overture/core/forecast/Forecasts"
import type { Forecast } from "@overture/core/stats/Forecast"
import { describe, expect, it } from "vitest"
import * as ComparisonPage from "../../src/cli/report/ComparisonPage.ts"
import * as ForecastPage from "../../src/cli/report/ForecastPage.ts"
import * as HeatMap from "../../src/cli/report/HeatMap.ts"
import * as LeadPage from "../../src/cli/report/LeadPage.ts"
import { inWords } from "../../src/cli/report/Reasons.ts"
import * as Text from "../../src/cli/report/Text.ts"

const options = { paint: Text.plain, width: 100 }
const at = (text: string) => Date.parse(text)
const day = (date: string, quota: number, firstTouches: number, followUps: number, limitedBy: string) => ({
  account: "nora",
  date,
  quota,
  slots: quota,
  before: 0,
  firstTouches,
  followUps,
  messages: firstTouches + followUps,
  limitedBy
})
const week = (entries: Readonly<Record<string, number>>) =>
  Array.from({ length: 7 }, (_, weekday) => Array.from({ length: 24 }, (_, hour) => entries[`${weekday} ${hour}`] ?? 0))

const forecast = {
  campaign: "spring",
  version: 1,
  timezone: "America/New_York",
  from: at("2026-03-06T14:00:00Z"),
  accounts: ["nora"],
  leads: { type: "known", count: 12 },
  days: [
    day("2026-03-06", 8, 8, 0, "ramp"),
    day("2026-03-07", 0, 0, 0, "window"),
    day("2026-03-09", 16, 2, 6, "poolEmpty")
  ],
  totals: [
    { date: "2026-03-06", quota: 8, firstTouches: 8, followUps: 0, messages: 8 },
    { date: "2026-03-09", quota: 16, firstTouches: 2, followUps: 6, messages: 8 }
  ],
  heatMap: week({ "5 9": 8, "1 10": 2, "1 11": 6 }),
  skipped: [{ reason: "missingVariable", count: 2 }],
  finishAt: at("2026-03-09T15:00:00Z"),
  finishDate: "2026-03-09",
  cut: null,
  stuck: 0,
  touches: []
} as unknown as Forecast

describe("ForecastPage", () => {
  it("says when it ends, what limits each day, and at which hours it sends", () => {
    expect(ForecastPage.render(forecast, "Spring", options)).toEqual([
      "Spring (spring)  forecast",
      "from Fri 6 Mar 2026 09:00, New York time, if every message is taken and nobody answers",
      "",
      "In short",
      "  finishes    Mon 9 Mar 2026 11:00",
      "  people      12; 2 messages will not go out: a variable is missing 2",
      "  touches     16: 10 first, 6 follow-ups, on 2 days",
      "",
      "Days",
      "              account  quota  slots  first  follow-ups  limited by",
      "  Fri  6 Mar  nora         8      8      8           0  the ramp-up",
      "  Mon  9 Mar  nora        16     16      2           6  nobody is ready",
      "",
      "Hours  New York time",
      "       08 09 10 11 12",
      "  Mon  ·  ·  ▒▒ ██ ·",
      "  Tue  ·  ·  ·  ·  ·",
      "  Wed  ·  ·  ·  ·  ·",
      "  Thu  ·  ·  ·  ·  ·",
      "  Fri  ·  ██ ·  ·  ·",
      "  Sat  ·  ·  ·  ·  ·",
      "  Sun  ·  ·  ·  ·  ·",
      "  ░░ few  ██ up to 8 an hour"
    ])
  })

  it("says why it has no end", () => {
    const line = (change: Partial<Forecast>) =>
      ForecastPage.render({ ...forecast, finishAt: null, ...change }, "Spring", options)[4]
    expect(line({ cut: { by: "days", limit: 14 } })).toBe("  finishes    not within 14 days")
    expect(line({ cut: { by: "leads", limit: 20_000 } })).toContain("only the first 20,000 people")
    expect(line({})).toContain("it stays open")
    expect(line({ stuck: 3 })).toBe("  finishes    not by itself: 3 people wait for what nobody has lifted yet")
    const blocked = { ...forecast.days[2]!, limitedBy: "partsOverCap" as const }
    expect(line({ stuck: 1, days: [blocked] })).toBe(
      "  finishes    not by itself: 1 person waits, as the step has more messages than a cap allows in a day"
    )
  })
})

describe("ComparisonPage", () => {
  const none = { forecast: 0, actual: 0, causes: {} }
  const compared: Compared = {
    forecast,
    finishedAt: at("2026-03-10T15:00:00Z"),
    comparison: {
      until: "2026-03-10",
      days: [
        {
          account: "nora",
          date: "2026-03-06",
          firstTouches: { forecast: 8, actual: 7, causes: { failure: -1 } },
          followUps: none
        },
        {
          account: "nora",
          date: "2026-03-09",
          firstTouches: { forecast: 2, actual: 2, causes: { deferral: 0 } },
          followUps: { forecast: 6, actual: 4, causes: { reply: -3, deferral: 1 } }
        }
      ],
      differences: [
        {
          lead: "led_1",
          step: 0,
          forecast: { account: "nora", date: "2026-03-06" },
          actual: null,
          cause: "failure",
          reason: "unreachable"
        },
        {
          lead: "led_2",
          step: 1,
          forecast: { account: "nora", date: "2026-03-09" },
          actual: { account: "samir", date: "2026-03-10" },
          cause: "deferral",
          reason: null
        }
      ]
    }
  }

  it("tells days that differ and leads with their causes", () => {
    expect(ComparisonPage.render(compared, options)).toEqual([
      "",
      "Forecast → actual",
      "  16 touches forecast, 13 made; 2 differ: failed 1, another day or account 1",
      "  finish: Mon 9 Mar 2026 11:00 → Tue 10 Mar 2026 11:00",
      "  made Fri 6 Mar 2026 09:00, before the first message; compared up to Tue 10 Mar",
      "",
      "Days that differ",
      "              account  first  follow-ups  why",
      "  Fri  6 Mar  nora     8 → 7       0 → 0  −1 failed",
      "  Mon  9 Mar  nora     2 → 2       6 → 4  +1 another day or account, −3 they replied",
      "",
      "People",
      "  led_1  first: nora on Fri 6 Mar → nothing  (failed: unreachable)",
      "  led_2  follow-up 1: nora on Mon 9 Mar → samir on Tue 10 Mar  (another day or account)"
    ])
  })

  it("says so where nothing differs, and where nothing is over", () => {
    const of = (days: Compared["comparison"]["days"]) =>
      ComparisonPage.line({ ...compared, comparison: { ...compared.comparison, days, differences: [] } })
    expect(
      of([{ account: "a", date: "2026-03-06", firstTouches: { ...none, forecast: 1, actual: 1 }, followUps: none }])
    ).toBe("1 touch, as forecast on every day")
    expect(of([])).toBe("no day of it is over")
  })
})

describe("HeatMap", () => {
  it("is nothing where nothing happened", () => {
    expect(HeatMap.render(week({}), Text.plain)).toEqual([])
  })
})

describe("Text", () => {
  it("lets what strangers wrote move no cursor and open nothing; our colours stay", () => {
    expect(Text.harmless("a\u001b[2J\u001b]0;b\u0007\rc\u009b1m\t\n")).toBe(
      "a\ufffd[2J\ufffd]0;b\ufffd\ufffdc\ufffd1m\t\n"
    )
    for (const paint of Object.values(Text.colors)) expect(Text.harmless(paint("x"))).toBe(paint("x"))
  })
})

describe("LeadPage", () => {
  const until = at("2026-03-09T13:00:00Z")

  it("has words for whatever can hold a lead, with the next possible instant", () => {
    for (const reason of [
      "windowClosed",
      "quietHours",
      "quota",
      "accountCap",
      "groupCap",
      "workspaceCap",
      "warmUp",
      "minGap",
      "frequencyCapped",
      "contactedElsewhere",
      "accountResting",
      "notStarted"
    ]) {
      expect(inWords(reason)).not.toBe(reason)
      const text = LeadPage.answerText({ type: "waits", reason, at: until }, "America/New_York")
      expect(text).toBe(`Waits until Mon 9 Mar 2026 09:00: ${inWords(reason)}.`)
    }
    for (const reason of ["partsOverCap", "neverOpens", "channelMissing"]) {
      expect(LeadPage.answerText({ type: "blocked", reason }, "UTC")).toBe(
        `Waits until someone acts: ${inWords(reason)}.`
      )
    }
  })

  it("says what holds up the account where the lead waits for something else", () => {
    const waits = { type: "waits", reason: "notDue", at: until } as const
    const closed = { type: "defer", of: "pace", until, reason: "windowClosed" } as const
    expect(LeadPage.paceText(closed, waits, "UTC")).toBe(
      "Its account waits until Mon 9 Mar 2026 13:00: the campaign's hours are closed."
    )
    expect(LeadPage.paceText(closed, { ...waits, reason: "windowClosed" }, "UTC")).toBeNull()
    expect(LeadPage.paceText({ type: "allow" }, waits, "UTC")).toBeNull()
    expect(LeadPage.paceText({ type: "block", reason: "neverOpens" }, waits, "UTC")).toBe(
      "Its account waits until someone acts: the campaign's hours never open."
    )
  })
})
