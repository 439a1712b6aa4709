/**
 * An address not to be contacted: by anyone of the workspace, or by one account (the person blocked it). Of a person who
 * was erased only a keyed hash of each address stays, so that the list tells nothing and still stops whoever knows the
 * address from writing to it.
 */
import { Context, Schema } from "effect"
import { AccountId, WorkspaceId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"
import * as Seed from "../workspace/Seed.ts"

export class Suppression extends Schema.Opaque<Suppression>()(
  Schema.Struct({
    workspace: WorkspaceId,
    /** The address's key, or `#`, the fingerprint of the secret and the keyed hash. */
    address: Schema.String,
    /** Null = no account of the workspace may write. */
    account: Schema.NullOr(AccountId),
    reason: Schema.Literals(["optedOut", "blocked", "manual", "erased"]),
    at: Instant
  }).annotate({ identifier: "Suppression" })
) {}

/** The keyed hash of an address's key, made with a secret that the host keeps; the same for the same key for ever. */
export type AddressHash = (address: string) => string

/** The host's hash, for the layers of every service; null where it has none, and then nobody can be erased. */
export const AddressHash = Context.Reference<AddressHash | null>("@overture/core/AddressHash", {
  defaultValue: () => null
})

/** Without a hash nothing could stop the person from being written to again. */
export class AddressHashMissing extends Schema.TaggedError<AddressHashMissing>()("AddressHashMissing", {}) {
  override get message(): string {
    return "nobody can be erased here: the host gave no AddressHash, so nothing would keep the person from being written to again"
  }
}

/** Two hashes in one workspace would leave some of those who were erased unrecognised by each process. */
export class AddressHashUnlike extends Schema.TaggedError<AddressHashUnlike>()("AddressHashUnlike", {}) {
  override get message(): string {
    return "nobody can be erased with this AddressHash: others were erased with another secret, which is still needed to recognise them"
  }
}

/** Sorts before every address, whose first character is a letter. */
const mark = "#"

const prefixes = new WeakMap<AddressHash, string>()

/** How all tombstones of a hash begin: the fingerprint tells one secret from another, and nothing about it. */
const prefixOf = (hash: AddressHash): string => {
  const known = prefixes.get(hash)
  if (known !== undefined) return known
  const prefix = `${mark}${Seed.digest(hash("")).slice(0, 16)}.`
  prefixes.set(hash, prefix)
  return prefix
}

/** What stays of an address. */
export const tombstone = (hash: AddressHash, address: string): string => prefixOf(hash) + hash(address)

export const isTombstone = (address: string): boolean => address.startsWith(mark)

/** Whether a tombstone was made with this hash, so that it recognises the person. */
export const isOf = (hash: AddressHash, address: string): boolean => address.startsWith(prefixOf(hash))

/** From where to where tombstones sort: all of them, and those of one hash, whose end is not among them. */
export const tombstoneRange = (hash: AddressHash | null): { readonly from: string; readonly to: string } => {
  const last = hash === null ? mark : prefixOf(hash)
  return {
    from: last,
    to: last.slice(0, -1) + String.fromCharCode(last.charCodeAt(last.length - 1) + 1)
  }
}

/** Under which keys a suppression of the address may stand: what every look-up asks for, the address itself first. */
export const keysOf = (hash: AddressHash | null, address: string): ReadonlyArray<string> =>
  hash === null ? [address] : [address, tombstone(hash, address)]

/** How many stand under an address itself: who was erased stands under its hash, which only a host's secret finds. */
export const openly = (suppressions: ReadonlyArray<Pick<Suppression, "reason">>): number =>
  suppressions.filter(({ reason }) => reason !== "erased").length

/** The suppression as it stops `address`, also where it stands under its hash. */
export const stopping = (self: Suppression, address: string): Suppression =>
  self.address === address ? self : { ...self, address }
