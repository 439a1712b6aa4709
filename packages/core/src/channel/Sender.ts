/** What a channel sees of an account: enough to speak to the platform in its name, and nothing else. */
import type { Redacted } from "effect"
import type { AccountId } from "../workspace/Id.ts"

export interface Sender {
  readonly account: AccountId
  /** The platform's name for it: a page id, a phone number id, a handle. */
  readonly externalId: string
  readonly credentials: Redacted.Redacted<string> | null
  /** The URL of the proxy to go through; null = straight to the platform. */
  readonly egress: Redacted.Redacted<string> | null
}
