/** What `CampaignStore.changeLeads` promises of the messages of a touch, and how it meets begins and the queue. */
import { Effect } from "effect"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed, concluding } from "./FakeRules.ts"
import { beginAll, claim, claimQueued, idsOf, openChats, resultsOf, scene, statusOf, stored, usesOf } from "./Scene.ts"
import { type StorageCase, storageCase } from "./StorageCase.ts"

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
  storageCase("leads: cancelling queued rows gives everything back, and a cancelled row is not begun", function* () {
    const outbox = yield* OutboxStore
    const { campaign, lead, parts, store, taken, workspace } = yield* claimedTouch("cancel touch")
    yield* store.changeLeads({ type: "ids", ids: [lead.id] }, start, (row, messages) =>
      changed(
        { ...row, claim: null, status: "skipped", reason: "suppressed", step: null, ended: "optedOut" },
        { cancel: messages.map(({ id }) => ({ id, reason: "optedOut" })), counts: { skipped: 1 } }
      )
    )
    Expect.equal(yield* outbox.begin(taken.id, idsOf(parts), start), [], "what was begun")
    Expect.equal(
      yield* statusOf(parts),
      Array.from({ length: 3 }, () => "cancelled: optedOut"),
      "the rows"
    )
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
      changed(
        { ...row, stop: "replied" },
        {
          stop: messages.filter(({ status }) => status === "sending").map(({ id }) => ({ id, reason: "replied" })),
          cancel: messages.filter(({ status }) => status === "queued").map(({ id }) => ({ id, reason: "replied" }))
        }
      )
    )
    Expect.equal((yield* stored(parts[0]!))?.stop, "replied", "the mark of the row being sent")
    Expect.equal(yield* statusOf(parts), ["sending", "cancelled: replied", "cancelled: replied"], "the rows")
    const held: Array<string | null> = []
    yield* outbox.settle(
      taken.id,
      resultsOf(taken.claim!.messages, () => ({ type: "transient" })),
      (all) => {
        held.push(...all.map(({ message }) => message.stop))
        return concluding()(all)
      }
    )
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
      changed(
        { ...row, claim: null, status: "sending" },
        { queue: [{ id: parts[1]!.id, dueAt: start + 5 }], wentOutOn: startDate }
      )
    )
    Expect.equal(yield* outbox.nextQueued, start + 5, "when the next part is due")
    const queued = yield* claimQueued(place, { now: start + 5 })
    Expect.equal(
      queued?.claimed.map(({ message }) => [message.id, message.part]),
      [[parts[1]!.id, 1]],
      "the next part"
    )
    const reserved = { pace: startDate, account: startDate, workspace: startDate }
    Expect.equal(queued?.claimed[0]?.message.reserved, reserved, "its reservation")
    const use = yield* usesOf(workspace, lead.id)
    Expect.equal([use.account.used, use.workspace.used, use.pace], [3, 3, 3], "what the budgets hold")
    yield* outbox.release(queued!.id, [parts[1]!.id], start + 6)
    const released = yield* stored(parts[1]!)
    Expect.equal(
      [released?.status, released?.dueAt, released?.reserved],
      ["queued", start + 6, reserved],
      "a released part"
    )
    const kept = yield* usesOf(workspace, lead.id)
    Expect.equal([kept.account.used, kept.workspace.used, kept.pace], [3, 3, 3], "the budgets after its release")
    const again = yield* claimQueued(place, { now: start + 6 })
    yield* store.modify(workspace.id, campaign.id, start, (row) => ({
      campaign: { ...row, status: "paused" },
      events: []
    }))
    Expect.equal(yield* outbox.begin(again!.id, [parts[1]!.id], start), [], "what begins while the campaign is paused")
    yield* store.modify(workspace.id, campaign.id, start, (row) => ({
      campaign: { ...row, status: "running" },
      events: []
    }))
    yield* beginAll(again!.id, [parts[1]!])
    const wait = { type: "rateLimited", scope: "recipient", retryAfterMs: 50 } as const
    yield* outbox.settle(
      again!.id,
      resultsOf(again!.claimed, () => wait),
      concluding()
    )
    const waiting = yield* stored(parts[1]!)
    Expect.equal(
      [waiting?.status, waiting?.dueAt, waiting?.reserved],
      ["queued", start + 50, reserved],
      "a part that waits"
    )
    const counts = yield* store.counts(campaign.id)
    Expect.equal([counts.sending, counts.total], [1, 1], "the counts between two parts")
    Expect.equal(counts, yield* store.recount(campaign.id), "the counts against the leads")
    Expect.equal(yield* store.isDone(campaign.id), false, "whether the campaign is done")
    const dry = yield* claim(place, { now: start + 2 * hour })
    Expect.equal(dry.looks[0]!.dryness, { nextDueAt: null, held: true }, "what the pace waits for")
  }),

  storageCase("leads: a campaign's touch begins only while its campaign runs", function* () {
    const outbox = yield* OutboxStore
    const store = yield* CampaignStore
    const place = yield* scene("begin paused", { leads: 1 })
    const taken = yield* claim(place)
    const become = (status: "paused" | "running") =>
      store.modify(place.workspace.id, place.campaign.id, start, (campaign) => ({
        campaign: { ...campaign, status },
        events: []
      }))
    yield* become("paused")
    Expect.equal(yield* outbox.begin(taken.id, idsOf(taken.messages), start), [], "while it is paused")
    yield* become("running")
    yield* beginAll(taken.id, taken.messages)
    const { sending, total } = yield* store.counts(place.campaign.id)
    Expect.equal([sending, total], [1, 1], "the counts while it is being sent")
    for (const status of ["claimed", "sending"] as const) {
      const page = yield* store.leads(place.workspace.id, place.campaign.id, { status }, { count: true })
      Expect.equal(page.total, status === "sending" ? 1 : 0, `the leads listed as ${status}`)
    }
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
    const [begun] = yield* Effect.all([outbox.begin(taken.id, idsOf(taken.messages), start), reply], {
      concurrency: "unbounded"
    })
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
