/** Campaigns that follow their lists: who joins one, however that comes about, is enrolled and written to once. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { CampaignEdits } from "../../src/campaign/CampaignEdits.ts"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { ContactLists } from "../../src/contact/ContactLists.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { Chores } from "../../src/workspace/Chore.ts"
import type { CampaignId } from "../../src/workspace/Id.ts"
import { day } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import * as Scene from "./Scene.ts"

const { start } = Scene

/** A campaign over a list with `ana` on it, which people join; `settle` has the chore of the engine do all there is. */
const place = (channel: TestChannel.TestChannel, settings: Partial<CampaignSettings> = { followList: true }) =>
  Effect.gen(function* () {
    const scene = yield* Scene.make(channel)
    const account = yield* scene.account("one")
    const campaign = yield* scene.campaign("growing", [account], [{ id: "ana" }], settings)
    const another = (key: string) => scene.campaign(key, [account], [{ id: "ana" }], settings)
    const contacts = yield* Contacts
    const list = yield* contacts.listNamed(scene.workspace.id, "growing")
    const imported = (...people: ReadonlyArray<string>) =>
      contacts.importRows(
        scene.workspace.id,
        list.id,
        people.map((id, i) => ({ line: i + 2, externalId: id, name: id, tags: [], attributes: {} })),
        { channel: channel.name, accounts: [account] }
      )
    const chores = yield* Chores
    const settle = Effect.gen(function* () {
      const chore = chores.find(({ name }) => name === "lists that campaigns follow")
      while ((yield* chore!.round(start)).worked);
    })
    const written = () => channel.asked.map(({ to }) => to)
    const statuses = (id: CampaignId = campaign.id) =>
      Effect.map(scene.leads(id), (leads) => leads.map(({ status }) => status))
    return { ...scene, account, another, campaign, contacts, list, imported, settle, written, statuses }
  })

/** A storage in which another process finishes or deletes a running campaign just before people are enrolled into it. */
const making = (status: "finished" | "deleted") =>
  Layer.provideMerge(
    Layer.effect(
      CampaignStore,
      Effect.map(CampaignStore, (store) =>
        CampaignStore.of({
          ...store,
          enroll: (id, leads, events, now) =>
            Effect.andThen(
              Effect.forEach(leads.slice(0, 1), ({ workspace }) =>
                store.modify(workspace, id, now, (campaign) => ({
                  campaign: campaign.status === "running" ? { ...campaign, status } : campaign,
                  events: []
                }))
              ),
              store.enroll(id, leads, events, now)
            )
        })
      )
    ),
    MemoryStorage.layer
  )

