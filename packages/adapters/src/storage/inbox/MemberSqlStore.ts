/** Members, and whose turn it is to be given a chat. */
import type { Member } from "@overture/core/workspace/Member"
import { MemberStore } from "@overture/core/workspace/MemberStore"
import { Effect, Layer, Option } from "effect"
import { Database } from "../Database.ts"
import { defineStatements } from "../Dialect.ts"
import * as Paging from "../Paging.ts"
import * as Columns from "../rows/Columns.ts"
import * as MemberRow from "../rows/MemberRow.ts"

const statements = defineStatements("MemberStore", (sql) => {
  const member = sql.t("member")
  const columns = Columns.select(MemberRow.columns, "m")
  const rows = sql.rows("x", 1, MemberRow.columns)
  return {
    insert: `insert into ${member}(${Columns.names(MemberRow.columns)})
      select ${Columns.select(MemberRow.columns, "x")} from ${rows} where true on conflict do nothing`,
    known: `select ${columns} from ${member} as m where m.id = $1`,
    byRef: `select ${columns} from ${member} as m where m.workspace_id = $1 and m.external_ref = $2`,
    get: `select ${columns} from ${member} as m where m.workspace_id = $1 and m.id = $2`,
    lock: `select ${columns} from ${member} as m where m.workspace_id = $1 and m.id = $2 ${sql.lock("m")}`,
    write: `update ${member} as m set name = x.name, email = x.email, role = x.role, status = x.status
      from ${rows} where m.id = x.id`,
    list: `select ${columns} from ${member} as m where m.workspace_id = $1 and m.id > $2 order by m.id limit $3 offset $4`,
    count: `select count(*) as total from ${member} where workspace_id = $1`,
    team: `select ${columns}, m.last_turn from ${member} as m where m.workspace_id = $1 order by m.id ${sql.lock("m")}`,
    setTurns: `update ${member} as m set last_turn = x.turn
      from ${sql.rows("x", 1, { member: "id", turn: "int" })} where m.id = x.member`
  }
})

type TeamRow = MemberRow.MemberRow & { readonly last_turn: number }

export const make = (database: Database["Service"]): MemberStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  const one = (rows: ReadonlyArray<MemberRow.MemberRow>) =>
    Option.map(Option.fromUndefinedOr(rows[0]), MemberRow.decode)
  const known = Effect.fnUntraced(function* (member: Member) {
    const byId = one(yield* execute<MemberRow.MemberRow>(sql.known, [member.id]))
    return Option.isSome(byId)
      ? byId
      : one(yield* execute<MemberRow.MemberRow>(sql.byRef, [member.workspace, member.externalRef]))
  })
  return MemberStore.of({
    create: (member) =>
      transaction(
        Effect.gen(function* () {
          if ((yield* affected(sql.insert, [[MemberRow.encode(member)]])) > 0) return { member, created: true }
          return { member: Option.getOrElse(yield* known(member), () => member), created: false }
        })
      ),
    get: (workspace, id) => Effect.map(execute<MemberRow.MemberRow>(sql.get, [workspace, id]), one),
    list: Paging.byId(database, sql, MemberRow.decode),
    modify: (workspace, id, change) =>
      transaction(
        Effect.gen(function* () {
          const before = one(yield* execute<MemberRow.MemberRow>(sql.lock, [workspace, id]))
          if (Option.isNone(before)) return before
          const after = change(before.value)
          if (after !== before.value) yield* affected(sql.write, [[MemberRow.encode({ ...after, id })]])
          return Option.some(after)
        })
      ),
    takeTurns: (workspace, choose) =>
      transaction(
        Effect.gen(function* () {
          const rows = yield* execute<TeamRow>(sql.team, [workspace])
          const chosen = choose(rows.map((row) => ({ member: MemberRow.decode(row), last: row.last_turn })))
          let last = Math.max(0, ...rows.map((row) => row.last_turn))
          const turns = new Map(chosen.map((member) => [member, ++last]))
          if (turns.size > 0) {
            yield* affected(sql.setTurns, [Array.from(turns, ([member, turn]) => ({ member, turn }))])
          }
          return chosen
        })
      )
  })
}

export const layer: Layer.Layer<MemberStore, never, Database> = Layer.effect(MemberStore, Effect.map(Database, make))
