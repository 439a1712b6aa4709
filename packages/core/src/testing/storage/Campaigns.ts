/** What `CampaignStore` promises of campaigns, their alarms and their enrolment. */
import { Effect, Option } from "effect"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import { EventStore } from "../../event/EventStore.ts"
import type { AccountId } from "../../workspace/Id.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { campaignOf, claim, leadOf, paceOf, people, scene } from "./Scene.ts"
import { expectPaged, fails, readAll, refuse, sorted, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("campaigns: created once by id and by externalRef, with a paused pace for each account", function* () {
    const store = yield* CampaignStore
    const events = yield* EventStore
    const { accounts, build, workspace } = yield* people("create", { accounts: 2 })
    const ids = accounts.map(({ id }) => id)
    const settings = build.settings({
      steps: [build.step({ parts: 2 }), build.step({ type: "noReply", sendAfterDays: 3 })],
      sendWindow: { days: [1, 2], windows: [{ start: "09:00", end: "17:30" }], blackoutDates: ["2026-12-25"] },
      rampUp: { type: "staged", stages: [{ start: 1, end: 3, value: 5 }] },
      startAt: start,
      endAt: start + hour
    })
    const campaign = build.campaign(workspace.id, {
      settings,
      externalRef: "ref",
      metadata: { a: [{}] },
      breaker: { since: 1, failures: [1, 1] }
    })
    const event = () => build.event(workspace.id, campaign.id, { type: "campaign.created" })
    Expect.equal(yield* store.create(campaign, ids, [event()]), true, "the first time")
    Expect.equal(yield* store.create({ ...campaign, name: "changed" }, [], [event()]), false, "the same id")
    Expect.equal(
      yield* store.create(build.campaign(workspace.id, { externalRef: "ref" }), ids, [event()]),
      false,
      "the same externalRef"
    )
    Expect.equal(Option.getOrNull(yield* store.get(workspace.id, campaign.id)), campaign, "the campaign")
    Expect.equal((yield* events.read(workspace.id, null, 9)).length, 1, "events")
    const paces = yield* store.paces(campaign.id)
    Expect.equal(sorted(paces.map(({ pace }) => pace.account)), sorted(ids), "its paces")
    for (const { account, pace } of paces) {
      Expect.equal(
        account,
        accounts.find(({ id }) => id === pace.account) ?? Expect.fail("a stranger has a pace"),
        "the account of a pace"
      )
      Expect.equal(
        [pace.paused, pace.nextAt, pace.date, pace.used, pace.rampDay],
        [true, null, null, 0, 0],
        "a new pace"
      )
    }
    const due = yield* store.duePaces(campaign.id)
    Expect.equal(
      due.map(({ account, pace }) => [pace.account, account.account.id, account.lastTouchAt]),
      ids.toSorted().map((id) => [id, id, null]),
      "its paces as a claim would see them"
    )
    Expect.ok(
      due.every((one) => one.campaign.id === campaign.id && one.workspace.workspace.id === workspace.id),
      "a pace belongs to another campaign or workspace"
    )
    Expect.equal(yield* store.nextAlarm, null, "the earliest alarm")
    Expect.equal((yield* store.counts(campaign.id)).total, 0, "its leads")
  }),

  storageCase("campaigns: those whose leads may go on are found, with how far that came", function* () {
    const store = yield* CampaignStore
    const { build, workspace } = yield* people("campaign resuming")
    const campaigns = ["", "a cursor", null, ""].map((at, index) =>
      build.campaign(workspace.id, {
        status: index === 3 ? "deleted" : "finished",
        ...(at !== null && { resumeAfter: at })
      })
    )
    yield* Effect.forEach(campaigns, (campaign) => store.create(campaign, [], []))
    const told = (limit: number) =>
      Effect.map(store.resuming(limit), (found) => found.map(({ id, resumeAfter }) => [id, resumeAfter]))
    const [first, second] = campaigns
    const both = [first!, second!]
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id, resumeAfter }) => [id, resumeAfter])
    Expect.equal(yield* told(9), both, "those whose leads may go on")
    Expect.equal(yield* told(1), both.slice(0, 1), "no more than asked for")
    yield* store.modify(workspace.id, second!.id, start, ({ resumeAfter: _, ...rest }) => ({
      campaign: rest,
      events: []
    }))
    Expect.equal(yield* told(9), [[first!.id, ""]], "once one is done")
    Expect.equal(
      "resumeAfter" in Option.getOrThrow(yield* store.get(workspace.id, second!.id)),
      false,
      "of one that is done"
    )
  }),

  storageCase("campaigns: found by externalRef, name and in pages, only in their workspace", function* () {
    const store = yield* CampaignStore
    const { build, workspace } = yield* people("campaign pages")
    const other = build.workspace().id
    const campaigns = Array.from({ length: 5 }, (_, index) =>
      build.campaign(workspace.id, { name: index < 2 ? "same" : `other ${index}`, externalRef: `ref ${index}` })
    )
    yield* Effect.forEach(campaigns, (campaign) => store.create(campaign, [], []))
    const ids = campaigns.map(({ id }) => id as string)
    yield* expectPaged((page) => store.list(workspace.id, page), ids, "campaigns")
    const late = build.campaign(workspace.id)
    const all = yield* readAll((page) => store.list(workspace.id, page), 2, store.create(late, [], []))
    Expect.equal(
      all.map(({ id }) => id as string),
      [...ids, late.id],
      "a list that grows while it is read"
    )
    const found = Option.getOrNull(yield* store.byExternalRef(workspace.id, "ref 3"))
    Expect.equal(found, campaigns[3]!, "by externalRef")
    const named = yield* store.byName(workspace.id, "same")
    Expect.equal(sorted(named.map(({ id }) => id)), sorted(ids.slice(0, 2)), "by name")
    Expect.ok(Option.isNone(yield* store.get(other, campaigns[0]!.id)), "another workspace got one by id")
    Expect.ok(Option.isNone(yield* store.byExternalRef(other, "ref 3")), "another workspace got one by externalRef")
    Expect.equal(yield* store.byName(other, "same"), [], "another workspace's by name")
    Expect.equal((yield* store.list(other, {})).data, [], "another workspace's list")
  }),

  storageCase(
    "campaigns: modify writes the rule's answer and sets the alarms of a running campaign alone",
    function* () {
      const store = yield* CampaignStore
      const events = yield* EventStore
      const { accounts, build, workspace } = yield* people("modify", { accounts: 2 })
      const draft = build.campaign(workspace.id)
      yield* store.create(
        draft,
        accounts.map(({ id }) => id),
        []
      )
      const alarms = Effect.map(store.paces(draft.id), (paces) => paces.map(({ pace }) => [pace.paused, pace.nextAt]))
      const become = (status: "running" | "paused", now: number) =>
        store.modify(workspace.id, draft.id, now, (campaign) => ({
          campaign: {
            ...campaign,
            status,
            version: campaign.version + 1,
            pauseReason: status === "paused" ? "why" : null
          },
          events: [build.event(workspace.id, draft.id)]
        }))
      const running = yield* become("running", start + 1)
      Expect.equal(Option.getOrNull(running)?.version, 2, "the answer")
      Expect.equal(
        yield* alarms,
        [
          [false, start + 1],
          [false, start + 1]
        ],
        "the alarms of a running campaign"
      )
      Expect.equal(yield* store.nextAlarm, start + 1, "the earliest alarm")
      yield* become("paused", start + 2)
      Expect.equal(
        yield* alarms,
        [
          [true, null],
          [true, null]
        ],
        "the alarms of a paused campaign"
      )
      Expect.equal(yield* store.nextAlarm, null, "the earliest alarm of a paused campaign")
      yield* become("running", start + 3)
      Expect.equal(
        yield* alarms,
        [
          [false, start + 3],
          [false, start + 3]
        ],
        "the alarms of a resumed campaign"
      )
      yield* fails(store.modify(workspace.id, draft.id, start, refuse), "a modify whose rule throws")
      const told = [build.event(workspace.id, draft.id)]
      yield* store.modify(workspace.id, draft.id, start + 9, (campaign) => ({ campaign, events: told }))
      Expect.equal(
        yield* alarms,
        [
          [false, start + 3],
          [false, start + 3]
        ],
        "the alarms after a rule that changed nothing"
      )
      yield* store.modify(workspace.id, draft.id, start + 9, (campaign) => ({
        campaign: { ...campaign, name: "other" },
        events: []
      }))
      Expect.equal(
        yield* alarms,
        [
          [false, start + 3],
          [false, start + 3]
        ],
        "the alarms after a change of the name alone"
      )
      const stored = Option.getOrNull(yield* store.get(workspace.id, draft.id))
      Expect.equal([stored?.version, stored?.status], [4, "running"], "the campaign")
      const rule = (campaign: typeof draft) => ({ campaign, events: [] })
      Expect.ok(
        Option.isNone(yield* store.modify(build.workspace().id, draft.id, start, rule)),
        "another workspace modified it"
      )
      Expect.ok(
        Option.isNone(yield* store.modify(workspace.id, build.ids.next("cmp"), start, rule)),
        "an unknown one was modified"
      )
      Expect.equal((yield* events.read(workspace.id, null, 9)).length, 3, "events")
    }
  ),

  storageCase("campaigns: ring sets alarms of accounts whose campaign runs", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("ring", { accounts: 2 })
    const paused = yield* campaignOf(place, { drawn: false })
    yield* store.modify(place.workspace.id, paused.campaign.id, start, (row) => ({
      campaign: { ...row, status: "paused" },
      events: []
    }))
    yield* claim(place, { want: () => 0, nextAt: () => null })
    Expect.equal(yield* store.nextAlarm, null, "the alarms after a claim that set none")
    const [first, second] = place.accounts
    yield* store.ring([first!.id], start + 9)
    Expect.equal((yield* paceOf(place.campaign, first!.id)).nextAt, start + 9, "the pace that was rung")
    Expect.equal((yield* paceOf(place.campaign, second!.id)).nextAt, null, "the other account's pace")
    Expect.equal((yield* paceOf(paused.campaign, first!.id)).nextAt, null, "the pace of a paused campaign")
    yield* store.ring([first!.id], start + 99)
    Expect.ok((yield* store.nextAlarm) === start + 9, "a later ring put off an earlier alarm")
  }),

  storageCase("campaigns: paces sleep that still ring at the alarm of their watch", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("sleep", { accounts: 3 })
    const [first, second, third] = place.accounts.map(({ id }) => id)
    yield* claim(place, { want: () => 0, nextAt: () => null })
    yield* store.ring([first!, second!, third!], start + 9)
    yield* store.ring([second!], start + 5)
    const watch = (account: AccountId, until: number | null) =>
      ({ campaign: place.campaign.id, account, alarm: start + 9, until }) as const
    yield* store.sleep([watch(third!, start + 20), watch(second!, null), watch(first!, null)])
    const alarms = Effect.forEach([first!, second!, third!], (account) =>
      Effect.map(paceOf(place.campaign, account), ({ nextAt }) => nextAt)
    )
    Expect.equal(yield* alarms, [null, start + 5, start + 20], "the alarms")
    yield* store.sleep([watch(first!, start + 30)])
    Expect.equal(yield* alarms, [null, start + 5, start + 20], "the alarms after that of one that sleeps")
    yield* store.sleep([])
  }),

  storageCase("campaigns: enrolling is idempotent, counts and rings", function* () {
    const store = yield* CampaignStore
    const events = yield* EventStore
    const place = yield* scene("enroll", { leads: 2 })
    const { build, campaign, contacts, leads, workspace } = place
    yield* claim(place, { want: () => 0, nextAt: () => start + hour })
    Expect.equal(yield* store.enroll(campaign.id, leads, [], start + 1), [], "the same leads")
    const copies = contacts.map((contact) => build.lead(campaign, contact))
    Expect.equal(yield* store.enroll(campaign.id, copies, [], start + 1), [], "the same contacts")
    const fresh = build.contact(workspace.id)
    yield* (yield* ContactStore).import(workspace.id, [fresh], null)
    const lead = build.lead(campaign, fresh, { priority: 3, metadata: { a: "b" }, externalRef: "x" })
    const batch = [copies[0]!, lead, build.lead(campaign, fresh)]
    const told = [...batch.map(({ id }) => build.event(workspace.id, id)), build.event(workspace.id, campaign.id)]
    const added = yield* store.enroll(campaign.id, batch, told, start + 2)
    Expect.equal(added, [lead.id], "new leads")
    Expect.equal(yield* leadOf(workspace, lead.id), lead, "the lead as enrolled")
    Expect.ok(Option.isNone(yield* store.getLead(workspace.id, copies[0]!.id)), "a contact is there twice")
    Expect.equal((yield* paceOf(campaign)).nextAt, start + 2, "the alarm of its pace")
    const counts = yield* store.counts(campaign.id)
    Expect.equal([counts.pending, counts.assigned, counts.total], [1, 2, 3], "the counts")
    Expect.equal(counts, yield* store.recount(campaign.id), "the counts against the leads")
    const seen = (yield* events.read(workspace.id, null, 9)).map(({ event }) => event.subject)
    Expect.equal(seen, [lead.id, campaign.id], "events, without those of leads left out")
  }),

  storageCase("campaigns: who was erased since they were read is not enrolled", function* () {
    const store = yield* CampaignStore
    const contacts = yield* ContactStore
    const events = yield* EventStore
    const { build, campaign, workspace } = yield* scene("enroll erased", { leads: 0 })
    const [gone, there] = [build.contact(workspace.id), build.contact(workspace.id)]
    yield* contacts.import(workspace.id, [gone, there], null)
    const leads = [gone, there].map((contact) => build.lead(campaign, contact))
    yield* contacts.erase(workspace.id, gone.id, () => ({ suppressions: [], events: [] }))
    const told = leads.map(({ id }) => build.event(workspace.id, id))
    Expect.equal(yield* store.enroll(campaign.id, leads, told, start), [leads[1]!.id], "those who are there")
    Expect.equal((yield* store.leadsOf(workspace.id, gone.id)).length, 0, "leads of the erased person")
    Expect.equal((yield* store.leadsOf(workspace.id, there.id)).length, 1, "leads of the other")
    const seen = (yield* events.read(workspace.id, null, 9)).map(({ event }) => event.subject)
    Expect.equal(seen, [leads[1]!.id], "events")
  }),

  storageCase("campaigns: a lead enrolled as skipped counts from the start", function* () {
    const store = yield* CampaignStore
    const place = yield* people("enroll skipped", { leads: 2 })
    const unreachable = { status: "skipped", reason: "unreachable", step: null } as const
    const { campaign } = yield* campaignOf(place, { drawn: false, lead: (index) => (index === 0 ? unreachable : {}) })
    const counts = yield* store.counts(campaign.id)
    Expect.equal([counts.pending, counts.skipped, counts.total], [1, 1, 2], "the counts")
    Expect.equal(counts, yield* store.recount(campaign.id), "the counts against the leads")
  })
]
