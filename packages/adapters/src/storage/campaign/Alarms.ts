/** The alarms of paces, set by whoever gives a pace something to think about. Those who wait lock them in key order. */
import type { Campaign } from "@overture/core/campaign/Campaign"
import type { Watch } from "@overture/core/campaign/Pace"
import type { AccountId, CampaignId } from "@overture/core/workspace/Id"
import type { Instant } from "@overture/core/workspace/Instant"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import { lookup, matches } from "../outbox/Lookup.ts"

const statements = defineStatements("CampaignAlarms", (sql) => {
  const keys = sql.rows("x", 1, { campaign: "id", account: "id" })
  const ofKey = `${matches(sql, "p.campaign_id", "x.campaign")} and ${matches(sql, "p.account_id", "x.account")}`
  return {
    ofCampaign: `select p.campaign_id, p.account_id from ${sql.t("pace")} as p where p.campaign_id = $1`,
    ofAccounts: `select p.campaign_id, p.account_id from ${sql.rows("x", 1, { account: "id" })}
      ${lookup(sql, "pace", "p", "p.account_id = x.account")}`,
    lock: `select p.campaign_id, p.account_id from ${keys} ${lookup(sql, "pace", "p", ofKey, "wait")}`,
    ring: `update ${sql.t("pace")} as p set next_at = ${sql.least(`coalesce(p.next_at, ${sql.p(2, "bigint")})`, sql.p(2, "bigint"))}
      from ${keys} where ${ofKey} and not p.paused`,
    sleep: `update ${sql.t("pace")} as p set next_at = x.until
      from ${sql.rows("x", 1, { campaign: "id", account: "id", alarm: "bigint", until: "bigint" })}
      where ${ofKey} and p.next_at = x.alarm`,
    set: `update ${sql.t("pace")} set paused = ${sql.p(2, "boolean")}, next_at = ${sql.p(3, "bigint")} where campaign_id = $1`,
    next: `select p.next_at from ${sql.t("pace")} as p where p.next_at is not null order by p.next_at limit 1`
  }
})

export interface PaceKey {
  readonly campaign: CampaignId
  readonly account: AccountId
}

interface KeyRow {
  readonly campaign_id: CampaignId
  readonly account_id: AccountId
}

/** In the order in which paces are locked. */
export const inOrder = <A extends PaceKey>(keys: ReadonlyArray<A>): ReadonlyArray<A> =>
  [...keys].sort((a, b) =>
    a.campaign === b.campaign ? (a.account < b.account ? -1 : 1) : a.campaign < b.campaign ? -1 : 1
  )

export interface Alarms {
  /** Lets paces ring at `now` that are not paused and ring later or never. */
  readonly ring: (keys: ReadonlyArray<PaceKey>, now: Instant) => Effect.Effect<void, StorageError>
  readonly ringCampaign: (campaign: CampaignId, now: Instant) => Effect.Effect<void, StorageError>
  readonly ringAccounts: (accounts: ReadonlyArray<AccountId>, now: Instant) => Effect.Effect<void, StorageError>
  /** Locks all paces of accounts, for who locks these next and lets their paces ring afterwards. */
  readonly hold: (accounts: ReadonlyArray<AccountId>) => Effect.Effect<void, StorageError>
  /** As `CampaignStore.sleep` says. */
  readonly sleep: (watches: ReadonlyArray<Watch>) => Effect.Effect<void, StorageError>
  /** As the campaign's status asks: all at `now` while it runs, none otherwise. */
  readonly set: (campaign: Campaign, now: Instant) => Effect.Effect<void, StorageError>
  readonly next: Effect.Effect<Instant | null, StorageError>
}

export const make = (database: Database["Service"]): Alarms => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const keyOf = (row: KeyRow): PaceKey => ({ campaign: row.campaign_id, account: row.account_id })
  const keysOf = (campaign: CampaignId) =>
    Effect.map(execute<KeyRow>(sql.ofCampaign, [campaign]), (rows) => rows.map(keyOf))
  const keysOfAccounts = (accounts: ReadonlyArray<AccountId>) =>
    Effect.map(execute<KeyRow>(sql.ofAccounts, [Array.from(new Set(accounts), (account) => ({ account }))]), (rows) =>
      rows.map(keyOf)
    )
  const lock = (keys: ReadonlyArray<PaceKey>) => execute(sql.lock, [inOrder(keys)])
  const ring: Alarms["ring"] = (keys, now) =>
    keys.length === 0
      ? Effect.void
      : Effect.andThen(lock(keys), Effect.asVoid(affected(sql.ring, [inOrder(keys), now])))
  return {
    ring,
    ringCampaign: (campaign, now) => Effect.flatMap(keysOf(campaign), (keys) => ring(keys, now)),
    ringAccounts: (accounts, now) =>
      accounts.length === 0
        ? Effect.void
        : transaction(Effect.flatMap(keysOfAccounts(accounts), (keys) => ring(keys, now))),
    hold: (accounts) =>
      accounts.length === 0
        ? Effect.void
        : Effect.flatMap(keysOfAccounts(accounts), (keys) => (keys.length === 0 ? Effect.void : lock(keys))),
    sleep: (watches) =>
      watches.length === 0
        ? Effect.void
        : transaction(Effect.andThen(lock(watches), Effect.asVoid(affected(sql.sleep, [inOrder(watches)])))),
    set: Effect.fnUntraced(function* ({ id, status }, now) {
      const isRunning = status === "running"
      yield* lock(yield* keysOf(id))
      yield* affected(sql.set, [id, !isRunning, isRunning ? now : null])
    }),
    next: Effect.map(execute<{ readonly next_at: number }>(sql.next), ([row]) => row?.next_at ?? null)
  }
}
