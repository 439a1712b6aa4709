/** Whether a person who never wrote to us on a channel may be written to there. */
import type { Channel } from "../channel/Channel.ts"
import * as Contact from "../contact/Contact.ts"
import type { Instant } from "../workspace/Instant.ts"

/** Why a channel forbids the first word to a person; null where it does not. */
export const refused = (
  { name, policy }: Pick<Channel, "name" | "policy">,
  contact: Contact.Contact | null,
  now: Instant
): "policy" | "noConsent" | null => {
  if (policy.personWritesFirst) return "policy"
  if (!policy.optInRequired) return null
  return contact !== null && Contact.consented(contact, name, now) ? null : "noConsent"
}
