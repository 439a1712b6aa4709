/** One row as a source read it, and the contact it stands for. */
import { type Account, scopeOf } from "../account/Account.ts"
import { type Address, isPhoneNumber } from "../channel/Address.ts"
import type { Channel } from "../channel/Channel.ts"
import type { ContactId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as Storable from "../workspace/Storable.ts"
import * as Zone from "../workspace/Zone.ts"
import * as Contact from "./Contact.ts"

export interface ContactRow {
  /** Where it stands in its source, from 1. */
  readonly line: number
  readonly channel?: string | undefined
  readonly externalId?: string | undefined
  /** E.164. */
  readonly phone?: string | undefined
  readonly name?: string | undefined
  readonly first?: string | undefined
  readonly last?: string | undefined
  readonly timezone?: string | undefined
  /** The contact's id in the system the row comes from. */
  readonly externalRef?: string | undefined
  readonly tags: ReadonlyArray<string>
  readonly attributes: Readonly<Record<string, string>>
}

/** Why a row was left out. */
export interface RowProblem {
  readonly line: number
  readonly column: string
  readonly reason: string
  readonly value: string
}

/** The next records of a source: each is a row or the reason why it is none. */
export interface RowBatch {
  readonly rows: ReadonlyArray<ContactRow>
  readonly rejected: ReadonlyArray<RowProblem>
}

/** What decides the address of a row that names no channel, or ids that belong to one account. */
export interface AddressRules {
  /** For rows without a channel: a flag, else the only one of the campaign's accounts. */
  readonly channel: string | null
  readonly accounts: ReadonlyArray<Account>
}

/** What a row says that can be nobody's, whoever read it. */
const problemOf = (
  { phone, timezone }: ContactRow,
  externalId: string,
  isNumber: boolean
): Omit<RowProblem, "line"> | null => {
  const problem = (column: string, value: string, reason: string) => ({
    column,
    value: Storable.cut(value, 80),
    reason
  })
  const column = externalId === phone?.trim() ? "phone" : "externalId"
  if (externalId === "" || externalId.length > 255)
    return problem(column, externalId, "not an id of 1 to 255 characters")
  if (isNumber && !isPhoneNumber(externalId)) {
    return problem(column, externalId, "not a phone number in E.164, such as +14155550123")
  }
  return timezone !== undefined && Zone.find(timezone) === null
    ? problem("timezone", timezone, "not a known time zone, such as Europe/Berlin")
    : null
}

/** Tells the address of a row, or why it has none. What does not change from row to row is worked out once. */
export const addresses = (channels: ReadonlyMap<string, Channel>, rules: AddressRules) => {
  const scopes = new Map(
    Array.from(channels.values(), ({ capabilities: { addressScope }, name }) => {
      const own = rules.accounts
        .filter((account) => account.channel === name)
        .map((account) => scopeOf(account, addressScope))
      const all = addressScope === "channel" ? [""] : [...new Set<string>(own)]
      return [name, all.length === 1 ? all[0] : undefined] as const
    })
  )
  return (row: ContactRow): Address | Omit<RowProblem, "line"> => {
    const name = row.channel ?? rules.channel
    if (name === null) {
      return {
        column: "channel",
        value: "",
        reason: "names no channel, and the accounts are of several: add a column channel"
      }
    }
    const channel = channels.get(name)
    if (channel === undefined) {
      return {
        column: "channel",
        value: name,
        reason: `there is no such channel here, only ${[...channels.keys()].join(", ")}`
      }
    }
    const { phoneNumbers } = channel.capabilities
    const externalId = (phoneNumbers ? (row.phone ?? row.externalId) : (row.externalId ?? row.phone))?.trim()
    if (externalId === undefined) {
      return phoneNumbers
        ? { column: "phone", value: "", reason: `${name} reaches people by phone number` }
        : { column: "externalId", value: "", reason: `${name} reaches people by its own id` }
    }
    const problem = problemOf(row, externalId, phoneNumbers)
    if (problem !== null) return problem
    const scope = scopes.get(channel.name)
    return scope === undefined
      ? {
          column: "externalId",
          value: externalId,
          reason: `ids of ${name} belong to one account: import them for exactly one`
        }
      : { channel: channel.name, scope, externalId }
  }
}

/**
 * What identifies a person and is no address on this channel becomes an attribute, so that nothing in a file is lost. An id
 * beside a phone number is no externalRef: ids of two lists may be the same and mean two people.
 */
const attributesOf = (
  { attributes, externalId, externalRef, phone }: ContactRow,
  address: Address
): Contact.Contact["attributes"] => {
  const isKept = (id: string | undefined): id is string =>
    id !== undefined && id !== address.externalId && id !== externalRef
  return isKept(phone) || isKept(externalId)
    ? { ...(isKept(phone) ? { phone } : {}), ...(isKept(externalId) ? { externalId } : {}), ...attributes }
    : attributes
}

const wholeName = ({ first = "", last = "" }: ContactRow): string =>
  first === "" || last === "" ? first + last : `${first} ${last}`

/** The contact that a row stands for. A name that comes whole is split. */
export const contactOf = (
  row: ContactRow,
  address: Address,
  made: { readonly id: ContactId; readonly workspace: WorkspaceId; readonly at: Instant }
): Contact.Contact => {
  const isWhole = row.first === undefined && row.last === undefined && row.name !== undefined
  const { first = null, last = null } = isWhole ? Contact.splitName(row.name) : row
  return {
    id: made.id,
    workspace: made.workspace,
    name: row.name ?? wholeName(row),
    first,
    last,
    addresses: [address],
    tags: row.tags,
    attributes: attributesOf(row, address),
    timezone: row.timezone ?? null,
    consents: [],
    externalRef: row.externalRef ?? null,
    metadata: {},
    createdAt: made.at
  }
}
