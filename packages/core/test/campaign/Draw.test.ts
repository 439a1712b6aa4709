import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Draw from "../../src/campaign/Draw.ts"
import type { AccountId } from "../../src/workspace/Id.ts"

const id = (place: number) => `acc_${place}` as AccountId

const drawer = (place: number, more: Partial<Draw.Drawer> = {}): Draw.Drawer => ({
  account: id(place),
  holding: 0,
  touches: 10,
  given: 0,
  weight: null,
  ...more
})

const part = (size: number, drawers: ReadonlyArray<number>, reach = "sandbox") => ({
  reach,
  wanted: null,
  drawers,
  size
})

const took = (takes: ReadonlyArray<Draw.Take>) => Object.fromEntries(takes.map((one) => [one.account, one.take]))

describe("a draw", () => {
  it("refills who holds less than a day's touches, up to two days'", () => {
    const drawers = [drawer(0), drawer(1, { holding: 9 }), drawer(2, { holding: 10 }), drawer(3, { touches: 0 })]
    assert.deepStrictEqual(took(Draw.takes(drawers, [part(1_000, [0, 1, 2, 3])])), { acc_0: 20, acc_1: 11 })
  })

  it("gives at most a fair part of what is left, by what the able accounts can send", () => {
    const drawers = [drawer(0, { touches: 30 }), drawer(1, { touches: 10 }), drawer(2, { touches: 0 })]
    assert.deepStrictEqual(took(Draw.takes(drawers, [part(20, [0, 1, 2])])), { acc_0: 15, acc_1: 5 })
  })

  it("gives a part that few may draw from to these alone, and counts it against their share of the others", () => {
    const drawers = [drawer(0, { weight: 1, touches: 50 }), drawer(1, { weight: 1, touches: 50 })]
    const takes = Draw.takes(drawers, [part(20, [0, 1]), part(80, [0], "sandbox/page")])
    assert.deepStrictEqual(took(takes), { acc_0: 80, acc_1: 20 })
  })

  it("lets a share bind only while another able account below its own reaches the lead", () => {
    const share = { weight: 1, touches: 50 }
    const drawers = [drawer(0, { ...share, given: 50 }), drawer(1, { ...share, given: 10 })]
    assert.deepStrictEqual(took(Draw.takes(drawers, [part(40, [0, 1])])), { acc_1: 40 })
    const alone = [drawers[0]!, drawer(1, { ...share, given: 10, touches: 0 })]
    assert.deepStrictEqual(took(Draw.takes(alone, [part(40, [0, 1])])), { acc_0: 40 })
  })

  const drawers = fc.array(
    fc.record({
      holding: fc.nat(15),
      touches: fc.nat(12),
      given: fc.nat(40),
      weight: fc.integer({ min: 1, max: 5 })
    }),
    { minLength: 1, maxLength: 5 }
  )

  it("asks to count no more of the pool than changes its answer", () =>
    fc.assert(
      fc.property(drawers, fc.nat(2_000), fc.boolean(), (rows, size, shared) => {
        const all = rows.map((row, place) => drawer(place, { ...row, weight: shared ? row.weight : null }))
        const everyone = all.map((_, place) => place)
        const counted = Math.min(size, Draw.enough(all))
        assert.deepStrictEqual(
          took(Draw.takes(all, [part(counted, everyone)])),
          took(Draw.takes(all, [part(size, everyone)]))
        )
      })
    ))
})

/** A campaign of one pool: accounts that come and go, send what they hold, and draw as a claim has them draw. */
interface Member {
  weight: number
  touches: number
  state: "in" | "out" | "gone"
  held: Array<number>
  sent: Array<number>
}

const events = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant("draw" as const) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant("send" as const),
        who: fc.nat(5),
        count: fc.integer({ min: 1, max: 9 })
      })
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constantFrom("fail" as const, "leave" as const, "return" as const),
        who: fc.nat(5)
      })
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("join" as const),
        weight: fc.integer({ min: 1, max: 4 }),
        touches: fc.integer({ min: 1, max: 9 })
      })
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("enrol" as const), count: fc.integer({ min: 1, max: 30 }) }) }
  ),
  { maxLength: 60 }
)

type StoryEvent = typeof events extends fc.Arbitrary<Array<infer A>> ? A : never

