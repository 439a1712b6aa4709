import type { ContactSource, FoundPerson } from "@overture/core/contact/ContactSource"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as SandboxSource from "../../src/sources/SandboxSource.ts"

const all = (source: ContactSource, given: unknown) =>
  Effect.gen(function* () {
    const query = yield* source.check(given)
    const people: Array<FoundPerson> = []
    let cursor: string | null = null
    do {
      const page: Effect.Success<ReturnType<ContactSource["page"]>> = yield* source.page({
        query,
        cursor,
        version: null
      })
      if (page === "unchanged") throw new Error("nothing was known before")
      people.push(...page.people)
      cursor = page.cursor
    } while (cursor !== null)
    return people
  })

const ids = (people: ReadonlyArray<FoundPerson>) => people.map(({ row }) => row.externalId)

describe("the sandbox's people", () => {
  it.effect("are the same by seed and query, in pages of any size", () =>
    Effect.gen(function* () {
      const group = { group: "bakers", members: 230 }
      const people = yield* all(SandboxSource.group({ seed: "a" }), group)
      assert.lengthOf(people, 230)
      assert.strictEqual(new Set(ids(people)).size, 230)
      const again = yield* all(SandboxSource.group({ seed: "a" }), { ...group, pageSize: 7 })
      assert.deepStrictEqual(ids(again), ids(people))
      assert.notDeepEqual(ids(yield* all(SandboxSource.group({ seed: "b" }), group)), ids(people))
      assert.notDeepEqual(
        ids(yield* all(SandboxSource.group({ seed: "a" }), { ...group, group: "cooks" })),
        ids(people)
      )
    })
  )

  it.effect("have names, places, dates and something to say, but not all of them", () =>
    Effect.gen(function* () {
      const people = yield* all(SandboxSource.group(), { group: "bakers", members: 500 })
      for (const { joinedAt, row, text } of people) {
        assert.match(row.name ?? "", /^\w+ \w+$/)
        assert.match(text, /member of bakers$/)
        assert.isBelow(joinedAt ?? Infinity, Date.parse("2026-01-01T00:00:00Z"))
      }
      const countries = new Set(people.map(({ country }) => country))
      assert.isAbove(countries.size, 5)
      assert.isTrue(countries.has(null))
    })
  )

  it.effect("comment more than once, and follow once", () =>
    Effect.gen(function* () {
      const source = SandboxSource.page()
      const comments = yield* all(source, { page: "cafe", entries: 400 })
      assert.isBelow(new Set(ids(comments)).size, 400)
      const [twice] = ids(comments).filter((id, i, some) => some.indexOf(id) < i)
      const names = comments.filter(({ row }) => row.externalId === twice).map(({ row }) => row.name)
      assert.strictEqual(new Set(names).size, 1)
      const followers = yield* all(source, { page: "cafe", entries: 400, who: "followers" })
      assert.strictEqual(new Set(ids(followers)).size, 400)
    })
  )

  it.effect("are not told twice of what is known, and refuse what they cannot read", () =>
    Effect.gen(function* () {
      const source = SandboxSource.page({ failures: 1 })
      const query = yield* source.check({ page: "cafe" })
      const failed = yield* Effect.flip(source.page({ query, cursor: null, version: null }))
      assert.isTrue(failed.retryable)
      const page = yield* source.page({ query, cursor: null, version: null })
      const version = page === "unchanged" ? null : page.version
      assert.strictEqual(yield* source.page({ query, cursor: null, version }), "unchanged")
      assert.match((yield* Effect.flip(source.check({ group: "x" }))).message, /"page"/)
    })
  )
})
