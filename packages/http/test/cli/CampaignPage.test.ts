import type { Account } from "@overture/core/account/Account"
import type { Campaign } from "@overture/core/campaign/Campaign"
import { noCounts, type Pace } from "@overture/core/campaign/Pace"
import type { CampaignReport } from "@overture/core/stats/CampaignReport"
import { describe, expect, it } from "vitest"
import { render } from "../../src/cli/report/CampaignPage.ts"
import * as Text from "../../src/cli/report/Text.ts"

const campaign = {
  id: "cmp_1",
  name: "Spring",
  status: "finished",
  pauseReason: null,
  externalRef: "spring",
  startedAt: Date.parse("2026-03-02T14:00:00Z"),
  settings: { timezone: "America/New_York", steps: [{ id: "stp_1" }, { id: "stp_2" }] }
} as unknown as Campaign

const account = (id: string, name: string) =>
  ({
    id,
    name,
    channel: "sandbox",
    enabled: true,
    banned: false,
    attention: [],
    restingUntil: null
  }) as unknown as Account

const report: CampaignReport = {
  campaign,
  standing: "finished",
  now: Date.parse("2026-03-04T21:00:00Z"),
  counts: {
    pending: 0,
    assigned: 0,
    claimed: 0,
    sending: 0,
    sent: 1_200,
    partial: 0,
    failed: 3,
    skipped: 40,
    total: 1_243,
    replied: 240
  },
  outcomes: [
    { status: "sent", reason: null, ended: "completed", count: 950 },
    { status: "sent", reason: null, ended: "replied", count: 240 },
    { status: "skipped", reason: "missingVariable", ended: null, count: 40 },
    { status: "sent", reason: null, ended: "optedOut", count: 10 },
    { status: "failed", reason: "unreachable", ended: "failed", count: 3 }
  ],
  accounts: [
    {
      account: account("acc_1", "Søren ☕"),
      pace: { date: "2026-03-04", used: 7, quota: 40, counts: { ...noCounts, replied: 240 } } as Pace
    }
  ],
  activity: {
    days: [
      { date: "2026-03-02", first: 1_200, followUps: 0, failed: 3, replies: 200 },
      { date: "2026-03-04", first: 0, followUps: 300, failed: 0, replies: 1 }
    ],
    accounts: new Map([
      [account("acc_1", "").id, { messages: 1_500, followUps: 300, failed: 3, retries: 2, rests: 1 }]
    ]),
    accountDays: [
      {
        account: account("acc_1", "").id,
        date: "2026-03-02",
        quota: 1_300,
        cap: null,
        messages: 1_200,
        failed: 3,
        replies: 200
      },
      {
        account: account("acc_1", "").id,
        date: "2026-03-04",
        quota: 300,
        cap: null,
        messages: 300,
        failed: 0,
        replies: 0
      }
    ],
    heatMap: Array.from({ length: 7 }, (_, day) =>
      Array.from({ length: 24 }, (_, hour) => (day === 1 && hour === 9 ? 1_200 : day === 3 && hour === 10 ? 300 : 0))
    ),
    optOuts: 12,
    stoppedByReply: 240,
    firstSentAt: Date.parse("2026-03-02T14:00:00Z"),
    lastSentAt: Date.parse("2026-03-04T20:00:00Z"),
    finishedAt: Date.parse("2026-03-04T20:30:00Z")
  }
}

