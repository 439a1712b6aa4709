/** How far a campaign is, told while it runs: one line written over and over to a person, else lines at intervals. */
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { CampaignId } from "@overture/core/workspace/Id"
import { format } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Clock, Effect } from "effect"
import { isWatched, say, sayOver } from "./Output.ts"
import { lengths, number } from "./report/Text.ts"

export interface Sample {
  readonly at: number
  readonly total: number
  readonly sent: number
  readonly failed: number
  readonly skipped: number
  /** Begun, and not yet known to have gone out. */
  readonly sending: number
  readonly replied: number
}

/** The sum over campaigns, now. */
const sample = Effect.fnUntraced(function* (campaigns: ReadonlyArray<CampaignId>) {
  const store = yield* CampaignStore
  const at = yield* (yield* PacingTime).now
  const counts = yield* Effect.forEach(campaigns, (id) => store.counts(id))
  return counts.reduce<Sample>(
    (sum, one) => ({
      at,
      total: sum.total + one.total,
      sent: sum.sent + one.sent + one.partial,
      failed: sum.failed + one.failed,
      skipped: sum.skipped + one.skipped,
      sending: sum.sending + one.sending,
      replied: sum.replied + one.replied
    }),
    { at, total: 0, sent: 0, failed: 0, skipped: 0, sending: 0, replied: 0 }
  )
})

const textOf = ({ failed, replied, sending, sent, skipped, total }: Sample): string =>
  [
    `${number(sent)} of ${number(total)} sent`,
    ...(sending > 0 ? [`${number(sending)} being sent`] : []),
    ...(failed > 0 ? [`${number(failed)} failed`] : []),
    ...(skipped > 0 ? [`${number(skipped)} skipped`] : []),
    `${number(replied)} replied`
  ].join(", ")

const barColumns = 24

/** The line a person watches. Full once every first touch is decided; follow-ups may still be to come. */
const watched = (self: Sample): string => {
  const done = self.sent + self.failed + self.skipped
  const [length = 0] = lengths([done], self.total, barColumns)
  const bar = `${"█".repeat(length)}${"░".repeat(barColumns - length)}`
  return `${format(self.at).slice(0, 16).replace("T", " ")}  ${bar}  ${textOf(self)}`
}

/** A line for a log. */
const logged = (self: Sample): string => `${format(self.at).slice(0, 16)}Z  ${textOf(self)}`

/** Tells how far it is until it is interrupted. A moment in which the storage is away is passed over. */
export const follow = <R>(campaigns: Effect.Effect<ReadonlyArray<CampaignId>, never, R>) =>
  Effect.gen(function* () {
    const begun = yield* Clock.currentTimeMillis
    let last = ""
    while (true) {
      const elapsed = (yield* Clock.currentTimeMillis) - begun
      yield* Effect.sleep(isWatched() ? 100 : Math.min(30_000, Math.max(500, elapsed / 4)))
      const now = yield* Effect.option(Effect.flatMap(campaigns, sample))
      if (now._tag === "None") continue
      if (isWatched()) sayOver(watched(now.value))
      else if (textOf(now.value) !== last) say(logged(now.value))
      last = textOf(now.value)
    }
  })
