import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { AccountGroups } from "../../src/account/AccountGroups.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import { AccountStore } from "../../src/account/AccountStore.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { Explanation } from "../../src/campaign/Explanation.ts"
import { hostGate } from "../../src/campaign/HostGate.ts"
import type { Lead } from "../../src/campaign/Lead.ts"
import { Previews } from "../../src/campaign/Previews.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { allow, skip } from "../../src/outbox/Gate.ts"
import { Outbox } from "../../src/outbox/Outbox.ts"
import * as Overture from "../../src/Overture.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour } from "../../src/workspace/Instant.ts"
import * as LocalDate from "../../src/workspace/LocalDate.ts"
import * as Zone from "../../src/workspace/Zone.ts"
import { engine, make, type Person, start } from "./Scene.ts"

const people = (count: number, name = "p"): ReadonlyArray<Person> =>
  Array.from({ length: count }, (_, i) => ({ id: `${name}${i}` }))
const pacing = (quota: number) => ({
  pacing: { rangeMin: quota, rangeMax: quota, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }
})
const reasons = (leads: ReadonlyArray<Lead>) => leads.map(({ reason, status }) => reason ?? status)
const perDay = (sent: ReadonlyArray<{ readonly at: number }>, zone = "UTC") => {
  const days = new Map<string, number>()
  for (const { at } of sent) {
    const date = Zone.localDate(Zone.make(zone), at)
    days.set(date, (days.get(date) ?? 0) + 1)
  }
  return [...days.values()]
}

