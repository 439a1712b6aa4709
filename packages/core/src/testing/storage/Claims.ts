/** What `CampaignStore.claim` promises: which paces and leads it shows, and that only what is answered is written. */
import { Effect, Option } from "effect"
import { AccountStore } from "../../account/AccountStore.ts"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { shown } from "../../campaign/Lead.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import { EventStore } from "../../event/EventStore.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import type { LeadId } from "../../workspace/Id.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed, claimRules, concluding, type Verdict } from "./FakeRules.ts"
import { beginAll, campaignOf, claim, idsOf, lease, leadOf, openChats, paceOf, people, resultsOf, scene, statusOf, stored, usesOf } from "./Scene.ts"
import { fails, refuse, sorted, type StorageCase, storageCase } from "./StorageCase.ts"

const { start, startDate } = Builders
const idsOfLeads = (all: ReadonlyArray<{ readonly lead: { readonly id: LeadId } }>) => all.map(({ lead }) => lead.id)

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("claims: null while no alarm rings; paces that rang first, at most limit", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("alarms", { accounts: 3, leads: 6 })
    const { accounts, campaign } = place
    Expect.equal((yield* claim(place, { now: start - 1 })).planned, null, "before the alarm")
    const order = [2, 0, 1]
    yield* claim(place, { want: () => 0, nextAt: ({ pace }) => start + 10 + order[accounts.findIndex(({ id }) => id === pace.account)]! })
    Expect.equal(yield* store.nextAlarm, start + 10, "the earliest alarm")
    const first = yield* claim(place, { now: start + 12, limit: 2, nextAt: () => start + hour })
    const expected = [1, 2].map((index) => `${campaign.id}|${accounts[index]!.id}`)
    Expect.equal(sorted(first.planned ?? []), sorted(expected), "the paces of the first claim")
    Expect.equal(first.messages.length, 2, "its messages")
    const second = yield* claim(place, { now: start + 12, limit: 2, nextAt: () => start + hour })
    Expect.equal(second.planned, [`${campaign.id}|${accounts[0]!.id}`], "the paces of the second claim")
    Expect.equal((yield* claim(place, { now: start + 12 })).planned, null, "once all were looked at")
  }),

  storageCase("claims: a pace left out of the plan is left as it is, one that wants nothing is written", function* () {
    const place = yield* scene("left out", { accounts: 2, leads: 2 })
    const [left, asked] = place.accounts
    const before = yield* paceOf(place.campaign, left!.id)
    const taken = yield* claim(place, { want: ({ pace }) => (pace.account === left!.id ? null : 0), nextAt: () => start + 7 })
    Expect.equal(taken.claim, null, "a claim of nothing")
    Expect.equal(taken.looks.map(({ due }) => due.pace.account), [asked!.id], "the paces that decide saw")
    Expect.equal(yield* paceOf(place.campaign, left!.id), before, "the pace left out")
    const written = yield* paceOf(place.campaign, asked!.id)
    Expect.equal([written.nextAt, written.date, written.quota], [start + 7, startDate, 10], "the pace that was written")
  }),

  storageCase("claims: first touches by dueAt that has come, then priority, then position; each at most as wanted", function* () {
    const store = yield* CampaignStore
    const priorities = [0, 9, 9, 0, 9, 0]
    const place = yield* scene("order", { leads: 6, lead: (index) => ({ priority: priorities[index]! }) })
    const ids = place.leads.map(({ id }) => id)
    const due = new Map([[ids[5]!, start - 1], [ids[3]!, start - 2], [ids[4]!, start + hour]])
    yield* store.changeLeads({ type: "ids", ids }, start, (lead) => {
      const dueAt = due.get(lead.id)
      return dueAt === undefined ? null : changed({ ...lead, dueAt })
    })
    const all = yield* claim(place, { want: () => 20, verdict: () => "leave", nextAt: () => start })
    Expect.equal(idsOfLeads(all.looks[0]!.first), [3, 5, 1, 2, 0].map((index) => ids[index]!), "the order")
    const two = yield* claim(place, { want: () => 2 })
    Expect.equal(idsOfLeads(two.looks[0]!.first), [3, 5].map((index) => ids[index]!), "the first two")
    Expect.equal(two.leads, [3, 5].map((index) => ids[index]!), "the leads taken")
    const next = yield* claim(place, { now: start + hour, want: () => 20 })
    Expect.equal(idsOfLeads(next.looks[0]!.first), [4, 1, 2, 0].map((index) => ids[index]!), "the others an hour later")
  }),

  storageCase("claims: follow-ups that are due by dueAt, beside first touches", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("follow-ups", { leads: 5, steps: [1, 1] })
    const ids = place.leads.map(({ id }) => id)
    const followUp = place.campaign.settings.steps[1]!.id
    const due = new Map([[ids[0]!, start - 1], [ids[1]!, start - 5], [ids[2]!, start + hour]])
    yield* store.changeLeads({ type: "ids", ids }, start, (lead) => {
      const dueAt = due.get(lead.id)
      return dueAt === undefined ? null : changed({ ...lead, status: "sent", step: followUp, dueAt }, { counts: { sent: 1 } })
    })
    const taken = yield* claim(place, { want: () => 20 })
    const [look] = taken.looks
    Expect.equal(idsOfLeads(look!.followUps), [ids[1]!, ids[0]!], "follow-ups")
    Expect.equal(idsOfLeads(look!.first), [ids[3]!, ids[4]!], "first touches")
    Expect.equal(look!.dryness, null, "the dryness of a pace that has leads")
    const [message] = taken.messages.filter(({ lead }) => lead === ids[1])
    Expect.equal(message?.step, followUp, "the step of a follow-up's message")
    Expect.equal((yield* leadOf(place.workspace, ids[1]!)).status, "sent", "the status of a lead whose follow-up is claimed")
  }),

  storageCase("claims: a dry pace learns what its leads wait for", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("dry", { leads: 3 })
    const [a, b, c] = place.leads.map(({ id }) => id)
    yield* claim(place, { verdict: ({ lead }) => (lead.id === a ? "take" : "leave"), want: () => 3, nextAt: () => start })
    yield* store.changeLeads({ type: "ids", ids: [b!, c!] }, start, (lead) =>
      changed({ ...lead, dueAt: start + (lead.id === b ? 2 : 1) * hour }))
    const dry = yield* claim(place, { nextAt: () => start })
    Expect.equal(dry.looks[0]!.dryness, { nextDueAt: start + hour, held: true }, "while one is claimed")
    yield* store.changeLeads({ type: "ids", ids: [a!] }, start, (lead) =>
      changed({ ...lead, claim: null, status: "sent", step: null }, { counts: { sent: 1 } }))
    const later = yield* claim(place, { nextAt: () => start })
    Expect.equal(later.looks[0]!.dryness, { nextDueAt: start + hour, held: false }, "while none is claimed")
    const unasked = yield* claim(place, { want: () => 0, nextAt: () => start })
    Expect.equal(unasked.looks[0]!.dryness, null, "of a pace that wanted nothing")
    yield* store.changeLeads({ type: "ids", ids: [b!, c!] }, start, (lead) =>
      changed({ ...lead, dueAt: null, step: null, status: "skipped", reason: "policy" }, { counts: { skipped: 1 } }))
    const done = yield* claim(place, { nextAt: () => start })
    Expect.equal(done.looks[0]!.dryness, { nextDueAt: null, held: false }, "with no lead left")
  }),

  storageCase("claims: what was decided is written: messages, leads, budgets, paces, events", function* () {
    const events = yield* EventStore
    const place = yield* scene("decision", { leads: 3, steps: [2] })
    const { accounts: [account], build, campaign, leads, workspace } = place
    const [a, b, c] = leads.map(({ id }) => id)
    const verdicts = new Map<string, Verdict>([[a!, "take"], [b!, "skip"], [c!, { deferTo: start + hour }]])
    const taken = yield* claim(place, {
      want: () => 3,
      parts: 2,
      verdict: ({ lead }) => verdicts.get(lead.id)!,
      events: [build.event(workspace.id, b!, { type: "lead.skipped" })]
    })
    Expect.equal(taken.claim?.id, taken.id, "the claim's id")
    Expect.equal(taken.messages.map(({ lead, part }) => `${lead} ${part}`), [`${a} 0`], "the claimed messages")
    Expect.equal(taken.claim?.messages[0]?.account, account!, "the account of a claimed message")
    yield* openChats(taken.messages)
    const [row] = yield* Effect.forEach(taken.messages, stored)
    Expect.equal(row, taken.messages[0]!, "the message as it is stored")
    Expect.equal([row?.claim, row?.dueAt, row?.status], [taken.id, null, "queued"], "a claimed message")
    const held = yield* Effect.forEach([a!, b!, c!], (id) => leadOf(workspace, id))
    Expect.equal(held.map(shown), ["claimed", "skipped", "assigned"], "the leads")
    Expect.equal([held[0]!.claim, held[1]!.reason, held[2]!.dueAt], [taken.id, "policy", start + hour], "the leads' fields")
    const use = yield* usesOf(workspace, a!)
    const two = { day: startDate, used: 2 }
    Expect.equal(use, { account: two, workspace: two, pace: 2 }, "the budgets")
    const pace = yield* paceOf(campaign)
    Expect.equal([pace.slot, pace.nextAt, pace.counts.skipped], [1, start + hour, 1], "the pace")
    Expect.equal((yield* events.read(workspace.id, null, 9)).map(({ event }) => event.type), ["lead.skipped"], "events")
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

  storageCase("claims: a lead that is claimed, stopped or of another account is not shown again", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("shown once", { accounts: 2, leads: 4 })
    const first = yield* claim(place, { want: () => 1, nextAt: () => start })
    const claimed = new Set(first.leads)
    const rest = place.leads.map(({ id }) => id).filter((id) => !claimed.has(id))
    yield* store.changeLeads({ type: "ids", ids: [rest[0]!] }, start, (lead) => changed({ ...lead, stop: "replied" }))
    const second = yield* claim(place, { want: () => 20, verdict: () => "leave", nextAt: () => start })
    const seen = second.looks.flatMap(({ first: all }) => idsOfLeads(all))
    Expect.equal(seen, [rest[1]!], "the leads shown")
    const owner = second.looks.find(({ first: all }) => all.length > 0)?.due.pace.account
    Expect.equal(owner ?? null, (yield* leadOf(place.workspace, rest[1]!)).account, "the pace that was shown it")
  }),

  storageCase("claims: a candidate is what the claim sees", function* () {
    const store = yield* CampaignStore
    const contacts = yield* ContactStore
    const place = yield* scene("candidate", { leads: 1, account: { minGapMs: 5 } })
    const { accounts: [account], contacts: [contact], leads: [lead], workspace } = place
    const base = { workspace: workspace.id, address: Builders.addressOf(contact!), at: start, reason: "blocked" } as const
    yield* contacts.suppress([{ ...base, account: account!.id }, { ...base, address: "sandbox//unrelated", account: null }], [])
    const before = Option.getOrNull(yield* store.candidate(workspace.id, lead!.id))
    const taken = yield* claim(place)
    const [look] = taken.looks
    Expect.equal(before?.candidate, look?.first[0], "the candidate")
    Expect.equal(before?.due, look?.due, "its pace")
    Expect.equal(look?.first[0]?.contact, contact!, "its contact")
    Expect.equal(look?.first[0]?.suppressions, [{ ...base, account: account!.id }], "its suppressions")
    const after = Option.getOrNull(yield* store.candidate(workspace.id, lead!.id))
    Expect.equal(after?.candidate.messages, taken.messages, "the rows of its step once it is claimed")
    const pool = yield* campaignOf(place, { drawn: false })
    const undrawn = Option.getOrNull(yield* store.candidate(workspace.id, pool.leads[0]!.id))
    Expect.equal([undrawn?.due, undrawn?.candidate.contact.id], [null, contact!.id], "a lead without account")
  }),

  storageCase("claims: a contact of two campaigns is touched with the other touch in sight", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("two campaigns", { leads: 2 })
    const second = yield* campaignOf(place)
    const seen: Array<readonly [string, number]> = []
    for (let round = 0; round < 3; round++) {
      yield* claim(place, {
        now: start + round,
        want: () => 2,
        nextAt: () => start,
        verdict: ({ contact, touches }) => {
          seen.push([contact.id, touches.length])
          return "take"
        }
      })
    }
    const expected = place.contacts.flatMap(({ id }) => [`${id} 0`, `${id} 1`])
    Expect.equal(sorted(seen.map(([contact, touches]) => `${contact} ${touches}`)), sorted(expected), "touches in sight")
    const touches = yield* Effect.forEach([...place.leads, ...second.leads], ({ id }) =>
      Effect.map(store.candidate(place.workspace.id, id), (found) => Option.getOrNull(found)?.candidate.touches.length))
    Expect.equal(touches, [2, 2, 2, 2], "what the contacts remember")
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
    yield* outbox.settle(first.id, resultsOf(first.claim!.messages, () => ({ type: "transient" })), concluding())
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
    yield* outbox.settle(first.id, resultsOf(first.claim!.messages, () => ({ type: "transient" })), concluding())
    const store = yield* CampaignStore
    yield* store.changeLeads({ type: "ids", ids: first.leads }, start, (row) => changed({ ...row, claim: null, attempts: 1 }))
    yield* claim(place, { verdict: () => "skip" })
    const [status] = yield* statusOf(first.messages)
    Expect.ok(status?.startsWith("cancelled") ?? true, "the row of the earlier try is still there", status)
    Expect.equal(yield* store.isDone(place.campaign.id), true, "whether the campaign is done")
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
    const more = yield* Effect.all([claim(place, { want: () => 2 }), claim(place, { want: () => 2 })], { concurrency: "unbounded" })
    used += more.flatMap(({ leads }) => leads).length
    Expect.equal((yield* usesOf(place.workspace, place.leads[0]!.id)).account.used, used, "what the account's budget holds")
    Expect.ok(used >= 4, "what was claimed of both campaigns", used)
  })
]
