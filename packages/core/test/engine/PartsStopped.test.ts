import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Account } from "../../src/account/Account.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import type { ChannelEvent } from "../../src/channel/ChannelEvent.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import { Inbox } from "../../src/chat/Inbox.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day, hour, type Instant } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Builders
const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }

/** What the person, or the owner of the account on another device, says at `at`. */
const said = (type: "messageReceived" | "messageEchoed", at: Instant): ChannelEvent => ({
  type,
  dedupeKey: "said",
  at,
  participant: { externalId: "p", scope: "" },
  externalId: "said",
  content: Builders.text("Hm")
})

describe("a part that is being sent while somebody speaks, and is not taken as the account has trouble", () => {
  it.effect.each<readonly ["first" | "noReply", "messageReceived" | "messageEchoed", "replied" | "takenOver"]>([
    ["first", "messageReceived", "replied"],
    ["first", "messageEchoed", "takenOver"],
    ["noReply", "messageReceived", "replied"]
  ])("leaves the touch in part (%s, %s)", ([type, event, ended]) => {
    const before = type === "first" ? 0 : 1
    const place: { inbox?: Inbox["Service"]; account?: Account } = {}
    const channel: TestChannel.TestChannel = TestChannel.make({
      capabilities: { polling: false },
      answer: (_asked, count): Outcome | undefined | Effect.Effect<Outcome> =>
        count !== before + 2
          ? undefined
          : Effect.gen(function* () {
              yield* place.inbox!.receive(place.account!, [said(event, start + before * day + 3 * hour)])
              return { type: "unauthorized" } as const
            }).pipe(Effect.orDie)
    })
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const account = yield* it.account("a")
      Object.assign(place, { inbox: yield* Inbox, account })
      const steps = [
        it.build.step({ parts: type === "first" ? 2 : 1 }),
        it.build.step({ type: "noReply", sendAfterDays: 1, parts: 2 })
      ] as const
      const campaign = yield* it.campaign("c", [account], [{ id: "p" }], { pacing, steps })
      yield* it.start(campaign.id)
      yield* it.run(start + 3 * day)
      yield* (yield* Accounts).change(it.workspace.id, account.id, { attention: [] }, system)
      yield* it.run(start + 9 * day)
      assert.strictEqual(channel.asked.length, before + 2)
      const [lead] = yield* it.leads(campaign.id)
      assert.deepStrictEqual(
        [lead!.ended, ...lead!.touches.slice(0, before + 1).map(({ reason, status }) => [status, reason])],
        [ended, ...(before === 0 ? [] : [["sent", null]]), ["partial", ended]]
      )
      assert.strictEqual(lead!.status, before === 0 ? "partial" : "sent")
      const [counted, recounted] = yield* it.counts(campaign.id)
      assert.deepStrictEqual(counted, recounted)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
