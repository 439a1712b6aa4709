/** What may be done to many contacts at once: tagging, deleting and erasing them. */
import { Context, Effect, Layer, Option, Schema } from "effect"
import * as Bulk from "../job/Bulk.ts"
import { forGood } from "../job/JobHandler.ts"
import type { ContactId } from "../workspace/Id.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { Contacts } from "./Contacts.ts"
import { ContactStore } from "./ContactStore.ts"

const Tag = Schema.NonEmptyString.check(Schema.isMaxLength(64))

/** Tags to be given and taken; who has one already keeps it where it stands. */
export const TagChange = Schema.Struct({ add: Schema.Array(Tag), remove: Schema.Array(Tag) })
export type TagChange = typeof TagChange.Type

/** Nothing more to be said. */
export const Plainly = Schema.Struct({})
export type Plainly = typeof Plainly.Type

export class ContactBulks extends Context.Service<
  ContactBulks,
  {
    readonly tag: Bulk.Bulk<TagChange>
    /** `Contacts.remove` of each. */
    readonly remove: Bulk.Bulk<Plainly>
    /** `Contacts.erase` of each. */
    readonly erase: Bulk.Bulk<Plainly>
  }
>()("@overture/core/ContactBulks") {
  static readonly layer = Layer.effect(
    ContactBulks,
    Effect.suspend(() => make)
  )
}

/** Who goes takes rows of every kind along, which two people in one transaction would lock against their order. */
const alone = 1

const retagged = (tags: ReadonlyArray<string>, { add, remove }: TagChange): ReadonlyArray<string> => [
  ...new Set([...tags, ...add].filter((tag) => !remove.includes(tag)))
]

const make = Effect.gen(function* () {
  const store = yield* ContactStore
  const contacts = yield* Contacts
  const { within } = yield* Transaction

  /** One after the other, in the order in which everyone locks them. */
  const some = <E>(ids: ReadonlyArray<string>, one: (id: ContactId) => Effect.Effect<boolean, E>) =>
    Effect.filter([...ids].sort(), (id) => one(id as ContactId))

  return ContactBulks.of({
    tag: Bulk.make(within, {
      kind: "contacts.tag",
      with: TagChange,
      each: ({ ids, with: change, workspace }) =>
        some(ids, (id) =>
          Effect.map(
            store.modify(workspace, id, (before) => ({
              contact: { ...before, tags: retagged(before.tags, change) },
              events: []
            })),
            Option.isSome
          )
        )
    }),
    remove: Bulk.make(within, {
      kind: "contacts.delete",
      with: Plainly,
      chunk: alone,
      each: ({ actor, ids, workspace }) =>
        some(ids, (id) =>
          contacts.remove(workspace, id, actor).pipe(
            Effect.as(true),
            Effect.catchTag("ContactNotFound", () => Effect.succeed(false))
          )
        )
    }),
    erase: Bulk.make(within, {
      kind: "contacts.erase",
      with: Plainly,
      chunk: alone,
      each: ({ actor, ids, workspace }) =>
        some(ids, (id) =>
          contacts.erase(workspace, id, actor).pipe(
            Effect.as(true),
            Effect.catchTags({
              ContactNotFound: () => Effect.succeed(false),
              AddressHashMissing: forGood,
              AddressHashUnlike: forGood
            })
          )
        )
    })
  })
})