describe("a campaign that follows its lists", () => {
  it.effect("runs again where it was finished while they were enrolled", () => {
    const channel = TestChannel.make()
    const time = PacingTime.layerVirtual(start)
    return Effect.gen(function* () {
      const it = yield* place(channel)
      yield* it.start(it.campaign.id)
      yield* it.imported("ben")
      yield* it.settle
      assert.strictEqual(yield* it.status(it.campaign.id), "running")
      yield* it.run(start + 9 * day)
      assert.deepStrictEqual(it.written(), ["ana", "ben"])
    }).pipe(Effect.provide(Overture.layer({ storage: making("finished"), channels: [channel], time })))
  })

  it.effect("leaves nobody open where it was deleted while they were enrolled, in whichever way", () => {
    const channel = TestChannel.make()
    const time = PacingTime.layerVirtual(start)
    return Effect.gen(function* () {
      const campaigns = yield* Campaigns
      const it = yield* place(channel)
      const { id: workspace } = it.workspace
      yield* it.imported("ben")
      const ben = (yield* (yield* ContactStore).list(workspace, {})).data.find(({ name }) => name === "ben")
      const ways = [
        () => it.settle,
        (id: CampaignId) => campaigns.enrollList(workspace, id, it.list.id),
        (id: CampaignId) => campaigns.enroll(workspace, id, [{ contact: ben!.id }])
      ]
      for (const [i, enroll] of ways.entries()) {
        const { id } = i === 0 ? it.campaign : yield* it.another(`another ${i}`)
        yield* it.start(id)
        yield* enroll(id)
        const statuses = yield* it.statuses(id)
        assert.isAbove(statuses.length, 1)
        assert.deepStrictEqual([...new Set(statuses)], ["skipped"])
        assert.strictEqual(yield* it.status(id), "deleted")
      }
    }).pipe(Effect.provide(Overture.layer({ storage: making("deleted"), channels: [channel], time })))
  })

  it.effect("writes to whom an import adds before it starts, while it runs, and after it finished", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* place(channel)
      yield* it.imported("ben")
      yield* it.settle
      assert.deepStrictEqual(yield* it.statuses(), ["pending", "pending"])
      yield* it.start(it.campaign.id)
      yield* it.imported("ana", "ben", "cleo")
      yield* it.settle
      yield* it.run(start + 9 * day)
      assert.deepStrictEqual(it.written(), ["ana", "ben", "cleo"])
      assert.strictEqual(yield* it.status(it.campaign.id), "finished")
      yield* it.imported("dan", "ana")
      yield* it.settle
      assert.strictEqual(yield* it.status(it.campaign.id), "running")
      yield* it.run(start + 19 * day)
      assert.deepStrictEqual(it.written(), ["ana", "ben", "cleo", "dan"])
      assert.strictEqual(yield* it.status(it.campaign.id), "finished")
      const store = yield* ContactStore
      const [ana] = yield* store.members(it.workspace.id, it.list.id, 0, 1)
      yield* store.leaveList(it.workspace.id, it.list.id, ana!.contact.id)
      yield* store.joinList(it.workspace.id, it.list.id, ana!.contact.id)
      yield* it.settle
      assert.strictEqual(yield* it.status(it.campaign.id), "finished")
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("enrols whom somebody puts on the list while it is paused, and keeps whom somebody takes off", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* place(channel)
      const store = yield* ContactStore
      yield* it.start(it.campaign.id)
      yield* it.pause(it.campaign.id)
      const other = yield* it.contacts.listNamed(it.workspace.id, "others")
      yield* it.contacts.importRows(
        it.workspace.id,
        other.id,
        [{ line: 2, externalId: "ben", name: "ben", tags: [], attributes: {} }],
        { channel: channel.name, accounts: [it.account] }
      )
      const [ben] = yield* store.members(it.workspace.id, other.id, 0, 9)
      const join = store.joinList(it.workspace.id, it.list.id, ben!.contact.id)
      const leave = store.leaveList(it.workspace.id, it.list.id, ben!.contact.id)
      yield* join
      yield* it.settle
      assert.strictEqual((yield* it.leads(it.campaign.id)).length, 2)
      yield* leave
      yield* join
      yield* it.settle
      yield* leave
      yield* it.settle
      assert.strictEqual((yield* it.leads(it.campaign.id)).length, 2)
      assert.strictEqual(yield* it.status(it.campaign.id), "paused")
      assert.deepStrictEqual(it.written(), [])
      yield* it.start(it.campaign.id)
      yield* it.run(start + 9 * day)
      assert.deepStrictEqual(it.written(), ["ana", "ben"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("begins and ceases to follow by an edit, and whoever joined meanwhile is not lost", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* place(channel, {})
      const follow = (followList: boolean) =>
        Effect.flatMap(CampaignEdits, ({ edit }) =>
          edit(it.workspace.id, it.campaign.id, { settings: { followList } }, system)
        )
      assert.deepStrictEqual((yield* follow(false)).changed, [])
      yield* it.imported("ben")
      yield* it.settle
      assert.strictEqual((yield* it.leads(it.campaign.id)).length, 1)
      assert.deepStrictEqual((yield* follow(true)).changed, ["followList"])
      yield* it.settle
      assert.strictEqual((yield* it.leads(it.campaign.id)).length, 2)
      yield* follow(false)
      yield* it.imported("cleo")
      yield* it.settle
      assert.strictEqual((yield* it.leads(it.campaign.id)).length, 2)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("leaves out whom it may not or cannot write to, and copies follow lists of their own", () => {
    const channel = TestChannel.make({ capabilities: { addressScope: "account" } })
    return Effect.gen(function* () {
      const it = yield* place(channel)
      const copy = yield* (yield* CampaignEdits).duplicate(it.workspace.id, it.campaign.id, {}, system)
      assert.isTrue(copy.settings.followList)
      const store = yield* ContactStore
      const stranger = it.build.contact(it.workspace.id, {
        addresses: [{ channel: channel.name, scope: "another account", externalId: "far" }]
      })
      const [ana] = yield* store.members(it.workspace.id, it.list.id, 0, 1)
      const own = ana!.contact.addresses[0]!
      const silent = it.build.contact(it.workspace.id, { addresses: [{ ...own, externalId: "silent" }] })
      yield* store.import(it.workspace.id, [stranger, silent], it.list.id)
      yield* store.suppress(
        [
          {
            workspace: it.workspace.id,
            address: `${own.channel}/${own.scope}/silent`,
            account: null,
            reason: "optedOut",
            at: start
          }
        ],
        []
      )
      yield* it.settle
      yield* it.start(it.campaign.id)
      yield* it.run(start + 9 * day)
      assert.deepStrictEqual(it.written(), ["ana"])
      const leads = yield* it.leads(it.campaign.id)
      assert.deepStrictEqual(leads.flatMap(({ reason }) => reason ?? []).toSorted(), ["suppressed", "unreachable"])
      assert.strictEqual((yield* it.leads(copy.id)).length, 0)
      yield* (yield* Campaigns).enrollList(it.workspace.id, copy.id, it.list.id)
      yield* it.imported("ben")
      yield* it.settle
      assert.strictEqual((yield* it.leads(copy.id)).length, 4)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("waits for a list that is being gathered, and leaves a deleted one alone", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* place(channel)
      const store = yield* ContactStore
      yield* store.gatherList(it.workspace.id, it.list.id, false)
      yield* it.imported("ben")
      yield* it.settle
      assert.strictEqual((yield* it.leads(it.campaign.id)).length, 1)
      yield* store.setListReady(it.workspace.id, it.list.id, [])
      yield* it.settle
      assert.strictEqual((yield* it.leads(it.campaign.id)).length, 2)
      yield* it.imported("cleo")
      yield* (yield* ContactLists).delete(it.workspace.id, it.list.id)
      yield* it.settle
      assert.strictEqual((yield* it.leads(it.campaign.id)).length, 2)
      assert.isTrue(Option.isNone(yield* store.getList(it.workspace.id, it.list.id)))
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
