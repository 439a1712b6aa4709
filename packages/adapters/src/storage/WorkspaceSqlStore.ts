/** Workspaces, and in `meta` what concerns the whole database: the switch and the pacing clock. */
import { keyLifeMs, type PacingClock, WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, Layer, Option } from "effect"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as Columns from "./rows/Columns.ts"
import * as WorkspaceRow from "./rows/WorkspaceRow.ts"

const statements = defineStatements("WorkspaceStore", (sql) => {
  const workspace = sql.t("workspace")
  const idempotency = sql.t("idempotency")
  const columns = Columns.select(WorkspaceRow.columns, "w")
  const row = sql.rows("x", 1, WorkspaceRow.columns)
  return {
    create: `insert into ${workspace}(${Columns.names(WorkspaceRow.columns)})
      select ${Columns.select(WorkspaceRow.columns, "x")} from ${row} where true on conflict (id) do nothing`,
    get: `select ${columns} from ${workspace} as w where w.id = $1`,
    list: `select ${columns} from ${workspace} as w order by w.id`,
    lock: `select ${columns} from ${workspace} as w where w.id = $1 ${sql.lock("w")}`,
    write: `update ${workspace} as w set ${Columns.assign(WorkspaceRow.columns, "x", "id")}
      from ${row} where w.id = x.id`,
    forget: `delete from ${idempotency} where workspace_id = $1 and key = $2 and at <= $3`,
    record: `insert into ${idempotency} as i (workspace_id, key, fingerprint, at) values ($1, $2, $3, $4)
      on conflict (workspace_id, key) do update set fingerprint = excluded.fingerprint, at = excluded.at
      where i.response is null`,
    recorded: `select fingerprint, response from ${idempotency} where workspace_id = $1 and key = $2`,
    remember: `update ${idempotency} set response = $3 where workspace_id = $1 and key = $2`,
    purgeKeys: `delete from ${idempotency} where workspace_id = $1 and key in (
      select i.key from ${idempotency} as i where i.workspace_id = $1 and i.at < $2 limit $3)`,
    forgetResponses: `delete from ${idempotency} where workspace_id = $1
      and exists (select 1 from ${sql.rows("x", 2, { text: "text" })} where ${sql.pick({
        postgres: "strpos(response, x.text)",
        sqlite: "instr(response, x.text)"
      })} > 0)`,
    meta: `select value from ${sql.t("meta")} as m where m.key = $1`,
    lockMeta: `select value from ${sql.t("meta")} as m where m.key = $1 ${sql.lock("m")}`,
    setMeta: `insert into ${sql.t("meta")}(key, value) values ($1, ${sql.p(2, "json")})
      on conflict (key) do update set value = excluded.value`
  }
})

interface MetaRow {
  readonly value: string
}

const real: PacingClock = { type: "real" }

const clockIn = ([row]: ReadonlyArray<MetaRow>): PacingClock =>
  row === undefined ? real : Columns.json<PacingClock>(row.value)

export const make = (database: Database["Service"]): WorkspaceStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const decoded = (rows: ReadonlyArray<WorkspaceRow.WorkspaceRow>) =>
    Option.map(Option.fromUndefinedOr(rows[0]), WorkspaceRow.decode)
  return WorkspaceStore.of({
    create: (workspace) => Effect.map(affected(sql.create, [[WorkspaceRow.encode(workspace)]]), (count) => count > 0),
    get: (id) => Effect.map(execute<WorkspaceRow.WorkspaceRow>(sql.get, [id]), decoded),
    list: Effect.map(execute<WorkspaceRow.WorkspaceRow>(sql.list), (rows) => rows.map(WorkspaceRow.decode)),
    modify: (id, change) =>
      transaction(
        Effect.gen(function* () {
          const before = decoded(yield* execute<WorkspaceRow.WorkspaceRow>(sql.lock, [id]))
          if (Option.isNone(before)) return before
          const after = change(before.value)
          if (after !== before.value) yield* affected(sql.write, [[WorkspaceRow.encode({ ...after, id })]])
          return Option.some(after)
        })
      ),
    idempotent: (workspace, key, fingerprint, now) =>
      transaction(
        Effect.gen(function* () {
          yield* affected(sql.forget, [workspace, key, now - keyLifeMs])
          if ((yield* affected(sql.record, [workspace, key, fingerprint, now])) > 0) return { type: "new" }
          const [row] = yield* execute<{ readonly fingerprint: string; readonly response: string }>(sql.recorded, [
            workspace,
            key
          ])
          if (row === undefined) return { type: "new" }
          return row.fingerprint === fingerprint ? { type: "replay", response: row.response } : { type: "mismatch" }
        })
      ),
    remember: (workspace, key, response) => Effect.asVoid(affected(sql.remember, [workspace, key, response])),
    forgetResponses: (workspace, texts) =>
      Effect.asVoid(affected(sql.forgetResponses, [workspace, texts.map((text) => ({ text }))])),
    purgeKeys: (workspace, before, limit) => affected(sql.purgeKeys, [workspace, before, limit]),
    stopped: Effect.map(execute<MetaRow>(sql.meta, ["stopped"]), ([row]) => row?.value === "true"),
    stop: (stopped) => Effect.asVoid(affected(sql.setMeta, ["stopped", JSON.stringify(stopped)])),
    pacingClock: Effect.map(execute<MetaRow>(sql.meta, ["pacingClock"]), clockIn),
    setPacingClock: (clock) =>
      transaction(
        Effect.gen(function* () {
          const stored = clockIn(yield* execute<MetaRow>(sql.lockMeta, ["pacingClock"]))
          if (clock.type === "virtual" && stored.type === "virtual" && clock.at < stored.at) return
          yield* affected(sql.setMeta, ["pacingClock", JSON.stringify(clock)])
        })
      ),
    agreePacingClock: (choose) =>
      transaction(
        Effect.gen(function* () {
          const stored = clockIn(yield* execute<MetaRow>(sql.lockMeta, ["pacingClock"]))
          const clock = choose(stored)
          if (clock !== stored) yield* affected(sql.setMeta, ["pacingClock", JSON.stringify(clock)])
          return clock
        })
      )
  })
}

export const layer: Layer.Layer<WorkspaceStore, never, Database> = Layer.effect(
  WorkspaceStore,
  Effect.map(Database, make)
)
