/**
 * What went wrong with an account, for its owner: a title of ours, the platform's own words, and whether it stops the
 * account or only warns. What is the contact's (they blocked us, they cannot be reached) is no trouble of the account.
 */
import { Schema } from "effect"
import { isAccountTrouble, type Outcome } from "../channel/Outcome.ts"
import { AccountId, AccountLogEntryId, type IdGenerator, WorkspaceId } from "../workspace/Id.ts"
import { Instant, minute } from "../workspace/Instant.ts"

/** How many entries of an account are kept. */
export const kept = 50
/** The same trouble of an account within this time is one entry (milliseconds). */
export const sameWithinMs = minute

export class AccountLogEntry extends Schema.Opaque<AccountLogEntry>()(
  Schema.Struct({
    id: AccountLogEntryId,
    workspace: WorkspaceId,
    account: AccountId,
    at: Instant,
    /** An error keeps the account from its work until someone acts; a warning passes. */
    level: Schema.Literals(["warning", "error"]),
    title: Schema.NonEmptyString,
    /** The platform's own words, or what they mean where it said nothing. */
    description: Schema.String,
    /** The platform's code. */
    code: Schema.NullOr(Schema.String),
    /** The key of the address it was about, so that it goes with the person; null = nobody's. */
    address: Schema.NullOr(Schema.String)
  }).annotate({ identifier: "AccountLogEntry" })
) {}

/** An entry before it is told whose it is. */
export type Trouble = Pick<AccountLogEntry, "level" | "title" | "description" | "code">

const words: Record<Exclude<Outcome["type"], "accepted" | "blocked" | "optedOut">, readonly [string, string] | null> = {
  unauthorized: ["Credentials refused", "The platform does not accept the account's credentials."],
  restricted: ["Restricted", "The platform has restricted the account."],
  banned: ["Banned", "The platform has banned the account."],
  challenge: ["Confirmation required", "The platform wants the account's owner to confirm something."],
  misconfigured: ["Not set up", "The account, or this engine, is not set up for what was asked."],
  rateLimited: ["Rate limited", "The platform wants the account to wait."],
  transient: ["Platform not available", "The platform could not be reached, or failed."],
  outcomeUnknown: ["No answer", "Nobody knows whether the platform took a message."],
  contentRejected: ["Message refused", "The platform refused the content of a message."],
  unsupported: ["Message not supported", "The platform cannot take such a message."],
  replyWindowClosed: null,
  unreachable: null
}

/** What an outcome says about its account; null where it says nothing. */
export const troubleOf = (outcome: Outcome): Trouble | null => {
  const { type } = outcome
  if (type === "accepted" || type === "blocked" || type === "optedOut") return null
  if (outcome.type === "rateLimited" && outcome.scope === "recipient") return null
  const said = words[type]
  if (said === null) return null
  return {
    level: isAccountTrouble(type) ? "error" : "warning",
    title: said[0],
    description: outcome.detail ?? said[1],
    code: outcome.code ?? null
  }
}

/** The account's secrets cannot be opened in some process. */
export const unopened = (description: string): Trouble => ({
  level: "error",
  title: "Secrets cannot be opened",
  description,
  code: null
})

/** The platform told of something that cannot be understood; the description says of what, without what came. */
export const leftOut = (description: string): Trouble => ({
  level: "warning",
  title: "Not understood",
  description,
  code: null
})

/** The entry of a trouble. */
export const entry = (
  ids: IdGenerator,
  account: { readonly id: AccountId; readonly workspace: WorkspaceId },
  at: Instant,
  trouble: Trouble,
  address: string | null = null
): AccountLogEntry => ({
  id: ids.next("log"),
  workspace: account.workspace,
  account: account.id,
  at,
  ...trouble,
  address
})

/** Whether an entry is about one of these addresses, or has one of these texts in what it says. */
export const tellsOf = (
  { address, code, description }: AccountLogEntry,
  addresses: ReadonlyArray<string>,
  texts: ReadonlyArray<string>
): boolean =>
  (address !== null && addresses.includes(address)) ||
  texts.some((text) => description.includes(text) || code?.includes(text) === true)

/** Whether two entries tell of the same. */
export const isSame = (a: AccountLogEntry, b: AccountLogEntry): boolean =>
  a.account === b.account && a.title === b.title && a.description === b.description

/** Without those that repeat a former one. */
export const distinct = (entries: ReadonlyArray<AccountLogEntry>): ReadonlyArray<AccountLogEntry> =>
  entries.filter((one, i) => !entries.slice(0, i).some((other) => isSame(one, other)))
