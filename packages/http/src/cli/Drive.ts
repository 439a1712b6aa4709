/** Runs the engine's driver until its work is done or someone wants it to stop, and then lets it end in good order. */
import * as Account from "@overture/core/account/Account"
import * as AccountChoice from "@overture/core/campaign/AccountChoice"
import type { Campaign } from "@overture/core/campaign/Campaign"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { PacedAccount } from "@overture/core/campaign/PacedAccount"
import { Channels } from "@overture/core/channel/Channel"
import type { CampaignId } from "@overture/core/workspace/Id"
import { Driver } from "@overture/core/outbox/Driver"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Chores } from "@overture/core/workspace/Chore"
import { day, type Instant } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Clock, Effect, Fiber, Option } from "effect"
import { workspace } from "./Engine.ts"
import { say } from "./Output.ts"
import * as Progress from "./Progress.ts"
import * as AccountList from "./report/AccountList.ts"
import type { Stop } from "./Stop.ts"

/** Why nothing of a campaign can go out for now. */
export type Halt =
  | { readonly type: "finished" }
  | { readonly type: "paused"; readonly reason: string | null }
  | { readonly type: "stopped"; readonly by: "all" | "workspace" }
  /** None of its accounts can send. */
  | { readonly type: "inactive"; readonly accounts: ReadonlyArray<string> }

/** Whether nothing of a running campaign is to come by itself, though it is not finished. */
const isAtRest = Effect.fnUntraced(function* (campaign: Campaign, paces: ReadonlyArray<PacedAccount>) {
  if (campaign.status !== "running" || paces.some(({ pace }) => pace.nextAt !== null)) return false
  const store = yield* CampaignStore
  const { claimed, sending } = yield* store.counts(campaign.id)
  return claimed + sending === 0 && !(yield* store.isDone(campaign.id))
})

/** What holds up a campaign until someone acts; null while it can go on. */
export const halted = Effect.fnUntraced(function* (
  id: CampaignId
): Effect.fn.Return<Halt | null, StorageError, CampaignStore | Channels | PacingTime | WorkspaceStore> {
  const workspaces = yield* WorkspaceStore
  const store = yield* CampaignStore
  const campaign = Option.getOrNull(yield* store.get(workspace, id))
  if (campaign === null || campaign.status === "deleted" || campaign.status === "finished") {
    return { type: "finished" }
  }
  if (campaign.status === "paused") return { type: "paused", reason: campaign.pauseReason }
  if (yield* workspaces.stopped) return { type: "stopped", by: "all" }
  const here = yield* workspaces.get(workspace)
  if (Option.isSome(here) && here.value.paused) return { type: "stopped", by: "workspace" }
  const paces = yield* store.paces(id)
  const accounts = paces.flatMap(({ account, pace }) => (pace.leftAt === null ? [account] : []))
  const now = yield* (yield* PacingTime).now
  if (accounts.some(Account.isAble)) {
    const outgrown = AccountChoice.outgrown(campaign.settings, paces, (yield* Channels).all)
    const lines = outgrown.map(({ account, problem }) => `${account.name}: ${problem}`)
    return lines.length > 0 && (yield* isAtRest(campaign, paces)) ? { type: "inactive", accounts: lines } : null
  }
  return {
    type: "inactive",
    accounts: accounts.map(
      (account) => `${account.name}: ${AccountList.stateOf(account, now, campaign.settings.timezone)}`
    )
  }
})

/** How long a virtual clock runs on after a campaign is finished: people take their time to answer the last message. */
const lastAnswers = 7 * day

/** Between two looks at what only someone else can change; on a virtual clock hours go by in one. */
const lookEveryMs = 200

/**
 * Answers true once a campaign does not go on. On a virtual clock a finished one is left a while longer for the answers to
 * its last messages; on another clock whoever runs on the database receives them.
 */
export const isOver = (id: CampaignId) => {
  let finishedAt: Instant | null = null
  let lookedAt = -Infinity
  return Effect.gen(function* () {
    const real = yield* Clock.currentTimeMillis
    const found = yield* (yield* CampaignStore).get(workspace, id)
    if (Option.isSome(found) && found.value.status === "running" && real - lookedAt < lookEveryMs) return false
    lookedAt = real
    const halt = yield* halted(id)
    if (halt === null) finishedAt = null
    if (halt?.type !== "finished") return halt !== null
    const time = yield* PacingTime
    const now = yield* time.now
    finishedAt ??= now
    return !time.isVirtual || now >= finishedAt + lastAnswers
  })
}

/** How long the chores have at the end, milliseconds; what they do not get done then is the next process's. */
const lastChoresMs = 10_000

/** What chores have left where nothing more is to be sent: webhooks of the last events, files that have just come. */
const lastChores = Effect.gen(function* () {
  const chores = yield* Chores
  let worked = true
  while (worked) {
    const now = yield* Clock.currentTimeMillis
    const rounds = yield* Effect.forEach(
      chores,
      (chore) => Effect.catchCause(chore.round(now), () => Effect.succeed({ worked: false, nextDue: null })),
      { concurrency: "unbounded" }
    )
    worked = rounds.some((round) => round.worked)
  }
}).pipe(Effect.timeoutOption(lastChoresMs))

/** How it ended: all was done, nothing more is to come, or a signal asked for it. */
export type Ended = "done" | NodeJS.Signals

/** Drives until `isDone` says so. Asked to stop, it settles what is being sent and gives the rest back. */
export const until = <E, R>(
  stop: Stop,
  isDone: Effect.Effect<boolean, E, R>,
  campaigns: Effect.Effect<ReadonlyArray<CampaignId>, never, R>
) =>
  Effect.gen(function* () {
    const driver = yield* Driver
    const progress = yield* Effect.forkChild(Progress.follow(campaigns))
    // A moment in which the storage is away is the driver's to wait out.
    const context = yield* Effect.context<R>()
    const done = Effect.provideContext(
      Effect.orElseSucceed(isDone, () => false),
      context
    )
    const driving = yield* Effect.forkChild(driver.runUntil(done))
    const ended = yield* Effect.raceFirst(
      Effect.as(Fiber.join(driving), "done" as const),
      Effect.tap(stop, (signal) =>
        Effect.sync(() => say(`${signal}: finishing what is being sent; once more stops at once`))
      )
    )
    yield* Fiber.interrupt(driving)
    if (ended === "done") yield* Effect.raceFirst(lastChores, stop)
    yield* Fiber.interrupt(progress)
    say()
    return ended
  })
