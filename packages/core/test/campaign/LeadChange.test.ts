import { assert, describe, it } from "@effect/vitest"
import { joined } from "../../src/campaign/LeadChange.ts"
import { alone } from "../../src/campaign/LeadStopping.ts"
import * as Builders from "../../src/testing/Builders.ts"

describe("two changes of one lead as one", () => {
  const build = Builders.make("joined")
  const workspace = build.workspace()
  const lead = build.lead(build.campaign(workspace.id), build.contact(workspace.id))
  const [a, b] = [build.ids.next("msg"), build.ids.next("msg")]
  const change = { ...alone, lead }

  it("counts what both count", () => {
    const { counts } = joined(
      { ...change, counts: { sent: 1, touched: 1 } },
      { ...change, counts: { sent: -1, failed: 1 } }
    )
    assert.deepStrictEqual(counts, { sent: 0, touched: 1, failed: 1 })
  })

  it("writes what either writes, and leaves the lead as the later one does", () => {
    const made = joined(
      { ...change, queue: [{ id: a, dueAt: 1 }], forget: true, stop: [{ id: a, reason: "replied" }] },
      {
        ...change,
        lead: { ...lead, priority: 7 },
        queue: [{ id: b, dueAt: 2 }],
        requeue: [{ id: b, tries: 1 }],
        stop: [{ id: a, reason: "optedOut" }],
        wentOutOn: "2026-03-09"
      }
    )
    assert.deepStrictEqual(
      [made.lead.priority, made.queue.map(({ id }) => id), made.requeue.length, made.wentOutOn, made.forget],
      [7, [a, b], 1, "2026-03-09", true]
    )
    assert.deepStrictEqual(made.stop, [{ id: a, reason: "optedOut" }])
  })
})
