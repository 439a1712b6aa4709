/** What a claim shows of the sequences that a contact is in by other campaigns, and what contacts forget. */
import { Effect, Option } from "effect"
import { CampaignStore, type LeadCandidate } from "../../campaign/CampaignStore.ts"
import type { Campaign } from "../../campaign/Campaign.ts"
import type { Lead } from "../../campaign/Lead.ts"
import type { LeadId } from "../../workspace/Id.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed } from "./FakeRules.ts"
import { campaignOf, claim, paceOf, scene } from "./Scene.ts"
import { type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

/** The candidate of a lead as it is now. */
const candidateOf = (lead: Pick<Lead, "id" | "workspace">) =>
  Effect.gen(function* () {
    const store = yield* CampaignStore
    const found = Option.getOrNull(yield* store.candidate(lead.workspace, lead.id))
    return Expect.present(found?.candidate, "a candidate")
  })

const sequencesOf = (lead: Pick<Lead, "id" | "workspace">) =>
  Effect.map(candidateOf(lead), ({ sequences }) => sequences)

/** One person in two running campaigns; the first has a follow-up and has claimed its touch. */
const two = (seed: string) =>
  Effect.gen(function* () {
    const place = yield* scene(seed, { leads: 1, steps: [1, 1] })
    const taken = yield* claim(place, { nextAt: () => start + 9 * hour })
    const other = yield* campaignOf(place)
    const store = yield* CampaignStore
    const become = (campaign: Pick<Campaign, "id">, status: Campaign["status"]) =>
      store.modify(place.workspace.id, campaign.id, start, (row) => ({ campaign: { ...row, status }, events: [] }))
    const change = (more: (lead: Lead) => Partial<Lead>) =>
      store.changeLeads({ type: "ids", ids: taken.leads }, start, (lead) => changed({ ...lead, ...more(lead) }))
    const mine = { campaign: place.campaign.id, lead: place.leads[0]!.id }
    return { ...place, become, change, mine, other: other.campaign, taken, waiting: other.leads[0]! }
  })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase(
    "sequences: open while a claim holds it, between two parts, and until the last step is made",
    function* () {
      const { campaign, change, leads, mine, waiting } = yield* two("open sequence")
      const [, followUp] = campaign.settings.steps
      Expect.equal(yield* sequencesOf(waiting), [{ ...mine, dueAt: null }], "while it is claimed")
      Expect.equal(yield* sequencesOf(leads[0]!), [], "to the campaign itself")
      yield* change(() => ({ claim: null, status: "sending" }))
      Expect.equal(yield* sequencesOf(waiting), [{ ...mine, dueAt: null }], "between two parts")
      yield* change(() => ({ status: "sent", step: followUp!.id, dueAt: start + hour, firstSentAt: start }))
      Expect.equal(yield* sequencesOf(waiting), [{ ...mine, dueAt: start + hour }], "before its follow-up")
      yield* change(() => ({ dueAt: null }))
      Expect.equal(yield* sequencesOf(waiting), [{ ...mine, dueAt: null }], "between two parts of the follow-up")
      yield* change(() => ({ step: null, ended: "completed" }))
      Expect.equal(yield* sequencesOf(waiting), [], "once it has ended")
    }
  ),

  storageCase("sequences: of a running campaign alone, and not for a lead that was touched itself", function* () {
    const { become, campaign, mine, waiting } = yield* two("running sequence")
    for (const [status, open] of [
      ["paused", false],
      ["running", true],
      ["finished", false],
      ["running", true]
    ] as const) {
      yield* become(campaign, status)
      Expect.equal(yield* sequencesOf(waiting), open ? [{ ...mine, dueAt: null }] : [], `of one that is ${status}`)
    }
    const store = yield* CampaignStore
    const become_ = (more: Partial<Lead>) =>
      store.changeLeads({ type: "ids", ids: [waiting.id] }, start, (lead) => changed({ ...lead, ...more }))
    const [step] = waiting.step === null ? [] : [waiting.step]
    yield* become_({ touches: [{ step: step!, status: "deferred", reason: "quietHours", at: start }] })
    Expect.equal((yield* sequencesOf(waiting))?.length, 1, "those of a lead that was put off")
    yield* become_({ touches: [{ step: step!, status: "failed", reason: "transient", at: start }] })
    Expect.equal(yield* sequencesOf(waiting), [], "those of a lead whose touch failed")
    yield* become_({ touches: [], firstSentAt: start })
    Expect.equal(yield* sequencesOf(waiting), [], "those of a lead that was sent")
  }),

  storageCase("sequences: a claim sees what a candidate tells, for each of its leads", function* () {
    const place = yield* scene("claimed sequences", { leads: 3, steps: [1, 1] })
    const first = yield* claim(place, { want: () => 2, nextAt: () => start + 9 * hour })
    const others = [yield* campaignOf(place), yield* campaignOf(place)]
    const seen = new Map<LeadId, LeadCandidate["sequences"]>()
    const look = (leads: ReadonlyArray<LeadId>) =>
      Effect.gen(function* () {
        const wanted = new Set(leads)
        for (let round = 0; round < 2; round++) {
          yield* claim(place, {
            want: ({ campaign }) => (campaign.id === place.campaign.id ? null : 3),
            nextAt: () => start,
            verdict: ({ lead, sequences }) => {
              if (wanted.has(lead.id)) seen.set(lead.id, sequences)
              return "leave"
            }
          })
        }
      })
    const leads = others.flatMap((one) => one.leads)
    const told = new Map(
      yield* Effect.forEach(leads, (lead) => Effect.map(sequencesOf(lead), (all) => [lead.id, all] as const))
    )
    const { nextAt } = yield* paceOf(place.campaign)
    Expect.equal(nextAt, start + 9 * hour, "the alarm of the first campaign")
    yield* look(leads.map(({ id }) => id))
    const of = (lead: Lead) => first.leads.includes(place.leads.find(({ contact }) => contact === lead.contact)!.id)
    for (const lead of leads) {
      const open = told.get(lead.id)
      Expect.equal(open?.length, of(lead) ? 1 : 0, "the sequences of a candidate")
      if (seen.has(lead.id)) Expect.equal(seen.get(lead.id), open, "those a claim saw")
    }
    Expect.ok(seen.size >= 3, "the leads that claims looked at", seen.size)
  }),

  storageCase(
    "sequences: of two campaigns that claim one person at the same time, the later one sees the other",
    function* () {
      const place = yield* scene("sequence race", { leads: 6, accounts: 2 })
      // Each person is held by another account in the other campaign, so that two claims meet.
      const second = yield* campaignOf({ ...place, accounts: place.accounts.toReversed() })
      let looks = 0
      let open = 0
      const one = () =>
        claim(place, {
          now: start + hour,
          limit: 1,
          want: () => 6,
          nextAt: () => start + ++looks,
          verdict: ({ sequences }) => {
            open += sequences.length
            return sequences.length === 0 ? "take" : "leave"
          }
        })
      const taken: Array<LeadId> = []
      for (let round = 0; round < 4; round++) {
        const claims = yield* Effect.all([one(), one(), one()], { concurrency: "unbounded" })
        taken.push(...claims.flatMap(({ leads }) => leads))
      }
      const contactOf = new Map([...place.leads, ...second.leads].map((lead) => [lead.id, lead.contact]))
      const contacts = taken.map((id) => contactOf.get(id)!)
      Expect.equal(new Set(contacts).size, contacts.length, "people whom both campaigns touched")
      Expect.equal(contacts.length, 6, "people who were touched")
      Expect.ok(open > 0, "no claim saw the sequence of the other campaign")
    }
  ),

  storageCase("sequences: a contact forgets the touch that did not go out, and no other", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("forget", { leads: 2 })
    const second = yield* campaignOf(place)
    for (let round = 0; round < 3; round++) yield* claim(place, { want: () => 2, nextAt: () => start })
    const all = [...place.leads, ...second.leads]
    const touches = () =>
      Effect.forEach(place.leads, (lead) =>
        Effect.map(candidateOf(lead), (one) => one.touches.map((touch) => touch.campaign).toSorted())
      )
    const both = [place.campaign.id, second.campaign.id].toSorted()
    Expect.equal(yield* touches(), [both, both], "before")
    yield* store.changeLeads({ type: "ids", ids: all.map(({ id }) => id) }, start, (lead) =>
      changed({ ...lead, claim: null, step: null }, { forget: lead.id === place.leads[0]!.id })
    )
    Expect.equal(yield* touches(), [[second.campaign.id], both], "once the touch of one lead was forgotten")
    yield* store.changeLeads({ type: "ids", ids: all.map(({ id }) => id) }, start, (lead) =>
      changed(lead, { forget: true })
    )
    Expect.equal(yield* touches(), [[second.campaign.id], both], "of leads that had no step")
  })
]
