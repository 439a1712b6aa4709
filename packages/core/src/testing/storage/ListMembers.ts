/** What `ContactStore` promises of one person at a time: held while they are imported, on a list and off it. */
import { Deferred, Effect, Option } from "effect"
import type { ContactId, WorkspaceId } from "../../workspace/Id.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { LeaseClock, type StorageCase, storageCase } from "./StorageCase.ts"
import { membersOf, twoWithList } from "./TwoWorkspaces.ts"

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("people: who is held by an address is erased once that transaction has ended", function* () {
    const { build, mine, store } = yield* twoWithList("held")
    const { moment } = yield* LeaseClock
    const { within } = yield* Transaction
    const contact = build.contact(mine)
    yield* store.import(mine, [contact], null)
    const isHeld = yield* Deferred.make<void>()
    const happened: Array<string> = []
    const note = (what: string) => Effect.sync(() => void happened.push(what))
    const holding = within(
      Effect.gen(function* () {
        yield* store.holdAddresses(mine, [Builders.addressOf(contact), "nobody's", Builders.addressOf(contact)])
        yield* Deferred.succeed(isHeld, undefined)
        yield* moment
        yield* note(Option.isSome(yield* store.get(mine, contact.id)) ? "still there" : "gone too early")
      })
    )
    const erasing = Deferred.await(isHeld).pipe(
      Effect.andThen(store.erase(mine, contact.id, () => ({ suppressions: [], events: [] }))),
      Effect.andThen(note("erased"))
    )
    yield* Effect.all([holding, erasing], { concurrency: 2 })
    Expect.equal(happened, ["still there", "erased"], "what happened, in its order")
    yield* store.holdAddresses(mine, [])
  }),

  storageCase("people: one joins a list and leaves it, each once, in their workspace alone", function* () {
    const { build, list, mine, other, store } = yield* twoWithList("one member")
    const [a, b, c] = [build.contact(mine), build.contact(mine), build.contact(other)]
    yield* store.import(mine, [a], list.id)
    yield* store.import(mine, [b], null)
    yield* store.import(other, [c], null)
    const join = (workspace: WorkspaceId, contact: ContactId, to = list.id) => store.joinList(workspace, to, contact)
    Expect.equal(yield* join(mine, b.id), true, "who was not on it")
    Expect.equal(yield* join(mine, b.id), false, "who was")
    Expect.equal(
      [yield* join(mine, c.id), yield* join(other, b.id), yield* join(mine, build.ids.next("con"))],
      [false, false, false],
      "who is of another workspace, or nobody"
    )
    Expect.equal(yield* join(mine, b.id, build.ids.next("lst")), false, "on no list")
    Expect.equal(yield* membersOf(mine, list.id), [a.id, b.id] as Array<string>, "the members, in their order")
    Expect.equal(yield* store.leaveList(other, list.id, a.id), false, "off a list of another workspace")
    Expect.equal(yield* store.leaveList(mine, list.id, a.id), true, "who was on it")
    Expect.equal(yield* store.leaveList(mine, list.id, a.id), false, "who was not")
    yield* store.import(mine, [build.contact(mine, { ...a, id: a.id })], list.id)
    Expect.equal(yield* membersOf(mine, list.id), [b.id, a.id] as Array<string>, "who came back is the last")
    Expect.equal(yield* store.countMembers(mine, [list.id]), [2], "how many are on it")
    yield* Effect.all([join(mine, a.id), store.erase(mine, a.id, () => ({ suppressions: [], events: [] }))], {
      concurrency: 2
    })
    Expect.equal(yield* membersOf(mine, list.id), [b.id] as Array<string>, "without who was erased meanwhile")
    Expect.equal(Option.getOrNull(yield* store.listByNumber(mine, list.number))?.id, list.id, "by number")
    Expect.equal(Option.isNone(yield* store.listByNumber(other, list.number)), true, "in another workspace")
  })
]
