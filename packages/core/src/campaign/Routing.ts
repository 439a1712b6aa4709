/**
 * The route of a lead in the pool: by which address it would be written to, who reaches that, and which account it wants.
 * Kept with the lead, so that a draw reads ranges of an index. Pure; the answer changes when accounts join or leave, and
 * with what the strategy looks at.
 */
import * as Account from "../account/Account.ts"
import * as Address from "../channel/Address.ts"
import type { Chat } from "../chat/Chat.ts"
import type { Contact } from "../contact/Contact.ts"
import type { AccountId } from "../workspace/Id.ts"
import * as Distribution from "./Distribution.ts"
import type { Lead } from "./Lead.ts"

/** A lead of the pool with what decides its route. */
export interface PooledLead {
  readonly lead: Lead
  readonly contact: Contact
  /** Of the accounts asked for, with any of the contact's addresses. */
  readonly chats: ReadonlyArray<Chat>
}

export type Route = Pick<Lead, "reach" | "address" | "wanted">

const routeBy = (address: Address.Address, wanted: AccountId | null): Route => ({
  reach: Address.reach(address),
  address: Address.key(address),
  wanted
})

/** To the account of the latest chat with the contact; of those of one instant, to the first account. */
const byChat = (
  accounts: ReadonlyArray<Account.Account>,
  contact: Contact,
  chats: ReadonlyArray<Chat>
): Route | null => {
  let latest: { readonly lastAt: number; readonly route: Route } | null = null
  for (const account of accounts) {
    for (const address of contact.addresses) {
      if (!Account.reaches(account, address)) continue
      const chat = chats.find((one) => one.account === account.id && one.address === Address.key(address))
      if (chat === undefined || (latest !== null && chat.lastAt <= latest.lastAt)) continue
      latest = { lastAt: chat.lastAt, route: routeBy(address, account.id) }
    }
  }
  return latest?.route ?? null
}

const byName = (
  { accounts: named, attribute, otherwise }: Extract<Distribution.Distribution, { readonly strategy: "byAttribute" }>,
  accounts: ReadonlyArray<Account.Account>,
  contact: Contact
): Route | null => {
  const value = contact.attributes[attribute]
  const key = (value !== undefined && Object.hasOwn(named, value) ? named[value] : undefined) ?? otherwise
  const account = key === undefined ? undefined : accounts.find((one) => Distribution.isNamed(one, key))
  const address = contact.addresses.find((one) => account !== undefined && Account.reaches(account, one))
  return account === undefined || address === undefined ? null : routeBy(address, account.id)
}

/**
 * The route of a contact's lead in a campaign of these accounts; null when none of them reaches it. `chats` are those of
 * the accounts with the contact; only `sticky` looks at them.
 */
export const routeOf = (
  distribution: Distribution.Distribution,
  accounts: ReadonlyArray<Account.Account>,
  contact: Contact,
  chats: ReadonlyArray<Chat>
): Route | null => {
  const wish =
    distribution.strategy === "sticky"
      ? byChat(accounts, contact, chats)
      : distribution.strategy === "byAttribute"
        ? byName(distribution, accounts, contact)
        : null
  if (wish !== null) return wish
  const address = contact.addresses.find((one) => accounts.some((account) => Account.reaches(account, one)))
  return address === undefined ? null : routeBy(address, null)
}
