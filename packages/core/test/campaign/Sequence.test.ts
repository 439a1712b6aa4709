import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import * as Lead from "../../src/campaign/Lead.ts"
import * as LeadNews from "../../src/campaign/LeadNews.ts"
import * as Sequence from "../../src/campaign/Sequence.ts"
import * as StepIdentity from "../../src/campaign/StepIdentity.ts"
import type { Step } from "../../src/campaign/Step.ts"
import * as Builders from "../../src/testing/Builders.ts"
import { day } from "../../src/workspace/Instant.ts"

const { start } = Builders
const build = Builders.make("sequence")
const first = build.step()
/** Steps to choose from: each of some type and delay. */
const pool: ReadonlyArray<Step> = Array.from({ length: 6 }, (_, i) =>
  build.step({ type: i % 3 === 2 ? "noReplyResponded" : "noReply", sendAfterDays: 1 + (i % 3) })
)
const workspace = build.workspace()
const campaign = build.campaign(workspace.id, { settings: build.settings({ steps: [first] }) })
const fresh = (): Lead.Lead => build.lead(campaign, build.contact(workspace.id), { status: "assigned" })

const settingsOf = (order: ReadonlyArray<number>): CampaignSettings => ({
  ...campaign.settings,
  steps: [first, ...order.map((i) => pool[i]!)]
})

/** Its present step sent at `at`. */
const sent = (lead: Lead.Lead, settings: CampaignSettings, at: number): Lead.Lead => {
  const place = Sequence.placeOf(settings, lead)
  const touched: Lead.Lead = {
    ...lead,
    status: "sent",
    lastSentAt: at,
    touches: [...Lead.made(lead), { step: lead.step!, status: "sent", reason: null, at }]
  }
  return Sequence.proceed(touched, settings, place, at)
}

const orders = fc.uniqueArray(fc.nat(5), { maxLength: 6 })
const event = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ type: "sent" } as const) },
  { weight: 2, arbitrary: orders.map((order) => ({ type: "edit", order }) as const) },
  { weight: 1, arbitrary: fc.constant({ type: "replied" } as const) }
)

describe("a sequence", () => {
  it("brings no step twice, keeps to the steps there are, and ends, whatever edits and replies come", () => {
    fc.assert(
      fc.property(orders, fc.array(event, { maxLength: 30 }), (order, events) => {
        let settings = settingsOf(order)
        let lead = sent(fresh(), settings, start)
        let now = start
        for (const one of events) {
          now += day
          if (one.type === "edit") settings = settingsOf(one.order)
          else if (lead.step === null) continue
          else if (one.type === "replied") {
            lead = LeadNews.decided(LeadNews.remembered(lead, { type: "replied", at: now }), settings, lead)
          } else {
            const moved = Sequence.relocate(lead, settings, now)
            if (moved !== null) {
              lead = moved
              continue
            }
            const present = settings.steps.find(({ id }) => id === lead.step)
            assert.isDefined(present)
            assert.isFalse(lead.repliedAt !== null && present?.type === "noReply", "a step for the silent")
            lead = sent(lead, settings, now)
          }
          const had = Lead.made(lead).map(({ step }) => step)
          assert.strictEqual(new Set(had).size, had.length, "a step came twice")
          if (lead.step !== null) assert.notInclude(had, lead.step)
          assert.strictEqual(lead.step === null, lead.ended !== null)
        }
      }),
      { numRuns: 500 }
    )
  })

  it("counts a step from the last touch that was sent, in the zone of the campaign", () => {
    const settings = { ...settingsOf([1]), timezone: "America/New_York" }
    const lead = sent(fresh(), settings, start)
    assert.deepStrictEqual([lead.step, lead.dueAt], [pool[1]!.id, start + 2 * day])
  })

  it("moves a step that waits for a conversation with every message of it, and no other", () => {
    const settings = settingsOf([2])
    const lead = sent(fresh(), settings, start)
    assert.strictEqual(Sequence.spoken(lead, settings, start + day)?.dueAt, start + 4 * day)
    assert.isNull(Sequence.spoken({ ...lead, claim: build.ids.next("clm") }, settings, start + day))
    const silent = settingsOf([0])
    assert.isNull(Sequence.spoken(sent(fresh(), silent, start), silent, start + day))
  })
})

describe("steps that are written down again", () => {
  const said = (text: string, ref?: string): StepIdentity.WrittenStep => ({
    type: "noReply",
    sendAfterDays: 1,
    parts: [{ variants: [{ weight: 1, content: Builders.text(text) }] }],
    ...(ref !== undefined && { externalRef: ref })
  })
  const former = [said("a"), said("b"), said("c", "named")].map(
    (step): Step => ({ id: build.ids.next("stp"), ...step })
  )
  const [a, b, named] = former.map(({ id }) => id)
  it.each([
    ["the same", [said("a"), said("b"), said("c", "named")], [a, b, named]],
    ["one fewer", [said("b")], [b]],
    ["one more in front", [said("x"), said("a"), said("b")], [null, a, b]],
    ["other words", [said("A"), said("b")], [a, b]],
    ["another order", [said("b"), said("a")], [b, a]],
    ["other words under the same id", [said("other", "named")], [named]],
    ["another id", [said("c", "renamed")], [null]],
    ["none", [], []]
  ] as const)("are known again: %s", (_, written, expected) => {
    assert.deepStrictEqual<ReadonlyArray<string | null | undefined>>(StepIdentity.identify(written, former), expected)
  })
})
