/** What `ProfileStore` promises. */
import { Effect, Option } from "effect"
import { initial, type ProfileImage } from "../../account/Profile.ts"
import { ProfileStore } from "../../account/ProfileStore.ts"
import type { ProfileImageId } from "../../workspace/Id.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { fails, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

const scene = (seed: string) => {
  const build = Builders.make(seed)
  const workspace = build.workspace().id
  const account = build.account(workspace)
  const image = (bytes: ReadonlyArray<number>): ProfileImage => ({
    id: build.ids.next("img"),
    workspace,
    account: account.id,
    image: { mime: "image/png", width: 3, height: 2, bytes: Uint8Array.from(bytes) },
    createdAt: start
  })
  return { build, workspace, account, image }
}

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("profiles: the rule sees what is there, and writes all of it", function* () {
    const store = yield* ProfileStore
    const { account, build, workspace } = scene("profiles")
    Expect.ok(Option.isNone(yield* store.get(workspace, account.id)), "before the first change")
    const same = yield* store.modify(initial(account), (state) => state)
    Expect.equal(same, initial(account), "what the first rule sees")
    const whole = {
      ...initial(account),
      desired: { name: "Ann", about: "" },
      applied: { name: "Bo" },
      revision: 3,
      changedAt: start,
      dueAt: start + 5,
      attempts: 2,
      error: "words"
    }
    Expect.equal(yield* store.modify(initial(account), () => whole), whole, "what modify answers")
    Expect.equal(Option.getOrNull(yield* store.get(workspace, account.id)), whole, "what is stored")
    Expect.ok(Option.isNone(yield* store.get(build.workspace().id, account.id)), "another workspace got it")
    const seen: Array<number> = []
    const both = Effect.all(
      [1, 2].map(() =>
        store.modify(initial(account), (state) => {
          seen.push(state.revision)
          return { ...state, revision: state.revision + 1 }
        })
      ),
      { concurrency: "unbounded" }
    )
    yield* both
    Expect.equal(seen, [3, 4], "two changes at the same time")
  }),

  storageCase("profiles: who is due is handed out once until its time is over", function* () {
    const store = yield* ProfileStore
    const { build, workspace } = scene("due profiles")
    const accounts = Array.from({ length: 4 }, () => build.account(workspace))
    Expect.equal(yield* store.nextDue, null, "nothing is due")
    const due = [start + 3, start + 1, null, start + 2]
    for (const [i, account] of accounts.entries()) {
      yield* store.modify(initial(account), (state) => ({ ...state, revision: 1, dueAt: due[i]! }))
    }
    Expect.equal(yield* store.nextDue, start + 1, "the first")
    Expect.equal(yield* store.claim(start, start + 10, 5), [], "nothing before its time")
    const first = yield* store.claim(start + 2, start + 10, 1)
    Expect.equal(
      first.map((state) => state.account),
      [accounts[1]!.id],
      "the earliest"
    )
    const [one, two] = yield* Effect.all(
      [store.claim(start + 3, start + 10, 1), store.claim(start + 3, start + 10, 1)],
      { concurrency: "unbounded" }
    )
    const both = [...one, ...two].map((state) => state.account as string).sort()
    Expect.equal(both, [accounts[3]!.id as string, accounts[0]!.id].sort(), "each of two processes got another")
    Expect.equal(yield* store.claim(start + 9, start + 20, 5), [], "while they are held")
    Expect.equal((yield* store.claim(start + 10, start + 20, 5)).length, 3, "after their time is over")
    Expect.equal(yield* store.nextDue, start + 20, "the next")
  }),

  storageCase("profiles: images stay while they are needed", function* () {
    const store = yield* ProfileStore
    const { within } = yield* Transaction
    const { account, build, image } = scene("profile images")
    const [a, b] = [image([0, 255, 1, 254]), image([7])]
    yield* store.addImage(a)
    yield* store.modify(initial(account), (state) => ({ ...state, revision: 1, desired: { image: a.id } }))
    Expect.equal(Option.getOrNull(yield* store.image(account.id, a.id)), a, "the bytes")
    Expect.ok(Option.isNone(yield* store.image(build.account(account.workspace).id, a.id)), "another account got it")
    yield* store.addImage(b)
    const held = (id: ProfileImageId) => Effect.map(store.image(account.id, id), Option.isSome)
    yield* store.modify(initial(account), (state) => ({
      ...state,
      revision: 2,
      desired: { image: b.id },
      applied: { image: a.id }
    }))
    Expect.equal([yield* held(a.id), yield* held(b.id)], [true, true], "one that is wished for, one that is applied")
    const lost = image([9])
    const body = Effect.andThen(store.addImage(lost), Effect.fail("later"))
    yield* fails(within(body), "the transaction")
    Expect.equal(yield* held(lost.id), false, "one of a failed transaction")
    yield* store.modify(initial(account), (state) => ({ ...state, revision: 3, applied: { banner: b.id } }))
    Expect.equal([yield* held(a.id), yield* held(b.id)], [false, true], "after the other was applied")
  })
]
