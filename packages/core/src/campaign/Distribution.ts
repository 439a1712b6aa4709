/**
 * Who may draw which leads: the strategies of a campaign, as data. Accounts are named as in a campaign file, by their
 * externalRef or their id.
 */
import { Schema } from "effect"
import * as Account from "../account/Account.ts"

/** The largest weight. */
const maxWeight = 10_000

const AccountKey = Schema.NonEmptyString
const Weight = Schema.Int.check(
  Schema.isBetween({ minimum: 1, maximum: maxWeight }, { expected: `an integer from 1 to ${maxWeight}` })
)

export const Distribution = Schema.Union([
  Schema.Struct({ strategy: Schema.Literal("capacity") }),
  Schema.Struct({ strategy: Schema.Literal("even") }),
  Schema.Struct({
    strategy: Schema.Literal("weighted"),
    /** By account. A file names them all; an account that joins later without a weight counts as 1. */
    weights: Schema.Record(Schema.String, Weight)
  }),
  Schema.Struct({ strategy: Schema.Literal("sticky") }),
  Schema.Struct({
    strategy: Schema.Literal("byAttribute"),
    /** The attribute of a contact that names the account. */
    attribute: Schema.NonEmptyString,
    /** From values of the attribute to accounts. */
    accounts: Schema.Record(Schema.String, AccountKey),
    /** The account of people without the attribute or with another value; absent = any account draws them. */
    otherwise: Schema.optionalKey(AccountKey)
  })
]).annotate({ identifier: "Distribution" })
export type Distribution = typeof Distribution.Type

/** Whether an account is the one that a strategy names so. */
export const isNamed = (account: Account.Account, key: string): boolean =>
  account.externalRef === key || account.id === key

/** An account's part in shares; null = this strategy promises none. */
export const weightOf = (self: Distribution, account: Account.Account): number | null => {
  switch (self.strategy) {
    case "even":
      return 1
    case "weighted":
      return self.weights[Account.seedKey(account)] ?? self.weights[account.id] ?? 1
    case "capacity":
    case "sticky":
    case "byAttribute":
      return null
  }
}

/** Whether leads may want one account. */
export const wants = (self: Distribution): boolean => self.strategy === "sticky" || self.strategy === "byAttribute"

/** What is wrong with it for a campaign of these accounts, by field. */
export const problems = (
  self: Distribution,
  accounts: ReadonlyArray<string>
): ReadonlyArray<{ readonly field: string; readonly message: string }> => {
  const known = new Set(accounts)
  const stranger = (key: string) => `${JSON.stringify(key)} is none of the campaign's accounts: ${accounts.join(", ")}`
  switch (self.strategy) {
    case "capacity":
    case "even":
    case "sticky":
      return []
    case "weighted":
      return [
        ...Object.keys(self.weights).flatMap((key) =>
          known.has(key) ? [] : [{ field: `distribution.weights.${key}`, message: stranger(key) }]
        ),
        ...accounts.flatMap((key) =>
          self.weights[key] === undefined
            ? [{ field: "distribution.weights", message: `has no weight for account ${JSON.stringify(key)}` }]
            : []
        )
      ]
    case "byAttribute":
      return [
        ...(Object.keys(self.accounts).length === 0
          ? [
              {
                field: "distribution.accounts",
                message: "names no account: give each value of the attribute its account"
              }
            ]
          : []),
        ...Object.entries(self.accounts).flatMap(([value, key]) =>
          known.has(key) ? [] : [{ field: `distribution.accounts.${value}`, message: stranger(key) }]
        ),
        ...(self.otherwise === undefined || known.has(self.otherwise)
          ? []
          : [{ field: "distribution.otherwise", message: stranger(self.otherwise) }])
      ]
  }
}