describe("CampaignPage", () => {
  it("shows leads with reasons, answers, follow-ups, accounts, days and hours", () => {
    expect(render(report, null, { paint: Text.plain, width: 80 })).toEqual([
      "Spring (spring)  finished",
      "Mon 2 Mar 2026 09:00 → Wed 4 Mar 2026 15:30, New York time; messages on 2 days",
      "",
      "Leads  1,243",
      "  sent          1,200  ███████████████████████████████████",
      "  failed            3  █ unreachable 3",
      "  skipped          40  █ a variable is missing 40",
      "",
      "Answers",
      "  replied         240  20 %",
      "  opted out        12  1.0 %",
      "",
      "Follow-ups",
      "  sent            300",
      "  stopped         250  240 replies, 10 opt-outs came first",
      "",
      "Accounts",
      "            channel  messages  follow-ups  failed  retried  replied  last day  now",
      "  Søren ☕  sandbox     1,500         300       3        2      240   7 of 40  ready",
      "",
      "Days  █ first message  ▒ follow-up",
      `  Mon  2 Mar  1,200 ${"█".repeat(40)} 200 replies, 3 failed`,
      `  Wed  4 Mar    300 ${"▒".repeat(10)} 1 reply`,
      "",
      "Sent of quota, and replies ↩",
      "              Søren ☕",
      "  Mon  2 Mar  1,200 of 1,300  200 ↩",
      "  Wed  4 Mar   300 of 300",
      "",
      "Hours  New York time",
      "       08 09 10 11",
      "  Mon  ·  ██ ·  ·",
      "  Tue  ·  ·  ·  ·",
      "  Wed  ·  ·  ▒▒ ·",
      "  Thu  ·  ·  ·  ·",
      "  Fri  ·  ·  ·  ·",
      "  Sat  ·  ·  ·  ·",
      "  Sun  ·  ·  ·  ·",
      "  ░░ few  ██ up to 1,200 an hour"
    ])
  })

  it("says what else ended sequences, and which cap is below a quota", () => {
    const [day] = report.activity!.accountDays
    const lines = render(
      {
        ...report,
        outcomes: [
          ...report.outcomes,
          { status: "sent", reason: null, ended: "accountRemoved", count: 9 },
          { status: "skipped", reason: "cancelled", ended: "cancelled", count: 4 }
        ],
        activity: {
          ...report.activity!,
          stoppedByReply: 260,
          accountDays: [
            { ...day!, messages: 10, replies: 3, quota: 60, cap: { by: "accountCap", limit: 10 } },
            { ...day!, date: "2026-03-04", messages: 5, replies: 0, quota: 60, cap: { by: "groupCap", limit: 1_500 } }
          ]
        }
      },
      null,
      { paint: Text.plain, width: 80 }
    )
    const from = lines.indexOf("Follow-ups")
    expect(lines.slice(from + 1, from + 4)).toEqual([
      "  sent            300",
      "  stopped         270  260 replies, 10 opt-outs came first",
      "  account left      9  their account left the campaign"
    ])
    expect(lines).toContain("  Mon  2 Mar    10 of  60 (account 10)    3 ↩")
    expect(lines).toContain("  Wed  4 Mar     5 of  60 (group 1,500)")
    expect(lines.join("\n")).toContain("7 of 40 (group 1,500)  ready")
    expect(lines.join("\n")).not.toContain("  cancelled  ")
  })

  it("says why a paused campaign is paused, and leaves out what the feed does not tell", () => {
    const lines = render(
      {
        ...report,
        campaign: { ...campaign, status: "paused", pauseReason: "tooManyFailures" },
        standing: "paused",
        activity: null
      },
      null,
      { paint: Text.plain, width: 80 }
    )
    expect(lines[0]).toBe("Spring (spring)  paused: too many failures")
    expect(lines.join("\n")).not.toContain("Days")
  })
})

describe("Text", () => {
  it("lines up whatever the script", () => {
    expect(
      Text.headed(
        ["a", "1"],
        [
          ["日本", "22"],
          ["☕☕", "3"]
        ],
        Text.plain,
        { align: ["left", "right"] }
      )
    ).toEqual(["a      1", "日本  22", "☕☕   3"])
    expect(Text.fit("Ségolène Lefèvre", 8)).toBe("Ségolèn…")
  })

  it("never hides what is not nothing", () => {
    expect(Text.lengths([0, 1, 1_000], 1_000, 10)).toEqual([0, 1, 10])
    expect(Text.percent(1, 1_000)).toBe("0.1 %")
    expect(Text.percent(0, 10)).toBe("0 %")
    expect(Text.percent(1, 0)).toBe("")
  })
})
