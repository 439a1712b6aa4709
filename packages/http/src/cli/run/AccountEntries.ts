/**
 * What a campaign file says of accounts that are there already: whether it means these accounts, which is known before
 * anything is written, and what they are to be from then on. An account is shared by campaigns, so a setting that the file
 * leaves out stays what it is: no other file's limit goes by silence.
 */
import * as Account from "@overture/core/account/Account"
import { Accounts } from "@overture/core/account/Accounts"
import * as AccountSettings from "@overture/core/account/AccountSettings"
import { AccountStore } from "@overture/core/account/AccountStore"
import type { AccountEntry, CampaignFile } from "@overture/core/campaign/CampaignFile"
import { second } from "@overture/core/workspace/Instant"
import { Effect, Option, Struct } from "effect"
import { actor, workspace } from "../Engine.ts"
import { refuse } from "../Failure.ts"
import { idOf } from "./Inputs.ts"

export const unknownAccount = (path: string, index: number, id: string): string =>
  `${path}: accounts[${index}]: there is no account ${id} in this database; write it out: {"id": ${JSON.stringify(id)}, "channel": …}`

/** The account that an entry means, and why it cannot be that one. */
const meant = Effect.fnUntraced(function* (entry: AccountEntry) {
  const store = yield* AccountStore
  const named = yield* store.byExternalRef(workspace, idOf(entry))
  if (typeof entry === "string") return { account: named, mistaken: null }
  const { channel, externalId, id } = entry
  const same = Option.isSome(named)
    ? named
    : Option.fromUndefinedOr(
        (yield* store.byExternalId(channel, [externalId ?? id])).find((account) => account.workspace === workspace)
      )
  const identity = (account: Account.Account) => ({
    channel,
    externalId: externalId ?? account.externalId,
    externalRef: id
  })
  const mistaken = Option.map(same, (account) => AccountSettings.mistaken(account, identity(account)))
  return { account: named, mistaken: Option.getOrNull(mistaken) }
})

/**
 * The accounts of the file that are there already, by their ids. One that the file only names must be, and no entry may
 * take one account for another.
 */
export const known = Effect.fn("AccountEntries.known")(function* (path: string, file: CampaignFile) {
  const accounts = new Map<string, Account.Account>()
  const problems: Array<string> = []
  for (const [i, entry] of file.accounts.entries()) {
    const { account, mistaken } = yield* meant(entry)
    if (mistaken !== null) problems.push(`${path}: accounts[${i}].${mistaken.message}`)
    else if (Option.isSome(account)) accounts.set(idOf(entry), account.value)
    else if (typeof entry === "string") problems.push(unknownAccount(path, i, entry))
  }
  if (problems.length > 0) return yield* refuse(...problems)
  return accounts
})

const settingsOf = ({ dailyCap, minGap, name, timezone, warmUp }: Exclude<AccountEntry, string>) => ({
  name,
  dailyCap,
  minGapMs: minGap === undefined ? undefined : minGap * second,
  timezone,
  warmUp
})

/** The settings that limit an account, as a file would say them. */
const limitsOf = (account: Account.Account) => ({
  ...(account.dailyCap !== null && { dailyCap: account.dailyCap }),
  ...(account.minGapMs !== Account.defaultMinGapMs && { minGap: account.minGapMs / second }),
  ...(account.timezone !== null && { timezone: account.timezone }),
  ...(account.limits?.warmUp !== undefined && { warmUp: account.limits.warmUp.ramp })
})

/** Changes the accounts to what the file says of them. Answers what was changed, and what stays although it is not said. */
export const follow = Effect.fn("AccountEntries.follow")(function* (
  path: string,
  file: CampaignFile,
  accounts: ReadonlyArray<Account.Account>
) {
  const service = yield* Accounts
  const changed: Array<string> = []
  const kept: Array<string> = []
  for (const [i, entry] of file.accounts.entries()) {
    const account = accounts[i]
    if (typeof entry === "string" || account === undefined) continue
    const said = settingsOf(entry)
    const differing = AccountSettings.differing(account, said)
    if (differing.length > 0) {
      yield* service.change(workspace, account.id, Struct.pick(said, differing), actor)
      const names = differing.map((field) => (field === "minGapMs" ? "minGap" : field))
      changed.push(`${path}: account ${entry.id} follows the file: ${names.join(", ")} changed`)
    }
    const unsaid = Object.entries(limitsOf(account)).filter(([field]) => !(field in entry))
    if (unsaid.length > 0) {
      const fields = unsaid.map(([field, value]) => `${JSON.stringify(field)}: ${JSON.stringify(value)}`)
      kept.push(`${path}: accounts[${i}]: ${entry.id} keeps what the file does not name: ${fields.join(", ")}`)
    }
  }
  return { changed, kept }
})
