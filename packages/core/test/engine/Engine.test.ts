import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Account } from "../../src/account/Account.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import { Driver } from "../../src/outbox/Driver.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

const { start } = Builders

interface Setting {
  readonly channel: TestChannel.TestChannel
  readonly contacts: number
  readonly accounts?: number
  readonly settings?: Partial<CampaignSettings>
  readonly steps?: ReadonlyArray<{ readonly parts?: number; readonly sendAfterDays?: number }>
  readonly minGapMs?: number
}

/** A running campaign over `contacts` people, driven in virtual time to its end. */
const run = <A>(
  { accounts = 1, channel, contacts, minGapMs = 0, settings, steps = [{}] }: Setting,
  before: (accounts: ReadonlyArray<Account>) => void,
  after: Effect.Effect<A, unknown, Overture.Services>
) =>
  Effect.gen(function* () {
    const build = Builders.make("engine")
    const workspace = build.workspace()
    yield* (yield* WorkspaceStore).create(workspace)
    const made: Array<Account> = []
    for (let i = 0; i < accounts; i++) {
      const { account } = yield* (yield* Accounts).connect(
        { workspace: workspace.id, channel: channel.name, externalId: `account-${i}`, externalRef: `a${i}`, minGapMs },
        system
      )
      made.push(account)
    }
    before(made)
    const people = yield* Contacts
    const list = yield* people.listNamed(workspace.id, "people")
    yield* people.importRows(
      workspace.id,
      list.id,
      Array.from({ length: contacts }, (_, i) => ({
        line: i + 2,
        externalId: `p${i}`,
        name: `Person ${i}`,
        tags: [],
        attributes: {}
      })),
      { channel: channel.name, accounts: made }
    )
    const campaigns = yield* Campaigns
    const [first, ...rest] = steps.map((step, i) => build.step({ ...step, type: i === 0 ? "first" : "noReply" }))
    assert.isDefined(first)
    const { campaign } = yield* campaigns.create(
      {
        workspace: workspace.id,
        name: "engine",
        settings: build.settings({ ...settings, steps: [first, ...rest] }),
        accounts: [made[0]!.id, ...made.slice(1).map(({ id }) => id)],
        externalRef: "engine",
        metadata: {}
      },
      system
    )
    yield* campaigns.enrollList(workspace.id, campaign.id, list.id)
    yield* campaigns.start(workspace.id, campaign.id, system)
    const store = yield* CampaignStore
    yield* (yield* Driver).runUntil(
      Effect.map(
        store.get(workspace.id, campaign.id),
        (found) => Option.isSome(found) && found.value.status !== "running"
      )
    )
    const events = (yield* (yield* EventStore).read(workspace.id, null, 10_000)).map(({ event }) => event)
    return {
      campaign: Option.getOrThrow(yield* store.get(workspace.id, campaign.id)),
      counts: yield* store.counts(campaign.id),
      recount: yield* store.recount(campaign.id),
      leads: (yield* store.leads(workspace.id, campaign.id, {}, { limit: 500 })).data,
      paces: yield* store.paces(campaign.id),
      now: yield* (yield* PacingTime).now,
      events,
      more: yield* after
    }
  }).pipe(
    Effect.provide(
      Overture.layer({
        storage: MemoryStorage.layer,
        channels: [channel],
        time: PacingTime.layerVirtual(start)
      })
    )
  )

const pacing = { rangeMin: 10, rangeMax: 10, jitter: 0.8, catchUp: "skip" as const, newShare: 0.25 }
const nothing = Effect.void
const ofType = <T extends { readonly type: string }>(events: ReadonlyArray<T>, type: string) =>
  events.filter((event) => event.type === type)

