import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Account } from "../../src/account/Account.ts"
import * as Gate from "../../src/outbox/Gate.ts"
import * as SendBudget from "../../src/outbox/SendBudget.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as Budget from "../../src/workspace/Budget.ts"
import { day, hour, minute } from "../../src/workspace/Instant.ts"

const now = Builders.start
const today = "2026-03-09"
const build = Builders.make("budgets")
const group = { ...build.workspace(), name: "group", dailyCap: 5, timezone: null, workspace: build.workspace().id }

interface Given {
  readonly account?: Partial<Account>
  readonly used?: number
  readonly lastTouchAt?: number | null
  readonly groupUsed?: number
  readonly groupZone?: string
  readonly workspaceCap?: number
}

const payers = (given: Given): SendBudget.Payers => {
  const workspace = build.workspace({ dailyCap: given.workspaceCap ?? null })
  return {
    account: {
      account: build.account(workspace.id, given.account),
      use: { day: today, used: given.used ?? 0 },
      lastTouchAt: given.lastTouchAt ?? null
    },
    workspace: { workspace, use: { day: today, used: given.used ?? 0 } },
    group:
      given.groupUsed === undefined
        ? null
        : {
            group: { ...group, id: build.ids.next("agr"), timezone: given.groupZone ?? null },
            use: { day: today, used: given.groupUsed }
          }
  }
}
const ask = (given: Given, parts = 1, isTouch = true) =>
  Gate.decide([...SendBudget.budgetGates, SendBudget.gapGate], { now, parts, isTouch, payers: payers(given) })

const midnight = now + 14 * hour
const warmUp = { ramp: { type: "incremental", increment: 2, max: 10 }, day: 0, date: null } as const

describe("budgets", () => {
  it.each<[string, Given, number, string, number | null]>([
    ["of an account without caps have room", { used: 900 }, 5, "allow", null],
    ["take the last message of a cap", { account: { dailyCap: 3 }, used: 2 }, 1, "allow", null],
    [
      "sleep until the next day where all parts do not fit",
      { account: { dailyCap: 3 }, used: 2 },
      2,
      "accountCap",
      midnight
    ],
    ["block what could never fit", { account: { dailyCap: 3 } }, 4, "partsOverCap", null],
    [
      "count by the account's own zone",
      { account: { dailyCap: 1, timezone: "Asia/Tokyo" }, used: 1 },
      1,
      "accountCap",
      now + 5 * hour
    ],
    ["count a group's messages", { groupUsed: 5 }, 1, "groupCap", midnight],
    ["count a group by its own zone", { groupUsed: 5, groupZone: "Asia/Kolkata" }, 1, "groupCap", now + 8.5 * hour],
    [
      "name the first and wait for the last",
      { account: { dailyCap: 1, timezone: "Asia/Tokyo" }, used: 1, workspaceCap: 1 },
      1,
      "accountCap",
      midnight
    ],
    ["hold a warm-up", { account: { limits: { warmUp } }, used: 2, lastTouchAt: now - hour }, 1, "warmUp", midnight],
    ["let the day's first touch pass a warm-up", { account: { limits: { warmUp } } }, 3, "allow", null],
    [
      "let it pass where members wrote before",
      { account: { limits: { warmUp } }, used: 9, lastTouchAt: now - day },
      1,
      "allow",
      null
    ],
    [
      "go by the workspace's zone where the account's is none",
      { account: { dailyCap: 1, timezone: "Europe/Berln" }, used: 1 },
      1,
      "accountCap",
      midnight
    ],
    ["and the group's", { groupUsed: 5, groupZone: "Mars/Base" }, 1, "groupCap", midnight],
    ["keep two touches apart", { account: { minGapMs: minute }, lastTouchAt: now - 10_000 }, 1, "minGap", now + 50_000]
  ])("%s", (_, given, parts, reason, until) => {
    const verdict = ask(given, parts)
    assert.strictEqual(verdict.type === "allow" ? "allow" : verdict.reason, reason)
    assert.strictEqual(verdict.type === "defer" ? verdict.until : null, until)
  })

  it("hold messages of the API by the warm-up, however the day began", () => {
    assert.strictEqual(
      ask({ account: { limits: { warmUp } }, used: 9, lastTouchAt: now - day }, 1, false).type,
      "defer"
    )
  })

  it("never let more through than a cap, whoever pays in which order", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.record({ who: fc.integer({ min: 0, max: 2 }), parts: fc.integer({ min: 1, max: 3 }) }), {
          maxLength: 30
        }),
        (accountCap, groupCap, sends) => {
          const shared = payers({ groupUsed: 0 })
          const accounts = [0, 1, 2].map(() => payers({ account: { dailyCap: accountCap } }).account)
          const state = { ...shared.group!, group: { ...shared.group!.group, dailyCap: groupCap } }
          const purse = SendBudget.purse()
          const sent = [0, 0, 0]
          for (const { parts, who } of sends) {
            const mine = { ...shared, group: state, account: accounts[who]! }
            const verdict = Gate.decide(SendBudget.budgetGates, { now, parts, isTouch: true, payers: purse.of(mine) })
            const total = sent[0]! + sent[1]! + sent[2]!
            assert.strictEqual(verdict.type === "allow", sent[who]! + parts <= accountCap && total + parts <= groupCap)
            if (verdict.type !== "allow") continue
            const reserved = purse.take(mine, parts, now, today, true)
            assert.deepStrictEqual(reserved.group, { id: state.group.id, day: today })
            sent[who]! += parts
          }
          const writes = purse.writes()
          const written = new Map(writes.accounts.map(({ id, use }) => [id, use.used]))
          assert.deepStrictEqual(
            accounts.map(({ account }) => written.get(account.id) ?? 0),
            sent
          )
          assert.deepStrictEqual(writes.workspaces, [])
        }
      )
    )
  })
})

