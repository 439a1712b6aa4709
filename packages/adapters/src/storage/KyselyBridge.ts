/**
 * Kysely over one connection that somebody else opened and will close. Its queries go where `send` leads, its tables get
 * the prefix of the database, and it begins no transactions: those are `Database.transaction`'s.
 */
import {
  AliasNode,
  type DatabaseConnection,
  type Dialect,
  IdentifierNode,
  Kysely,
  type KyselyPlugin,
  type OperationNode,
  OperationNodeTransformer,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryId,
  type QueryResult,
  type SchemableIdentifierNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler
} from "kysely"
import { type Send, TransactionRefused } from "./Connection.ts"
import type { Parameter } from "./Dialect.ts"

/** Names no prefix goes before: an upsert's and a returning's own, and the catalogs'. */
const foreign = /^(excluded|old|new|pg_.*|sqlite_.*|json_each)$/

/** The names a query gives itself: its `with` tables and the aliases of its tables, but not those of its columns. */
const ownNames = (root: OperationNode): ReadonlySet<string> => {
  const names = new Set<string>()
  const visit = (value: unknown, column: boolean): void => {
    if (Array.isArray(value)) return value.forEach((item) => visit(item, false))
    if (typeof value !== "object" || value === null || !("kind" in value)) return
    const node = value as OperationNode & { readonly table?: { readonly table: SchemableIdentifierNode } }
    if (AliasNode.is(node) && IdentifierNode.is(node.alias) && !column) names.add(node.alias.name)
    if (node.kind === "CommonTableExpressionNameNode" && node.table !== undefined)
      names.add(node.table.table.identifier.name)
    for (const child of Object.values(node)) visit(child, node.kind === "SelectionNode")
  }
  visit(root, false)
  return names
}

/** A query that gives the name of a table to something else cannot use that table as well. */
class PrefixTransformer extends OperationNodeTransformer {
  readonly #prefix: string
  readonly #own: ReadonlySet<string>

  constructor(prefix: string, own: ReadonlySet<string>) {
    super()
    this.#prefix = prefix
    this.#own = own
  }

  protected override transformSchemableIdentifier(
    node: SchemableIdentifierNode,
    queryId?: QueryId
  ): SchemableIdentifierNode {
    const name = node.identifier.name
    return node.schema !== undefined || this.#own.has(name) || foreign.test(name)
      ? super.transformSchemableIdentifier(node, queryId)
      : { ...node, identifier: IdentifierNode.create(this.#prefix + name) }
  }
}

const prefixing = (prefix: string): KyselyPlugin => ({
  transformQuery: ({ node, queryId }) => new PrefixTransformer(prefix, ownNames(node)).transformNode(node, queryId),
  transformResult: ({ result }) => Promise.resolve(result)
})

const refuse = () => Promise.reject(new TransactionRefused({ reason: "begin transactions with Database.transaction" }))

const dialect = (name: "postgres" | "sqlite", send: Send): Dialect => {
  const connection: DatabaseConnection = {
    executeQuery: async <R>(query: { readonly sql: string; readonly parameters: ReadonlyArray<unknown> }) => {
      const result = await send(query.sql, query.parameters as ReadonlyArray<Parameter>)
      return { rows: result.rows, numAffectedRows: BigInt(result.affected) } as QueryResult<R>
    },
    streamQuery: () => {
      throw new TransactionRefused({ reason: "page by key instead of streaming" })
    }
  }
  return {
    createAdapter: () => (name === "postgres" ? new PostgresAdapter() : new SqliteAdapter()),
    createQueryCompiler: () => (name === "postgres" ? new PostgresQueryCompiler() : new SqliteQueryCompiler()),
    createIntrospector: (db) => (name === "postgres" ? new PostgresIntrospector(db) : new SqliteIntrospector(db)),
    createDriver: () => ({
      init: () => Promise.resolve(),
      acquireConnection: () => Promise.resolve(connection),
      releaseConnection: () => Promise.resolve(),
      destroy: () => Promise.resolve(),
      beginTransaction: refuse,
      commitTransaction: refuse,
      rollbackTransaction: refuse
    })
  }
}

/** Kysely whose every query goes to `send`. Costs a few microseconds; the connection stays its owner's. */
export const over = (name: "postgres" | "sqlite", prefix: string, send: Send): Kysely<unknown> =>
  new Kysely({ dialect: dialect(name, send), plugins: prefix === "" ? [] : [prefixing(prefix)] })
