/**
 * Does what people ask for, in the transaction in which they are heard: stop speaks for all addresses of a person, and so
 * does start, unless their workspace narrows both to the address that it came from. Who has these addresses is locked, as
 * an import locks them: an address that joins them at the same time is either seen here, or sees what was done here.
 */
import { Effect, Option } from "effect"
import * as Address from "../channel/Address.ts"
import type { ContactStore } from "../contact/ContactStore.ts"
import type { AddressHash } from "../contact/Suppression.ts"
import * as Wish from "../contact/Wish.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import type { SaidWish } from "./SaidWish.ts"

/** A wish with the keys of the addresses that it speaks for. */
export interface Spoken {
  readonly said: SaidWish
  readonly addresses: ReadonlyArray<string>
}

export interface WishHeeding {
  /** What these wishes speak for. Locks people, after messages and chats and before what campaigns count by. */
  readonly spoken: (
    workspace: WorkspaceId,
    wishes: ReadonlyArray<SaidWish>
  ) => Effect.Effect<ReadonlyArray<Spoken>, StorageError>
  /** Does as they say. Answers the last wish of each person who may be written to again because of them. */
  readonly heed: (
    workspace: WorkspaceId,
    wishes: ReadonlyArray<Spoken>
  ) => Effect.Effect<ReadonlyArray<SaidWish>, StorageError>
}

/**
 * Who came back: a start that lifted something, or a stop that is told after a start which came later, so that whoever was
 * told of the stop is told that it is over.
 */
const returned = (wishes: ReadonlyArray<Spoken>, heeded: ReadonlyArray<Wish.Heeded>): ReadonlyArray<SaidWish> => {
  const states = new Map(heeded.map((state) => [state.address, state]))
  const back = wishes.flatMap(({ addresses, said }) => {
    const own = states.get(said.address)
    const isBack =
      said.type === "start"
        ? addresses.some((address) => states.get(address)?.lifted === true)
        : own !== undefined && Wish.stopped(own) === null
    return isBack ? [said] : []
  })
  return [...new Map(back.map((said) => [said.contact ?? said.chat, said])).values()]
}

export const make = (
  contacts: ContactStore["Service"],
  workspaces: WorkspaceStore["Service"],
  hash: AddressHash | null
): WishHeeding => ({
  spoken: Effect.fnUntraced(function* (workspace, wishes) {
    if (wishes.length === 0) return []
    const scope = Option.getOrUndefined(yield* workspaces.get(workspace))?.optOutScope
    const alone = wishes.map((said): Spoken => ({ said, addresses: [said.address] }))
    if (scope === "address") return alone
    const keys = [...new Set(wishes.map(({ address }) => address))]
    yield* contacts.holdAddresses(workspace, keys)
    const people = yield* contacts.byAddresses(workspace, keys)
    return alone.map(({ addresses, said }) => ({
      said,
      addresses: [...new Set([...addresses, ...(people.get(said.address)?.addresses ?? []).map(Address.key)])]
    }))
  }),
  heed: Effect.fnUntraced(function* (workspace, wishes) {
    if (wishes.length === 0) return []
    const all = wishes.flatMap(({ addresses, said: { at, type } }) => Wish.at(workspace, addresses, type, at))
    return returned(wishes, yield* contacts.heed(all, hash))
  })
})