describe("a campaign", () => {
  it.effect("reaches every contact once, at its quota a day, and finishes", () =>
    Effect.gen(function* () {
      const channel = TestChannel.make()
      const { campaign, counts, events, now, recount } = yield* run(
        { channel, contacts: 45, accounts: 2, settings: { pacing } },
        () => {},
        nothing
      )
      assert.strictEqual(campaign.status, "finished")
      assert.strictEqual(counts.sent, 45)
      assert.deepStrictEqual(counts, recount)
      assert.strictEqual(new Set(channel.asked.map(({ to }) => to)).size, 45)
      assert.strictEqual(channel.asked.length, 45)
      assert.strictEqual(ofType(events, "lead.sent").length, 45)
      assert.strictEqual(ofType(events, "campaign.finished").length, 1)
      // 20 a day from the second on: the third day is needed, the fourth is not.
      assert.isAtLeast(now, start + 86_400_000)
      assert.isBelow(now, start + 3 * 86_400_000)
    })
  )

  it.effect("sends follow-ups only to those who did not answer", () =>
    Effect.gen(function* () {
      const channel: TestChannel.TestChannel = TestChannel.make({
        answer: ({ account, key, to }) => {
          if (to === "p3") {
            channel.tell(account, start + 36 * 3_600_000, {
              type: "messageReceived",
              dedupeKey: `reply-${key}`,
              at: start + 36 * 3_600_000,
              participant: { scope: "", externalId: to, name: "P" },
              externalId: `r-${key}`,
              content: { type: "text", text: "Yes, tell me more" }
            })
          }
          if (to === "p4") {
            channel.tell(account, start + 37 * 3_600_000, {
              type: "messageReceived",
              dedupeKey: `stop-${key}`,
              at: start + 37 * 3_600_000,
              participant: { scope: "", externalId: to, name: "P" },
              externalId: `s-${key}`,
              content: { type: "text", text: "STOP!" }
            })
          }
          return undefined
        }
      })
      const { campaign, counts, leads, recount } = yield* run(
        { channel, contacts: 8, settings: { pacing }, steps: [{}, { sendAfterDays: 3 }, { sendAfterDays: 2 }] },
        () => {},
        nothing
      )
      assert.strictEqual(campaign.status, "finished")
      assert.strictEqual(counts.sent, 8)
      assert.strictEqual(counts.replied, 1)
      assert.deepStrictEqual(counts, recount)
      const perPerson = (to: string) => channel.asked.filter((asked) => asked.to === to).length
      assert.strictEqual(perPerson("p3"), 1)
      assert.strictEqual(perPerson("p4"), 1)
      assert.strictEqual(perPerson("p5"), 3)
      assert.strictEqual(channel.asked.length, 2 + 6 * 3)
      assert.deepStrictEqual(leads.map(({ ended }) => String(ended)).sort(), [
        ...Array.from({ length: 6 }, () => "completed"),
        "optedOut",
        "replied"
      ])
    })
  )

  it.effect("sends the parts of a touch in order, and a failing one stops the rest", () =>
    Effect.gen(function* () {
      const channel = TestChannel.make({
        answer: ({ to }, count) => (to === "p1" && count === 2 ? { type: "contentRejected" } : undefined)
      })
      const { counts, recount } = yield* run(
        {
          channel,
          contacts: 3,
          settings: { pacing: { ...pacing, rangeMin: 30, rangeMax: 30 } },
          steps: [{ parts: 3 }]
        },
        () => {},
        nothing
      )
      assert.strictEqual(counts.sent, 2)
      assert.strictEqual(counts.partial, 1)
      assert.deepStrictEqual(counts, recount)
      assert.strictEqual(channel.asked.length, 3 + 3 + 2)
    })
  )

  it.effect("tries what is transient again under a new key, and gives up after three", () =>
    Effect.gen(function* () {
      const channel = TestChannel.make({
        answer: ({ to }, count): Outcome | undefined =>
          to === "p1" || (to === "p2" && count < 3) ? { type: "transient" } : undefined
      })
      const { counts, leads, recount } = yield* run({ channel, contacts: 4, settings: { pacing } }, () => {}, nothing)
      assert.strictEqual(counts.sent, 3)
      assert.strictEqual(counts.failed, 1)
      assert.deepStrictEqual(counts, recount)
      assert.strictEqual(leads.find(({ status }) => status === "failed")?.reason, "transient")
      const keys = channel.asked.map(({ key }) => key)
      assert.strictEqual(new Set(keys).size, keys.length)
      assert.strictEqual(channel.asked.length, 2 + 3 + 3)
    })
  )

  it.effect("never repeats what it cannot know the outcome of", () =>
    Effect.gen(function* () {
      const channel = TestChannel.make({ answer: ({ to }) => (to === "p1" ? { type: "outcomeUnknown" } : undefined) })
      const { counts, leads } = yield* run({ channel, contacts: 3, settings: { pacing } }, () => {}, nothing)
      assert.strictEqual(counts.failed, 1)
      assert.strictEqual(channel.asked.length, 3)
      assert.strictEqual(leads.find(({ status }) => status === "failed")?.reason, "outcomeUnknown")
    })
  )

  it.effect("gives the leads of an account that is banned to another, and loses none", () =>
    Effect.gen(function* () {
      let bannedAccount = ""
      const channel = TestChannel.make({
        answer: ({ account }) =>
          account === bannedAccount && channel.asked.filter((one) => one.account === account).length > 3
            ? { type: "banned" }
            : undefined
      })
      const { campaign, counts, paces, recount } = yield* run(
        { channel, contacts: 40, accounts: 2, settings: { pacing } },
        (accounts) => {
          bannedAccount = accounts[0]!.id
        },
        nothing
      )
      assert.strictEqual(campaign.status, "finished")
      assert.strictEqual(counts.sent, 40)
      assert.deepStrictEqual(counts, recount)
      assert.deepStrictEqual(
        paces.map(({ pace }) => pace.counts.sent).sort((a, b) => a - b),
        [3, 37]
      )
    })
  )
})
