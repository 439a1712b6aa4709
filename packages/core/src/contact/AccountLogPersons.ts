/** What the error logs of accounts say about sends to a person: platforms may repeat their number or their words there. */
import { Context, Effect, Layer, Schema } from "effect"
import { AccountLogEntry } from "../account/AccountLog.ts"
import { AccountLogStore } from "../account/AccountLogStore.ts"
import * as Address from "../channel/Address.ts"
import type { Contact } from "./Contact.ts"
import type { PersonParty } from "./PersonParty.ts"

const encode = Schema.encodeSync(Schema.toCodecJson(Schema.Array(AccountLogEntry)))

const keysOf = ({ addresses }: Contact) => addresses.map(Address.key)

export class AccountLogPersons extends Context.Service<AccountLogPersons, PersonParty>()(
  "@overture/core/AccountLogPersons"
) {
  static readonly layer = Layer.effect(
    AccountLogPersons,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* AccountLogStore

  return AccountLogPersons.of({
    name: "accountLogs",
    export: Effect.fn("AccountLogPersons.export")(function* (workspace, contact) {
      return { data: encode(yield* store.about(workspace, keysOf(contact))), subjects: [] }
    }),
    erase: Effect.fn("AccountLogPersons.erase")(function* (workspace, contact) {
      yield* store.forget(workspace, keysOf(contact))
      return []
    })
  })
})
