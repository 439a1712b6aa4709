/** The sealed secrets of accounts. */
import { type AccountSecrets, AccountSecretStore } from "@overture/core/account/AccountSecretStore"
import type { AccountId, WorkspaceId } from "@overture/core/workspace/Id"
import { Effect, Layer, Option } from "effect"
import { Database } from "./Database.ts"
import { defineStatements } from "./Dialect.ts"
import * as Columns from "./rows/Columns.ts"

const columns = {
  account_id: "id",
  workspace_id: "id",
  version: "int",
  credentials: "text",
  egress: "text"
} as const satisfies Columns.Columns

interface Row {
  readonly account_id: AccountId
  readonly workspace_id: WorkspaceId
  readonly version: number
  readonly credentials: string | null
  readonly egress: string | null
}

const decode = (row: Row): AccountSecrets => ({
  account: row.account_id,
  workspace: row.workspace_id,
  version: row.version,
  credentials: row.credentials,
  egress: row.egress
})

const statements = defineStatements("AccountSecretStore", (sql) => {
  const secret = sql.t("account_secret")
  const isOther = (column: string) =>
    `(s.${column} is not null and substr(s.${column}, 1, length(${sql.p(1, "text")})) <> ${sql.p(1, "text")})`
  return {
    get: `select ${Columns.select(columns, "s")} from ${secret} as s where s.account_id = $1`,
    put: `insert into ${secret}(${Columns.names(columns)})
      select ${Columns.select(columns, "x")} from ${sql.rows("x", 1, columns)} where true
      on conflict (account_id) do update set ${Columns.assign(columns, "excluded", "account_id", "workspace_id")}`,
    sealedOtherwise: `select ${Columns.select(columns, "s")} from ${secret} as s
      where s.account_id > $2 and (${isOther("credentials")} or ${isOther("egress")})
      order by s.account_id limit $3`,
    replace: `update ${secret} set credentials = $4, egress = $5 where account_id = $1
      and credentials is not distinct from ${sql.p(2, "text")} and egress is not distinct from ${sql.p(3, "text")}`
  }
})

export const make = (database: Database["Service"]): AccountSecretStore["Service"] => {
  const sql = database.statements(statements)
  const { affected, execute } = database
  return AccountSecretStore.of({
    get: (account) =>
      Effect.map(execute<Row>(sql.get, [account]), ([row]) => Option.map(Option.fromUndefinedOr(row), decode)),
    put: (secrets) =>
      Effect.asVoid(
        affected(sql.put, [
          [
            {
              account_id: secrets.account,
              workspace_id: secrets.workspace,
              version: secrets.version,
              credentials: secrets.credentials,
              egress: secrets.egress
            } satisfies Columns.Written<typeof columns>
          ]
        ])
      ),
    sealedOtherwise: (prefix, after, limit) =>
      Effect.map(execute<Row>(sql.sealedOtherwise, [prefix, after ?? "", limit]), (rows) => rows.map(decode)),
    replace: (account, from, to) =>
      Effect.map(
        affected(sql.replace, [account, from.credentials, from.egress, to.credentials, to.egress]),
        (count) => count > 0
      )
  })
}

export const layer: Layer.Layer<AccountSecretStore, never, Database> = Layer.effect(
  AccountSecretStore,
  Effect.map(Database, make)
)
