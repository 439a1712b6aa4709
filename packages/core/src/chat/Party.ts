/** With whom somebody wants to talk, and from which account, as they name it. */
import { Schema } from "effect"
import * as Account from "../account/Account.ts"
import { type Address, ChannelName, isPhoneNumber } from "../channel/Address.ts"
import type { Channel } from "../channel/Channel.ts"
import { AccountId, ChatId, ContactId } from "../workspace/Id.ts"
import * as Problem from "../workspace/Problem.ts"

export const Party = Schema.Union([
  Schema.Struct({ chat: ChatId }),
  Schema.Struct({
    account: AccountId,
    /** The person's id on the account's channel. */
    person: Schema.String,
    /** For a chat that is new. */
    name: Schema.optional(Schema.String)
  }),
  Schema.Struct({
    contact: ContactId,
    account: Schema.optional(AccountId),
    channel: Schema.optional(ChannelName)
  })
]).annotate({ identifier: "Party" })
export type Party = typeof Party.Type

/** A party that cannot be read as one. */
export class PartyInvalid extends Schema.TaggedError<PartyInvalid>()("PartyInvalid", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

/** The party as given, or its first problem. */
export const check = Problem.checker(Party, PartyInvalid)

/** No account that was meant reaches the contact. */
export class ContactUnreachable extends Schema.TaggedError<ContactUnreachable>()("ContactUnreachable", {
  contact: Schema.String
}) {
  override get message(): string {
    return `no account that may be used reaches the contact ${this.contact}`
  }
}

/** The address of a person by their id on an account's channel, or what is wrong with the id. */
export const personOf = (account: Account.Account, channel: Channel, person: string): Address | PartyInvalid => {
  const { addressScope, phoneNumbers } = channel.capabilities
  const externalId = person.trim()
  const invalid = (expected: string) =>
    new PartyInvalid({ field: "person", problem: `expected ${expected}, got ${JSON.stringify(person)}` })
  if (externalId === "" || externalId.length > 255) return invalid("an id of 1 to 255 characters")
  if (phoneNumbers && !isPhoneNumber(externalId)) return invalid("a phone number in E.164, such as +14155550123")
  return { channel: account.channel, scope: Account.scopeOf(account, addressScope), externalId }
}
