import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import type { NewLead } from "../../src/campaign/Enroller.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

describe("enrolling a list", () => {
  it.effect("waits until the list is gathered", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const campaign = yield* scene.campaign("campaign", [yield* scene.account("one")], [{ id: "ana" }])
      const [store, { enrollList }] = [yield* ContactStore, yield* Campaigns]
      const list = yield* store.createList(scene.build.contactList(scene.workspace.id, { name: "guests" }))
      yield* store.import(scene.workspace.id, [scene.build.contact(scene.workspace.id)], list.id)
      const refused = yield* Effect.flip(enrollList(scene.workspace.id, campaign.id, list.id))
      assert.strictEqual(refused._tag, "ListNotReady")
      assert.match(refused.message, /guests is still being gathered/)
      assert.lengthOf(yield* scene.leads(campaign.id), 1)
      yield* store.setListReady(scene.workspace.id, list.id, [])
      assert.deepInclude(yield* enrollList(scene.workspace.id, campaign.id, list.id), { enrolled: 1 })
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("that is none of the workspace is refused", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const other = yield* Scene.make(channel, "other")
      const campaign = yield* scene.campaign("campaign", [yield* scene.account("one")], [{ id: "ana" }])
      const [store, { enrollList }] = [yield* ContactStore, yield* Campaigns]
      const theirs = yield* store.createList(other.build.contactList(other.workspace.id, { status: "ready" }))
      const refused = yield* Effect.flip(enrollList(scene.workspace.id, campaign.id, theirs.id))
      assert.strictEqual(refused._tag, "ListNotFound")
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("again counts nobody again, also not whom no account reaches", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const campaign = yield* scene.campaign("campaign", [yield* scene.account("one")], [{ id: "ana" }])
      const [store, { enrollList }] = [yield* ContactStore, yield* Campaigns]
      const list = yield* store.createList(scene.build.contactList(scene.workspace.id, { status: "ready" }))
      const far = scene.build.contact(scene.workspace.id, {
        addresses: [{ channel: "elsewhere", scope: "", externalId: "far" }]
      })
      yield* store.import(scene.workspace.id, [far], list.id)
      const enroll = enrollList(scene.workspace.id, campaign.id, list.id)
      assert.deepStrictEqual(yield* enroll, { enrolled: 1, known: 0, unreachable: 1 })
      assert.deepStrictEqual(yield* enroll, { enrolled: 0, known: 1, unreachable: 0 })
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("enrolling people by themselves", () => {
  /** A campaign over `ana` with an account that sends to one person a day, and contacts who are in no campaign. */
  const scene = (channel: TestChannel.TestChannel, others: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const account = yield* it.account("one")
      const pacing = { rangeMin: 1, rangeMax: 1, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }
      const campaign = yield* it.campaign("campaign", [account], [{ id: "ana" }], { pacing })
      const list = yield* (yield* Contacts).listNamed(it.workspace.id, "others")
      const rows = others.map((id, i) => ({ line: i + 2, externalId: id, name: id, tags: [], attributes: {} }))
      yield* (yield* Contacts).importRows(it.workspace.id, list.id, rows, {
        channel: channel.name,
        accounts: [account]
      })
      const store = yield* ContactStore
      const members = yield* store.members(it.workspace.id, list.id, 0, 100)
      const { enroll } = yield* Campaigns
      return {
        it,
        campaign,
        people: members.map(({ contact }) => contact.id),
        enroll: (people: ReadonlyArray<NewLead>) => enroll(it.workspace.id, campaign.id, people)
      }
    })

  it.effect("puts them behind the others, but for those who go first, with what the host keeps of them", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { campaign, enroll, it, people } = yield* scene(channel, ["ben", "cleo", "dan"])
      const [ben, cleo, dan] = people
      const nobody = it.build.contact(it.workspace.id).id
      const answer = yield* enroll([
        { contact: ben! },
        { contact: nobody },
        { contact: cleo!, priority: 1, externalRef: "deal-7", metadata: { stage: 2 } },
        { contact: dan! },
        { contact: ben!, priority: 9 }
      ])
      assert.deepStrictEqual(answer, { enrolled: 3, known: 1, unreachable: 0, notFound: [nobody] })
      assert.deepInclude(yield* enroll([{ contact: dan! }]), { enrolled: 0, known: 1 })
      const own = (yield* it.leads(campaign.id)).find(({ contact }) => contact === cleo)
      assert.deepStrictEqual([own?.externalRef, own?.metadata], ["deal-7", { stage: 2 }])
      yield* it.start(campaign.id)
      yield* it.run(Scene.start + 9 * day)
      assert.deepStrictEqual(
        channel.asked.map(({ to }) => to),
        ["cleo", "ana", "ben", "dan"]
      )
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("makes a finished campaign run again, also where the one who enrolled them died before that", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { campaign, enroll, it, people } = yield* scene(channel, ["ben", "cleo"])
      yield* it.start(campaign.id)
      yield* it.run(Scene.start + 3 * day)
      assert.strictEqual(yield* it.status(campaign.id), "finished")
      const [ben, cleo] = people
      const now = Scene.start + 3 * day
      // All that the one who died had done.
      const contact = Option.getOrThrow(yield* (yield* ContactStore).get(it.workspace.id, ben!))
      const lead = it.build.lead(campaign, contact, { step: campaign.settings.steps[0].id })
      yield* (yield* CampaignStore).enroll(campaign.id, [lead], [], now)
      assert.strictEqual(yield* it.status(campaign.id), "finished")
      assert.deepInclude(yield* enroll([{ contact: ben! }]), { enrolled: 0, known: 1 })
      assert.strictEqual(yield* it.status(campaign.id), "running")
      yield* it.run(now + 3 * day)
      assert.strictEqual(yield* it.status(campaign.id), "finished")
      yield* enroll([{ contact: cleo! }])
      yield* it.run(now + 6 * day)
      assert.deepStrictEqual(
        channel.asked.map(({ to }) => to),
        ["ana", "ben", "cleo"]
      )
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
