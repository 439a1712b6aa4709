/** With whom somebody wants to talk, and from which account, as they name it. */
import { Schema } from "effect"
import * as Account from "../account/Account.ts"
import type { Address, ChannelName } from "../channel/Address.ts"
import type { Channel } from "../channel/Channel.ts"
import type { AccountId, ChatId, ContactId } from "../workspace/Id.ts"

export type Party =
  | { readonly chat: ChatId }
  | {
      readonly account: AccountId
      /** The person's id on the account's channel. */
      readonly person: string
      /** For a chat that is new. */
      readonly name?: string | undefined
    }
  | {
      readonly contact: ContactId
      readonly account?: AccountId | undefined
      readonly channel?: ChannelName | undefined
    }

/** A party that cannot be read as one. */
export class PartyInvalid extends Schema.TaggedError<PartyInvalid>()("PartyInvalid", {
  field: Schema.String,
  expected: Schema.String,
  actual: Schema.String
}) {
  override get message(): string {
    return `${this.field} must be ${this.expected}, not ${JSON.stringify(this.actual)}`
  }
}

/** No account that was meant reaches the contact. */
export class ContactUnreachable extends Schema.TaggedError<ContactUnreachable>()("ContactUnreachable", {
  contact: Schema.String
}) {
  override get message(): string {
    return `no account that may be used reaches the contact ${this.contact}`
  }
}

const e164 = /^\+[1-9]\d{6,14}$/

/** The address of a person by their id on an account's channel, or what is wrong with the id. */
export const personOf = (account: Account.Account, channel: Channel, person: string): Address | PartyInvalid => {
  const { addressScope, phoneNumbers } = channel.capabilities
  const externalId = person.trim()
  const invalid = (expected: string) => new PartyInvalid({ field: "person", expected, actual: person })
  if (externalId === "" || externalId.length > 255) return invalid("an id of 1 to 255 characters")
  if (phoneNumbers && !e164.test(externalId)) return invalid("a phone number in E.164, such as +14155550123")
  return { channel: account.channel, scope: Account.scopeOf(account, addressScope), externalId }
}
