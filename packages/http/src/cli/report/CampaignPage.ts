/** The report of a campaign as a page of text. Pure: the same report gives the same lines. */
import type * as Account from "@overture/core/account/Account"
import { seedKey } from "@overture/core/campaign/Campaign"
import type { DayCap } from "@overture/core/stats/AccountDays"
import {
  type CampaignReport,
  endedCount,
  reachedEndedCount,
  reasonsOf,
  stoppedByReply
} from "@overture/core/stats/CampaignReport"
import type { LeadEnded, LeadStatus } from "@overture/core/campaign/Lead"
import type { Compared } from "@overture/core/forecast/Forecasts"
import * as AccountList from "./AccountList.ts"
import * as ComparisonPage from "./ComparisonPage.ts"
import * as HeatMap from "./HeatMap.ts"
import { type PageOptions, section } from "./Page.ts"
import { inWords } from "./Reasons.ts"
import * as Text from "./Text.ts"

const heading = (report: CampaignReport, { paint }: PageOptions): ReadonlyArray<string> => {
  const { activity, campaign, now, standing } = report
  const zone = campaign.settings.timezone
  const pausedBy = standing === "paused" ? campaign.pauseReason : null
  const why = standing === "inactive" ? "none of its accounts can send" : pausedBy
  const status = why === null ? standing : `${standing}: ${inWords(why)}`
  const colour = {
    finished: paint.green,
    running: paint.cyan,
    inactive: paint.red,
    paused: paint.yellow,
    draft: paint.dim,
    deleted: paint.red
  }
  const from = campaign.startedAt
  const to = activity?.finishedAt ?? (campaign.status === "finished" ? activity?.lastSentAt : null) ?? now
  const days = activity?.days.filter((day) => day.first + day.followUps > 0).length ?? 0
  return [
    `${paint.bold(campaign.name)} ${paint.dim(`(${seedKey(campaign)})`)}  ${colour[standing](status)}`,
    ...(from === null
      ? []
      : [
          paint.dim(
            `${Text.dateTime(from, zone)} → ${Text.dateTime(to, zone)}, ${Text.place(zone)} time` +
              (days === 0 ? "" : `; messages on ${Text.count(days, "day")}`)
          )
        ])
  ]
}

const shownStatuses: ReadonlyArray<readonly [LeadStatus, string]> = [
  ["sent", "sent"],
  ["partial", "partly sent"],
  ["failed", "failed"],
  ["skipped", "skipped"],
  ["sending", "being sent"],
  ["claimed", "claimed"],
  ["assigned", "waiting"],
  ["pending", "in the pool"]
]

const leads = (report: CampaignReport, options: PageOptions): ReadonlyArray<string> => {
  const { counts } = report
  const { paint } = options
  const columns = Math.min(40, options.width - 44)
  const colour: Partial<Record<LeadStatus, (text: string) => string>> = {
    sent: paint.green,
    failed: paint.red,
    skipped: paint.yellow,
    partial: paint.yellow
  }
  const shown = shownStatuses.filter(([status]) => counts[status] > 0)
  const lines = shown.flatMap(([status, label]) => {
    const [length = 0] = Text.lengths([counts[status]], counts.total, columns)
    const reasons = reasonsOf(report, status)
    const bar = (colour[status] ?? paint.dim)("█".repeat(length))
    const why = reasons.slice(0, 4).map(({ count, reason }) => `${inWords(reason)} ${Text.number(count)}`)
    return [
      `${Text.fit(label, 12)}${Text.right(Text.number(counts[status]), 7)}  ${bar} ${paint.dim(why.join(", "))}`.trimEnd()
    ]
  })
  return section(`Leads  ${Text.number(counts.total)}`, lines, options)
}

/** Leads that something went out to. */
const reached = ({ counts }: CampaignReport): number => counts.sent + counts.partial

/** Ends of sequences that neither the person nor the last step brought about. */
const otherEnds: ReadonlyArray<readonly [LeadEnded, string, string]> = [
  ["accountRemoved", "account left", "their account left the campaign"],
  ["takenOver", "taken over", "someone of us writes to them by hand"],
  ["booked", "booked", ""],
  ["closed", "closed", "their chat was closed"],
  ["cancelled", "cancelled", ""],
  ["failed", "failed", "a follow-up failed"]
]

const answers = (report: CampaignReport, options: PageOptions): ReadonlyArray<string> => {
  const { paint } = options
  const { campaign, counts } = report
  if (reached(report) === 0) return []
  const share = (value: number) => paint.dim(Text.percent(value, reached(report)))
  const line = (label: string, value: number, note: string) =>
    `${Text.fit(label, 12)}${Text.right(Text.number(value), 7)}  ${note}`.trimEnd()
  const stoppedByOptOut = endedCount(report, "optedOut")
  const optedOut = report.activity?.optOuts ?? stoppedByOptOut
  const replied = stoppedByReply(report)
  const followUps = report.activity?.days.reduce((sum, day) => sum + day.followUps, 0)
  const ends = otherEnds.flatMap(([ended, label, note]) => {
    const count = reachedEndedCount(report, ended)
    return count === 0 ? [] : [line(label, count, paint.dim(note))]
  })
  return [
    ...section(
      "Answers",
      [line("replied", counts.replied, share(counts.replied)), line("opted out", optedOut, share(optedOut))],
      options
    ),
    ...(campaign.settings.steps.length < 2 && ends.length === 0
      ? []
      : section(
          "Follow-ups",
          [
            ...(followUps === undefined ? [] : [line("sent", followUps, "")]),
            line(
              "stopped",
              replied + stoppedByOptOut,
              paint.dim(
                `${Text.count(replied, "reply", "replies")}, ${Text.count(stoppedByOptOut, "opt-out")} came first`
              )
            ),
            ...ends
          ],
          options
        ))
  ]
}

