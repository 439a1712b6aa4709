import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ChannelPolicy } from "../../src/channel/ChannelPolicy.ts"
import { Inbox } from "../../src/chat/Inbox.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { Retries } from "../../src/campaign/Retries.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Scene

/** A platform that does not know some people, and a person with two addresses on it. */
const twoAddresses = (unknown: ReadonlyArray<string>, policy: Partial<ChannelPolicy> = {}) => {
  const channel = TestChannel.make({
    policy,
    answer: ({ to }) => (unknown.includes(to) ? { type: "unreachable", detail: "nobody is there" } : undefined)
  })
  const made = Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const account = yield* it.account("a")
    const person = it.build.contact(it.workspace.id, {
      addresses: ["first", "second"].map((externalId) => ({ channel: channel.name, scope: "", externalId }))
    })
    yield* (yield* ContactStore).import(it.workspace.id, [person], null)
    const campaigns = yield* Campaigns
    const run = (name: string, until: number) =>
      Effect.gen(function* () {
        const campaign = yield* it.campaign(name, [account], [])
        yield* campaigns.enroll(it.workspace.id, campaign.id, [{ contact: person.id }])
        yield* it.start(campaign.id)
        yield* it.run(until)
        return campaign
      })
    return { it, account, run, asked: () => channel.asked.map(({ to }) => to) }
  })
  return { channel, made }
}

describe("a person with several addresses", () => {
  it.effect("is written to at the next one by campaigns to come, once the first has proved unreachable", () => {
    const { channel, made } = twoAddresses(["first"])
    return Effect.gen(function* () {
      const { asked, it, run } = yield* made
      yield* run("one", start + 3 * day)
      assert.deepStrictEqual(asked(), ["first"])
      const campaign = yield* run("two", start + 6 * day)
      assert.deepStrictEqual(asked(), ["first", "second"])
      assert.deepStrictEqual(
        (yield* it.leads(campaign.id)).map(({ address, status }) => [address, status]),
        [["sandbox//second", "sent"]]
      )
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("is written to at the next one where the touch is tried again", () => {
    const { channel, made } = twoAddresses(["first"])
    return Effect.gen(function* () {
      const { asked, it, run } = yield* made
      const campaign = yield* run("one", start + 3 * day)
      yield* (yield* Retries).retry(it.workspace.id, campaign.id, { type: "reasons", reasons: ["unreachable"] }, system)
      yield* it.run(start + 6 * day)
      assert.deepStrictEqual(asked(), ["first", "second"])
      assert.deepStrictEqual(
        (yield* it.leads(campaign.id)).map(({ status }) => status),
        ["sent"]
      )
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("who wrote from one of them alone is written to nowhere else without their consent", () => {
    const { channel, made } = twoAddresses(["first"], { optInRequired: true })
    return Effect.gen(function* () {
      const { account, asked, it, run } = yield* made
      const said = { type: "messageReceived", externalId: "in-1", content: Builders.text("Hello") } as const
      yield* (yield* Inbox).receive(account, [
        { dedupeKey: "1", at: start, participant: { externalId: "first", scope: "" }, ...said }
      ])
      yield* run("one", start + 3 * day)
      const campaign = yield* run("two", start + 6 * day)
      assert.deepStrictEqual(asked(), ["first"])
      assert.deepStrictEqual(
        (yield* it.leads(campaign.id)).map(({ reason, status }) => [status, reason]),
        [["skipped", "noConsent"]]
      )
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("is tried at the first again where none of them has proved better", () => {
    const { channel, made } = twoAddresses(["first", "second"])
    return Effect.gen(function* () {
      const { asked, run } = yield* made
      for (const [i, name] of ["one", "two", "three"].entries()) yield* run(name, start + 3 * (i + 1) * day)
      assert.deepStrictEqual(asked(), ["first", "second", "first"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
