/** Why PostgreSQL does not answer, in plain words and without the password, and whether asking again may help. */
import { Effect } from "effect"
import type { Pool } from "pg"
import { DatabaseUnavailable } from "../Connection.ts"

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** Whether the server said so before it closed the connection. */
export const isFatal = (cause: unknown): boolean =>
  typeof cause === "object" &&
  cause !== null &&
  "severity" in cause &&
  (cause.severity === "FATAL" || cause.severity === "PANIC")

/** The connection went away under a statement. */
export const lost = (database: string) =>
  new DatabaseUnavailable({
    database,
    problem: "the connection was lost",
    advice: "The next statement takes a new one",
    retryable: true
  })

const network = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND)/
// Serialization, deadlock, lock not available; connection trouble, shutdown, out of connections.
const passing = /^(40001|40P01|55P03|08...|57P0.|53300)$/

export const isTransient = (cause: unknown): boolean =>
  cause instanceof DatabaseUnavailable ? cause.retryable : passing.test(codeOf(cause)) || network.test(codeOf(cause))

/** What is wrong when no connection can be had. */
export const explain = (database: string, cause: unknown): DatabaseUnavailable => {
  const because = (problem: string, advice: string, retryable = false) =>
    new DatabaseUnavailable({ database, problem, advice, retryable })
  const code = codeOf(cause)
  switch (code) {
    case "ECONNREFUSED":
      return because("nothing answers there", "Start the server, or correct host and port", true)
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return because("the host is unknown", "Correct the host name", true)
    case "28P01":
    case "28000":
      return because("the server refuses this user or password", "Correct them in the URL")
    case "3D000":
      return because("the server has no such database", "Create it, or correct the name")
    case "53300":
      return because(
        "the server has no free connection",
        "Lower the number of connections or raise max_connections",
        true
      )
    case "57P03":
      return because("the server is starting or stopping", "Try again in a moment", true)
    case "":
      return because(
        "no connection could be made in time",
        "Check the server, its load and the password in the URL",
        true
      )
    default:
      return because(`the connection failed (${code})`, "See the server's log", isTransient(cause))
  }
}

const ofUrl = (url: string) => {
  const { hostname, port, pathname, searchParams } = new URL(url)
  return `${searchParams.get("host") ?? (hostname || "localhost")}:${port || "5432"}/${decodeURIComponent(pathname.slice(1))}`
}

/** `host:port/name`. Fails when the URL is none; the message does not repeat it, for it may hold a password. */
export const place = (
  options: { readonly url: string } | { readonly pool: Pool }
): Effect.Effect<string, DatabaseUnavailable> =>
  Effect.try({
    try: () => {
      if ("url" in options) return ofUrl(options.url)
      const { connectionString, host, port, database } = options.pool.options
      return connectionString === undefined
        ? `${host ?? "localhost"}:${port ?? 5432}/${database ?? ""}`
        : ofUrl(connectionString)
    },
    catch: () =>
      new DatabaseUnavailable({
        database: "PostgreSQL",
        problem: "the URL cannot be read",
        advice: "Write postgres://user:password@host:port/name, with %23 for # and so on in the password",
        retryable: false
      })
  })
