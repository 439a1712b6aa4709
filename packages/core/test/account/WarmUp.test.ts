import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Account from "../../src/account/Account.ts"
import * as WarmUp from "../../src/account/WarmUp.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as Dates from "../../src/workspace/LocalDate.ts"

const ramp = { type: "incremental", increment: 5, max: 20 } as const
const date = (days: number) => Dates.addDays("2026-03-09", days)
const sentOn = (...days: ReadonlyArray<number>) =>
  days.reduce((self, one) => WarmUp.wentOut(self, date(one)), WarmUp.begin(ramp))

describe("WarmUp", () => {
  it.each([
    ["begins with day 1", sentOn(), 0, 5],
    ["keeps the cap of the day while more goes out on it", sentOn(0), 0, 5],
    ["grows with each later day on which something went out", sentOn(0, 1, 2), 3, 20],
    ["does not grow with days of rest", sentOn(0, 1), 9, 15],
    ["is over after the last step of the ramp", sentOn(0, 1, 2, 3), 4, null],
    ["goes on after 14 idle days less one", sentOn(0, 1), 15, 15],
    ["begins again after 14 idle days", sentOn(0, 1), 16, 5],
    ["begins again after the ramp was over, too", sentOn(0, 1, 2, 3, 4), 40, 5],
    ["begins again after a restriction", WarmUp.restart(sentOn(0, 1, 2)), 3, 5],
    ["keeps its day where a clock goes back", sentOn(0, 5), 3, 10]
  ])("%s", (_, self, day, cap) => assert.strictEqual(WarmUp.cap(self, date(day)), cap))

  it("counts a day once, and never goes back by itself but after rest", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 13 }), { maxLength: 40 }), (gaps) => {
        let at = 0
        let self = WarmUp.begin(ramp)
        const days = new Set<number>()
        for (const gap of gaps) {
          at += gap
          days.add(at)
          self = WarmUp.wentOut(self, date(at))
          assert.strictEqual(WarmUp.wentOut(self, date(at)), self)
          assert.strictEqual(self.day, days.size)
        }
      })
    )
  })
})

describe("an account's warm-up", () => {
  const account = Builders.make("warm-up").account("wsp_1" as Account.Account["workspace"], {
    limits: { warmUp: sentOn(0, 1) }
  })

  it("begins again when the platform restricts or bans it, and at nothing else", () => {
    const after = (type: "restricted" | "banned" | "challenge" | "outcomeUnknown") =>
      Account.afterOutcome(account, { type }, true, 0).limits?.warmUp?.day
    assert.deepStrictEqual(
      [after("restricted"), after("banned"), after("challenge"), after("outcomeUnknown")],
      [0, 0, 2, 2]
    )
  })

  it("is the same object when its day is counted, or it has none", () => {
    assert.strictEqual(Account.wentOut(account, date(1)), account)
    const { limits: _, ...plain } = account
    assert.strictEqual(Account.wentOut(plain, date(9)), plain)
    assert.strictEqual(Account.restarted(plain), plain)
    assert.strictEqual(Account.wentOut(account, date(2)).limits?.warmUp?.day, 3)
  })
})