const caps: Readonly<Record<DayCap["by"], string>> = {
  accountCap: "account",
  warmUp: "warm-up",
  groupCap: "group",
  workspaceCap: "workspace"
}

/** ` (account 10)` where a cap is below the quota. */
const capNote = (cap: DayCap | null | undefined): string =>
  cap == null ? "" : ` (${caps[cap.by]} ${Text.number(cap.limit)})`

const accounts = (report: CampaignReport, options: PageOptions): ReadonlyArray<string> => {
  const zone = report.campaign.settings.timezone
  const rows = report.accounts.map(({ account, pace }) => {
    const did = report.activity?.accounts.get(account.id)
    const lastDay = report.activity?.accountDays.find((day) => day.account === account.id && day.date === pace.date)
    return [
      account.name,
      account.channel,
      did === undefined ? "" : Text.number(did.messages),
      did === undefined ? "" : Text.number(did.followUps),
      did === undefined ? Text.number(pace.counts.failed) : Text.number(did.failed),
      did === undefined ? "" : Text.number(did.retries),
      Text.number(pace.counts.replied),
      pace.date === null ? "" : `${pace.used} of ${pace.quota}${capNote(lastDay?.cap)}`,
      AccountList.stateOf(account, report.now, zone)
    ]
  })
  const head = ["", "channel", "messages", "follow-ups", "failed", "retried", "replied", "last day", "now"]
  const align = head.map((_, i) => (i < 2 || i === head.length - 1 ? ("left" as const) : ("right" as const)))
  return section("Accounts", Text.headed(head, rows, options.paint, { align, most: 44 }), options)
}

/** The most days that are drawn; of a longer campaign, the last ones. */
const mostDays = 31

const days = (report: CampaignReport, options: PageOptions): ReadonlyArray<string> => {
  const { paint } = options
  const active = report.activity?.days.filter((day) => day.first + day.followUps + day.failed + day.replies > 0) ?? []
  const shown = active.slice(-mostDays)
  if (shown.length === 0) return []
  const most = Math.max(...shown.map((day) => day.first + day.followUps))
  const columns = Math.min(48, options.width - 40)
  const lines = shown.map((day) => {
    const [first = 0, followUps = 0] = Text.lengths([day.first, day.followUps], most, columns)
    const bar = `${paint.cyan("█".repeat(first))}${paint.dim("▒".repeat(followUps))}`
    const notes = [
      ...(day.replies > 0 ? [Text.count(day.replies, "reply", "replies")] : []),
      ...(day.failed > 0 ? [`${Text.number(day.failed)} failed`] : [])
    ].join(", ")
    const sent = Text.number(day.first + day.followUps)
    return `${Text.shortDate(day.date)} ${Text.right(sent, 6)} ${bar} ${paint.dim(notes)}`.trimEnd()
  })
  const legend = report.campaign.settings.steps.length > 1 ? "  █ first message  ▒ follow-up" : ""
  const cut = active.length > shown.length ? ` (the last ${mostDays} of ${active.length})` : ""
  return section(`Days${cut}${legend}`, lines, options)
}

/** The most accounts that stand side by side. */
const mostColumns = 4

const accountDays = (report: CampaignReport, options: PageOptions): ReadonlyArray<string> => {
  const rows = report.activity?.accountDays ?? []
  const columns = report.accounts.map(({ account }) => account).slice(0, mostColumns)
  const dates = [...new Set(rows.map(({ date }) => date))].slice(-mostDays)
  if (dates.length === 0) return []
  const cell = (account: Account.Account, date: string): string => {
    const day = rows.find((row) => row.account === account.id && row.date === date)
    if (day === undefined) return ""
    const replies = day.replies === 0 ? "" : `  ${Text.right(Text.number(day.replies), 3)} ↩`
    const isClosed = day.quota === 0 && day.messages === 0
    return isClosed
      ? `   –       ${replies}`
      : `${Text.right(Text.number(day.messages), 4)} of ${Text.right(Text.number(day.quota), 3)}${capNote(day.cap)}${replies}`
  }
  const table = Text.headed(
    ["", ...columns.map(({ name }) => name)],
    dates.map((date) => [Text.shortDate(date), ...columns.map((account) => cell(account, date))]),
    options.paint,
    { most: 36 }
  )
  const left = report.accounts.length - columns.length
  const isCapped = rows.some(({ cap }) => cap !== null)
  return section(
    `Sent of quota${isCapped ? " (and the cap below it)" : ""}, and replies ↩`,
    [
      ...table,
      ...(left > 0 ? [options.paint.dim(`and ${Text.count(left, "more account")}; --json has them all`)] : [])
    ],
    options
  )
}

/** The lines of the page; `compared` where a forecast was kept. */
export const render = (
  report: CampaignReport,
  compared: Compared | null,
  options: PageOptions
): ReadonlyArray<string> => {
  const hours = HeatMap.render(report.activity?.heatMap ?? [], options.paint)
  return [
    ...heading(report, options),
    ...leads(report, options),
    ...answers(report, options),
    ...accounts(report, options),
    ...days(report, options),
    ...accountDays(report, options),
    ...section(`Hours  ${Text.place(report.campaign.settings.timezone)} time`, hours, options),
    ...(compared === null ? [] : section("Forecast → actual", [ComparisonPage.line(compared)], options))
  ]
}
