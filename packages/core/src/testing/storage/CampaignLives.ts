/** What `CampaignStore` promises where a campaign is changed, ended or tried again. */
import { Effect } from "effect"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import type { LeadId } from "../../workspace/Id.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed, concluding } from "./FakeRules.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import {
  beginAll,
  campaignOf,
  claim,
  idsOf,
  leadOf,
  openChats,
  paceOf,
  people,
  resultsOf,
  scene,
  statusOf,
  stored,
  usesOf
} from "./Scene.ts"
import { fails, sorted, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("campaigns: found by the people they have leads of, only in their workspace", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("of contacts", { leads: 3 })
    const second = yield* campaignOf({ ...place, contacts: place.contacts.slice(0, 1) })
    const ids = (contacts: ReadonlyArray<(typeof place.contacts)[number]>, workspace = place.workspace.id) =>
      Effect.map(
        store.ofContacts(
          workspace,
          contacts.map(({ id }) => id)
        ),
        (campaigns) => campaigns.map(({ id }) => id as string)
      )
    const both = [...sorted([place.campaign.id, second.campaign.id])]
    Expect.equal(yield* ids(place.contacts), both, "of all")
    Expect.equal(yield* ids(place.contacts.slice(1)), [place.campaign.id as string], "of those of one")
    Expect.equal(yield* ids(place.contacts, place.build.workspace().id), [], "of another workspace")
    Expect.equal(yield* ids([]), [], "of nobody")
  }),

  storageCase("campaigns: accounts join once, with a pace that rings where the campaign runs", function* () {
    const store = yield* CampaignStore
    const place = yield* people("join", { accounts: 3 })
    const [first, second, third] = place.accounts
    const { campaign } = yield* campaignOf({ ...place, accounts: [first!] }, { drawn: false })
    const join = (accounts: ReadonlyArray<typeof first>, now: number, workspace = place.workspace.id) =>
      store.addAccounts(
        workspace,
        campaign.id,
        accounts.map((account) => account!.id),
        now
      )
    Expect.equal(yield* join([first, second], start + 5), [second!.id], "those that are new")
    const pace = yield* paceOf(campaign, second!.id)
    Expect.equal([pace.paused, pace.nextAt, pace.used, pace.rampDay], [false, start + 5, 0, 0], "a pace that joins")
    Expect.equal(yield* join([second], start + 9), [], "the same again")
    Expect.equal((yield* paceOf(campaign, second!.id)).nextAt, start + 5, "its alarm after that")
    Expect.equal(yield* join([third], start, place.build.workspace().id), [], "by another workspace")
    yield* store.modify(place.workspace.id, campaign.id, start, (row) => ({
      campaign: { ...row, status: "paused" },
      events: []
    }))
    Expect.equal(yield* join([third], start + 9), [third!.id], "while it is paused")
    const asleep = yield* paceOf(campaign, third!.id)
    Expect.equal([asleep.paused, asleep.nextAt], [true, null], "a pace that joins a paused campaign")
  }),

  storageCase("leads: those with something open, claimed or to come are selected until they are stopped", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("active", { leads: 6, steps: [1, 1] })
    const { campaign, leads } = place
    const [, ended, waiting, deferred, between] = leads.map(({ id }) => id)
    const set = (id: LeadId | undefined, rest: object) =>
      store.changeLeads({ type: "ids", ids: [id!] }, start, (lead) => changed({ ...lead, ...rest }))
    yield* set(ended, { status: "sent", step: null, ended: "completed" })
    yield* set(waiting, { status: "sent", step: campaign.settings.steps[1]!.id, dueAt: start + hour })
    yield* set(deferred, { dueAt: start + hour })
    yield* set(between, { status: "sending" })
    const taken = yield* claim(place)
    const select = (limit: number) =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        yield* store.changeLeads({ type: "active", campaign: campaign.id, limit }, start, (lead) => {
          seen.push(lead.id)
          return null
        })
        return seen
      })
    const open = leads.map(({ id }) => id as string).filter((id) => id !== ended)
    Expect.ok(open.includes(taken.leads[0]!), "the claim took another lead")
    Expect.equal(yield* select(99), [...sorted(open)], "all of them, in id order")
    Expect.equal((yield* select(2)).length, 2, "at most two")
    yield* set(taken.leads[0], { stop: "cancelled" })
    Expect.equal((yield* select(99)).length, open.length - 1, "without the one that was stopped")
  }),

  storageCase("leads: a failed row is queued again, and only then may a claim take its place", function* () {
    const store = yield* CampaignStore
    const outbox = yield* OutboxStore
    const place = yield* scene("requeue", { leads: 1 })
    const { lead, campaign, workspace } = { ...place, lead: place.leads[0]! }
    const taken = yield* claim(place, { nextAt: () => start })
    yield* openChats(taken.messages)
    yield* beginAll(taken.id, taken.messages)
    const refused = resultsOf(taken.claim!.messages, () => ({ type: "contentRejected", code: "7" }))
    yield* outbox.settle(taken.id, refused, concluding())
    const [message] = taken.messages
    const step = lead.step!
    const end = store.changeLeads({ type: "ids", ids: [lead.id] }, start, (row) =>
      changed(
        {
          ...row,
          claim: null,
          status: "failed",
          reason: "contentRejected",
          step: null,
          ended: "failed",
          touches: [{ step, status: "failed", reason: "contentRejected", at: start }]
        },
        { counts: { failed: 1, touched: 1 } }
      )
    )
    yield* end
    yield* store.changeLeads({ type: "ids", ids: [lead.id] }, start, (row) =>
      changed({ ...row, status: "assigned", step, ended: null, reason: null }, { counts: { failed: -1 } })
    )
    yield* fails(claim(place, { want: () => 1 }), "a claim that would replace a failed row")
    const seen: Array<string> = []
    yield* store.changeLeads({ type: "ids", ids: [lead.id], step: () => step }, start, (row, messages) => {
      seen.push(...messages.map(({ id }) => id))
      return changed(row, { requeue: messages.map(({ id, tries }) => ({ id, tries: tries + 4 })) })
    })
    Expect.equal(seen, [message!.id as string], "the rows of the step that was asked for")
    const again = yield* stored(message!)
    Expect.equal(
      [again?.status, again?.reason, again?.errorCode, again?.attempts, again?.failedAt, again?.dueAt, again?.reserved],
      ["queued", null, null, 0, null, null, null],
      "the row"
    )
    const retaken = yield* claim(place, { want: () => 1, nextAt: () => start })
    Expect.equal(idsOf(retaken.messages), [message!.id], "the row of the next claim")
    Expect.equal(retaken.messages[0]?.tries, (message?.tries ?? 0) + 5, "its tries")
    const use = yield* usesOf(workspace, lead.id)
    Expect.equal([use.account.used, use.pace], [1, 1], "what the budgets hold")
    const counts = yield* store.counts(campaign.id)
    Expect.equal(counts, yield* store.recount(campaign.id), "the counts against the leads")
  }),

  storageCase("leads: a claim may take the place of a cancelled row", function* () {
    const store = yield* CampaignStore
    const place = yield* scene("replace cancelled", { leads: 1 })
    const [lead] = place.leads
    const taken = yield* claim(place, { nextAt: () => start })
    yield* store.changeLeads({ type: "ids", ids: [lead!.id] }, start, (row, messages) =>
      changed(
        { ...row, claim: null },
        { cancel: messages.map(({ id }) => ({ id, reason: "takenOver" })), forget: true }
      )
    )
    Expect.equal(yield* statusOf(taken.messages), ["cancelled: takenOver"], "the row")
    const again = yield* claim(place, { want: () => 1 })
    Expect.equal(idsOf(again.messages), idsOf(taken.messages), "the row of the next claim")
    Expect.equal(yield* statusOf(again.messages), ["queued"], "the row after it")
    Expect.equal((yield* leadOf(place.workspace, lead!.id)).claim, again.id, "the claim of the lead")
  })
]