describe("a day that goes back", () => {
  const zones = ["Pacific/Kiritimati", "Europe/Berlin", "UTC", "Pacific/Pago_Pago"] as const

  it("gives no quota again, whether by the clock or by a zone further west; what goes back goes to its day", () => {
    const move = fc.record({
      hours: fc.integer({ min: -30, max: 30 }),
      zone: fc.constantFrom(...zones),
      groupZone: fc.constantFrom(...zones),
      isRefused: fc.boolean()
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(move, { maxLength: 30 }), (cap, moves) => {
        const { account, group, workspace } = payers({ account: { dailyCap: cap }, groupUsed: 0, workspaceCap: cap })
        const uses = { account: Budget.none, group: Budget.none, workspace: Budget.none }
        const counted = new Map<string, number>()
        let at = now
        for (const { groupZone, hours, isRefused, zone } of moves) {
          at += hours * hour
          const held: SendBudget.Payers = {
            account: { ...account, account: { ...account.account, timezone: zone }, use: uses.account },
            group: { group: { ...group!.group, dailyCap: cap, timezone: groupZone }, use: uses.group },
            workspace: { ...workspace, use: uses.workspace }
          }
          const verdict = Gate.decide(SendBudget.budgetGates, { now: at, parts: 1, isTouch: false, payers: held })
          if (verdict.type !== "allow") continue
          const purse = SendBudget.purse()
          const reserved = purse.take(held, 1, at, null, false)
          const after = purse.of(held)
          const days = { account: reserved.account, group: reserved.group!.day, workspace: reserved.workspace }
          for (const who of ["account", "group", "workspace"] as const) {
            const key = `${who} ${days[who]}`
            assert.isTrue(uses[who].day === null || days[who] >= uses[who].day)
            const use = after[who]!.use
            const left = isRefused ? Budget.giveBack(use, days[who], 1) : use
            assert.strictEqual(left.used, (counted.get(key) ?? 0) + (isRefused ? 0 : 1))
            assert.isAtMost(left.used, cap)
            counted.set(key, left.used)
            uses[who] = left
          }
        }
      })
    )
  })

  it.each<[string, Given, string]>([
    ["an account's cap holds", { account: { dailyCap: 10, timezone: "Pacific/Pago_Pago" }, used: 10 }, "accountCap"],
    ["a group's cap holds", { groupUsed: 5, groupZone: "Pacific/Pago_Pago" }, "groupCap"],
    [
      "a warm-up holds, as it is not the first of its day",
      { account: { limits: { warmUp }, timezone: "Pacific/Pago_Pago" }, used: 2, lastTouchAt: now - minute * 2 },
      "warmUp"
    ]
  ])("%s", (_, given, reason) => {
    const context = { now: now - 2 * minute, parts: 1, isTouch: true, payers: payers(given) }
    const verdict = Gate.decide(SendBudget.budgetGates, context)
    assert.strictEqual(verdict.type === "allow" ? "allow" : verdict.reason, reason)
  })
})

describe("verdicts", () => {
  const lead = (until: number, reason: string) => Gate.defer("lead", until, reason)
  const pace = (until: number, reason: string) => Gate.defer("pace", until, reason)
  it.each([
    ["block beats skip", [Gate.skip("a"), Gate.block("b")], Gate.block("b")],
    ["skip beats defer", [pace(9, "a"), Gate.skip("b")], Gate.skip("b")],
    ["the first skip names the reason", [Gate.skip("a"), Gate.skip("b")], Gate.skip("a")],
    ["the latest counts, the first names it", [lead(1, "a"), lead(5, "b"), lead(3, "c")], lead(5, "a")],
    ["a pace sleeps no longer than the pace must", [lead(9, "a"), pace(2, "b"), pace(3, "c")], pace(3, "b")],
    ["nothing is said against it", [Gate.allow, Gate.allow], Gate.allow]
  ])("%s", (_, verdicts, expected) =>
    assert.deepStrictEqual(
      Gate.decide(
        verdicts.map((verdict) => ({ name: "", decide: () => verdict })),
        null
      ),
      expected
    )
  )
})
