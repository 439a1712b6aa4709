/** What people want to know of an account beside its settings: what it sent and got, and what went wrong with it. */
import { Context, Effect, Layer, Option } from "effect"
import type { DomainEvent } from "../event/DomainEvent.ts"
import { EventStore, type Position, type Scanned } from "../event/EventStore.ts"
import { type Chore, turns } from "../workspace/Chore.ts"
import type { AccountId, WorkspaceId } from "../workspace/Id.ts"
import { type Instant, minute, second } from "../workspace/Instant.ts"
import type { LocalDate } from "../workspace/LocalDate.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as Zone from "../workspace/Zone.ts"
import type { AccountNotFound } from "./Account.ts"
import * as Account from "./Account.ts"
import type { AccountLogEntry } from "./AccountLog.ts"
import { AccountLogStore } from "./AccountLogStore.ts"
import { AccountStore } from "./AccountStore.ts"
import * as AccountTally from "./AccountTally.ts"
import { AccountTallyStore, type TallyPlace } from "./AccountTallyStore.ts"

/** Events read at a time, and looked at before what they add is written: an account busy meanwhile is written once for all. */
const page = 5_000
const batch = 4 * page
/** How often feeds are looked at that had nothing new, and logs are cut (milliseconds). */
const lookEveryMs = 5 * second
const trimEveryMs = minute
const trimBatch = 1_000

export class AccountReports extends Context.Service<
  AccountReports,
  {
    /** Counted from the feed, which a running driver follows within seconds. */
    stats(
      workspace: WorkspaceId,
      id: AccountId
    ): Effect.Effect<AccountTally.AccountStats, StorageError | AccountNotFound>
    /** Its days of the last 30, in order; days without anything are left out. */
    days(
      workspace: WorkspaceId,
      id: AccountId
    ): Effect.Effect<ReadonlyArray<AccountTally.TallyRow>, StorageError | AccountNotFound>
    /** The last 50 things that went wrong, latest first. */
    log(
      workspace: WorkspaceId,
      id: AccountId
    ): Effect.Effect<ReadonlyArray<AccountLogEntry>, StorageError | AccountNotFound>
    /** Counts what the workspace's feed has and nobody has counted; how many events it looked at. */
    catchUp(workspace: WorkspaceId): Effect.Effect<number, StorageError>
    /** Counts feeds and cuts logs. */
    readonly chore: Chore
  }
>()("@overture/core/AccountReports") {
  static readonly layer = Layer.effect(
    AccountReports,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const accounts = yield* AccountStore
  const workspaces = yield* WorkspaceStore
  const feed = yield* EventStore
  const tallies = yield* AccountTallyStore
  const logs = yield* AccountLogStore
  const time = yield* PacingTime

  const find = (workspace: WorkspaceId, id: AccountId) =>
    Effect.flatMap(accounts.get(workspace, id), (account) => Account.found(id, account))
  /** The date of an instant for each of these accounts, by its zone, else the workspace's. */
  const dates = Effect.fnUntraced(function* (workspace: WorkspaceId, ids: ReadonlyArray<AccountId>) {
    const found = ids.length === 0 ? [] : yield* accounts.among(workspace, ids)
    const own = new Map(found.map(({ id, timezone }) => [id, timezone]))
    const home = Option.getOrNull(yield* workspaces.get(workspace))
    return (id: AccountId, at: Instant): LocalDate => Zone.localDate(Zone.firstOf(own.get(id), home?.timezone), at)
  })
  const recentFrom = Effect.fnUntraced(function* (workspace: WorkspaceId, id: AccountId) {
    yield* find(workspace, id)
    const dateOf = yield* dates(workspace, [id])
    return AccountTally.recentFrom(dateOf(id, yield* time.now))
  })

  const scan = (workspace: WorkspaceId, after: Position | null) =>
    feed.scan(workspace, { after, until: null, types: AccountTally.counted, limit: page })

  /** Where a place is in a feed whose positions have changed; null where all that is left came after it. */
  const placeAgain = Effect.fnUntraced(function* (workspace: WorkspaceId, { event: last }: TallyPlace) {
    let after: Position | null = null
    while (last !== null) {
      const found: Scanned = yield* scan(workspace, after)
      const known = found.events.find(({ event }) => event.id === last)
      if (known !== undefined) return known.position
      if (found.looked < page) return null
      after = found.position
    }
    return null
  })
  const next = (workspace: WorkspaceId, place: TallyPlace | null) =>
    scan(workspace, place?.position ?? null).pipe(
      Effect.catchTag("CursorExpired", (error) =>
        place === null
          ? Effect.fail(error)
          : Effect.flatMap(placeAgain(workspace, place), (position) => scan(workspace, position))
      ),
      // It changed once more meanwhile: the next round sees it.
      Effect.catchTag("CursorExpired", () => Effect.succeed<Scanned>({ events: [], position: null, looked: 0 }))
    )

  /** Counts one batch; how many events it looked at, 0 also where another process counts. */
  const count = Effect.fnUntraced(function* (workspace: WorkspaceId) {
    const from = yield* tallies.place(workspace)
    const counting: Array<DomainEvent> = []
    let to = from
    let looked = 0
    let found: Scanned
    do {
      // Where another process counts meanwhile, what this one read is of no use.
      if (looked > 0 && (yield* tallies.place(workspace))?.position !== from?.position) return 0
      found = yield* next(workspace, to)
      for (const { event } of found.events) counting.push(event)
      looked += found.looked
      if (found.position !== null) to = { position: found.position, event: counting.at(-1)?.id ?? from?.event ?? null }
    } while (found.looked === page && looked < batch)
    if (to === null || looked === 0) return 0
    const ids = new Set(
      counting.flatMap(({ data }) => (typeof data["account"] === "string" ? [data["account"] as AccountId] : []))
    )
    const rows = AccountTally.tally(counting, yield* dates(workspace, [...ids]))
    return (yield* tallies.add(workspace, from, to, rows)) ? looked : 0
  })

  const each = turns("account reports")
  let lookAt = -Infinity
  let trimAt = -Infinity

  return AccountReports.of({
    stats: Effect.fn("AccountReports.stats")(function* (workspace, id) {
      const { allTime, recent } = yield* tallies.totals(workspace, id, yield* recentFrom(workspace, id))
      return AccountTally.stats(allTime, recent)
    }),
    days: Effect.fn("AccountReports.days")(function* (workspace, id) {
      return yield* tallies.days(workspace, id, yield* recentFrom(workspace, id))
    }),
    log: Effect.fn("AccountReports.log")(function* (workspace, id) {
      yield* find(workspace, id)
      return yield* logs.latest(workspace, id)
    }),
    catchUp: Effect.fn("AccountReports.catchUp")(function* (workspace) {
      let counted = 0
      while (true) {
        const more = yield* count(workspace)
        counted += more
        if (more < batch) return counted
      }
    }),
    chore: {
      name: "account reports",
      round: Effect.fnUntraced(function* (now: Instant) {
        if (now >= trimAt) {
          if ((yield* logs.trim(trimBatch)) < trimBatch) trimAt = now + trimEveryMs
        }
        if (now < lookAt) return { worked: false, nextDue: lookAt }
        let behind = false
        const ids = (yield* workspaces.list).map(({ id }) => id)
        yield* each(ids, now, (id) =>
          Effect.map(count(id), (counted) => {
            behind ||= counted === batch
          })
        )
        if (!behind) lookAt = now + lookEveryMs
        return { worked: behind, nextDue: lookAt }
      })
    }
  })
})
