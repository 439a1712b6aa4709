/** What `ContactStore` promises of wishes: what comes of them, and that an address which joins a person has theirs. */
import { Effect } from "effect"
import * as Address from "../../channel/Address.ts"
import type { Contact } from "../../contact/Contact.ts"
import type { ContactImport } from "../../contact/ContactImport.ts"
import { type Suppression, tombstone } from "../../contact/Suppression.ts"
import type { Heeded } from "../../contact/Wish.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { fails, sorted, type StorageCase, storageCase } from "./StorageCase.ts"
import { twoWithList } from "./TwoWorkspaces.ts"

const { start } = Builders
const of = (...names: ReadonlyArray<string>): ReadonlyArray<Address.Address> =>
  names.map((externalId) => ({ channel: Builders.channel, scope: "", externalId }))
const keysOf = (...names: ReadonlyArray<string>) => of(...names).map(Address.key)

/** Two workspaces, and rows that are one person of the first by their externalRef. */
const people = (seed: string) =>
  Effect.gen(function* () {
    const world = yield* twoWithList(seed)
    const { build, mine, store } = world
    return {
      ...world,
      row: (externalRef: string | null, ...names: ReadonlyArray<string>): Contact =>
        build.contact(mine, { addresses: of(...names), externalRef }),
      say: (type: "stop" | "start", at: number, ...names: ReadonlyArray<string>) =>
        store.heed(keysOf(...names).map((address) => ({ workspace: mine, address, type, at: start + at }))),
      /** Which of these are suppressed, why and since when. */
      held: (...names: ReadonlyArray<string>) =>
        Effect.map(store.suppressions(mine, keysOf(...names)), (rows) =>
          sorted(rows.map(({ address, at, reason }) => `${address.split("/").at(-1)} ${reason} ${at - start}`))
        )
    }
  })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase(
    "opt-outs: an address that joins a person who said stop is stopped since then, until they come back",
    function* () {
      const { held, list, mine, row, say, store } = yield* people("joins")
      yield* store.import(mine, [row("r", "a"), row("s", "z")], null)
      yield* say("stop", 5, "a")
      yield* store.import(mine, [row("r", "b"), row("s", "y")], list.id)
      Expect.equal(yield* held("a", "b", "y", "z"), ["a optedOut 5", "b optedOut 5"], "who is suppressed")
      yield* store.import(mine, [row(null, "b", "c")], null, "fill")
      Expect.equal(yield* held("a", "b", "c"), ["a optedOut 5", "b optedOut 5", "c optedOut 5"], "with a third one")
      const [wish] = yield* store.wishes(mine, keysOf("c"))
      Expect.equal(wish?.stopAt ?? null, start + 5, "what is remembered of it")
      yield* say("start", 4, "c")
      Expect.equal((yield* held("c")).length, 1, "after a start that was older")
      yield* say("start", 6, "a", "b", "c")
      yield* store.import(mine, [row("r", "d")], null)
      Expect.equal(yield* held("a", "b", "c", "d"), [], "once they came back")
    }
  ),

  storageCase(
    "opt-outs: who is new with several addresses, and who gets one that said stop, is stopped at all",
    function* () {
      const { held, mine, row, say, store } = yield* people("new")
      yield* say("stop", 5, "gone")
      yield* say("stop", 7, "later")
      yield* store.import(mine, [row("r", "free"), row("n", "gone"), row("n", "new")], null)
      Expect.equal(yield* held("gone", "new", "free"), ["gone optedOut 5", "new optedOut 5"], "of those who are new")
      yield* say("start", 6, "gone", "new")
      yield* store.import(mine, [row("r", "gone"), row("r", "later")], null)
      const all = ["free optedOut 7", "later optedOut 7"]
      Expect.equal(yield* held("free", "later"), all, "by the address that joined them")
      Expect.equal(yield* held("gone", "new"), [], "that are somebody else's")
    }
  ),

  storageCase("opt-outs: what is no wish of the person for all of them joins nobody", function* () {
    const { build, held, mine, other, row, store } = yield* people("others")
    const one = (address: string, more: Partial<Suppression>): Suppression => ({
      workspace: mine,
      address: keysOf(address)[0]!,
      account: null,
      reason: "optedOut",
      at: start,
      ...more
    })
    yield* store.suppress(
      [
        one("a", { reason: "manual" }),
        one("b", { account: build.ids.next("acc"), reason: "blocked" }),
        one("c", { workspace: other })
      ],
      []
    )
    yield* store.import(mine, [row("a", "a"), row("b", "b"), row("c", "c")], null)
    yield* store.import(mine, [row("a", "a-2"), row("b", "b-2"), row("c", "c-2")], null)
    Expect.equal(yield* held("a-2", "b-2", "c-2"), [], "who is suppressed")
    const workspaces = yield* WorkspaceStore
    yield* workspaces.modify(mine, (workspace) => ({ ...workspace, optOutScope: "address" }))
    yield* store.suppress([one("d", {})], [])
    yield* store.import(mine, [row("d", "d"), row("d", "d-2")], null)
    Expect.equal(yield* held("d-2"), [], "where a wish is of its address alone")
  }),

  storageCase("opt-outs: a chunk of an import that is lost leaves no wish, and one that is taken does", function* () {
    const { held, mine, row, say, store } = yield* people("chunk")
    yield* store.import(mine, [row("r", "a")], null)
    yield* say("stop", 5, "a")
    const none = { records: 0, created: 0, merged: 0, rejected: 0, startedAt: start, finishedAt: null }
    const begin: ContactImport = { workspace: mine, id: "i", list: null, mode: "update", fingerprint: "f", ...none }
    const at = yield* store.beginImport(begin)
    const chunk = store.importChunk(at, { contacts: [row("r", "b")], records: 1, rejected: 0 })
    const { within } = yield* Transaction
    yield* fails(within(Effect.andThen(chunk, Effect.die("later"))), "the transaction")
    Expect.equal([yield* held("b"), yield* store.wishes(mine, keysOf("b"))], [[], []], "after it was lost")
    yield* chunk
    Expect.equal(yield* held("b"), ["b optedOut 5"], "after it was taken")
  }),

  storageCase("opt-outs: what comes of a wish is told of each address", function* () {
    const { mine, say, store } = yield* people("heeded")
    const brief = (all: ReadonlyArray<Heeded>) =>
      sorted(
        all.map(({ address, lifted, startAt, stopAt }) =>
          [
            address.split("/").at(-1),
            stopAt === null ? "-" : stopAt - start,
            startAt === null ? "-" : startAt - start,
            lifted
          ].join(" ")
        )
      )
    Expect.equal(brief(yield* say("stop", 5, "a", "b")), ["a 5 - false", "b 5 - false"], "two who stop")
    Expect.equal(brief(yield* say("start", 4, "a")), ["a 5 4 false"], "a start that is older")
    Expect.equal(brief(yield* say("start", 6, "a", "c")), ["a 5 6 true", "c - 6 false"], "who comes back")
    Expect.equal(brief(yield* say("stop", 3, "a")), ["a 5 6 false"], "a stop from before that")
    const hash = (text: string) => `hash of ${text}`
    const erased: Suppression = {
      workspace: mine,
      address: tombstone(hash, keysOf("d")[0]!),
      account: null,
      reason: "erased",
      at: start
    }
    yield* store.suppress([erased], [])
    const back = { workspace: mine, address: keysOf("d")[0]!, type: "start", at: start + 1 } as const
    Expect.equal(brief(yield* store.heed([back], hash)), ["d - 1 true"], "who was erased and comes back")
    Expect.equal(yield* store.heed([]), [], "no wish")
  })
]
