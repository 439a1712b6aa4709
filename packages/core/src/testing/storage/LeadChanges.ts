/** What `CampaignStore.changeLeads` promises, and how it meets claims, begins and the queue. */
import { Effect } from "effect"
import { CampaignStore, type LeadSelector } from "../../campaign/CampaignStore.ts"
import { shown } from "../../campaign/Lead.ts"
import { EventStore } from "../../event/EventStore.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed, concluding } from "./FakeRules.ts"
import { beginAll, campaignOf, claim, claimQueued, idsOf, leadOf, openChats, paceOf, people, resultsOf, scene, statusOf, stored, usesOf } from "./Scene.ts"
import { fails, refuse, sorted, type StorageCase, storageCase } from "./StorageCase.ts"

const { start, startDate } = Builders

/** One lead whose touch of three parts is claimed; its chat exists. */
const claimedTouch = (seed: string) =>
  Effect.gen(function* () {
    const place = yield* scene(seed, { leads: 1, steps: [3] })
    const taken = yield* claim(place, { parts: 3 })
    yield* openChats(taken.messages)
    const store = yield* CampaignStore
    const rows: Array<ReturnType<typeof idsOf>[number]> = []
    yield* store.changeLeads({ type: "ids", ids: taken.leads }, start, (_, messages) => {
      rows.push(...messages.toSorted((a, b) => a.part - b.part).map(({ id }) => id))
      return null
    })
    Expect.equal(rows.length, 3, "the messages of the lead's touch")
    const [lead] = place.leads
    const parts = rows.map((id) => ({ ...taken.messages[0]!, id }))
    return { ...place, taken, lead: lead!, parts, store }
  })

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
    Expect.equal(answer.map(({ id }) => id), [ids[0]!, ids[2]!], "the leads changed")
    const changedLead = yield* leadOf(workspace, ids[0]!)
    Expect.equal(changedLead, answer[0]!, "a changed lead as it is stored")
    Expect.equal([changedLead.priority, changedLead.repliedAt, changedLead.touches.length], [7, start, 1], "what was changed")
    Expect.equal((yield* leadOf(workspace, ids[1]!)).priority, 0, "the one that was not")
    Expect.equal((yield* events.read(workspace.id, null, 9)).map(({ event }) => event.subject), [ids[0], ids[2]] as Array<string>, "events")
    Expect.equal((yield* store.counts(place.campaign.id)).replied, 2, "the counts")
  }),

  storageCase("leads: a rule that throws leaves every lead as it was", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("change throws", { leads: 2 })
    const ids = place.leads.map(({ id }) => id)
    const change = store.changeLeads({ type: "ids", ids }, start, (lead) =>
      lead.id === ids[1] ? refuse() : changed({ ...lead, priority: 7 }, { counts: { failed: 1 } }))
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
      changed({ ...lead, status: "skipped", reason: "policy", step: null }, { counts: { skipped: 1 } }))
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
        const whole: LeadSelector = { type: "campaign", campaign: place.campaign.id, statuses: ["assigned", "pending"], limit: 99, ...selector }
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

  storageCase("leads: cancelling queued rows gives everything back, and a cancelled row is not begun", function* () {
    const outbox = yield* OutboxStore
    const { campaign, lead, parts, store, taken, workspace } = yield* claimedTouch("cancel touch")
    yield* store.changeLeads({ type: "ids", ids: [lead.id] }, start, (row, messages) =>
      changed(
        { ...row, claim: null, status: "skipped", reason: "suppressed", step: null, ended: "optedOut" },
        { cancel: messages.map(({ id }) => ({ id, reason: "optedOut" })), counts: { skipped: 1 } }
      ))
    Expect.equal(yield* outbox.begin(taken.id, idsOf(parts)), [], "what was begun")
    Expect.equal(yield* statusOf(parts), Array.from({ length: 3 }, () => "cancelled: optedOut"), "the rows")
    const use = yield* usesOf(workspace, lead.id)
    Expect.equal([use.account.used, use.workspace.used, use.pace], [0, 0, 0], "what the budgets hold")
    const late = yield* outbox.settle(taken.id, resultsOf(taken.claim!.messages), concluding())
    Expect.equal(late.settled, [], "what could be settled")
    const counts = yield* store.counts(campaign.id)
    Expect.equal([counts.skipped, counts.total], [1, 1], "the counts")
    Expect.equal(counts, yield* store.recount(campaign.id), "the counts against the leads")
  }),

  storageCase("leads: a stop marks what is being sent, and nothing follows it", function* () {
    const outbox = yield* OutboxStore
    const { lead, parts, store, taken, workspace } = yield* claimedTouch("stop")
    yield* beginAll(taken.id, taken.messages)
    yield* store.changeLeads({ type: "ids", ids: [lead.id] }, start, (row, messages) =>
      changed({ ...row, stop: "replied" }, {
        stop: messages.filter(({ status }) => status === "sending").map(({ id }) => ({ id, reason: "replied" })),
        cancel: messages.filter(({ status }) => status === "queued").map(({ id }) => ({ id, reason: "replied" }))
      }))
    Expect.equal((yield* stored(parts[0]!))?.stop, "replied", "the mark of the row being sent")
    Expect.equal(yield* statusOf(parts), ["sending", "cancelled: replied", "cancelled: replied"], "the rows")
    const held: Array<string | null> = []
    yield* outbox.settle(taken.id, resultsOf(taken.claim!.messages, () => ({ type: "transient" })), (all) => {
      held.push(...all.map(({ message }) => message.stop))
      return concluding()(all)
    })
    Expect.equal(held, ["replied"], "the mark as settle sees it")
    Expect.equal((yield* statusOf(parts))[0], "failed: replied", "a transient failure of a stopped row")
    const use = yield* usesOf(workspace, lead.id)
    Expect.equal([use.account.used, use.workspace.used, use.pace], [0, 0, 0], "what the budgets hold")
  }),

  storageCase("leads: the next part becomes due and is claimed by the queue without a new budget", function* () {
    const outbox = yield* OutboxStore
    const place = yield* claimedTouch("parts")
    const { campaign, lead, parts, store, taken, workspace } = place
    yield* beginAll(taken.id, taken.messages)
    Expect.equal(yield* claimQueued(place), null, "parts before their turn")
    yield* outbox.settle(taken.id, resultsOf(taken.claim!.messages), concluding())
    yield* store.changeLeads({ type: "ids", ids: [lead.id] }, start, (row) =>
      changed({ ...row, claim: null, status: "sending" }, { queue: [{ id: parts[1]!.id, dueAt: start + 5 }], wentOutOn: startDate }))
    Expect.equal(yield* outbox.nextQueued, start + 5, "when the next part is due")
    const queued = yield* claimQueued(place, { now: start + 5 })
    Expect.equal(queued?.claimed.map(({ message }) => [message.id, message.part]), [[parts[1]!.id, 1]], "the next part")
    const reserved = { pace: startDate, account: startDate, workspace: startDate }
    Expect.equal(queued?.claimed[0]?.message.reserved, reserved, "its reservation")
    const use = yield* usesOf(workspace, lead.id)
    Expect.equal([use.account.used, use.workspace.used, use.pace], [3, 3, 3], "what the budgets hold")
    yield* outbox.release(queued!.id, [parts[1]!.id], start + 6)
    const released = yield* stored(parts[1]!)
    Expect.equal([released?.status, released?.dueAt, released?.reserved], ["queued", start + 6, reserved], "a released part")
    const again = yield* claimQueued(place, { now: start + 6 })
    yield* store.modify(workspace.id, campaign.id, start, (row) => ({ campaign: { ...row, status: "paused" }, events: [] }))
    Expect.equal(yield* outbox.begin(again!.id, [parts[1]!.id]), [], "what begins while the campaign is paused")
    yield* store.modify(workspace.id, campaign.id, start, (row) => ({ campaign: { ...row, status: "running" }, events: [] }))
    yield* beginAll(again!.id, [parts[1]!])
    const wait = { type: "rateLimited", scope: "recipient", retryAfterMs: 50 } as const
    yield* outbox.settle(again!.id, resultsOf(again!.claimed, () => wait), concluding())
    const waiting = yield* stored(parts[1]!)
    Expect.equal([waiting?.status, waiting?.dueAt, waiting?.reserved], ["queued", start + 50, reserved], "a part that waits")
    const counts = yield* store.counts(campaign.id)
    Expect.equal([counts.sending, counts.total], [1, 1], "the counts between two parts")
  }),

  storageCase("leads: counts go to the pace of the account that had the lead, or to the campaign", function* () {
    const store = yield* CampaignStore
    const place = yield* people("counts", { accounts: 1, leads: 3 })
    const { campaign, leads } = yield* campaignOf(place, { drawn: false })
    yield* store.draw(campaign.id, start, () =>
      Effect.succeed([{ account: place.accounts[0]!.id, take: 2, reaches: [Builders.channel] }]))
    const [a, b, c] = leads.map(({ id }) => id)
    const end = (id: typeof a, status: "sent" | "failed" | "skipped", account?: null) =>
      store.changeLeads({ type: "ids", ids: [id!] }, start, (lead) =>
        changed({ ...lead, ...(account === null && { account }), status, step: null, reason: null }, { counts: { [status]: 1, touched: 1 } }))
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
      store.changeLeads({ type: "ids", ids: [place.leads[index]!.id] }, start, (lead) => changed(lead, { wentOutOn: date }))
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
    const back = yield* store.changeLeads(selector, start, (lead) => changed({ ...lead, status: "pending", account: null }))
    Expect.equal(back.length, 2, "leads given back")
    const counts = yield* store.counts(place.campaign.id)
    Expect.equal([counts.pending, counts.claimed, counts.assigned], [2, 1, 0], "the counts")
    const again = yield* claim(place, { want: () => 20 })
    Expect.equal(again.looks.flatMap(({ first }) => first).length, 0, "leads shown to the pace")
    Expect.equal(shown(yield* leadOf(place.workspace, taken.leads[0]!)), "claimed", "the claimed lead")
  }),

  storageCase("leads: a campaign's touch begins only while its campaign runs", function* () {
    const outbox = yield* OutboxStore
    const store = yield* CampaignStore
    const place = yield* scene("begin paused", { leads: 1 })
    const taken = yield* claim(place)
    const become = (status: "paused" | "running") =>
      store.modify(place.workspace.id, place.campaign.id, start, (campaign) => ({ campaign: { ...campaign, status }, events: [] }))
    yield* become("paused")
    Expect.equal(yield* outbox.begin(taken.id, idsOf(taken.messages)), [], "while it is paused")
    yield* become("running")
    yield* beginAll(taken.id, taken.messages)
    const { sending, total } = yield* store.counts(place.campaign.id)
    Expect.equal([sending, total], [1, 1], "the counts while it is being sent")
    const page = yield* store.leads(place.workspace.id, place.campaign.id, { status: "sending" }, { count: true })
    Expect.equal(page.total, 1, "the leads listed as sending")
  }),

  storageCase("leads: releasing a touch removes its rows and gives everything back", function* () {
    const outbox = yield* OutboxStore
    const { lead, parts, store, taken, workspace } = yield* claimedTouch("release touch")
    const released = yield* outbox.release(taken.id, idsOf(taken.messages), start)
    Expect.equal(idsOf(released), idsOf(taken.messages), "what was released")
    yield* store.changeLeads({ type: "ids", ids: [lead.id] }, start, (row, messages) => {
      Expect.equal(messages, [], "the rows of the touch")
      return changed({ ...row, claim: null })
    })
    Expect.equal(yield* statusOf(parts), [null, null, null], "the rows")
    const use = yield* usesOf(workspace, lead.id)
    Expect.equal([use.account.used, use.workspace.used, use.pace], [0, 0, 0], "what the budgets hold")
  }),

  storageCase("leads: a reply and a begin at the same time: either it is begun or cancelled, never both", function* () {
    const outbox = yield* OutboxStore
    const store = yield* CampaignStore
    const place = yield* scene("reply race", { leads: 6 })
    const taken = yield* claim(place, { want: () => 6 })
    yield* openChats(taken.messages)
    const reply = store.changeLeads(
      { type: "contacts", workspace: place.workspace.id, contacts: place.contacts.map(({ id }) => id) },
      start + hour,
      (lead, messages) => {
        const begun = messages.filter(({ status }) => status === "sending")
        return begun.length > 0
          ? changed({ ...lead, stop: "replied" }, { stop: begun.map(({ id }) => ({ id, reason: "replied" })) })
          : changed(
              { ...lead, claim: null, status: "skipped", reason: "cancelled", step: null, ended: "takenOver" },
              { cancel: messages.map(({ id }) => ({ id, reason: "replied" })), counts: { skipped: 1 } }
            )
      }
    )
    const [begun] = yield* Effect.all([outbox.begin(taken.id, idsOf(taken.messages)), reply], { concurrency: "unbounded" })
    const rows = yield* Effect.forEach(taken.messages, stored)
    for (const row of rows) {
      const isBegun = begun.includes(row!.id)
      Expect.equal(row?.status, isBegun ? "sending" : "cancelled", "a row")
      if (isBegun) Expect.equal(row?.stop, "replied", "the mark of a begun row")
    }
    const use = yield* usesOf(place.workspace, place.leads[0]!.id)
    Expect.equal([use.account.used, use.pace], [begun.length, begun.length], "what the budgets hold")
    const counts = yield* store.counts(place.campaign.id)
    Expect.equal(counts, yield* store.recount(place.campaign.id), "the counts against the leads")
  })
]
