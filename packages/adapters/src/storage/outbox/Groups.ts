/**
 * Account groups as claims meet them: read and locked after the accounts and before the workspaces, written with what a
 * decision took, and given back what did not go out. Only a group with a cap is locked: nothing of another can forbid a send.
 */
import type { AccountGroupState } from "@overture/core/account/AccountGroup"
import type { BudgetWrites } from "@overture/core/outbox/OutboxStore"
import type { AccountGroupId } from "@overture/core/workspace/Id"
import type { LocalDate } from "@overture/core/workspace/LocalDate"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { Effect } from "effect"
import type { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as AccountGroupRow from "../rows/AccountGroupRow.ts"
import * as Columns from "../rows/Columns.ts"
import { lookup, matches } from "./Lookup.ts"

const statements = defineStatements("OutboxGroups", (sql) => {
  const group = sql.t("account_group")
  const columns = Columns.select(AccountGroupRow.stateColumns, "g")
  const ids = sql.rows("x", 1, { id: "id" })
  return {
    read: `select ${columns} from ${ids} ${lookup(sql, "account_group", "g", "g.id = x.id")}`,
    capped: `select ${columns} from ${ids} ${lookup(sql, "account_group", "g", "g.id = x.id", "skip")}`,
    write: `update ${group} as g set use_day = x.use_day, use_count = x.use_count
      from ${sql.rows("x", 1, { id: "id", use_day: "text", use_count: "int" })} where ${matches(sql, "g.id", "x.id")}`,
    giveBack: `update ${group} as g set use_count = ${sql.greatest("0", "g.use_count - x.n")}
      from ${sql.rows("x", 1, { id: "id", day: "text", n: "int" })}
      where ${matches(sql, "g.id", "x.id")} and g.use_day = x.day`
  }
})

/** The group that an account or a reservation names; nothing where it names none. */
export type Named = AccountGroupId | null | undefined

export interface Found {
  /** The group as it is now; null where there is none. */
  readonly of: (id: Named) => AccountGroupState | null
  /** Whether another claim holds it: then its accounts are passed by. */
  readonly isHeld: (id: Named) => boolean
}

const none: Found = { of: () => null, isHeld: () => false }

export interface Groups {
  /** Groups; with `skip` locked where they have a cap. */
  readonly read: (ids: Iterable<Named>, lock: "skip" | "none") => Effect.Effect<Found, StorageError>
  /** Writes what a decision made of groups that `read` has locked. */
  readonly write: (groups: NonNullable<BudgetWrites["groups"]>) => Effect.Effect<void, StorageError>
  /** Gives back `n` messages to the day from which they were taken; one row for each group and day, in their order. */
  readonly giveBack: (
    rows: ReadonlyArray<{ readonly id: AccountGroupId; readonly day: LocalDate; readonly n: number }>
  ) => Effect.Effect<void, StorageError>
}

export const make = (database: Database["Service"]): Groups => {
  const sql = database.statements(statements)
  const { affected, execute } = database
  return {
    read: Effect.fnUntraced(function* (ids, lock) {
      const wanted = new Set<AccountGroupId>()
      for (const id of ids) if (id !== null && id !== undefined) wanted.add(id)
      if (wanted.size === 0) return none
      const keys = Array.from(wanted, (id) => ({ id }))
      const rows = yield* execute<AccountGroupRow.AccountGroupStateRow>(sql.read, [keys])
      const found = new Map(rows.map((row) => [row.id, AccountGroupRow.state(row)]))
      const held = new Set<AccountGroupId>()
      const capped = lock === "none" ? [] : rows.flatMap((row) => (row.daily_cap === null ? [] : [{ id: row.id }]))
      if (capped.length > 0) {
        for (const { id } of capped) held.add(id)
        for (const row of yield* execute<AccountGroupRow.AccountGroupStateRow>(sql.capped, [capped])) {
          found.set(row.id, AccountGroupRow.state(row))
          held.delete(row.id)
        }
      }
      return {
        of: (id) => (id === null || id === undefined ? null : (found.get(id) ?? null)),
        isHeld: (id) => id !== null && id !== undefined && held.has(id)
      }
    }),
    write: (groups) =>
      groups.length === 0
        ? Effect.void
        : Effect.asVoid(
            affected(sql.write, [groups.map(({ id, use }) => ({ id, use_day: use.day, use_count: use.used }))])
          ),
    giveBack: (rows) => (rows.length === 0 ? Effect.void : Effect.asVoid(affected(sql.giveBack, [rows])))
  }
}
