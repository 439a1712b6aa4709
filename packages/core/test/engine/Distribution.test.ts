import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Account } from "../../src/account/Account.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import { Connections } from "../../src/account/Connections.ts"
import { CampaignAccounts, LastAccount } from "../../src/campaign/CampaignAccounts.ts"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { Driver } from "../../src/outbox/Driver.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Scene
type Person = Scene.Person

const people = (count: number, more: (i: number) => Omit<Person, "id"> = () => ({})): ReadonlyArray<Person> =>
  Array.from({ length: count }, (_, i) => ({ id: `p${String(i).padStart(3, "0")}`, ...more(i) }))

const daily = (count: number, more: Partial<CampaignSettings> = {}): Partial<CampaignSettings> => ({
  pacing: { rangeMin: count, rangeMax: count, jitter: 0, catchUp: "skip", newShare: 0.5 },
  ...more
})

/** How many messages each account sent, in the order of the accounts. */
const sentBy = (channel: TestChannel.TestChannel, accounts: ReadonlyArray<Account>) =>
  accounts.map(({ id }) => channel.asked.filter(({ account }) => account === id).length)

const everyoneOnce = (channel: TestChannel.TestChannel, count: number) => {
  assert.strictEqual(channel.asked.length, count)
  assert.strictEqual(new Set(channel.asked.map(({ to }) => to)).size, count)
}

const allDay = start + 400 * day

