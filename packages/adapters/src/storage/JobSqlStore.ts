/**
 * Jobs. One that waits and one whose lease ran out are found by the same column, `until`, so that a claim is one look at
 * an index that holds nothing but what is still to be done.
 */
import type { Job } from "@overture/core/job/Job"
import { type JobChange, JobStore } from "@overture/core/job/JobStore"
import type { JobId, MediaId } from "@overture/core/workspace/Id"
import { Effect, Layer, Option } from "effect"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as EventSqlStore from "./EventSqlStore.ts"
import * as Paging from "./Paging.ts"
import * as Columns from "./rows/Columns.ts"
import * as JobRow from "./rows/JobRow.ts"

const statements = defineStatements("JobStore", (sql) => {
  const table = sql.t("job")
  const columns = Columns.select(JobRow.columns, "j")
  const row = sql.rows("x", 1, JobRow.columns)
  const isDue = `j.until is not null and j.until <= ${sql.now} and j.kind in (select x.kind from ${sql.rows("x", 1, { kind: "text" })})
    and j.workspace_id not in (select y.id from ${sql.rows("y", 2, { id: "id" })})`
  const wanted = `j.workspace_id = $1 and (${sql.p(2, "text")} is null or j.kind = $2)
    and (${sql.p(3, "text")} is null or j.status = $3) and (${sql.p(4, "text")} is null or j.subject = $4)`
  const holds = (column: string) => {
    const text = sql.cast(`j.${column}`, "text")
    return sql.pick({ postgres: `strpos(${text}, x.text)`, sqlite: `instr(${text}, x.text)` })
  }
  return {
    submit: `insert into ${table}(${Columns.names(JobRow.columns)}, until)
      select ${Columns.select(JobRow.columns, "x")}, ${sql.now} from ${row} where true on conflict do nothing`,
    byKey: `select ${columns} from ${table} as j where j.workspace_id = $1 and j.key = $2`,
    get: `select ${columns} from ${table} as j where j.workspace_id = $1 and j.id = $2`,
    lock: `select ${columns} from ${table} as j where j.workspace_id = $1 and j.id = $2 ${sql.lock("j")}`,
    lockHeld: `select ${columns} from ${table} as j where j.id = $1 and j.claim_id = $2 ${sql.lock("j")}`,
    list: `select ${columns} from ${table} as j where ${wanted} and j.id < $5 order by j.id desc limit $6 offset $7`,
    count: `select count(*) as total from ${table} as j where ${wanted}`,
    due: `select 1 as due from ${table} as j where ${isDue} limit 1`,
    next: `select ${columns} from ${table} as j where ${isDue}
      order by (select count(*) from ${table} as r
        where r.until is not null and r.status = 'running' and r.workspace_id = j.workspace_id), j.id
      limit 1 ${sql.skipLocked("j")}`,
    // Null: whoever runs it keeps what is left of the lease.
    write: `update ${table} as j set ${Columns.assign(JobRow.columns, "x", "id", "workspace_id", "created_at")},
        claim_id = case when x.status = 'running' then coalesce(${sql.p(2, "id")}, j.claim_id) end,
        until = case when x.status = 'queued' or (x.status = 'running' and ${sql.p(3, "bigint")} is not null)
          then ${sql.now} + coalesce(${sql.p(3, "bigint")}, 0) when x.status = 'running' then j.until end
      from ${row} where j.id = x.id`,
    renew: `update ${table} set until = ${sql.now} + ${sql.p(3, "bigint")} where id = $1 and claim_id = $2`,
    naming: `select ${columns} from ${table} as j where j.workspace_id = $1
      and exists (select 1 from ${sql.rows("x", 2, { text: "text" })}
        where ${["input", "checkpoint", "result"].map((column) => `${holds(column)} > 0`).join(" or ")})
      order by j.id`,
    ended: `select ${columns} from ${table} as j where j.workspace_id = $1 and j.finished_at is not null and j.finished_at < $2
      order by j.finished_at, j.id limit $3`,
    note: `insert into ${sql.t("job_file")}(workspace_id, id, noted_at) values ($1, $2, $3)
      on conflict (workspace_id, id) do update set noted_at = excluded.noted_at`,
    forget: `delete from ${sql.t("job_file")} where workspace_id = $1 and id = $2`,
    unused: `select f.id from ${sql.t("job_file")} as f where f.workspace_id = $1 and f.noted_at < $2
      and not exists (select 1 from ${table} as j where j.workspace_id = $1
        and (${sql.jsonField("j.input", "file", "id")} = f.id or ${sql.jsonField("j.result", "file", "id")} = f.id))
      order by f.noted_at, f.id limit $3`,
    remove: `delete from ${table} where workspace_id = $1 and id in (select x.id from ${sql.rows("x", 2, { id: "id" })})`
  }
})

