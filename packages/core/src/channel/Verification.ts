/** What a platform says when it is asked whether an account's credentials hold. */
import { Schema } from "effect"
import { AccountTrouble } from "./Outcome.ts"

const detail = { code: Schema.optionalKey(Schema.String), detail: Schema.optionalKey(Schema.String) }

export const Verification = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("valid"),
    /** Of which account they are, by the platform's name for it. */
    externalId: Schema.NonEmptyString,
    /** What the platform calls it to people. */
    name: Schema.optionalKey(Schema.String),
    /** What they allow, in the platform's words. */
    scopes: Schema.optionalKey(Schema.Array(Schema.String))
  }),
  Schema.Struct({ type: AccountTrouble, ...detail }),
  /** Nothing is known: the platform could not be asked. */
  Schema.Struct({ type: Schema.Literal("transient"), ...detail })
]).annotate({ identifier: "Verification" })
export type Verification = typeof Verification.Type
