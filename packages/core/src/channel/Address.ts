/**
 * Where a person can be reached: a channel, the scope in which the external id means something, and the id itself.
 * The scope is empty for ids that are the same for every sender (phones, DIDs); where an id belongs to one sending
 * account or group, the scope is that account's external id or group's key.
 */
import { Schema } from "effect"

/** The name of a channel, `sandbox`; hosts register their own. */
export const ChannelName = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9-]{1,31}$/, { expected: "a channel name: lower case, 2–32 characters" })
)
export type ChannelName = typeof ChannelName.Type

export class Address extends Schema.Opaque<Address>()(
  Schema.Struct({
    channel: ChannelName,
    /** Empty where the id means the same to every sender. */
    scope: Schema.String,
    externalId: Schema.NonEmptyString.check(Schema.isMaxLength(255))
  }).annotate({ identifier: "Address" })
) {}

/** Whether it is a phone number in E.164, as the ids of channels with phone numbers are. */
export const isPhoneNumber = (id: string): boolean => /^\+[1-9]\d{6,14}$/.test(id)

/** One text for an address, equal exactly when the addresses are: what indexes and unique keys hold. */
export const key = (self: Address): string =>
  `${self.channel}/${self.scope === "" ? "" : encodeURIComponent(self.scope)}/${self.externalId}`

/** What a draw compares: everyone with the same reach can be written to by the same accounts. */
export const reach = (self: Pick<Address, "channel" | "scope">): string =>
  self.scope === "" ? self.channel : `${self.channel}/${encodeURIComponent(self.scope)}`

/** Stands where the key of a person's address stood before they were erased; `of` where it must be unique. */
export const erased = (of = ""): string => `#${of}`

/** No channel's name, and so no key, begins like this. */
export const isErased = (text: string): boolean => text.startsWith("#")

/** The address of a key. */
export const parse = (text: string): Address => {
  const channel = text.indexOf("/")
  const scope = text.indexOf("/", channel + 1)
  return {
    channel: text.slice(0, channel),
    scope: decodeURIComponent(text.slice(channel + 1, scope)),
    externalId: text.slice(scope + 1)
  }
}
