import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
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
})
