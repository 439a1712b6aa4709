/** That nobody can send for a campaign: shown while it is so, and told once whenever it begins and ends. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Account } from "../../src/account/Account.ts"
import { type AccountChange, Accounts } from "../../src/account/Accounts.ts"
import { Connections } from "../../src/account/Connections.ts"
import { CampaignAccounts } from "../../src/campaign/CampaignAccounts.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { Inbox } from "../../src/chat/Inbox.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import type { CampaignId } from "../../src/workspace/Id.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Scene

/** A campaign of two accounts that is not started, and what is shown and told of it. */
const place = (channel: TestChannel.TestChannel, people = 2) =>
  Effect.gen(function* () {
    const scene = yield* Scene.make(channel)
    const a = yield* scene.account("a")
    const b = yield* scene.account("b")
    const those = Array.from({ length: people }, (_, i) => ({ id: `p${i}` }))
    const campaign = yield* scene.campaign("standing", [a, b], those)
    const { get } = yield* Campaigns
    const accounts = yield* Accounts
    const change = ({ id }: Account, change: AccountChange) => accounts.change(scene.workspace.id, id, change, system)
    const standing = (id: CampaignId = campaign.id) => Effect.map(get(scene.workspace.id, id), (view) => view.standing)
    /** What the feed tells of the campaign's accounts: the ends of the types, with the account where one is named. */
    const told = (id: CampaignId = campaign.id) =>
      Effect.gen(function* () {
        const events = yield* (yield* EventStore).read(scene.workspace.id, null, 10_000)
        const nameOf = (account: unknown) => (account === a.id ? " a" : account === b.id ? " b" : "")
        return events.flatMap(({ event }) =>
          event.subject === id && (event.type === "campaign.inactive" || event.type === "campaign.active")
            ? [`${event.type.slice("campaign.".length)}${nameOf(event.data["account"])}`]
            : []
        )
      })
    return { ...scene, another: scene.campaign, a, b, campaign, change, standing, told }
  })

