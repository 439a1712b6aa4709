/** A step that an edit adds while the last touch of a lead is being settled: the lead goes on, whoever commits first. */
import { CampaignEdits } from "@overture/core/campaign/CampaignEdits"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { Lead } from "@overture/core/campaign/Lead"
import { alone } from "@overture/core/campaign/LeadStopping"
import { system } from "@overture/core/event/DomainEvent"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as TestChannel from "@overture/core/testing/TestChannel"
import { Ids } from "@overture/core/workspace/Id"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Transaction } from "@overture/core/workspace/Transaction"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import pg from "pg"
import * as Scene from "../../../core/test/engine/Scene.ts"
import * as PostgresStorage from "../../src/storage/PostgresStorage.ts"
import { freshDatabase } from "../storage/TestPostgres.ts"

const { start } = Builders

/** Asks until somebody waits for a row that another holds. */
const someoneWaits = (url: string) =>
  Effect.promise(async () => {
    const client = new pg.Client(url)
    await client.connect()
    try {
      for (;;) {
        const { rows } = await client.query("select 1 from pg_locks where not granted limit 1")
        if (rows.length > 0) return
      }
    } finally {
      await client.end()
    }
  })

type Stage = "claimed" | "betweenParts"

describe("a step that is added while a last touch is settled", () => {
  it.live.each<readonly [Stage]>([["claimed"], ["betweenParts"]])(
    "comes to its lead, too (%s)",
    ([stage]) =>
      Effect.gen(function* () {
        const url = yield* Effect.promise(freshDatabase)
        const channel = TestChannel.make()
        const layer = Overture.layer({
          storage: PostgresStorage.layer({ url }),
          channels: [channel],
          time: PacingTime.layerVirtual(start)
        })
        yield* Effect.gen(function* () {
          const scene = yield* Scene.make(channel)
          const account = yield* scene.account("a")
          const campaign = yield* scene.campaign("c", [account], [{ id: "p" }])
          const store = yield* CampaignStore
          const claim = (yield* (yield* Ids).generator).next("clm")
          const [lead] = yield* scene.leads(campaign.id)
          const set = (change: (lead: Lead) => Partial<Lead>) =>
            store.changeLeads({ type: "ids", ids: [lead!.id] }, start, (row) => ({
              ...alone,
              lead: { ...row, ...change(row) }
            }))
          yield* set(() => ({
            account: account.id,
            ...(stage === "claimed" ? { status: "assigned", claim } : { status: "sending" })
          }))
          const [settled, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
          // As its touch is settled: by the steps that there were when the lead was locked.
          const settling = yield* Effect.forkChild(
            (yield* Transaction).within(
              Effect.gen(function* () {
                yield* set(({ step }) => ({
                  claim: null,
                  status: "sent",
                  step: null,
                  ended: "completed",
                  touches: [{ step: step!, status: "sent", reason: null, at: start }],
                  firstSentAt: start,
                  lastSentAt: start
                }))
                yield* Deferred.succeed(settled, undefined)
                yield* Deferred.await(go)
              })
            )
          )
          yield* Deferred.await(settled)
          const added = scene.build.step({ type: "noReply", sendAfterDays: 2 })
          const steps = [...campaign.settings.steps, added] as unknown as typeof campaign.settings.steps
          const editing = yield* Effect.forkChild(
            (yield* CampaignEdits).edit(scene.workspace.id, campaign.id, { settings: { steps } }, system)
          )
          yield* Effect.race(someoneWaits(url), Fiber.await(editing))
          yield* Deferred.succeed(go, undefined)
          yield* Fiber.join(settling)
          yield* Fiber.join(editing)
          const [after] = yield* scene.leads(campaign.id)
          assert.deepStrictEqual([after!.ended, after!.step], [null, added.id])
        }).pipe(Effect.provide(layer))
      }),
    60_000
  )
})
