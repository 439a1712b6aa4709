/** Which account writes to a contact, and at which address: where they talk already, else where they can. Pure. */
import * as Account from "../account/Account.ts"
import * as Address from "../channel/Address.ts"
import type { Contact } from "../contact/Contact.ts"
import type { AccountId, ChatId } from "../workspace/Id.ts"
import * as Chat from "./Chat.ts"

export interface Choice {
  readonly account: Account.Account
  readonly address: Address.Address
}

/** What the caller leaves open. */
export interface Wish {
  readonly account?: AccountId | undefined
  readonly channel?: Address.ChannelName | undefined
}

/** Every way to the contact that the wish allows, accounts in their order and each with the addresses it reaches. */
export const ways = (
  contact: Pick<Contact, "addresses">,
  accounts: ReadonlyArray<Account.Account>,
  wish: Wish
): ReadonlyArray<Choice> =>
  accounts
    .filter(({ id }) => wish.account === undefined || id === wish.account)
    .filter(({ channel }) => wish.channel === undefined || channel === wish.channel)
    .flatMap((account) =>
      contact.addresses.filter((address) => Account.reaches(account, address)).map((address) => ({ account, address }))
    )

export const chatOf = ({ account, address }: Choice): ChatId => Chat.idOf(account.id, Address.key(address))

/**
 * The way to take of those there are, given the chats that exist: an account that can send before one that cannot, then the
 * chat in which something was said last, then the contact's first address. Null where there is none.
 */
export const choose = (
  all: ReadonlyArray<Choice>,
  chats: ReadonlyMap<ChatId, Pick<Chat.Chat, "lastAt">>,
  contact: Pick<Contact, "addresses">
): Choice | null => {
  const rank = (choice: Choice) => ({
    able: Account.isAble(choice.account) ? 1 : 0,
    lastAt: chats.get(chatOf(choice))?.lastAt ?? -Infinity,
    place: -contact.addresses.findIndex((address) => Address.key(address) === Address.key(choice.address))
  })
  const better = (a: Choice, b: Choice) => {
    const [one, other] = [rank(a), rank(b)]
    if (one.able !== other.able) return one.able > other.able
    return one.lastAt !== other.lastAt ? one.lastAt > other.lastAt : one.place > other.place
  }
  return all.reduce<Choice | null>((best, choice) => (best === null || better(choice, best) ? choice : best), null)
}
