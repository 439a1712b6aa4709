/** The profiles of accounts. Their images are small, and kept as Base64 in a table of their own. */
import { images, type Profile, type ProfileImage, type ProfileState } from "@overture/core/account/Profile"
import { ProfileStore } from "@overture/core/account/ProfileStore"
import type { AccountId, ProfileImageId, WorkspaceId } from "@overture/core/workspace/Id"
import { Effect, Layer, Option } from "effect"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as Columns from "./rows/Columns.ts"

const columns = {
  account_id: "id",
  workspace_id: "id",
  desired: "json",
  applied: "json",
  revision: "int",
  changed_at: "bigint",
  due_at: "bigint",
  attempts: "int",
  error: "text"
} as const satisfies Columns.Columns

interface Row {
  readonly account_id: AccountId
  readonly workspace_id: WorkspaceId
  readonly desired: string
  readonly applied: string
  readonly revision: number
  readonly changed_at: number | null
  readonly due_at: number | null
  readonly attempts: number
  readonly error: string | null
}

const decode = (row: Row): ProfileState => ({
  account: row.account_id,
  workspace: row.workspace_id,
  desired: Columns.record<Profile>(row.desired),
  applied: Columns.record<Profile>(row.applied),
  revision: row.revision,
  changedAt: row.changed_at,
  dueAt: row.due_at,
  attempts: row.attempts,
  error: row.error
})

const encode = (state: ProfileState): Columns.Written<typeof columns> => ({
  account_id: state.account,
  workspace_id: state.workspace,
  desired: state.desired,
  applied: state.applied,
  revision: state.revision,
  changed_at: state.changedAt,
  due_at: state.dueAt,
  attempts: state.attempts,
  error: state.error
})

interface ImageRow {
  readonly id: ProfileImageId
  readonly workspace_id: WorkspaceId
  readonly account_id: AccountId
  readonly mime: string
  readonly width: number
  readonly height: number
  readonly base64: string
  readonly created_at: number
}

const decodeImage = (row: ImageRow): ProfileImage => ({
  id: row.id,
  workspace: row.workspace_id,
  account: row.account_id,
  image: {
    mime: row.mime,
    width: row.width,
    height: row.height,
    bytes: new Uint8Array(Buffer.from(row.base64, "base64"))
  },
  createdAt: row.created_at
})

const statements = defineStatements("ProfileStore", (sql) => {
  const profile = sql.t("account_profile")
  const image = sql.t("profile_image")
  const all = Columns.select(columns, "p")
  const rows = `select ${Columns.select(columns, "x")} from ${sql.rows("x", 1, columns)} where true`
  return {
    get: `select ${all} from ${profile} as p where p.workspace_id = $1 and p.account_id = $2`,
    ensure: `insert into ${profile}(${Columns.names(columns)}) ${rows} on conflict (account_id) do nothing`,
    lock: `select ${all} from ${profile} as p where p.account_id = $1 ${sql.lock("p")}`,
    write: `update ${profile} as p set ${Columns.assign(columns, "x", "account_id", "workspace_id")}
      from ${sql.rows("x", 1, columns)} where p.account_id = x.account_id`,
    forgetImages: `delete from ${image} where account_id = $1
      and id not in (select x.id from ${sql.rows("x", 2, { id: "id" })})`,
    due: `select ${all} from ${profile} as p where p.due_at is not null and p.due_at <= $1
      order by p.due_at, p.account_id limit $2 ${sql.skipLocked("p")}`,
    hold: `update ${profile} set due_at = $2
      where account_id in (select x.id from ${sql.rows("x", 1, { id: "id" })})`,
    nextDue: `select min(due_at) as due_at from ${profile} where due_at is not null`,
    addImage: `insert into ${image}(account_id, id, workspace_id, mime, width, height, base64, created_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    image: `select id, workspace_id, account_id, mime, width, height, base64, created_at from ${image}
      where account_id = $1 and id = $2`
  }
})

export const make = (database: Database["Service"]): ProfileStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute, transaction } = database
  return ProfileStore.of({
    get: (workspace, account) =>
      Effect.map(execute<Row>(sql.get, [workspace, account]), ([row]) =>
        Option.map(Option.fromUndefinedOr(row), decode)
      ),
    modify: (initial, change) =>
      transaction(
        Effect.gen(function* () {
          // Whoever comes first makes the row, so that the second waits for it.
          yield* affected(sql.ensure, [[encode(initial)]])
          const [row] = yield* execute<Row>(sql.lock, [initial.account])
          const before = row === undefined ? initial : decode(row)
          const after = change(before)
          if (after === before) return after
          yield* affected(sql.write, [[encode(after)]])
          yield* affected(sql.forgetImages, [after.account, images(after).map((id) => ({ id }))])
          return after
        })
      ),
    claim: (now, until, limit) =>
      transaction(
        Effect.gen(function* () {
          const due = (yield* execute<Row>(sql.due, [now, limit])).map(decode)
          if (due.length === 0) return due
          yield* affected(sql.hold, [due.map(({ account }) => ({ id: account })), until])
          return due.map((state) => ({ ...state, dueAt: until }))
        })
      ),
    nextDue: Effect.map(execute<{ readonly due_at: number | null }>(sql.nextDue), ([row]) => row?.due_at ?? null),
    addImage: ({ account, createdAt, id, image, workspace }) =>
      Effect.asVoid(
        affected(sql.addImage, [
          account,
          id,
          workspace,
          image.mime,
          image.width,
          image.height,
          Buffer.from(image.bytes).toString("base64"),
          createdAt
        ])
      ),
    image: (account, id) =>
      Effect.map(execute<ImageRow>(sql.image, [account, id]), ([row]) =>
        Option.map(Option.fromUndefinedOr(row), decodeImage)
      )
  })
}

export const layer: Layer.Layer<ProfileStore, never, Database> = Layer.effect(ProfileStore, Effect.map(Database, make))