describe("gates of the recipient", () => {
  it.effect("keep quiet by the recipient's own clock, and leave the slot to the next", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const from = [
        { id: "tokyo", timezone: "Asia/Tokyo" },
        { id: "berlin", timezone: "Europe/Berlin" },
        { id: "somewhere" }
      ]
      const campaign = yield* scene.campaign("quiet", [account], from, {
        ...pacing(240),
        timezone: "America/New_York",
        quietHours: { start: "19:00", end: "09:00" }
      })
      yield* scene.start(campaign.id)
      yield* scene.run(start + 2 * day)
      // 10:00 in UTC is 19:00 in Tokyo, 11:00 in Berlin, and 06:00 in New York, which stands for a zone nobody knows.
      const sent = new Map(
        (yield* scene.leads(campaign.id)).map(({ address, firstSentAt }) => [address.split("/").at(-1), firstSentAt!])
      )
      assert.deepStrictEqual(
        [...sent].sort((a, b) => a[1] - b[1]).map(([id]) => id),
        ["berlin", "somewhere", "tokyo"]
      )
      assert.isTrue(sent.get("tokyo")! >= start + 14 * hour && sent.get("tokyo")! < start + 14.5 * hour)
      assert.isTrue(sent.get("somewhere")! >= start + 3 * hour && sent.get("somewhere")! < start + 3.5 * hour)
      const events = (yield* (yield* EventStore).read(scene.workspace.id, null, 1_000)).map(({ event }) => event)
      assert.deepStrictEqual(
        events.filter(({ type }) => type === "lead.deferred").map(({ data }) => data["reason"]),
        ["quietHours", "quietHours"]
      )
      assert.isTrue((yield* scene.leads(campaign.id)).every(({ touches }) => touches.length === 1))
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("do not keep an account from drawing others while those it holds sleep", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const from = [...people(8).map(({ id }) => ({ id, timezone: "Asia/Tokyo" })), ...people(4, "near")]
      const quietHours = { start: "18:00", end: "09:00" }
      const campaign = yield* scene.campaign("sleepers", [account], from, {
        ...pacing(2),
        quietHours,
        timezone: "UTC",
        sendWindow: { windows: [{ start: "10:00", end: "18:00" }] }
      })
      yield* scene.start(campaign.id)
      yield* scene.run(start + 2 * day)
      assert.strictEqual(channel.asked.length, 4)
      assert.isTrue(channel.asked.every(({ to }) => to.startsWith("near")))
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("put people off past blackout dates, however many, and skip nobody for these", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const today = Zone.localDate(Zone.make("UTC"), start)
      const campaign = yield* scene.campaign("closed", [account], [{ id: "p", timezone: "Africa/Lagos" }], {
        pacing: { rangeMin: 1, rangeMax: 1, jitter: 0, catchUp: "skip", newShare: 1 },
        timezone: "UTC",
        // The day's one slot is when it is quiet again in Lagos.
        sendWindow: {
          windows: [{ start: "10:00", end: "18:00" }],
          blackoutDates: Array.from({ length: 40 }, (_, i) => LocalDate.addDays(today, i + 1))
        },
        quietHours: { start: "14:30", end: "11:30" }
      })
      yield* scene.start(campaign.id)
      yield* scene.run(start + 35 * day)
      const [lead] = yield* scene.leads(campaign.id)
      assert.deepStrictEqual([lead?.status, lead?.touches[0]?.reason], ["assigned", "quietHours"])
      assert.strictEqual(Zone.localDate(Zone.make("UTC"), lead?.dueAt ?? 0), LocalDate.addDays(today, 41))
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("skip whom they never let through, and whom they hardly let through and did not in 30 days", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const from = [
        { id: "a-never", timezone: "Asia/Tokyo" },
        { id: "b-hardly", timezone: "Africa/Lagos" },
        { id: "c-often", timezone: "Africa/Accra" }
      ]
      // Seven hours with one slot in their middle, and an hour of their own clock at which people may be written to.
      const campaign = yield* scene.campaign("rare", [account], from, {
        pacing: { rangeMin: 1, rangeMax: 1, jitter: 0, catchUp: "skip", newShare: 1 },
        timezone: "UTC",
        sendWindow: { windows: [{ start: "10:30", end: "17:30" }] },
        quietHours: { start: "12:00", end: "11:00" }
      })
      assert.deepStrictEqual(
        (yield* (yield* Previews).rareHours(scene.workspace.id, campaign.id)).map(({ minutesPerWeek, timezone }) => [
          timezone,
          minutesPerWeek
        ]),
        [
          ["Africa/Lagos", 7 * 30],
          ["Asia/Tokyo", 0]
        ]
      )
      yield* scene.start(campaign.id)
      yield* scene.run(start + 20 * day)
      assert.deepStrictEqual(reasons(yield* scene.leads(campaign.id)), ["quietHours", "assigned", "assigned"])
      yield* scene.run(start + 50 * day)
      assert.deepStrictEqual(reasons(yield* scene.leads(campaign.id)), ["quietHours", "quietHours", "assigned"])
      assert.strictEqual(channel.asked.length, 0)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("put a touch off that comes too often, over all campaigns, and at last skip it", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const frequency = (days: number) => ({ ...pacing(48), frequency: { touches: 1, days } })
      const first = yield* scene.campaign("first", [account], people(2), pacing(48))
      const soon = yield* scene.campaign("soon", [account], people(2), frequency(7))
      const never = yield* scene.campaign("never", [account], people(2), frequency(90))
      yield* scene.start(first.id)
      yield* scene.run(start + 6 * hour)
      const touched = (yield* scene.leads(first.id)).map(({ firstSentAt }) => firstSentAt!)
      yield* scene.start(soon.id)
      yield* scene.start(never.id)
      yield* scene.run(start + 40 * day)
      const waited = (yield* scene.leads(soon.id)).map((lead, i) => lead.firstSentAt! - touched[i]!)
      assert.isTrue(
        waited.every((ms) => ms >= 7 * day && ms < 7 * day + hour),
        String(waited)
      )
      const refused = yield* scene.leads(never.id)
      assert.deepStrictEqual(reasons(refused), ["frequencyCapped", "frequencyCapped"])
      assert.isTrue(
        refused.every(({ touches: [touch] }) => touch!.at >= start + 30 * day && touch!.at < start + 31 * day)
      )
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("skip who is written to too often at last, also where quiet hours come between", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const person = people(1)
      const quietHours = { start: "09:00", end: "11:00" }
      const settings = { ...pacing(24), frequency: { touches: 1, days: 3 }, quietHours, startAt: start + hour }
      const patient = yield* scene.campaign("patient", [account], person, settings)
      yield* scene.start(patient.id)
      for (let days = 0; days < 36; days += 2) {
        const busy = yield* scene.campaign(`busy ${days}`, [account], person, pacing(24))
        yield* scene.start(busy.id)
        yield* scene.run(start + (days + 2) * day)
      }
      const [lead] = yield* scene.leads(patient.id)
      assert.strictEqual(lead!.reason, "frequencyCapped")
      const [touch, ...others] = lead!.touches
      assert.isTrue(touch!.at >= start + 30 * day && touch!.at < start + 33 * day, `${(touch!.at - start) / day}`)
      assert.deepStrictEqual(others, [])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("do not count a touch that did not go out, but one whose outcome is unknown", () => {
    const channel = TestChannel.make({
      answer: ({ text, to }) =>
        text.startsWith("step 1") ? { type: to === "p0" ? "contentRejected" : "outcomeUnknown" } : undefined
    })
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const first = yield* scene.campaign("first", [account], people(2), pacing(48))
      const then = yield* scene.campaign("then", [account], people(2), {
        ...pacing(48),
        frequency: { touches: 1, days: 5 }
      })
      yield* scene.start(first.id)
      yield* scene.run(start + 6 * hour)
      yield* scene.start(then.id)
      yield* scene.run(start + day)
      assert.deepStrictEqual(
        (yield* scene.leads(then.id)).map(({ status }) => status),
        ["sent", "assigned"]
      )
      yield* scene.run(start + 6 * day)
      assert.deepStrictEqual(
        (yield* scene.leads(then.id)).map(({ status }) => status),
        ["sent", "sent"]
      )
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("wait for, or skip, whoever is in a sequence of another campaign; the untouched wait for nobody", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const sequence = yield* scene.campaign("sequence", [account], people(2), pacing(48), [1, 1])
      const patient = yield* scene.campaign("patient", [account], people(3), pacing(48))
      const picky = yield* scene.campaign("picky", [account], people(3), { ...pacing(48), skipContacted: true })
      yield* scene.start(sequence.id)
      yield* scene.run(start + 6 * hour)
      yield* scene.start(patient.id)
      yield* scene.start(picky.id)
      yield* scene.run(start + 12 * hour)
      assert.deepStrictEqual(reasons(yield* scene.leads(picky.id)), [
        "contactedElsewhere",
        "contactedElsewhere",
        "sent"
      ])
      assert.deepStrictEqual(reasons(yield* scene.leads(patient.id)), ["assigned", "assigned", "sent"])
      yield* scene.run(start + 4 * day)
      const ends = (yield* scene.leads(sequence.id)).map(({ lastSentAt }) => lastSentAt!)
      const begins = (yield* scene.leads(patient.id)).map(({ firstSentAt }) => firstSentAt!)
      assert.isTrue(ends.every((at, i) => at < begins[i]! && begins[i]! < at + 3 * hour))
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("do not wait for a campaign that is paused, and two begun sequences both go on", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const one = yield* scene.campaign("one", [account], people(2), pacing(48), [1, 1])
      const other = yield* scene.campaign("other", [account], people(2), pacing(48), [1, 1])
      yield* scene.start(one.id)
      yield* scene.run(start + 6 * hour)
      yield* scene.pause(one.id)
      yield* scene.start(other.id)
      yield* scene.run(start + 12 * hour)
      yield* scene.start(one.id)
      yield* scene.run(start + 5 * day)
      assert.deepStrictEqual([yield* scene.status(one.id), yield* scene.status(other.id)], ["finished", "finished"])
      assert.strictEqual(channel.asked.length, 8)
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("budgets", () => {
  it.effect("of a group count the messages of all its accounts", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const accounts = [yield* scene.account("a"), yield* scene.account("b")] as const
      const groups = yield* AccountGroups
      const group = yield* groups.create(
        { workspace: scene.workspace.id, name: "portfolio", dailyCap: 5, timezone: "Asia/Kolkata" },
        system
      )
      yield* groups.assign(
        scene.workspace.id,
        group.id,
        accounts.map(({ id }) => id),
        system
      )
      const campaign = yield* scene.campaign("grouped", [...accounts], people(20), pacing(48))
      yield* scene.start(campaign.id)
      yield* scene.run(start + 6 * day)
      assert.deepStrictEqual(perDay(yield* scene.sent, "Asia/Kolkata"), [5, 5, 5, 5])
      yield* groups.change(scene.workspace.id, group.id, { dailyCap: null }, system)
      assert.isNull((yield* groups.change(scene.workspace.id, group.id, {}, system)).dailyCap)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("of a warm-up grow over all campaigns of the account, and begin again after 14 idle days", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a", { warmUp: { type: "incremental", increment: 2, max: 6 } })
      const one = yield* scene.campaign("one", [account], people(7, "a"), pacing(48))
      const other = yield* scene.campaign("other", [account], people(7, "b"), pacing(48))
      yield* scene.start(one.id)
      yield* scene.start(other.id)
      yield* scene.run(start + 6 * day)
      assert.deepStrictEqual(perDay(yield* scene.sent), [2, 4, 6, 2])
      const stored = (yield* (yield* AccountStore).list(scene.workspace.id, {})).data[0]!
      assert.deepStrictEqual(stored.limits?.warmUp, {
        ramp: { type: "incremental", increment: 2, max: 6 },
        day: 4,
        date: "2026-03-12"
      })
      yield* scene.run(start + 20 * day)
      const later = yield* scene.campaign("later", [account], people(5, "c"), pacing(48))
      yield* scene.start(later.id)
      yield* scene.run(start + 24 * day)
      assert.deepStrictEqual(perDay(yield* scene.sent).slice(4), [2, 3])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("let a touch of more messages than the warm-up be the day's first", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a", {
        warmUp: { type: "staged", stages: [{ start: 1, end: 9, value: 1 }] }
      })
      const campaign = yield* scene.campaign("parts", [account], people(3), pacing(48), [2])
      yield* scene.start(campaign.id)
      yield* scene.run(start + 4 * day)
      assert.deepStrictEqual(perDay(yield* scene.sent), [2, 2, 2])
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("keep the gap between touches of two campaigns whose slots fall together", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a", { minGapMs: 30_000 })
      const campaigns = yield* Effect.forEach(["one", "two", "three"], (key) =>
        scene.campaign(key, [account], people(4, key), pacing(48))
      )
      yield* Effect.forEach(campaigns, ({ id }) => scene.start(id))
      yield* scene.run(start + day)
      const at = (yield* scene.sent).map((one) => one.at)
      assert.strictEqual(at.length, 12)
      assert.isTrue(
        at.every((one, i) => i === 0 || one - at[i - 1]! >= 30_000),
        at.join()
      )
    }).pipe(Effect.provide(engine(channel)))
  })
})

describe("a host's gates", () => {
  it.effect("decide with what they load for all candidates of a claim", () => {
    const channel = TestChannel.make()
    const loads: Array<number> = []
    const customers = hostGate<ReadonlySet<string>>({
      name: "customers",
      load: (candidates) =>
        Effect.sync(() => {
          loads.push(candidates.length)
          return new Set(candidates.map(({ contact }) => contact.name).filter((name) => name === "p1"))
        }),
      decide: ({ contact }, names) => (names.has(contact.name) ? skip("isCustomer") : allow)
    })
    const short = hostGate({
      name: "short",
      decide: ({ contact }) => (contact.name === "p2" ? skip("tooShort") : allow)
    })
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const campaign = yield* scene.campaign("hosted", [yield* scene.account("a")], people(4), pacing(48))
      yield* scene.start(campaign.id)
      const [, customer] = yield* scene.leads(campaign.id)
      const { dryRun, explain } = yield* Explanation
      const { answer } = yield* explain(scene.workspace.id, customer!.id)
      assert.deepStrictEqual(answer, { type: "skipped", reason: "isCustomer", detail: null })
      assert.deepStrictEqual(yield* dryRun(scene.workspace.id, campaign.id, 10), {
        leads: 4,
        more: false,
        counts: [
          { verdict: "allow", reason: null, count: 2 },
          { verdict: "skip", reason: "isCustomer", count: 1 },
          { verdict: "skip", reason: "tooShort", count: 1 }
        ]
      })
      yield* scene.run(start + day)
      assert.deepStrictEqual(reasons(yield* scene.leads(campaign.id)), ["sent", "isCustomer", "tooShort", "sent"])
      assert.isTrue(loads.every((count) => count > 0))
    }).pipe(Effect.provide(engine(channel, [customers, short])))
  })
})

describe("what breaks for one", () => {
  it.effect("lead in a host's gate is put off, and the others go", () => {
    const channel = TestChannel.make()
    let isBroken = true
    const gate = hostGate({
      name: "fragile",
      decide: ({ contact }) => {
        if (isBroken && contact.name === "p1") throw new Error("no such customer")
        return allow
      }
    })
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const campaign = yield* scene.campaign("hosted", [yield* scene.account("a")], people(3), pacing(48))
      yield* scene.start(campaign.id)
      yield* scene.run(start + 3 * hour)
      assert.deepStrictEqual(reasons(yield* scene.leads(campaign.id)), ["sent", "assigned", "sent"])
      const [, waiting] = yield* scene.leads(campaign.id)
      assert.strictEqual(waiting!.touches.at(-1)?.reason, "gateFailed")
      isBroken = false
      yield* scene.run(start + day)
      assert.deepStrictEqual(reasons(yield* scene.leads(campaign.id)), ["sent", "sent", "sent"])
    }).pipe(Effect.provide(engine(channel, [gate])))
  })

  it.effect("claim in what a host's gate loads holds it up, until it can be loaded", () => {
    const channel = TestChannel.make()
    let isBroken = true
    const gate = hostGate<boolean>({
      name: "crm",
      load: () => (isBroken ? Effect.die(new Error("away")) : Effect.succeed(true)),
      decide: () => allow
    })
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const campaign = yield* scene.campaign("hosted", [yield* scene.account("a")], people(3), pacing(48))
      yield* scene.start(campaign.id)
      yield* scene.run(start + 3 * hour)
      assert.strictEqual(channel.asked.length, 0)
      isBroken = false
      yield* scene.run(start + day)
      assert.strictEqual(channel.asked.length, 3)
    }).pipe(Effect.provide(engine(channel, [gate])))
  })

  it.effect("campaign that nobody can plan keeps no other from going", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const broken = yield* scene.campaign("broken", [account], people(3, "b"), pacing(48))
      const sound = yield* scene.campaign("sound", [account], people(3), pacing(48))
      yield* scene.start(broken.id)
      yield* scene.start(sound.id)
      const turn = (timezone: string) =>
        Effect.flatMap(CampaignStore, (store) =>
          store.modify(scene.workspace.id, broken.id, start, (campaign) => ({
            campaign: { ...campaign, settings: { ...campaign.settings, timezone } },
            events: []
          }))
        )
      yield* turn("Mars/Base")
      yield* scene.run(start + 3 * hour)
      assert.deepStrictEqual(
        channel.asked.map(({ to }) => to),
        ["p0", "p1", "p2"]
      )
      yield* turn("UTC")
      yield* scene.run(start + day)
      assert.strictEqual(channel.asked.length, 6)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("account whose zone is none holds up nobody, and keeps its cap by the workspace's days", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const [odd, plain] = [yield* scene.account("odd"), yield* scene.account("plain")]
      yield* (yield* AccountStore).modify([odd.id], (row) => ({
        account: { ...row, timezone: "Europe/Berln", dailyCap: 2 },
        events: []
      }))
      const campaign = yield* scene.campaign("all", [odd, plain], people(30), pacing(48))
      yield* scene.start(campaign.id)
      yield* scene.run(start + 12 * hour)
      const by = (yield* scene.sent).map(({ account }) => account)
      assert.strictEqual(by.filter((account) => account === odd.id).length, 2)
      assert.isAbove(by.filter((account) => account === plain.id).length, 5)
    }).pipe(Effect.provide(engine(channel)))
  })

  it.effect("process that lacks a channel leaves it to one that has it", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const campaign = yield* scene.campaign("all", [account], people(1), pacing(48))
      const be = (name: string) =>
        Effect.flatMap(AccountStore, (store) =>
          store.modify([account.id], (row) => ({ account: { ...row, channel: name }, events: [] }))
        )
      yield* scene.start(campaign.id)
      yield* be("elsewhere")
      const { tick } = yield* Outbox
      for (let i = 0; i < 10; i++) yield* tick
      assert.strictEqual(channel.asked.length, 0)
      yield* be("sandbox")
      for (let minutes = 0; minutes < 60; minutes++) {
        yield* TestClock.adjust("1 minute")
        for (let i = 0; i < 3; i++) yield* tick
      }
      assert.strictEqual(channel.asked.length, 1)
    }).pipe(Effect.provide(Overture.layer({ storage: MemoryStorage.layer, channels: [channel] })))
  })
})

