/** An account in a campaign: with its pace and the caps above its own, and with what of the campaign's leads is with it. */
import type { Account } from "../account/Account.ts"
import type { Pace } from "./Pace.ts"

/** An account that is in a campaign or was. */
export interface PacedAccount {
  readonly account: Account
  readonly pace: Pace
  /** The daily caps of its group and of its workspace; null = there is none. */
  readonly groupCap: number | null
  readonly workspaceCap: number | null
}

/** One as a draw sees it. */
export interface DrawAccount extends PacedAccount {
  /** Its unclaimed leads in status assigned. */
  readonly holding: number
  /** Of these, those put off: with a dueAt after the draw's `now`. They are not its hold. */
  readonly deferred: number
  /** Leads that it has or had: whose first touch is open with it, or was decided with it. */
  readonly given: number
}
