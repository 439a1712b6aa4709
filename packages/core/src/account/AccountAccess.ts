/**
 * What an account reaches its platform with, as far as it may be shown: whether it has credentials, and its way out. The
 * secrets themselves are sealed and kept apart, so that no answer, claim or event can hold them.
 */
import { Schema } from "effect"
import { Egress, type EgressCheck } from "./Egress.ts"

export class AccountAccess extends Schema.Opaque<AccountAccess>()(
  Schema.Struct({
    /** Counts the changes of what is secret; who keeps an opened secret compares it. */
    version: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
    /** Whether it has credentials. */
    credentials: Schema.Boolean,
    /** Null = straight to the platform. */
    egress: Schema.NullOr(Egress)
  }).annotate({ identifier: "AccountAccess" })
) {}

/** Of an account that never had a secret. */
export const none: AccountAccess = { version: 0, credentials: false, egress: null }

/** What becomes of its secrets: absent stays, null goes. */
export interface AccessChange {
  /** True where there are other credentials. */
  readonly credentials?: true | null | undefined
  readonly egress?: Egress | null | undefined
}

/** With other secrets. */
export const changed = (self: AccountAccess, change: AccessChange): AccountAccess => ({
  version: self.version + 1,
  credentials: change.credentials === undefined ? self.credentials : change.credentials !== null,
  egress: change.egress === undefined ? self.egress : change.egress
})

/** After a probe of the way out at `version`; the same object where that was changed since. */
export const checked = (self: AccountAccess, version: number, check: EgressCheck): AccountAccess =>
  self.version !== version || self.egress === null ? self : { ...self, egress: { ...self.egress, check } }

/** A secret that cannot be one. Says nothing of it. */
export class InvalidAccess extends Schema.TaggedError<InvalidAccess>()("InvalidAccess", {
  field: Schema.Literals(["credentials", "egress"]),
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}