describe("a campaign", () => {
  it.effect("is inactive while it runs and none of its accounts can send, and active again when one can", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { a, b, campaign, change, standing, start: begin, told } = yield* place(channel)
      assert.strictEqual(yield* standing(), "draft")
      yield* begin(campaign.id)
      assert.strictEqual(yield* standing(), "running")
      yield* change(a, { enabled: false })
      assert.strictEqual(yield* standing(), "running")
      yield* change(b, { setAttention: ["restricted"] })
      assert.strictEqual(yield* standing(), "inactive")
      yield* change(b, { setAttention: ["challenge"], name: "B" })
      yield* change(a, { banned: true })
      yield* change(a, { enabled: true })
      assert.deepStrictEqual(yield* told(), ["inactive b"])
      yield* change(b, { attention: [] })
      assert.strictEqual(yield* standing(), "running")
      yield* change(a, { banned: false })
      assert.deepStrictEqual(yield* told(), ["inactive b", "active b"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("stays active while its accounts rest or are spent for today", () => {
    const channel = TestChannel.make({ answer: () => ({ type: "rateLimited", scope: "account", retryAfterMs: day }) })
    return Effect.gen(function* () {
      const { a, b, campaign, change, run, standing, start: begin, told } = yield* place(channel)
      yield* begin(campaign.id)
      yield* change(a, { restingUntil: start + 9 * day, dailyCap: 1 })
      yield* change(b, { dailyCap: 1 })
      yield* run(start + 2 * day)
      assert.isAbove(channel.asked.length, 0)
      assert.strictEqual(yield* standing(), "running")
      assert.deepStrictEqual(yield* told(), [])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("is told of where platforms refuse its accounts: as it sends, and as they tell", () => {
    const channel = TestChannel.make({
      answer: ({ to }): Outcome | undefined => (to === "p0" ? { type: "unauthorized" } : undefined)
    })
    return Effect.gen(function* () {
      const { a, b, campaign, run, standing, start: begin, told, workspace } = yield* place(channel, 1)
      yield* begin(campaign.id)
      yield* run(start + 2 * day)
      // Whoever got the only person first was refused, and so was the other.
      assert.strictEqual(channel.asked.length, 2)
      assert.strictEqual(yield* standing(), "inactive")
      const [first] = yield* told()
      assert.match(first ?? "", /^inactive [ab]$/)
      const { verify } = yield* Connections
      yield* verify(workspace.id, a.id, system)
      assert.deepStrictEqual((yield* told()).slice(1), ["active a"])
      const { receive } = yield* Inbox
      const trouble = { type: "accountTroubled", dedupeKey: "1", at: start + 2 * day, reason: "banned" } as const
      yield* receive(b, [trouble])
      yield* receive(a, [trouble])
      yield* receive(a, [trouble])
      assert.deepStrictEqual((yield* told()).slice(2), ["inactive a"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("is told of when its accounts leave, are removed and join", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { a, account, b, campaign, change, run, standing, start: begin, told, workspace } = yield* place(channel)
      const { join, leave } = yield* CampaignAccounts
      yield* begin(campaign.id)
      yield* change(a, { enabled: false })
      yield* leave(workspace.id, campaign.id, b.id, system)
      assert.deepStrictEqual(yield* told(), ["inactive b"])
      yield* change(b, { enabled: false })
      yield* change(b, { enabled: true })
      assert.deepStrictEqual(yield* told(), ["inactive b"])
      const c = yield* account("c")
      yield* join(workspace.id, campaign.id, c.id, system)
      assert.deepStrictEqual(yield* told(), ["inactive b", "active"])
      yield* join(workspace.id, campaign.id, b.id, system)
      yield* (yield* Connections).remove(workspace.id, c.id, system)
      yield* run(start + hour)
      assert.strictEqual(yield* standing(), "running")
      yield* (yield* Connections).remove(workspace.id, b.id, system)
      yield* run(start + 2 * hour)
      assert.strictEqual(yield* standing(), "inactive")
      assert.deepStrictEqual(yield* told(), ["inactive b", "active", "inactive b"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("tells at its start that nobody can send for it, and nothing while it does not run", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { a, b, campaign, change, pause, standing, start: begin, told } = yield* place(channel)
      yield* change(a, { enabled: false })
      yield* change(b, { enabled: false })
      assert.strictEqual(yield* standing(), "draft")
      assert.deepStrictEqual(yield* told(), [])
      yield* begin(campaign.id)
      yield* begin(campaign.id)
      assert.deepStrictEqual(yield* told(), ["inactive"])
      yield* pause(campaign.id)
      yield* change(a, { enabled: true })
      yield* change(a, { enabled: false })
      assert.strictEqual(yield* standing(), "paused")
      assert.deepStrictEqual(yield* told(), ["inactive"])
      yield* begin(campaign.id)
      assert.deepStrictEqual(yield* told(), ["inactive", "inactive"])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("is listed as it stands, and told of alone among those of an account", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const { a, another, b, campaign, change, start: begin, told, workspace } = yield* place(channel)
      const other = yield* another("other", [a], [{ id: "q" }])
      yield* begin(campaign.id)
      yield* begin(other.id)
      yield* change(a, { enabled: false })
      const { data } = yield* (yield* Campaigns).list(workspace.id, {})
      const standings = new Map(data.map(({ campaign: { id }, standing }) => [id, standing]))
      assert.strictEqual(standings.get(campaign.id), "running")
      assert.strictEqual(standings.get(other.id), "inactive")
      assert.deepStrictEqual([yield* told(campaign.id), yield* told(other.id)], [[], ["inactive a"]])
      yield* change(b, { enabled: false })
      assert.deepStrictEqual([yield* told(campaign.id), yield* told(other.id)], [["inactive b"], ["inactive a"]])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
