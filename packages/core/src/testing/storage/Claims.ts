/** What `CampaignStore.claim` promises of what it shows: which paces, which leads, in which order. */
import { Effect, Option } from "effect"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import type { LeadId } from "../../workspace/Id.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed } from "./FakeRules.ts"
import { campaignOf, claim, leadOf, paceOf, scene } from "./Scene.ts"
import { sorted, type StorageCase, storageCase } from "./StorageCase.ts"

const { start, startDate } = Builders
const idsOfLeads = (all: ReadonlyArray<{ readonly lead: { readonly id: LeadId } }>) => all.map(({ lead }) => lead.id)

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("claims: null while no alarm rings; paces that rang first, at most limit", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("alarms", { accounts: 3, leads: 6 })
    const { accounts, campaign } = place
    Expect.equal((yield* claim(place, { now: start - 1 })).planned, null, "before the alarm")
    const order = [2, 0, 1]
    yield* claim(place, {
      want: () => 0,
      nextAt: ({ pace }) => start + 10 + order[accounts.findIndex(({ id }) => id === pace.account)]!
    })
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
    const taken = yield* claim(place, {
      want: ({ pace }) => (pace.account === left!.id ? null : 0),
      nextAt: () => start + 7
    })
    Expect.equal(taken.claim, null, "a claim of nothing")
    Expect.equal(
      taken.looks.map(({ due }) => due.pace.account),
      [asked!.id],
      "the paces that decide saw"
    )
    Expect.equal(yield* paceOf(place.campaign, left!.id), before, "the pace left out")
    const written = yield* paceOf(place.campaign, asked!.id)
    Expect.equal([written.nextAt, written.date, written.quota], [start + 7, startDate, 10], "the pace that was written")
  }),

  storageCase(
    "claims: first touches by dueAt that has come, then priority, then position; each at most as wanted",
    function* () {
      const store = yield* CampaignStore
      const priorities = [0, 9, 9, 0, 9, 0]
      const place = yield* scene("order", { leads: 6, lead: (index) => ({ priority: priorities[index]! }) })
      const ids = place.leads.map(({ id }) => id)
      const due = new Map([
        [ids[5]!, start - 1],
        [ids[3]!, start - 2],
        [ids[4]!, start + hour]
      ])
      yield* store.changeLeads({ type: "ids", ids }, start, (lead) => {
        const dueAt = due.get(lead.id)
        return dueAt === undefined ? null : changed({ ...lead, dueAt })
      })
      const all = yield* claim(place, { want: () => 20, verdict: () => "leave", nextAt: () => start })
      Expect.equal(
        idsOfLeads(all.looks[0]!.first),
        [3, 5, 1, 2, 0].map((index) => ids[index]!),
        "the order"
      )
      const two = yield* claim(place, { want: () => 2 })
      Expect.equal(
        idsOfLeads(two.looks[0]!.first),
        [3, 5].map((index) => ids[index]!),
        "the first two"
      )
      Expect.equal(
        two.leads,
        [3, 5].map((index) => ids[index]!),
        "the leads taken"
      )
      const next = yield* claim(place, { now: start + hour, want: () => 20 })
      Expect.equal(
        idsOfLeads(next.looks[0]!.first),
        [4, 1, 2, 0].map((index) => ids[index]!),
        "the others an hour later"
      )
    }
  ),

  storageCase("claims: follow-ups that are due by dueAt, beside first touches", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("follow-ups", { leads: 5, steps: [1, 1] })
    const ids = place.leads.map(({ id }) => id)
    const followUp = place.campaign.settings.steps[1]!.id
    const due = new Map([
      [ids[0]!, start - 1],
      [ids[1]!, start - 5],
      [ids[2]!, start + hour]
    ])
    yield* store.changeLeads({ type: "ids", ids }, start, (lead) => {
      const dueAt = due.get(lead.id)
      return dueAt === undefined
        ? null
        : changed({ ...lead, status: "sent", step: followUp, dueAt }, { counts: { sent: 1 } })
    })
    const taken = yield* claim(place, { want: () => 20 })
    const [look] = taken.looks
    Expect.equal(idsOfLeads(look!.followUps), [ids[1]!, ids[0]!], "follow-ups")
    Expect.equal(idsOfLeads(look!.first), [ids[3]!, ids[4]!], "first touches")
    Expect.equal(look!.dryness, null, "the dryness of a pace that has leads")
    const [message] = taken.messages.filter(({ lead }) => lead === ids[1])
    Expect.equal(message?.step, followUp, "the step of a follow-up's message")
    Expect.equal(
      (yield* leadOf(place.workspace, ids[1]!)).status,
      "sent",
      "the status of a lead whose follow-up is claimed"
    )
  }),

  storageCase("claims: a dry pace learns what its leads wait for", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("dry", { leads: 3 })
    const [a, b, c] = place.leads.map(({ id }) => id)
    yield* claim(place, {
      verdict: ({ lead }) => (lead.id === a ? "take" : "leave"),
      want: () => 3,
      nextAt: () => start
    })
    yield* store.changeLeads({ type: "ids", ids: [b!, c!] }, start, (lead) =>
      changed({ ...lead, dueAt: start + (lead.id === b ? 2 : 1) * hour })
    )
    const dry = yield* claim(place, { nextAt: () => start })
    Expect.equal(dry.looks[0]!.dryness, { nextDueAt: start + hour, held: true }, "while one is claimed")
    yield* store.changeLeads({ type: "ids", ids: [a!] }, start, (lead) =>
      changed({ ...lead, claim: null, status: "sent", step: null }, { counts: { sent: 1 } })
    )
    const later = yield* claim(place, { nextAt: () => start })
    Expect.equal(later.looks[0]!.dryness, { nextDueAt: start + hour, held: false }, "while none is claimed")
    const unasked = yield* claim(place, { want: () => 0, nextAt: () => start })
    Expect.equal(unasked.looks[0]!.dryness, null, "of a pace that wanted nothing")
    yield* store.changeLeads({ type: "ids", ids: [b!, c!] }, start, (lead) =>
      changed({ ...lead, dueAt: null, step: null, status: "skipped", reason: "policy" }, { counts: { skipped: 1 } })
    )
    const done = yield* claim(place, { nextAt: () => start })
    Expect.equal(done.looks[0]!.dryness, { nextDueAt: null, held: false }, "with no lead left")
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
    const {
      accounts: [account],
      contacts: [contact],
      leads: [lead],
      workspace
    } = place
    const base = {
      workspace: workspace.id,
      address: Builders.addressOf(contact!),
      at: start,
      reason: "blocked"
    } as const
    yield* contacts.suppress(
      [
        { ...base, account: account!.id },
        { ...base, address: "sandbox//unrelated", account: null }
      ],
      []
    )
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
    Expect.equal(
      sorted(seen.map(([contact, touches]) => `${contact} ${touches}`)),
      sorted(expected),
      "touches in sight"
    )
    const touches = yield* Effect.forEach([...place.leads, ...second.leads], ({ id }) =>
      Effect.map(store.candidate(place.workspace.id, id), (found) => Option.getOrNull(found)?.candidate.touches.length)
    )
    Expect.equal(touches, [2, 2, 2, 2], "what the contacts remember")
  })
]