const play = (strategy: "capacity" | "even" | "weighted", leads: number, story: ReadonlyArray<StoryEvent>) => {
  let next = leads
  const pool = Array.from({ length: leads }, (_, lead) => lead)
  const weightOf = (weight: number) => (strategy === "weighted" ? weight : 1)
  const members: Array<Member> = [
    { weight: weightOf(2), touches: 3, state: "in", held: [], sent: [] },
    { weight: weightOf(1), touches: 8, state: "in", held: [], sent: [] }
  ]
  const given = ({ held, sent }: Member) => held.length + sent.length
  const log: Array<string> = []
  const draw = () => {
    const before = members.map(given)
    const rows = members.map((member, place) =>
      drawer(place, {
        holding: member.held.length,
        touches: member.state === "in" ? member.touches : 0,
        given: given(member),
        weight: strategy === "capacity" ? null : member.weight
      })
    )
    const size = Math.min(pool.length, Draw.enough(rows))
    const takes = Draw.takes(rows, [
      part(
        size,
        rows.map((_, place) => place)
      )
    ])
    for (const { account, take } of takes) {
      const member = members[Number(account.slice(4))]!
      member.held.push(...pool.splice(0, take))
      log.push(`${account} ${take}`)
    }
    return before
  }
  /** No account has more than the level of those it shares with, or what it had before. */
  const checkShares = (before: ReadonlyArray<number>) => {
    if (strategy === "capacity") return
    const able = members.filter(({ state }) => state === "in")
    const total = pool.length + able.reduce((sum, member) => sum + given(member), 0)
    const weights = able.reduce((sum, { weight }) => sum + weight, 0)
    members.forEach((member, place) => {
      if (member.state !== "in") return assert.strictEqual(given(member), before[place])
      // Who is above the level leaves less to the others, so the plain share is the highest that anyone may reach.
      assert.isAtMost(given(member), Math.max(before[place]!, Math.ceil((total * member.weight) / weights)))
    })
  }
  const checkAll = () => {
    const seen = [...pool, ...members.flatMap(({ held, sent }) => [...held, ...sent])]
    assert.strictEqual(seen.length, next)
    assert.strictEqual(new Set(seen).size, next)
  }
  const giveBack = (member: Member) => {
    pool.push(...member.held.splice(0))
    pool.sort((a, b) => a - b)
  }
  for (const event of story) {
    const member = "who" in event ? members[event.who % members.length] : undefined
    switch (event.type) {
      case "draw":
        checkShares(draw())
        break
      case "send":
        if (member?.state === "in") member.sent.push(...member.held.splice(0, event.count))
        break
      case "fail":
      case "leave":
        if (member !== undefined && members.filter(({ state }) => state !== "gone").length > 1) {
          member.state = event.type === "fail" ? "out" : "gone"
          giveBack(member)
        }
        break
      case "return":
        if (member !== undefined) member.state = "in"
        break
      case "join":
        members.push({ weight: weightOf(event.weight), touches: event.touches, state: "in", held: [], sent: [] })
        break
      case "enrol":
        pool.push(...Array.from({ length: event.count }, () => next++))
        break
    }
    checkAll()
  }
  // From here on nothing changes: what is promised of the rest is what they end with.
  const able = members.filter(({ state }) => state === "in")
  const start = able.map(given)
  const size = pool.length
  for (let round = 0; round < 500 && (pool.length > 0 || able.some(({ held }) => held.length > 0)); round++) {
    checkShares(draw())
    for (const member of able) member.sent.push(...member.held.splice(0, member.touches))
    checkAll()
  }
  return { able, start, size, pool, given, log }
}

describe("a campaign whose accounts come and go", () => {
  const strategies = fc.constantFrom("capacity" as const, "even" as const, "weighted" as const)
  const leads = fc.nat(120)

  it("loses no lead and gives none twice, whatever its strategy", () =>
    fc.assert(
      fc.property(leads, events, strategies, (count, story, strategy) => {
        const { able, pool } = play(strategy, count, story)
        if (able.length > 0) assert.strictEqual(pool.length, 0)
      })
    ))

  it("ends within one of the promised shares", () =>
    fc.assert(
      fc.property(leads, events, strategies, (count, story, strategy) => {
        fc.pre(strategy !== "capacity")
        const { able, given, size, start } = play(strategy, count, story)
        // The level by halving: nobody below it got less than it could have, nobody above it got any more.
        let [low, high] = [0, 10_000]
        for (let i = 0; i < 100; i++) {
          const level = (low + high) / 2
          const needed = able.reduce((sum, { weight }, i) => sum + Math.max(0, level * weight - start[i]!), 0)
          if (needed < size) low = level
          else high = level
        }
        able.forEach((member, i) =>
          assert.isBelow(Math.abs(given(member) - Math.max(start[i]!, high * member.weight)), 1 + 1e-6)
        )
      })
    ))

  it("draws the same twice", () =>
    fc.assert(
      fc.property(leads, events, strategies, (count, story, strategy) =>
        assert.deepStrictEqual(play(strategy, count, story).log, play(strategy, count, story).log)
      )
    ))
})
