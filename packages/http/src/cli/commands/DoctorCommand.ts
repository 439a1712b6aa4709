/** `overture doctor`: whether what the database says of itself agrees, and what keeps it from sending. */
import * as Account from "@overture/core/account/Account"
import * as CampaignStanding from "@overture/core/campaign/CampaignStanding"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { EventStore } from "@overture/core/event/EventStore"
import { OutboxStore } from "@overture/core/outbox/OutboxStore"
import { defaults } from "@overture/core/outbox/OutboxConfig"
import { format } from "@overture/core/workspace/Instant"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { refuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"
import * as Selection from "../Selection.ts"
import * as Text from "../report/Text.ts"

/** One thing looked at. `trouble` is wrong; `note` keeps something from being sent, and may be meant so. */
export interface Finding {
  readonly what: string
  readonly level: "ok" | "note" | "trouble"
  readonly detail: string
}

const finding = (what: string, level: Finding["level"], detail: string): Finding => ({ what, level, detail })

const ofDatabase = Effect.gen(function* () {
  const outbox = yield* OutboxStore
  const workspaces = yield* WorkspaceStore
  const guard = yield* outbox.guard
  const before = yield* Clock.currentTimeMillis
  const there = yield* outbox.clock
  const here = yield* Clock.currentTimeMillis
  // The database answered somewhere between the two.
  const difference = Math.round(there - (before + here) / 2)
  const stopped = yield* workspaces.stopped
  const pacing = yield* workspaces.pacingClock
  return [
    guard.type === "same"
      ? finding("place", "ok", "this is the database that was last written to")
      : finding("place", "trouble", `${guard.detail}; overture acknowledge lets it send again`),
    finding(
      "clock",
      Math.abs(difference) > defaults.maxClockSkewMs ? "trouble" : "ok",
      `${difference} ms from this machine's`
    ),
    finding(
      "pacing time",
      "ok",
      pacing.type === "real"
        ? "the real clock"
        : pacing.type === "virtual"
          ? `virtual, now ${format(pacing.at)}`
          : `${pacing.rate} times the real clock`
    ),
    finding(
      "switch",
      stopped ? "note" : "ok",
      stopped ? "everything is stopped; overture resume --all lets it go on" : "on"
    )
  ]
})

/** A feed that is that far behind is told, milliseconds. */
const longestLag = 10_000

const ofWork = Effect.gen(function* () {
  const { expired, held } = yield* (yield* OutboxStore).claims
  const { heldMs, hidden, holder } = yield* (yield* EventStore).lag
  const behind = `${Text.count(hidden, "event")} wait for a transaction that is open for ${Text.number(Math.round(heldMs / 1000))} s`
  return [
    finding(
      "claims",
      expired > 0 ? "note" : "ok",
      expired > 0
        ? `${Text.number(held)} held, ${Text.number(expired)} ran out: their worker is gone, and the next one takes them over`
        : `${Text.number(held)} held`
    ),
    finding(
      "event feed",
      heldMs > longestLag ? "note" : "ok",
      heldMs === 0 && hidden === 0 ? "up to date" : `${behind}${holder === null ? "" : `: ${holder}`}`
    )
  ]
})

const ofCampaigns = Effect.gen(function* () {
  const store = yield* CampaignStore
  const found: Array<Finding> = []
  for (const campaign of yield* Selection.all) {
    const paces = yield* store.paces(campaign.id)
    // Both are read while a worker may be at work: only what differs twice is wrong.
    const differing = Effect.gen(function* () {
      const counts = yield* store.counts(campaign.id)
      const recount = yield* store.recount(campaign.id)
      return {
        counts,
        names: (Object.keys(recount) as Array<keyof typeof recount>)
          .filter((name) => counts[name] !== recount[name])
          .map((name) => `${name} ${counts[name]}, counted ${recount[name]}`)
      }
    })
    const first = yield* differing
    const { counts, names } = first.names.length === 0 ? first : yield* Effect.delay(differing, "300 millis")
    found.push(
      names.length > 0
        ? finding(campaign.name, "trouble", `counters differ from a recount: ${names.join("; ")}`)
        : finding(
            campaign.name,
            "ok",
            `${CampaignStanding.ofPaces(campaign, paces)}, ${Text.count(counts.total, "lead")}, counters agree; ${counts.claimed} claimed, ${counts.sending} being sent`
          )
    )
    if (campaign.status === "paused")
      found.push(finding(campaign.name, "note", `paused: ${campaign.pauseReason ?? "no reason given"}`))
    if (campaign.status !== "running") continue
    for (const { account, pace } of paces) {
      if (pace.leftAt !== null || Account.isAble(account)) continue
      const why = account.enabled ? (account.banned ? "banned" : account.attention.join(", ")) : "disabled"
      found.push(finding(campaign.name, "note", `account ${account.name} cannot send: ${why}`))
    }
  }
  return found
})

export const command = Command.make("doctor", { database: Flags.database, json: Flags.json }, ({ database, json }) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      const findings = [...(yield* ofDatabase), ...(yield* ofWork), ...(yield* ofCampaigns)]
      const troubles = findings.filter(({ level }) => level === "trouble").length
      if (json) Output.printJson({ healthy: troubles === 0, findings })
      else {
        const paint = Output.hasColors() ? Text.colors : Text.plain
        const marks = { ok: paint.green("ok     "), note: paint.yellow("note   "), trouble: paint.red("WRONG  ") }
        Output.print(...findings.map(({ detail, level, what }) => `${marks[level]} ${what}: ${detail}`))
      }
      if (troubles > 0) return yield* refuse(`${Text.count(troubles, "thing")} wrong`)
    })
  )
).pipe(
  Command.withShortDescription("Check that a database agrees with itself and may send"),
  Command.withDescription(
    "Compares the counters of every campaign with a recount, the database's clock with this machine's, and its place with where it was; says what keeps something from being sent, which claims ran out, and how far readers of the event feed are behind and who holds them up. Exit code 1 when something is wrong. A worker may be at work meanwhile."
  )
)