const jobOf = (rows: ReadonlyArray<JobRow.JobRow>): Option.Option<Job> =>
  Option.map(Option.fromUndefinedOr(rows[0]), JobRow.decode)

export const make = (database: Database["Service"]): JobStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const append = EventSqlStore.appender(database)

  const write = Effect.fnUntraced(function* (change: JobChange, claim: string | null, ms: number | null) {
    const { events, job, restMs = 0 } = change
    yield* affected(sql.write, [[JobRow.encode(job)], claim, job.status === "queued" ? restMs : ms])
    yield* append(events)
    return Option.some(job)
  })

  return JobStore.of({
    submit: (job) =>
      transaction(
        Effect.gen(function* () {
          if ((yield* affected(sql.submit, [[JobRow.encode(job)]])) > 0) return { job, created: true }
          const known = jobOf(yield* execute<JobRow.JobRow>(sql.byKey, [job.workspace, job.key]))
          return { job: Option.getOrElse(known, () => job), created: false }
        })
      ),
    get: (workspace, id) => Effect.map(execute<JobRow.JobRow>(sql.get, [workspace, id]), jobOf),
    byKey: (workspace, key) => Effect.map(execute<JobRow.JobRow>(sql.byKey, [workspace, key]), jobOf),
    list: (workspace, { kind, status, subject }, request) =>
      Paging.page(
        database,
        {
          select: sql.list,
          count: sql.count,
          of: [workspace, kind, status, subject],
          // After every id: the newest come first.
          start: ["~"],
          decode: JobRow.decode,
          keyOf: (job) => [job.id]
        },
        request
      ),
    modify: (workspace, id, rule) =>
      transaction(
        Effect.gen(function* () {
          const before = jobOf(yield* execute<JobRow.JobRow>(sql.lock, [workspace, id]))
          if (Option.isNone(before)) return before
          const change = rule(before.value)
          return change.job === before.value ? before : yield* write(change, null, null)
        })
      ),
    claim: (kinds, lease, begin, except = []) =>
      Effect.gen(function* () {
        const of = [kinds.map((kind) => ({ kind })), except.map((id) => ({ id }))]
        // Most of the time there is none, and then nothing is locked.
        if ((yield* execute<object>(sql.due, of)).length === 0) return Option.none()
        return yield* transaction(
          Effect.gen(function* () {
            const next = jobOf(yield* execute<JobRow.JobRow>(sql.next, of))
            if (Option.isNone(next)) return next
            return yield* write({ job: begin(next.value), events: [] }, lease.claim, lease.ms)
          })
        )
      }),
    renew: (id, lease) => Effect.map(affected(sql.renew, [id, lease.claim, lease.ms]), (count) => count > 0),
    settle: (id, lease, rule) =>
      transaction(
        Effect.gen(function* () {
          const before = jobOf(yield* execute<JobRow.JobRow>(sql.lockHeld, [id, lease.claim]))
          return Option.isNone(before) ? before : yield* write(rule(before.value), lease.claim, lease.ms)
        })
      ),
    naming: (workspace, texts) =>
      texts.length === 0
        ? Effect.succeed([])
        : Effect.map(
            execute<JobRow.JobRow>(sql.naming, [workspace, texts.map((text) => ({ text: JSON.stringify(text) }))]),
            (rows) => rows.map(JobRow.decode)
          ),
    ended: (workspace, before, limit) =>
      Effect.map(execute<JobRow.JobRow>(sql.ended, [workspace, before, limit]), (rows) => rows.map(JobRow.decode)),
    remove: (workspace, ids: ReadonlyArray<JobId>) =>
      ids.length === 0 ? Effect.succeed(0) : affected(sql.remove, [workspace, ids.map((id) => ({ id }))]),
    noteFile: (workspace, file, at) => Effect.asVoid(affected(sql.note, [workspace, file, at])),
    forgetFile: (workspace, file) => Effect.asVoid(affected(sql.forget, [workspace, file])),
    unusedFiles: (workspace, before, limit) =>
      Effect.map(execute<{ readonly id: MediaId }>(sql.unused, [workspace, before, limit]), (rows) =>
        rows.map(({ id }) => id)
      )
  })
}

export const layer: Layer.Layer<JobStore, never, Database> = Layer.effect(JobStore, Effect.map(Database, make))
