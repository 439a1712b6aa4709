/**
 * Budgets of claims: what decisions take, and what messages give back that reserved some and did not go out. Always to
 * the day it was taken from: a refusal after midnight never enlarges the new day.
 */
import type { Message } from "@overture/core/chat/Message"
import type { BudgetWrites } from "@overture/core/outbox/OutboxStore"
import type { AccountGroupId } from "@overture/core/workspace/Id"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as Groups from "./outbox/Groups.ts"
import { matches } from "./outbox/Lookup.ts"

const accountColumns = { id: "id", use_day: "text", use_count: "int", last_touch_at: "bigint" } as const
const workspaceColumns = { id: "id", use_day: "text", use_count: "int" } as const
const paceDays = { campaign_id: "id", account_id: "id", day: "text", n: "int" } as const
const days = { id: "id", day: "text", n: "int" } as const

// Paces, accounts, groups, workspaces, each by key: the order in which everyone who waits locks them.
const statements = defineStatements("Budgets", (sql) => ({
  accounts: `update ${sql.t("account")} as a set use_day = x.use_day, use_count = x.use_count, last_touch_at = x.last_touch_at
    from ${sql.rows("x", 1, accountColumns)} where ${matches(sql, "a.id", "x.id")}`,
  workspaces: `update ${sql.t("workspace")} as w set use_day = x.use_day, use_count = x.use_count
    from ${sql.rows("x", 1, workspaceColumns)} where ${matches(sql, "w.id", "x.id")}`,
  returnPaces: `update ${sql.t("pace")} as p set used = ${sql.greatest("0", "p.used - x.n")} from ${sql.rows("x", 1, paceDays)}
    where ${matches(sql, "p.campaign_id", "x.campaign_id")} and ${matches(sql, "p.account_id", "x.account_id")}
      and p.date = x.day`,
  returnAccounts: `update ${sql.t("account")} as a set use_count = ${sql.greatest("0", "a.use_count - x.n")}
    from ${sql.rows("x", 1, days)} where ${matches(sql, "a.id", "x.id")} and a.use_day = x.day`,
  returnWorkspaces: `update ${sql.t("workspace")} as w set use_count = ${sql.greatest("0", "w.use_count - x.n")}
    from ${sql.rows("x", 1, days)} where ${matches(sql, "w.id", "x.id")} and w.use_day = x.day`
}))

/** What of a message says where its reservation came from. */
export type Reserving = Pick<Message, "campaign" | "account" | "workspace" | "reserved">

/** Rows of one key each, counted and in the order of their keys. */
class Tally<Row extends object> {
  readonly #rows = new Map<string, Row & { n: number }>()

  add(row: Row): void {
    const key = Object.values(row).join("|")
    const known = this.#rows.get(key)
    if (known === undefined) this.#rows.set(key, { ...row, n: 1 })
    else known.n += 1
  }

  get rows(): ReadonlyArray<Row & { readonly n: number }> {
    return [...this.#rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  }
}

export interface Budgets {
  /** Writes what a decision made of budgets whose rows the caller has locked. */
  readonly write: (writes: BudgetWrites) => Effect.Effect<void, StorageError>
  /** Gives back what these messages reserve. Waits for the rows; those without a reservation are passed over. */
  readonly giveBack: (messages: ReadonlyArray<Reserving>) => Effect.Effect<void, StorageError>
}

export const make = (database: Database["Service"]): Budgets => {
  const sql = database.statements(statements)
  const groups = Groups.make(database)
  return {
    write: Effect.fnUntraced(function* ({ accounts, groups: used = [], workspaces }) {
      if (accounts.length > 0) {
        const rows = accounts.map(({ id, lastTouchAt, use }) => ({
          id,
          use_day: use.day,
          use_count: use.used,
          last_touch_at: lastTouchAt
        }))
        yield* database.write(sql.accounts, [rows])
      }
      yield* groups.write(used)
      if (workspaces.length > 0) {
        const rows = workspaces.map(({ id, use }) => ({ id, use_day: use.day, use_count: use.used }))
        yield* database.write(sql.workspaces, [rows])
      }
    }),
    giveBack: Effect.fnUntraced(function* (messages) {
      const paces = new Tally<{ readonly campaign_id: string; readonly account_id: string; readonly day: string }>()
      const accounts = new Tally<{ readonly id: string; readonly day: string }>()
      const grouped = new Tally<{ readonly id: AccountGroupId; readonly day: string }>()
      const workspaces = new Tally<{ readonly id: string; readonly day: string }>()
      for (const { account, campaign, reserved, workspace } of messages) {
        if (reserved === null) continue
        if (reserved.pace !== null && campaign !== null) {
          paces.add({ campaign_id: campaign, account_id: account, day: reserved.pace })
        }
        accounts.add({ id: account, day: reserved.account })
        if (reserved.group !== undefined) grouped.add({ id: reserved.group.id, day: reserved.group.day })
        workspaces.add({ id: workspace, day: reserved.workspace })
      }
      if (paces.rows.length > 0) yield* database.write(sql.returnPaces, [paces.rows])
      if (accounts.rows.length === 0) return
      yield* database.write(sql.returnAccounts, [accounts.rows])
      yield* groups.giveBack(grouped.rows)
      yield* database.write(sql.returnWorkspaces, [workspaces.rows])
    })
  }
}
