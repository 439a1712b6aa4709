/** What `CampaignStore.claim` promises of what it writes: all of the decision or nothing, and no touch twice. */
import { Effect, Option } from "effect"
import { AccountStore } from "../../account/AccountStore.ts"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { shown } from "../../campaign/Lead.ts"
import { EventStore } from "../../event/EventStore.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed, claimRules, concluding, type Verdict } from "./FakeRules.ts"
import {
  beginAll,
  campaignOf,
  claim,
  idsOf,
  lease,
  leadOf,
  openChats,
  paceOf,
  resultsOf,
  scene,
  statusOf,
  stored,
  usesOf
} from "./Scene.ts"
import { fails, refuse, type StorageCase, storageCase } from "./StorageCase.ts"

const { start, startDate } = Builders

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("claims: what was decided is written: messages, leads, budgets, paces, events", function* () {
    const events = yield* EventStore
    const place = yield* scene("decision", { leads: 3, steps: [2] })
    const {
      accounts: [account],
      build,
      campaign,
      leads,
      workspace
    } = place
    const [a, b, c] = leads.map(({ id }) => id)
    const verdicts = new Map<string, Verdict>([
      [a!, "take"],
      [b!, "skip"],
      [c!, { deferTo: start + hour }]
    ])
    const taken = yield* claim(place, {
      want: () => 3,
      parts: 2,
      verdict: ({ lead }) => verdicts.get(lead.id)!,
      events: [build.event(workspace.id, b!, { type: "lead.skipped" })]
    })
    Expect.equal(taken.claim?.id, taken.id, "the claim's id")
    Expect.equal(
      taken.messages.map(({ lead, part }) => `${lead} ${part}`),
      [`${a} 0`],
      "the claimed messages"
    )
    Expect.equal(taken.claim?.messages[0]?.account, account!, "the account of a claimed message")
    yield* openChats(taken.messages)
    const [row] = yield* Effect.forEach(taken.messages, stored)
    Expect.equal(row, taken.messages[0]!, "the message as it is stored")
    Expect.equal([row?.claim, row?.dueAt, row?.status], [taken.id, null, "queued"], "a claimed message")
    const held = yield* Effect.forEach([a!, b!, c!], (id) => leadOf(workspace, id))
    Expect.equal(held.map(shown), ["claimed", "skipped", "assigned"], "the leads")
    Expect.equal(
      [held[0]!.claim, held[1]!.reason, held[2]!.dueAt],
      [taken.id, "policy", start + hour],
      "the leads' fields"
    )
    const use = yield* usesOf(workspace, a!)
    const two = { day: startDate, used: 2 }
    Expect.equal(use, { account: two, workspace: two, pace: 2 }, "the budgets")
    const pace = yield* paceOf(campaign)
    Expect.equal([pace.slot, pace.nextAt, pace.counts.skipped], [1, start + hour, 1], "the pace")
    Expect.equal(
      (yield* events.read(workspace.id, null, 9)).map(({ event }) => event.type),
      ["lead.skipped", "chat.created"],
      "events"
    )
    const store = yield* CampaignStore
    const counts = yield* store.counts(campaign.id)
    Expect.equal([counts.claimed, counts.skipped, counts.assigned, counts.total], [1, 1, 1, 3], "the counts")
    Expect.equal(counts, yield* store.recount(campaign.id), "the counts against the leads")
    for (const status of ["claimed", "skipped", "assigned"] as const) {
      const page = yield* store.leads(workspace.id, campaign.id, { status }, { count: true })
      Expect.equal(page.total, 1, `the leads listed as ${status}`)
    }
    const seen = Option.getOrNull(yield* store.candidate(workspace.id, a!))
    const touch = { at: start, campaign: campaign.id, lead: a!, step: campaign.settings.steps[0].id }
    Expect.equal(seen?.candidate.touches, [touch], "what the contact remembers")
    Expect.equal(seen?.due?.account.lastTouchAt, start, "the account's last touch")
  }),

  storageCase("claims: rules that throw leave everything as it was", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("throws", { leads: 2 })
    const before = yield* store.paces(place.campaign.id)
    const made = lease(place.build)
    const rules = claimRules(place.build.ids, made.claim, start)
    const request = { now: start, limit: 9, lease: made }
    yield* fails(store.claim({ ...request, rules: { ...rules, plan: refuse } }), "a claim whose plan throws")
    yield* fails(store.claim({ ...request, rules: { ...rules, decide: refuse } }), "a claim whose decision throws")
    Expect.equal(yield* store.paces(place.campaign.id), before, "the paces")
    Expect.equal((yield* store.counts(place.campaign.id)).assigned, 2, "the leads")
    const answer = yield* store.claim({ ...request, rules })
    Expect.equal(answer?.claim?.messages.length, 1, "a later claim under the same id")
  }),

  storageCase("claims: rows of an earlier try are replaced while queued, and never once they were begun", function* () {
    const outbox = yield* OutboxStore
    const store = yield* CampaignStore
    const place = yield* scene("upsert", { leads: 1 })
    const [lead] = place.leads
    const first = yield* claim(place, { nextAt: () => start })
    yield* openChats(first.messages)
    yield* beginAll(first.id, first.messages)
    // A decision over a begun row would be a second touch: the store must refuse all of it.
    yield* store.changeLeads({ type: "ids", ids: [lead!.id] }, start, (row) => changed({ ...row, claim: null }))
    const before = yield* usesOf(place.workspace, lead!.id)
    yield* fails(claim(place), "a claim that replaces a begun row")
    Expect.equal(yield* statusOf(first.messages), ["sending"], "the begun row")
    Expect.equal(yield* usesOf(place.workspace, lead!.id), before, "the budgets")
    yield* outbox.settle(
      first.id,
      resultsOf(first.claim!.messages, () => ({ type: "transient" })),
      concluding()
    )
    const again = yield* claim(place)
    Expect.equal(idsOf(again.looks[0]!.first[0]!.messages), idsOf(first.messages), "the rows of the earlier try")
    Expect.equal(idsOf(again.messages), idsOf(first.messages), "the row that was replaced")
    const [row] = yield* Effect.forEach(again.messages, stored)
    Expect.equal([row?.status, row?.claim, row?.attempts, row?.tries], ["queued", again.id, 1, 1], "the row")
    const use = yield* usesOf(place.workspace, lead!.id)
    Expect.equal([use.account.used, use.workspace.used, use.pace], [1, 1, 1], "the budgets of the second try")
  }),

  storageCase("claims: skipping a lead cancels the queued rows of its earlier try", function* () {
    const outbox = yield* OutboxStore
    const place = yield* scene("skip after try", { leads: 1 })
    const first = yield* claim(place, { nextAt: () => start })
    yield* openChats(first.messages)
    yield* beginAll(first.id, first.messages)
    yield* outbox.settle(
      first.id,
      resultsOf(first.claim!.messages, () => ({ type: "transient" })),
      concluding()
    )
    const store = yield* CampaignStore
    yield* store.changeLeads({ type: "ids", ids: first.leads }, start, (row) =>
      changed({ ...row, claim: null, attempts: 1 })
    )
    yield* claim(place, { verdict: () => "skip" })
    const [status] = yield* statusOf(first.messages)
    Expect.ok(status?.startsWith("cancelled") ?? true, "the row of the earlier try is still there", status)
    Expect.equal(yield* store.isDone(place.campaign.id), true, "whether the campaign is done")
  }),

  storageCase("claims: deferring a lead leaves the queued rows of its earlier try to wait with it", function* () {
    const outbox = yield* OutboxStore
    const store = yield* CampaignStore
    const place = yield* scene("defer after try", { leads: 1 })
    const first = yield* claim(place, { nextAt: () => start })
    yield* openChats(first.messages)
    yield* beginAll(first.id, first.messages)
    yield* outbox.settle(
      first.id,
      resultsOf(first.claim!.messages, () => ({ type: "transient" })),
      concluding()
    )
    yield* store.changeLeads({ type: "ids", ids: first.leads }, start, (row) =>
      changed({ ...row, claim: null, attempts: 1 })
    )
    yield* claim(place, { verdict: () => ({ deferTo: start + hour }) })
    Expect.equal(yield* statusOf(first.messages), ["queued: transient"], "the row of the earlier try")
    const again = yield* claim(place, { now: start + hour })
    Expect.equal(idsOf(again.messages), idsOf(first.messages), "the row of the next try")
  }),

  storageCase("claims: two claims at the same time never take the same pace or lead", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("claim race", { accounts: 6, leads: 24 })
    const claims = yield* Effect.all(
      Array.from({ length: 4 }, () => claim(place, { limit: 3, want: () => 2 })),
      { concurrency: "unbounded" }
    )
    const paces = claims.flatMap(({ planned }) => planned ?? [])
    Expect.equal(new Set(paces).size, paces.length, "paces looked at once")
    const leads = claims.flatMap((one) => one.leads)
    Expect.equal(new Set(leads).size, leads.length, "leads taken once")
    Expect.equal((yield* store.counts(place.campaign.id)).claimed, leads.length, "claimed leads")
    while ((yield* claim(place, { want: () => 2 })).planned !== null);
    Expect.equal((yield* store.counts(place.campaign.id)).claimed, 12, "claimed leads once every pace was looked at")
  }),

  storageCase("claims: one account's campaigns share its budget, also in one claim", function* () {
    const place = yield* scene("shared account", { leads: 4 })
    yield* campaignOf(place)
    yield* claim(place, { want: () => 2 })
    const accounts = yield* AccountStore
    Expect.equal((yield* accounts.list(place.workspace.id, {})).data.length, 1, "accounts")
    let used = (yield* usesOf(place.workspace, place.leads[0]!.id)).account.used
    const more = yield* Effect.all([claim(place, { want: () => 2 }), claim(place, { want: () => 2 })], {
      concurrency: "unbounded"
    })
    used += more.flatMap(({ leads }) => leads).length
    Expect.equal(
      (yield* usesOf(place.workspace, place.leads[0]!.id)).account.used,
      used,
      "what the account's budget holds"
    )
    Expect.ok(used >= 4, "what was claimed of both campaigns", used)
  })
]
