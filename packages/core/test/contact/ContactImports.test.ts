import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Option, Result, Stream } from "effect"
import type { ContactImport } from "../../src/contact/ContactImport.ts"
import { ContactImports, type ImportOptions } from "../../src/contact/ContactImports.ts"
import type { RowBatch, RowProblem } from "../../src/contact/ContactRow.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { AddressHash } from "../../src/contact/Suppression.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { layer, row, rules, scene } from "./people.ts"

const batches: ReadonlyArray<RowBatch> = [
  {
    rows: [row(2, "a", { name: "Ana María de Silva" }), row(4, "b")],
    rejected: [{ line: 3, column: "x", reason: "r", value: "" }]
  },
  {
    rows: [row(5, "a", { tags: ["t"] }), row(6, "c", { channel: "nowhere" }), row(7, "d", { externalRef: "one" })],
    rejected: []
  },
  { rows: [row(8, "b", { externalRef: "one" }), row(9, "e")], rejected: [] }
]

const hash = (address: string) => `hash of ${address.length}${address.at(-1)}`

const started = (seed: string) =>
  Effect.gen(function* () {
    const { build, workspace } = yield* scene(seed)
    const store = yield* ContactStore
    const list = yield* store.createList(build.contactList(workspace, { status: "gathering" }))
    const problems: Array<RowProblem> = []
    const progress: Array<ContactImport> = []
    const options = (source: Stream.Stream<RowBatch, string>): ImportOptions<string, never, never, never> => ({
      workspace,
      id: "job",
      list: list.id,
      rules,
      fingerprint: "f",
      source,
      chunk: 1,
      onRejected: (some) => Effect.sync(() => void problems.push(...some)),
      onProgress: (at) => Effect.sync(() => void progress.push(at))
    })
    return { imports: yield* ContactImports, list, options, problems, progress, store, workspace }
  })

describe("imports of any size", () => {
  it.effect("take rows in chunks, tell each rejected one and make the list ready", () =>
    Effect.gen(function* () {
      const { imports, list, options, problems, progress, store, workspace } = yield* started("whole")
      const done = yield* imports.run(options(Stream.fromIterable(batches)))
      assert.deepInclude(done, { records: 8, created: 4, merged: 1, rejected: 3 })
      assert.deepEqual(
        progress.map(({ records }) => records),
        [3, 6, 8]
      )
      assert.deepEqual(
        problems.map(({ line, column }) => [line, column]),
        [
          [3, "x"],
          [6, "channel"],
          [8, "externalId"]
        ]
      )
      assert.match(problems[2]!.reason, /^matches 2 contacts: con_/)
      const members = yield* store.members(workspace, list.id, 0, 9)
      assert.deepEqual(
        members.map(({ contact }) => contact.addresses[0]!.externalId),
        ["a", "b", "d", "e"]
      )
      assert.deepInclude(members[0]!.contact, { first: "Ana", last: "María de Silva", tags: ["t"] })
      assert.strictEqual(Option.getOrThrow(yield* store.getList(workspace, list.id)).status, "ready")
      assert.deepEqual(
        (yield* (yield* EventStore).read(workspace, null, 9)).map(({ event }) => event.type),
        ["list.ready"]
      )
      assert.deepEqual(yield* imports.run(options(Stream.die("read again"))), done)
    }).pipe(Effect.provide(layer))
  )

  it.effect("go on where they were cut off, at any record, and double nothing", () =>
    Effect.gen(function* () {
      const { imports, list, options, problems, store, workspace } = yield* started("cut")
      const cut = Stream.concat(Stream.fromIterable(batches.slice(0, 2)), Stream.fail("the cable"))
      assert.deepEqual(yield* Effect.result(imports.run(options(cut))), Result.fail("the cable"))
      const stands = Option.getOrThrow(yield* store.getImport(workspace, "job"))
      assert.isNull(stands.finishedAt)
      // The same records in other batches: what is done may end in the middle of one.
      const { rows, rejected } = {
        rows: batches.flatMap((one) => one.rows),
        rejected: batches.flatMap((one) => one.rejected)
      }
      const done = yield* imports.run(options(Stream.make({ rows, rejected })))
      assert.deepInclude(done, { records: 8, created: 4, merged: 1, rejected: 3 })
      assert.deepEqual(
        problems.map(({ line }) => line),
        [3, 6, 8]
      )
      assert.deepEqual(yield* store.countMembers(workspace, [list.id]), [4])
    }).pipe(Effect.provide(layer))
  )

  it.effect("refuse another source, list or mode under the same id", () =>
    Effect.gen(function* () {
      const { imports, options } = yield* started("mismatch")
      const first = options(Stream.fromIterable(batches))
      yield* imports.run(first)
      const changes = [
        ["fingerprint", { fingerprint: "g" }],
        ["list", { list: null }],
        ["mode", { mode: "fill" }]
      ] as const
      for (const [field, change] of changes) {
        const error = yield* Effect.flip(imports.run({ ...first, ...change }))
        assert.deepInclude(error as object, { _tag: "ImportMismatch", field })
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("bring nobody back who is erased while they are read ahead", () =>
    Effect.gen(function* () {
      const { imports, list, options, problems, store, workspace } = yield* started("erased meanwhile")
      const contacts = yield* Contacts
      yield* contacts.importRows(workspace, list.id, [row(2, "later")], rules)
      const later = Option.getOrThrow(yield* store.byAddress(workspace, "sandbox//later"))
      const isRead = yield* Deferred.make<void>()
      const source = Stream.concat(
        Stream.make({ rows: [row(2, "first")], rejected: [] }),
        Stream.fromEffect(Effect.as(Deferred.succeed(isRead, undefined), { rows: [row(3, "later")], rejected: [] }))
      )
      const done = yield* imports.run({
        ...options(source),
        onProgress: ({ records }) =>
          records > 1
            ? Effect.void
            : Deferred.await(isRead).pipe(
                Effect.andThen(Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow)),
                Effect.andThen(contacts.erase(workspace, later.id, system)),
                Effect.orDie
              )
      })
      assert.deepInclude(done, { records: 2, created: 1, rejected: 1 })
      assert.deepEqual(
        problems.map(({ line, reason }) => [line, reason]),
        [[3, "this person was erased"]]
      )
      assert.isTrue(Option.isNone(yield* store.byAddress(workspace, "sandbox//later")))
    }).pipe(Effect.provide(Layer.provide(layer, Layer.succeed(AddressHash, hash))))
  )

  it.effect("bring nobody back who was erased", () =>
    Effect.gen(function* () {
      const { imports, options, problems, store, workspace } = yield* started("erased")
      yield* imports.run(options(Stream.fromIterable(batches)))
      const contacts = yield* Contacts
      const ana = Option.getOrThrow(yield* store.byAddress(workspace, "sandbox//a"))
      yield* contacts.erase(workspace, ana.id, system)
      problems.length = 0
      const again = { ...options(Stream.fromIterable(batches)), id: "again" }
      const done = yield* imports.run(again)
      assert.deepInclude(done, { created: 0, merged: 3, rejected: 5 })
      assert.deepEqual(
        problems.filter(({ reason }) => reason === "this person was erased").map(({ line, value }) => [line, value]),
        [
          [2, ""],
          [5, ""]
        ]
      )
      assert.isTrue(Option.isNone(yield* store.byAddress(workspace, "sandbox//a")))
    }).pipe(Effect.provide(Layer.provide(layer, Layer.succeed(AddressHash, hash))))
  )
})