describe("a campaign", () => {
  it.effect("gives even shares to accounts that send at different speeds", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const accounts = [
        yield* scene.account("a", { dailyCap: 3 }),
        yield* scene.account("b"),
        yield* scene.account("c")
      ] as const
      const campaign = yield* scene.campaign(
        "even",
        accounts,
        people(50),
        daily(10, { distribution: { strategy: "even" } })
      )
      yield* scene.start(campaign.id)
      yield* scene.run(allDay)
      everyoneOnce(channel, 50)
      assert.deepStrictEqual(sentBy(channel, accounts), [17, 17, 16])
      assert.strictEqual(yield* scene.status(campaign.id), "finished")
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("gives shares by weight, and what a lost account leaves to the others, until it is back", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const a = yield* scene.account("a")
      const b = yield* scene.account("b")
      const c = yield* scene.account("c")
      const weights = { a: 1, b: 2, c: 3 }
      const settings = daily(10, { distribution: { strategy: "weighted", weights } })
      const campaign = yield* scene.campaign("weighted", [a, b, c], people(240), settings)
      const change = (enabled: boolean) =>
        Effect.flatMap(Accounts, ({ change }) => change(scene.workspace.id, c.id, { enabled }, system))
      yield* scene.start(campaign.id)
      yield* scene.run(start + day)
      yield* change(false)
      const before = sentBy(channel, [c])
      yield* scene.run(start + 2 * day)
      assert.deepStrictEqual(sentBy(channel, [c]), before)
      yield* change(true)
      yield* scene.run(allDay)
      everyoneOnce(channel, 240)
      // It came back in time to have what it would have had.
      assert.deepStrictEqual(sentBy(channel, [a, b, c]), [40, 80, 120])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("sends by the account that an attribute names, and has the others' leads drawn by any", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const a = yield* scene.account("a")
      const b = yield* scene.account("b")
      const regions = ["north", "south", "east", undefined]
      const all = people(40, (i) => {
        const region = regions[i % 4]
        return region === undefined ? {} : { attributes: { region } }
      })
      const distribution = {
        strategy: "byAttribute",
        attribute: "region",
        accounts: { north: "a", south: "b" }
      } as const
      const campaign = yield* scene.campaign("regions", [a, b], all, daily(5, { distribution }))
      yield* scene.start(campaign.id)
      yield* scene.run(allDay)
      everyoneOnce(channel, 40)
      const by = (rest: number) => [
        ...new Set(channel.asked.filter(({ to }) => Number(to.slice(1)) % 4 === rest).map(({ account }) => account))
      ]
      assert.deepStrictEqual(by(0), [a.id])
      assert.deepStrictEqual(by(1), [b.id])
      assert.sameMembers(
        [...by(2), ...by(3)].filter((id, i, ids) => ids.indexOf(id) === i),
        [a.id, b.id]
      )
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("follows an attribute that changes, for people nobody has written to", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const a = yield* scene.account("a")
      const b = yield* scene.account("b")
      const all = people(30, (i) => ({ attributes: { owner: i < 20 ? "ann" : "bob" } }))
      const distribution = {
        strategy: "byAttribute",
        attribute: "owner",
        accounts: { ann: "a", bob: "b" }
      } as const
      const campaign = yield* scene.campaign("owners", [a, b], all, daily(4, { distribution }))
      yield* scene.start(campaign.id)
      yield* scene.run(start + day)
      const before = new Map(channel.asked.map(({ account, to }) => [to, account]))
      assert.isAbove(before.size, 0)
      // Ann's go to Bob: those she wrote to, those that she holds, and those in the pool.
      const list = yield* (yield* Contacts).listNamed(scene.workspace.id, "moved")
      const moved = all.slice(0, 20).map(({ id }, i) => ({
        line: i + 2,
        externalId: id,
        tags: [],
        attributes: { owner: "bob" }
      }))
      yield* (yield* Contacts).importRows(scene.workspace.id, list.id, moved, {
        channel: channel.name,
        accounts: [a, b]
      })
      yield* scene.run(allDay)
      everyoneOnce(channel, 30)
      for (const { account, to } of channel.asked) assert.strictEqual(account, before.get(to) ?? b.id, to)
      const [counted, recounted] = yield* scene.counts(campaign.id)
      assert.deepStrictEqual(counted, recounted)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("has people of an unknown attribute written to by the account for all others", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const a = yield* scene.account("a")
      const b = yield* scene.account("b")
      const all = people(12, (i) => ({ attributes: { region: i % 3 === 0 ? "north" : "constructor" } }))
      const distribution = {
        strategy: "byAttribute",
        attribute: "region",
        accounts: { north: "a" },
        otherwise: "b"
      } as const
      const campaign = yield* scene.campaign("otherwise", [a, b], all, daily(20, { distribution }))
      yield* scene.start(campaign.id)
      yield* scene.run(allDay)
      assert.deepStrictEqual(sentBy(channel, [a, b]), [4, 8])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect.each([
    ["end" as const, 5],
    ["reassign" as const, 0]
  ] as const)(
    "named for an account that is off, waits for it unless what is lost is reassigned: %s",
    ([onAccountLost, waiting]) => {
      const channel = TestChannel.make()
      return Effect.gen(function* () {
        const scene = yield* Scene.make(channel)
        const a = yield* scene.account("a")
        const b = yield* scene.account("b")
        const all = people(10, (i) => ({ attributes: { owner: i < 5 ? "a" : "b" } }))
        const distribution = { strategy: "byAttribute", attribute: "owner", accounts: { a: "a", b: "b" } } as const
        const campaign = yield* scene.campaign("owners", [a, b], all, daily(20, { distribution, onAccountLost }))
        const { change } = yield* Accounts
        yield* change(scene.workspace.id, a.id, { enabled: false }, system)
        yield* scene.start(campaign.id)
        yield* scene.run(start + 3 * day)
        const { pending } = yield* (yield* CampaignStore).counts(campaign.id)
        assert.deepStrictEqual([pending, sentBy(channel, [a])[0]], [waiting, 0])
        yield* change(scene.workspace.id, a.id, { enabled: true }, system)
        yield* scene.run(start + 6 * day)
        everyoneOnce(channel, 10)
        assert.deepStrictEqual(sentBy(channel, [a, b]), onAccountLost === "end" ? [5, 5] : [0, 10])
      }).pipe(Effect.provide(Scene.engine(channel)))
    }
  )

  it.effect(
    "writes to people who have a chat from the account that has it, also one that began after they came",
    () => {
      const channel = TestChannel.make()
      return Effect.gen(function* () {
        const scene = yield* Scene.make(channel)
        const a = yield* scene.account("a")
        const b = yield* scene.account("b")
        const everyone = people(30)
        const known = yield* scene.campaign("before", [b], everyone.slice(10, 20), daily(100))
        yield* scene.start(known.id)
        yield* scene.run(start + day)
        const earlier = channel.asked.length
        assert.strictEqual(earlier, 10)
        const settings = daily(4, { distribution: { strategy: "sticky" }, startAt: start + 3 * day })
        const campaign = yield* scene.campaign("sticky", [a, b], everyone, settings)
        for (const id of ["p029", "p028"]) {
          channel.tell(a.id, start + day + hour, {
            type: "messageReceived",
            dedupeKey: `hello ${id}`,
            at: start + day + hour,
            participant: { scope: "", externalId: id },
            externalId: `hello ${id}`,
            content: { type: "text", text: "hello" }
          })
        }
        yield* scene.run(start + 2 * day)
        yield* scene.start(campaign.id)
        yield* scene.run(allDay)
        const by = new Map(channel.asked.slice(earlier).map(({ account, to }) => [to, account]))
        assert.strictEqual(by.size, 30)
        for (const { id } of everyone.slice(10, 20)) assert.strictEqual(by.get(id), b.id)
        assert.deepStrictEqual([by.get("p028"), by.get("p029")], [a.id, a.id])
        assert.sameMembers([...new Set(by.values())], [a.id, b.id])
      }).pipe(Effect.provide(Scene.engine(channel)))
    }
  )

  it.effect("does not wait for an account that has the chat and cannot send", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const a = yield* scene.account("a")
      const b = yield* scene.account("b")
      const known = yield* scene.campaign("before", [b], people(6), daily(100))
      yield* scene.start(known.id)
      yield* scene.run(start + day)
      const { change } = yield* Accounts
      yield* change(scene.workspace.id, b.id, { attention: ["unauthorized"] }, system)
      const campaign = yield* scene.campaign(
        "sticky",
        [a, b],
        people(6),
        daily(3, { distribution: { strategy: "sticky" } })
      )
      yield* scene.start(campaign.id)
      yield* scene.run(allDay)
      assert.deepStrictEqual(sentBy(channel, [a, b]), [6, 6])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("an account", () => {
  const twoSteps = [1, 1] as const

  /** How it goes for good. */
  const ways = ["leaves", "is removed"] as const
  const remove = (account: Account) =>
    Effect.flatMap(Connections, (connections) => connections.remove(account.workspace, account.id, system))

  const leaving = (onAccountLost: CampaignSettings["onAccountLost"], way: (typeof ways)[number]) => {
    const channel = TestChannel.make()
    const program = Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const a = yield* scene.account("a")
      const b = yield* scene.account("b")
      const settings = daily(10, { distribution: { strategy: "even" }, onAccountLost })
      const campaign = yield* scene.campaign("leaving", [a, b], people(40), settings, twoSteps)
      yield* scene.start(campaign.id)
      yield* scene.run(start + 12 * hour)
      const members = yield* CampaignAccounts
      if (way === "leaves") yield* members.leave(scene.workspace.id, campaign.id, a.id, system)
      else yield* remove(a)
      const byA = sentBy(channel, [a])[0]!
      assert.isAbove(byA, 0)
      yield* scene.run(allDay)
      assert.strictEqual(sentBy(channel, [a])[0], byA)
      assert.strictEqual(yield* scene.status(campaign.id), "finished")
      const counts = yield* (yield* CampaignStore).counts(campaign.id)
      assert.deepStrictEqual([counts.sent, counts.total], [40, 40])
      return { scene, campaign, byA, leads: yield* scene.leads(campaign.id), a, b }
    })
    return { channel, program }
  }

  it.effect.each(ways)("that %s gives back what it did not touch, and its sequences end", (way) => {
    const { channel, program } = leaving("end", way)
    return Effect.gen(function* () {
      const { a, byA, leads } = yield* program
      const removed = leads.filter(({ ended }) => ended === "accountRemoved")
      assert.strictEqual(removed.length, byA)
      assert.isTrue(removed.every(({ account }) => account === a.id))
      assert.strictEqual(channel.asked.length, 80 - byA)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect.each(ways)("that %s has its sequences go on with another where the campaign reassigns", (way) => {
    const { channel, program } = leaving("reassign", way)
    return Effect.gen(function* () {
      const { b, leads } = yield* program
      assert.strictEqual(channel.asked.length, 80)
      assert.isTrue(leads.every(({ account, ended }) => ended === "completed" && account === b.id))
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("may be the last one and then cannot leave; one that joins or comes back draws", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const a = yield* scene.account("a")
      const b = yield* scene.account("b")
      const campaign = yield* scene.campaign(
        "joining",
        [a],
        people(60),
        daily(5, { distribution: { strategy: "even" } })
      )
      const members = yield* CampaignAccounts
      const leave = (account: Account) => members.leave(scene.workspace.id, campaign.id, account.id, system)
      const join = (account: Account) => members.join(scene.workspace.id, campaign.id, account.id, system)
      assert.instanceOf(yield* Effect.flip(leave(a)), LastAccount)
      yield* scene.start(campaign.id)
      yield* scene.run(start + 2 * day)
      assert.strictEqual(yield* join(b), true)
      assert.strictEqual(yield* join(b), false)
      yield* scene.run(start + 4 * day)
      assert.isAbove(sentBy(channel, [b])[0]!, 0)
      yield* leave(a)
      yield* scene.run(start + 6 * day)
      assert.strictEqual(yield* join(a), true)
      yield* scene.run(allDay)
      everyoneOnce(channel, 60)
      assert.deepStrictEqual(sentBy(channel, [a, b]), [30, 30])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("that alone reached people takes their leads with it", () => {
    const channel = TestChannel.make({ capabilities: { addressScope: "account" } })
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const a = yield* scene.account("a")
      const b = yield* scene.account("b")
      const campaign = yield* scene.campaign("scoped", [a], people(6), daily(2))
      const members = yield* CampaignAccounts
      yield* members.join(scene.workspace.id, campaign.id, b.id, system)
      yield* members.leave(scene.workspace.id, campaign.id, a.id, system)
      yield* scene.start(campaign.id)
      yield* scene.run(allDay)
      const counts = yield* (yield* CampaignStore).counts(campaign.id)
      assert.deepStrictEqual([counts.skipped, counts.total], [6, 6])
      assert.isTrue((yield* scene.leads(campaign.id)).every(({ reason }) => reason === "unreachable"))
      assert.strictEqual(channel.asked.length, 0)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("that is removed leaves its campaigns, but the last one only once another joins", () => {
    const channel = TestChannel.make({ capabilities: { addressScope: "account" } })
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const a = yield* scene.account("a")
      const b = yield* scene.account("b")
      const store = yield* CampaignStore
      const campaign = yield* scene.campaign("removed", [a], people(20), daily(4), twoSteps)
      yield* scene.start(campaign.id)
      yield* scene.run(start + 12 * hour)
      yield* remove(a)
      yield* scene.run(start + 2 * day)
      const touched = sentBy(channel, [a])[0]!
      const counted = Effect.map(scene.leads(campaign.id), (leads) => [
        leads.filter(({ ended, status }) => status === "sent" && ended === "accountRemoved").length,
        leads.filter(({ status }) => status === "pending").length,
        leads.filter(({ reason }) => reason === "unreachable").length
      ])
      const inIt = Effect.map(store.paces(campaign.id), (paces) =>
        paces.flatMap(({ account, pace }) => (pace.leftAt === null ? [account.externalId] : []))
      )
      assert.isAbove(touched, 0)
      assert.deepStrictEqual(yield* counted, [touched, 20 - touched, 0])
      assert.deepStrictEqual(yield* inIt, ["a"])
      yield* (yield* CampaignAccounts).join(scene.workspace.id, campaign.id, b.id, system)
      yield* scene.run(allDay)
      assert.deepStrictEqual(yield* counted, [touched, 0, 20 - touched])
      assert.deepStrictEqual(yield* inIt, ["b"])
      assert.strictEqual(yield* scene.status(campaign.id), "finished")
      const told = (yield* (yield* EventStore).read(scene.workspace.id, null, 1_000)).map(({ event }) => event)
      assert.strictEqual(
        told.filter(({ data, type }) => type === "lead.ended" && data["ended"] === "accountRemoved").length,
        touched
      )
      assert.strictEqual(
        told.filter(({ data, type }) => type === "campaign.changed" && data["left"] === a.id).length,
        1
      )
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("that leaves while its message is being sent takes neither the lead nor the message with it", () => {
    const channel = TestChannel.make({
      answer: (_, count) => (count === 1 ? { type: "transient", detail: "busy" } : undefined)
    })
    return Effect.gen(function* () {
      const scene = yield* Scene.make(channel)
      const a = yield* scene.account("a")
      const b = yield* scene.account("b")
      const campaign = yield* scene.campaign(
        "busy",
        [a, b],
        people(8),
        daily(100, { distribution: { strategy: "even" } })
      )
      yield* scene.start(campaign.id)
      const driver = yield* Driver
      yield* driver.step
      yield* (yield* CampaignAccounts).leave(scene.workspace.id, campaign.id, a.id, system)
      yield* scene.run(allDay)
      const leads = yield* scene.leads(campaign.id)
      assert.deepStrictEqual([...new Set(leads.map(({ status }) => status))], ["sent"])
      assert.strictEqual(yield* scene.status(campaign.id), "finished")
      assert.strictEqual(Option.isSome(yield* (yield* CampaignStore).get(scene.workspace.id, campaign.id)), true)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
