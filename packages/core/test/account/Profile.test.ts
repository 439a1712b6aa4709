/** When a profile is applied, as rules of the wishes alone: the debounce, its bound, and what a try leaves. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Profile from "../../src/account/Profile.ts"
import { ProfileField, type ProfileResult } from "../../src/channel/ProfileUpdate.ts"
import * as Builders from "../../src/testing/Builders.ts"
import { minute } from "../../src/workspace/Instant.ts"

const build = Builders.make("profile rules")
const start = Profile.initial(build.account(build.workspace().id))
const [one, two] = [build.ids.next("img"), build.ids.next("img")]

const value = fc.constantFrom(undefined, null, "a", "b")
const change: fc.Arbitrary<Profile.ProfileChange> = fc.record({
  name: value,
  about: value,
  image: fc.constantFrom(undefined, null, one, two)
})
/** Changes with the time that passed before each. */
const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 * minute }), change), { minLength: 1, maxLength: 30 })

const all: ProfileResult = { applied: ProfileField.literals, refusal: null }
const refused = (type: "rejected" | "transient" | "banned", retryAfterMs?: number): ProfileResult => ({
  applied: [],
  refusal: { type, detail: "words", retryAfterMs }
})

const wish = (state: Profile.ProfileState, name: string | null, now: number) => Profile.changed(state, { name }, now)

describe("a wish", () => {
  it("is due five minutes after the last and thirty after the first, and only while something is pending", () => {
    fc.assert(
      fc.property(changes, (steps) => {
        let state = start
        let now = 1_000_000
        let first: number | null = null
        for (const [passed, next] of steps) {
          now += passed
          const before = state
          state = Profile.changed(before, next, now)
          if (state === before) continue
          assert.strictEqual(state.revision, before.revision + 1)
          const pending = Profile.pending(state)
          if (pending.length === 0) {
            first = null
            assert.deepStrictEqual([state.dueAt, state.changedAt], [null, null])
            continue
          }
          first ??= now
          const due = Math.max(now, Math.min(now + 5 * minute, first + 30 * minute))
          assert.strictEqual(state.dueAt, due)
        }
      })
    )
  })

  it("that is taken back before it was applied leaves nothing to do", () => {
    const applied = Profile.tried(wish(start, "Ann", 0), wish(start, "Ann", 0), all, 1)
    const away = wish(applied, "Bo", 2)
    const back = wish(away, "Ann", 3)
    assert.deepStrictEqual([away.dueAt, back.dueAt], [2 + 5 * minute, null])
    assert.strictEqual(wish(applied, null, 4).dueAt, null)
    assert.deepStrictEqual(wish(applied, null, 4).applied, { name: "Ann" })
  })

  it("says which images are still needed", () => {
    const state = { ...start, desired: { image: two }, applied: { image: one, banner: two } }
    assert.sameMembers([...Profile.images(state)], [two, one, two])
  })
})

describe("a try", () => {
  const wished = wish(start, "Ann", 0)

  it("that the platform takes leaves nothing to do", () => {
    const done = Profile.tried(wished, wished, all, 9)
    assert.deepStrictEqual(done, { ...wished, applied: { name: "Ann" }, changedAt: null, dueAt: null })
  })

  it("that fails is tried again, later each time, until it is given up", () => {
    let state = wished
    let now = 0
    const waits: Array<number> = []
    while (state.dueAt !== null) {
      now = state.dueAt
      state = Profile.tried(state, state, refused("transient"), now)
      if (state.dueAt !== null) waits.push(state.dueAt - now)
    }
    assert.strictEqual(waits.length, Profile.maxAttempts - 1)
    assert.strictEqual(state.attempts, Profile.maxAttempts)
    for (const [i, wait] of waits.entries()) {
      assert.isAtLeast(wait, minute)
      assert.isAtMost(wait, minute + minute * 2 ** (i + 1))
    }
    assert.strictEqual(state.error, "words")
    assert.strictEqual(Profile.hurried(state, now).dueAt, now)
    assert.deepStrictEqual([wish(state, "Bo", now).attempts, wish(state, "Bo", now).dueAt], [0, now + 5 * minute])
  })

  it("waits as long as the platform says", () => {
    assert.strictEqual(Profile.tried(wished, wished, refused("transient", 99 * minute), 7).dueAt, 7 + 99 * minute)
  })

  it("that is refused, or ends in a trouble of the account, waits for someone", () => {
    for (const type of ["rejected", "banned"] as const) {
      const after = Profile.tried(wished, wished, refused(type), 9)
      assert.deepStrictEqual([after.dueAt, after.error, Profile.pending(after)], [null, "words", ["name"]])
    }
  })

  it("keeps what the platform took of it", () => {
    const both = Profile.changed(wished, { about: "hello" }, 1)
    const after = Profile.tried(both, both, { applied: ["about"], refusal: { type: "rejected", detail: "taken" } }, 9)
    assert.deepStrictEqual([after.applied, Profile.pending(after)], [{ about: "hello" }, ["name"]])
  })

  it("leaves what was wished for meanwhile to its own time", () => {
    const later = wish(wished, "Bo", 4 * minute)
    const after = Profile.tried(later, wished, all, 6 * minute)
    assert.deepStrictEqual(after.applied, { name: "Ann" })
    assert.deepStrictEqual([after.dueAt, Profile.pending(after)], [9 * minute, ["name"]])
    const failed = Profile.tried(later, wished, refused("rejected"), 6 * minute)
    assert.deepStrictEqual([failed.dueAt, failed.error], [9 * minute, null])
    const same = Profile.changed(wished, { name: "Ann", about: "x" }, 1)
    const taken = wish(Profile.changed(same, { about: null }, 2), "Ann", 3)
    assert.strictEqual(Profile.tried(taken, wished, all, 4).dueAt, null)
  })
})
