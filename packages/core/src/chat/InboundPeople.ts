/**
 * Whose events are told: the address, the chat and the contact of each. Who writes, is written to, books or wants no more is
 * a contact from then on. Of a person who was erased nothing is heard until they write again.
 */
import { Effect } from "effect"
import type { Account } from "../account/Account.ts"
import * as Address from "../channel/Address.ts"
import type { ChannelEvent, Participant } from "../channel/ChannelEvent.ts"
import type { Contact } from "../contact/Contact.ts"
import type { ContactStore } from "../contact/ContactStore.ts"
import { type AddressHash, isTombstone, keysOf } from "../contact/Suppression.ts"
import type { ChatId, IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as Chat from "./Chat.ts"
import type { Place } from "./InboundMessage.ts"

export type PersonEvent = Extract<ChannelEvent, { readonly participant: Participant }>

/** An event with its place in the batch and whose it is. */
export interface Told<E extends PersonEvent = PersonEvent> extends Place {
  readonly index: number
  readonly event: E
}

const addressOf = (account: Account, { externalId, scope }: Participant): Address.Address => ({
  channel: account.channel,
  scope,
  externalId
})

/** Where something was told, before anyone knows whose it is. */
export interface Heard {
  readonly index: number
  readonly event: PersonEvent
  /** The key of the address. */
  readonly address: string
  readonly chat: ChatId
}

/** Where an event was told. */
export const heard = (account: Account, index: number, event: PersonEvent): Heard => {
  const address = Address.key(addressOf(account, event.participant))
  return { index, event, address, chat: Chat.idOf(account.id, address) }
}

/** Whether somebody is spoken with, or does something themselves, by which we know them. */
const isAct = ({ type }: PersonEvent): boolean =>
  type === "messageReceived" || type === "messageEchoed" || type === "optedOut" || type === "booked"

/** When these people were erased, by address. */
const erasures = (
  contacts: Pick<ContactStore["Service"], "suppressions">,
  account: Account,
  addresses: ReadonlyArray<string>,
  hash: AddressHash | null
) =>
  hash === null || addresses.length === 0
    ? Effect.succeed(new Map<string, Instant>())
    : Effect.map(
        contacts.suppressions(
          account.workspace,
          addresses.flatMap((address) => keysOf(hash, address).slice(1))
        ),
        (rows) => {
          const at = new Map(
            rows.flatMap((row) => (row.account === null && isTombstone(row.address) ? [[row.address, row.at]] : []))
          )
          return new Map(
            addresses.flatMap((address) =>
              keysOf(hash, address).flatMap((key) => {
                const erasedAt = at.get(key)
                return erasedAt === undefined ? [] : [[address, erasedAt]]
              })
            )
          )
        }
      )

/**
 * The events of people with whose they are, in their order; without those that nobody may know of. `known` are contacts by
 * address.
 */
export const placed = Effect.fnUntraced(function* (
  contacts: Pick<ContactStore["Service"], "byAddresses" | "import" | "suppressions">,
  account: Account,
  events: ReadonlyArray<Heard>,
  known: ReadonlyMap<string, Contact>,
  hash: AddressHash | null,
  ids: IdGenerator,
  now: Instant
) {
  const addresses = [...new Set(events.map(({ address }) => address))]
  let people = known
  const unknown = addresses.filter((address) => !people.has(address))
  const erasedAt = yield* erasures(contacts, account, unknown, hash)
  const told = events.filter(({ address, event }) => {
    const since = erasedAt.get(address)
    return since === undefined || (event.type === "messageReceived" && event.at >= since)
  })
  const named = new Map<string, string>()
  const rows = new Map<string, Contact>()
  for (const { address, event } of told) {
    const name = named.get(address) ?? event.participant.name ?? ""
    if (name !== "") named.set(address, name)
    const person = people.get(address)
    const isNew = person === undefined && (isAct(event) || rows.has(address))
    if (!isNew && !(person?.name === "" && name !== "")) continue
    rows.set(address, {
      id: rows.get(address)?.id ?? ids.next("con"),
      workspace: account.workspace,
      name,
      first: null,
      last: null,
      addresses: [addressOf(account, event.participant)],
      tags: [],
      attributes: {},
      timezone: null,
      consents: [],
      externalRef: null,
      metadata: {},
      createdAt: now
    })
  }
  if (rows.size > 0) {
    yield* contacts.import(account.workspace, [...rows.values()], null, "fill")
    // Others may have come to know them meanwhile.
    people = new Map([...people, ...(yield* contacts.byAddresses(account.workspace, [...rows.keys()]))])
  }
  return told.map((one): Told => ({ ...one, contact: people.get(one.address)?.id ?? null }))
})
