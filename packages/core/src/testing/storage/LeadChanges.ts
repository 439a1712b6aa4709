/** What `CampaignStore.changeLeads` promises of leads and their counts. */
import { Effect } from "effect"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import type { LeadSelector } from "../../campaign/LeadChange.ts"
import { shown } from "../../campaign/Lead.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import { EventStore } from "../../event/EventStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed } from "./FakeRules.ts"
import { campaignOf, claim, leadOf, paceOf, people, scene, takeOf } from "./Scene.ts"
import { fails, refuse, sorted, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("leads: changed in id order, with their messages; null changes nothing", function* () {
    const store = yield* CampaignStore
    const events = yield* EventStore
    const place = yield* scene("change", { leads: 3 })
    const { build, leads, workspace } = place
    const ids = leads.map(({ id }) => id)
    const order: Array<string> = []
    const selector: LeadSelector = { type: "ids", ids: [ids[2]!, ids[0]!, build.ids.next("led"), ids[1]!, ids[0]!] }
    const answer = yield* store.changeLeads(selector, start, (lead, messages) => {
      order.push(lead.id)
      Expect.equal(messages, [], "the messages of a lead that was never touched")
      if (lead.id === ids[1]) return null
      const touches = [{ step: lead.step!, status: "sent" as const, reason: null, at: start }]
      return changed(
        { ...lead, priority: 7, repliedAt: start, touches, metadata: { a: 1 } },
        { counts: { replied: 1 }, events: [build.event(workspace.id, lead.id, { type: "lead.replied" })] }
      )
    })
    Expect.equal(order, [...ids], "the order of the locks")
    Expect.equal(
      answer.map(({ id }) => id),
      [ids[0]!, ids[2]!],
      "the leads changed"
    )
    const changedLead = yield* leadOf(workspace, ids[0]!)
    Expect.equal(changedLead, answer[0]!, "a changed lead as it is stored")
    Expect.equal(
      [changedLead.priority, changedLead.repliedAt, changedLead.touches.length],
      [7, start, 1],
      "what was changed"
    )
    Expect.equal((yield* leadOf(workspace, ids[1]!)).priority, 0, "the one that was not")
    Expect.equal(
      (yield* events.read(workspace.id, null, 9)).map(({ event }) => event.subject),
      [ids[0], ids[2]] as Array<string>,
      "events"
    )
    Expect.equal((yield* store.counts(place.campaign.id)).replied, 2, "the counts")
  }),

  storageCase("leads: holding those of contacts tells which they are, and the messages of their touches", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("hold", { leads: 3, steps: [2] })
    const { build, leads, workspace } = place
    const [first, second] = leads
    yield* claim(place, { parts: 2, want: () => 3 })
    const held = yield* store.hold(workspace.id, [first!.contact, first!.contact, build.ids.next("con")], [second!.id])
    Expect.equal(sorted(held.leads), sorted([first!.id, second!.id]), "the leads")
    const refs = held.messages.map((id) => ({ id }))
    const messages = yield* (yield* ChatStore).find(workspace.id, refs)
    Expect.ok(
      messages.every((message) => message?.lead != null && held.leads.includes(message.lead)),
      "messages of others",
      messages
    )
    Expect.equal((yield* store.hold(build.workspace().id, [first!.contact], [])).leads, [], "another workspace's")
    yield* store.holdCounts(held.leads)
    yield* store.holdCounts([])
  }),

  storageCase("leads: a rule that throws leaves every lead as it was", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("change throws", { leads: 2 })
    const ids = place.leads.map(({ id }) => id)
    const change = store.changeLeads({ type: "ids", ids }, start, (lead) =>
      lead.id === ids[1] ? refuse() : changed({ ...lead, priority: 7 }, { counts: { failed: 1 } })
    )
    yield* fails(change, "a change whose rule throws")
    Expect.equal((yield* leadOf(place.workspace, ids[0]!)).priority, 0, "the first lead")
    Expect.equal((yield* store.counts(place.campaign.id)).failed, 0, "the counts")
  }),

  storageCase("leads: selected by contact where something is open, claimed or to come", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("by contact", { leads: 3 })
    const second = yield* campaignOf(place, { drawn: false })
    const [a, b, c] = place.contacts.map(({ id }) => id)
    yield* store.changeLeads({ type: "ids", ids: [place.leads[0]!.id] }, start, (lead) =>
      changed({ ...lead, status: "skipped", reason: "policy", step: null }, { counts: { skipped: 1 } })
    )
    const select = (contacts: ReadonlyArray<NonNullable<typeof a>>, workspace = place.workspace.id) =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        yield* store.changeLeads({ type: "contacts", workspace, contacts }, start, (lead) => {
          seen.push(lead.id)
          return null
        })
        return seen
      })
    Expect.equal(yield* select([a!]), [second.leads[0]!.id as string], "of the one that was skipped in one campaign")
    const both = [place.leads[1]!.id, place.leads[2]!.id, second.leads[1]!.id, second.leads[2]!.id]
    Expect.equal(yield* select([c!, b!]), [...sorted(both)], "of two contacts")
    Expect.equal(yield* select([b!], place.build.workspace().id), [], "of another workspace")
    Expect.equal(yield* select([]), [], "of nobody")
  }),

  storageCase("leads: selected by campaign, state and account, unclaimed and at most limit", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("by campaign", { accounts: 2, leads: 6 })
    const [a] = place.accounts
    const taken = yield* claim(place, { want: ({ pace }) => (pace.account === a!.id ? 1 : 0) })
    const select = (selector: Partial<Extract<LeadSelector, { readonly type: "campaign" }>>) =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const whole: LeadSelector = {
          type: "campaign",
          campaign: place.campaign.id,
          statuses: ["assigned", "pending"],
          limit: 99,
          ...selector
        }
        yield* store.changeLeads(whole, start, (lead) => {
          seen.push(lead.id)
          return null
        })
        return seen
      })
    const all = yield* select({})
    Expect.equal(all.length, 5, "those of the campaign that nobody claimed")
    Expect.ok(!all.includes(taken.leads[0]!), "a claimed lead was selected")
    Expect.equal((yield* select({ account: a!.id })).length, 2, "those of an account")
    Expect.equal((yield* select({ limit: 2 })).length, 2, "at most two")
    Expect.equal(yield* select({ statuses: ["pending"] }), [], "those of the pool")
  }),

  storageCase("leads: counts go to the pace of the account that had the lead, or to the campaign", function* () {
    const store = yield* CampaignStore
    const place = yield* people("counts", { accounts: 1, leads: 3 })
    const { campaign, leads } = yield* campaignOf(place, { drawn: false })
    yield* store.draw(campaign.id, start, () => Effect.succeed([takeOf(place.accounts[0]!.id, 2)]))
    const [a, b, c] = leads.map(({ id }) => id)
    const end = (id: typeof a, status: "sent" | "failed" | "skipped", account?: null) =>
      store.changeLeads({ type: "ids", ids: [id!] }, start, (lead) =>
        changed(
          { ...lead, ...(account === null && { account }), status, step: null, reason: null },
          { counts: { [status]: 1, touched: 1 } }
        )
      )
    yield* end(a, "sent")
    yield* end(b, "failed", null)
    yield* end(c, "skipped")
    const { counts } = yield* paceOf(campaign)
    Expect.equal([counts.sent, counts.failed, counts.skipped, counts.touched], [1, 1, 0, 2], "the counts of the pace")
    const all = yield* store.counts(campaign.id)
    Expect.equal([all.sent, all.failed, all.skipped, all.total], [1, 1, 1, 3], "the counts of the campaign")
    Expect.equal(all, yield* store.recount(campaign.id), "the counts against the leads")
  }),

  storageCase("leads: the ramp counts a date once, and never an earlier one", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("ramp", { leads: 2 })
    const ramp = Effect.map(paceOf(place.campaign), ({ rampDate, rampDay }) => [rampDay, rampDate])
    const wentOut = (index: number, date: string) =>
      store.changeLeads({ type: "ids", ids: [place.leads[index]!.id] }, start, (lead) =>
        changed(lead, { wentOutOn: date })
      )
    Expect.equal(yield* ramp, [0, null], "before anything went out")
    yield* wentOut(0, "2026-03-09")
    yield* wentOut(1, "2026-03-09")
    Expect.equal(yield* ramp, [1, "2026-03-09"], "after two touches of a date")
    yield* wentOut(0, "2026-03-12")
    yield* wentOut(1, "2026-03-11")
    Expect.equal(yield* ramp, [2, "2026-03-12"], "after a later date")
  }),

  storageCase("leads: an account gives its untouched leads back to the pool", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("return", { leads: 3 })
    const taken = yield* claim(place, { nextAt: () => start })
    const selector: LeadSelector = {
      type: "campaign",
      campaign: place.campaign.id,
      account: place.accounts[0]!.id,
      statuses: ["assigned"],
      limit: 99
    }
    const back = yield* store.changeLeads(selector, start, (lead) =>
      changed({ ...lead, status: "pending", account: null })
    )
    Expect.equal(back.length, 2, "leads given back")
    const counts = yield* store.counts(place.campaign.id)
    Expect.equal([counts.pending, counts.claimed, counts.assigned], [2, 1, 0], "the counts")
    const again = yield* claim(place, { want: () => 20 })
    Expect.equal(again.looks.flatMap(({ first }) => first).length, 0, "leads shown to the pace")
    Expect.equal(shown(yield* leadOf(place.workspace, taken.leads[0]!)), "claimed", "the claimed lead")
  })
]
