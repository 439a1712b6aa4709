import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { MemberId } from "../../src/workspace/Id.ts"
import * as Member from "../../src/workspace/Member.ts"
import * as Builders from "../../src/testing/Builders.ts"

const turn = (name: string, last: number, load: number, status: Member.MemberStatus = "active"): Member.Turn => ({
  member: {
    id: `mbr_${name}` as MemberId,
    workspace: Builders.make("turns").workspace().id,
    name,
    email: null,
    role: "agent",
    status,
    externalRef: null,
    createdAt: 0
  },
  last,
  load
})

const names = (ids: ReadonlyArray<string>) => ids.map((id) => id.slice(4)).join("")

describe("whose turn it is", () => {
  it("goes round, whatever they have", () => {
    const turns = [
      turn("a", 3, 0),
      turn("b", 1, 9),
      turn("c", 2, 5),
      turn("d", 0, 1, "away"),
      turn("e", 0, 1, "disabled")
    ]
    assert.strictEqual(names(Member.choose("roundRobin", turns, 7)), "bcabcab")
  })

  it("is that of who has least, and goes round among equals", () => {
    const turns = [turn("a", 9, 2), turn("b", 1, 4), turn("c", 2, 2)]
    assert.strictEqual(names(Member.choose("leastLoad", turns, 6)), "cacabc")
  })

  it("is nobody's where nobody is active", () => {
    assert.deepStrictEqual(Member.choose("leastLoad", [turn("a", 0, 0, "away")], 3), [])
    assert.deepStrictEqual(Member.choose("roundRobin", [], 3), [])
  })

  it("leaves loads that differ by one at most, from equal ones", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 40 }), (people, count) => {
        const turns = Array.from({ length: people }, (_, i) => turn(String(i), 0, 0))
        for (const assignment of ["roundRobin", "leastLoad"] as const) {
          const chosen = Member.choose(assignment, turns, count)
          const loads = turns.map(({ member }) => chosen.filter((id) => id === member.id).length)
          assert.strictEqual(chosen.length, count)
          assert.isAtMost(Math.max(...loads) - Math.min(...loads), 1)
        }
      })
    )
  })
})
