import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Lead } from "../../src/campaign/Lead.ts"
import type { NewsType } from "../../src/campaign/LeadNews.ts"
import * as LeadStopping from "../../src/campaign/LeadStopping.ts"
import * as Builders from "../../src/testing/Builders.ts"
import { day } from "../../src/workspace/Instant.ts"

const { start } = Builders
const build = Builders.make("lead news")
const workspace = build.workspace()
const steps = [build.step(), build.step({ type: "noReply" }), build.step({ type: "noReplyResponded" })] as const
const settings = build.settings({ steps })
const campaign = build.campaign(workspace.id, { settings })

/** Its first touch went out at `start`, and the step for the silent is next. */
const touched = (): Lead => ({
  ...build.lead(campaign, build.contact(workspace.id)),
  status: "sent",
  step: steps[1].id,
  dueAt: start + day,
  firstSentAt: start,
  lastSentAt: start,
  touches: [{ step: steps[0].id, status: "sent", reason: null, at: start }]
})

const types: ReadonlyArray<NewsType> = ["replied", "takenOver", "booked", "closed", "optedOut"]
const happened = fc.record({ type: fc.constantFrom(...types), at: fc.integer({ min: 0, max: 9 }) })

const after = (lead: Lead, news: ReadonlyArray<{ readonly type: NewsType; readonly at: number }>): Lead =>
  news.reduce((one, { at, type }) => LeadStopping.stop(one, [], type, start + at, settings)?.lead ?? one, lead)

describe("what happens to a contact", () => {
  it("leaves a touched lead the same in whatever order it is told, and ends it by what ends everything first", () => {
    const lead = touched()
    fc.assert(
      fc.property(fc.array(happened, { minLength: 1, maxLength: 6 }), fc.infiniteStream(fc.nat()), (news, order) => {
        const keys = [...order.take(news.length)]
        const shuffled = news.map((one, i) => ({ one, key: keys[i]! })).toSorted((a, b) => a.key - b.key)
        const told = after(lead, news)
        const other = after(
          lead,
          shuffled.map(({ one }) => one)
        )
        assert.deepStrictEqual(other, told)
        const ends = (["optedOut", "booked", "closed"] as const).flatMap((type) =>
          news.flatMap((one) => (one.type === type ? [one] : []))
        )
        const first = ends.toSorted((a, b) => a.at - b.at)[0]
        // A reply or a takeover leaves what may follow a conversation.
        assert.strictEqual(told.ended, first?.type ?? null)
        assert.strictEqual(told.step, first === undefined ? steps[2].id : null)
      })
    )
  })

  it("is nothing to a lead that nobody wrote to, where they booked or their chat was closed", () => {
    const { dueAt: _dueAt, ...lead } = { ...touched(), status: "assigned", step: steps[0].id, touches: [] } as const
    const open: Lead = { ...lead, dueAt: null, firstSentAt: null, lastSentAt: null }
    for (const type of ["booked", "closed", "replied"] as const) {
      assert.isNull(LeadStopping.stop(open, [], type, start + 1, settings))
    }
  })
})