describe("a dry run", () => {
  it.effect("counts what would become of a draft's leads, and writes nothing", () => {
    const channel = TestChannel.make({ policy: { optInRequired: true } })
    return Effect.gen(function* () {
      const scene = yield* make(channel)
      const account = yield* scene.account("a")
      const campaign = yield* scene.campaign("draft", [account], people(12), pacing(48))
      const { dryRun } = yield* Explanation
      const before = yield* scene.leads(campaign.id)
      const found = yield* dryRun(scene.workspace.id, campaign.id, 10)
      assert.deepStrictEqual(found, {
        leads: 10,
        more: true,
        counts: [{ verdict: "skip", reason: "noConsent", count: 10 }]
      })
      assert.deepStrictEqual(yield* scene.leads(campaign.id), before)
      assert.strictEqual(channel.asked.length, 0)
      const wide = yield* scene.campaign("wide", [account], people(1, "w"), pacing(48), [2])
      const { change } = yield* Accounts
      yield* change(scene.workspace.id, account.id, { dailyCap: 1 }, system)
      const [most] = (yield* dryRun(scene.workspace.id, wide.id, 10)).counts
      assert.deepStrictEqual(most, { verdict: "block", reason: "partsOverCap", count: 1 })
    }).pipe(Effect.provide(engine(channel)))
  })
})
