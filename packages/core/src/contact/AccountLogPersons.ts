/**
 * What the error logs of accounts say about sends to a person, or in what words: platforms repeat numbers, names and
 * messages there, also where the trouble is the account's.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { AccountLogEntry } from "../account/AccountLog.ts"
import { AccountLogStore } from "../account/AccountLogStore.ts"
import * as Address from "../channel/Address.ts"
import { shortestMention } from "../job/Job.ts"
import type { Contact } from "./Contact.ts"
import type { PersonParty } from "./PersonParty.ts"

const encode = Schema.encodeSync(Schema.toCodecJson(Schema.Array(AccountLogEntry)))

const keysOf = ({ addresses }: Contact) => addresses.map(Address.key)

/** By which a person is found in the words of a platform. */
const textsOf = ({ addresses, externalRef, first, last, name }: Contact): ReadonlyArray<string> =>
  [...addresses.map(({ externalId }) => externalId), externalRef, name, first, last].filter(
    (text): text is string => text !== null && text.length >= shortestMention
  )

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
      return { data: encode(yield* store.about(workspace, keysOf(contact), textsOf(contact))), subjects: [] }
    }),
    erase: Effect.fn("AccountLogPersons.erase")(function* (workspace, contact) {
      yield* store.forget(workspace, keysOf(contact), textsOf(contact))
      return []
    })
  })
})
