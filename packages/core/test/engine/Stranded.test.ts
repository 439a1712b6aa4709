import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { CampaignAccounts } from "../../src/campaign/CampaignAccounts.ts"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import { Explanation } from "../../src/campaign/Explanation.ts"
import { Retries } from "../../src/campaign/Retries.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import { Connections } from "../../src/account/Connections.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { Outbox } from "../../src/outbox/Outbox.ts"
import * as Overture from "../../src/Overture.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { StorageError } from "../../src/workspace/StorageError.ts"
import { day } from "../../src/workspace/Instant.ts"
import * as Scene from "./Scene.ts"

const { start } = Scene

/** A running campaign of accounts a and b over people each of whom the accounts of their scopes reach, in that order; "" = both. */
const scene = (
  channel: TestChannel.TestChannel,
  scopes: ReadonlyArray<ReadonlyArray<"a" | "b" | "">>,
  settings: Partial<CampaignSettings> = {}
) =>
  Effect.gen(function* () {
    const it = yield* Scene.make(channel)
    const { build, workspace } = it
    const [a, b] = [yield* it.account("a"), yield* it.account("b")]
    const list = yield* (yield* Contacts).listNamed(workspace.id, "people")
    yield* (yield* ContactStore).import(
      workspace.id,
      scopes.map((own, i) =>
        build.contact(workspace.id, {
          addresses: own.map((scope) => ({ channel: channel.name, scope, externalId: `p${i}` }))
        })
      ),
      list.id
    )
    const campaigns = yield* Campaigns
    const { campaign } = yield* campaigns.create(
      {
        workspace: workspace.id,
        name: "stranded",
        settings: build.settings({
          pacing: { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip", newShare: 1 },
          ...settings
        }),
        accounts: [a.id, b.id],
        externalRef: "stranded",
        metadata: {}
      },
      system
    )
    yield* campaigns.enrollList(workspace.id, campaign.id, list.id)
    yield* it.start(campaign.id)
    const fates = Effect.map(it.leads(campaign.id), (leads) =>
      leads
        .map(({ account, address, reason, status }) => {
          const by = account === a.id ? " by a" : account === b.id ? " by b" : ""
          return `${address.split("/").at(-1)} ${status}${reason === null ? "" : ` ${reason}`}${by}`
        })
        .toSorted()
    )
    const leave = Effect.flatMap(CampaignAccounts, (members) => members.leave(workspace.id, campaign.id, a.id, system))
    return { ...it, a, b, campaign, fates, leave }
  })

const ownScopes = { capabilities: { addressScope: "account" } } as const

describe("people whom only an account reached that left", () => {
  it.effect.each([
    ["was held up", { type: "rateLimited", scope: "recipient", retryAfterMs: 60_000 }],
    ["did not get through", { type: "transient", detail: "busy" }]
  ] as const)("are skipped once what was being sent %s", ([, outcome]) => {
    let meanwhile: Effect.Effect<Outcome> | undefined
    const channel = TestChannel.make({ ...ownScopes, answer: ({ to }) => (to === "p0" ? meanwhile : undefined) })
    return Effect.gen(function* () {
      const it = yield* scene(channel, [["a"], ["a", "b"], ["b"]])
      const context = yield* Effect.context<CampaignAccounts>()
      meanwhile = Effect.orDie(Effect.as(it.leave, outcome)).pipe(Effect.provideContext(context))
      yield* it.run(start + 10 * day)
      assert.deepStrictEqual(yield* it.fates, ["p0 skipped unreachable", "p1 sent by b", "p2 sent by b"])
      assert.strictEqual(yield* it.status(it.campaign.id), "finished")
      const [counts, recount] = yield* it.counts(it.campaign.id)
      assert.deepStrictEqual(counts, recount)
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("are skipped where the process that let it leave died at once", () => {
    const channel = TestChannel.make(ownScopes)
    return Effect.gen(function* () {
      const it = yield* scene(channel, [["a"], ["a", "b"], ["b"]])
      yield* (yield* CampaignStore).leave(it.workspace.id, it.campaign.id, it.a.id, start, [])
      yield* it.run(start + 10 * day)
      assert.deepStrictEqual(yield* it.fates, ["p0 skipped unreachable", "p1 sent by b", "p2 sent by b"])
      assert.strictEqual(yield* it.status(it.campaign.id), "finished")
    }).pipe(Effect.provide(Scene.engine(channel)))
  })

  it.effect("are skipped when they are tried again", () => {
    let refused: ReadonlyArray<string> = ["p0", "p1"]
    const channel = TestChannel.make({
      ...ownScopes,
      answer: ({ to }) => (refused.includes(to) ? { type: "contentRejected" } : undefined)
    })
    return Effect.gen(function* () {
      const it = yield* scene(channel, [["a"], ["a", "b"], ["b"]])
      yield* it.run(start + 3 * day)
      yield* it.leave
      refused = []
      const choice = { type: "reasons", reasons: ["contentRejected"] } as const
      const retried = yield* (yield* Retries).retry(it.workspace.id, it.campaign.id, choice, system)
      assert.strictEqual(retried.leads.length, 2)
      yield* it.run(start + 10 * day)
      assert.deepStrictEqual(yield* it.fates, ["p0 skipped unreachable", "p1 sent by b", "p2 sent by b"])
      assert.strictEqual(yield* it.status(it.campaign.id), "finished")
      const { explain } = yield* Explanation
      for (const { id } of yield* it.leads(it.campaign.id)) {
        assert.strictEqual((yield* explain(it.workspace.id, id)).answer.type, "over")
      }
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("leads of an account that can no longer be counted on", () => {
  const losses = {
    left: (it: Effect.Success<ReturnType<typeof scene>>) =>
      Effect.flatMap(CampaignStore, (store) => store.leave(it.workspace.id, it.campaign.id, it.a.id, start, [])),
    "was removed": (it: Effect.Success<ReturnType<typeof scene>>) =>
      Effect.flatMap(Connections, ({ remove }) => remove(it.workspace.id, it.a.id, system)),
    "was switched off": (it: Effect.Success<ReturnType<typeof scene>>) =>
      Effect.flatMap(Accounts, ({ change }) => change(it.workspace.id, it.a.id, { enabled: false }, system))
  }
  for (const [how, lose] of Object.entries(losses)) {
    it.effect(`that ${how} go to others although the process that found it died before it gave them back`, () => {
      const channel = TestChannel.make()
      let dies = false
      const storage = Layer.provideMerge(
        Layer.effect(
          CampaignStore,
          Effect.map(CampaignStore, (store) => {
            const gone = new StorageError({ operation: "within", retryable: false, cause: new Error("killed") })
            const dead = <A>(verb: Effect.Effect<A, StorageError>) =>
              Effect.suspend(() => (dies ? Effect.fail(gone) : verb))
            return CampaignStore.of({
              ...store,
              changeLeads: (...given) => dead(store.changeLeads(...given)),
              draw: (...given) => dead(store.draw(...given)),
              leave: (...given) => dead(store.leave(...given))
            })
          })
        ),
        MemoryStorage.layer
      )
      const time = PacingTime.layerVirtual(start)
      return Effect.gen(function* () {
        const it = yield* scene(channel, [[""], [""], [""], [""]])
        yield* lose(it)
        dies = true
        yield* Effect.exit((yield* Outbox).tick)
        dies = false
        assert.isNotEmpty((yield* it.leads(it.campaign.id)).filter(({ account }) => account === it.a.id))
        yield* it.run(start + 10 * day)
        assert.deepStrictEqual(
          (yield* it.fates).map((fate) => fate.slice(3)),
          ["sent by b", "sent by b", "sent by b", "sent by b"]
        )
        assert.strictEqual(yield* it.status(it.campaign.id), "finished")
      }).pipe(Effect.provide(Overture.layer({ storage, channels: [channel], time })))
    })
  }
})
