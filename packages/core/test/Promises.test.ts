import { assert, describe, it } from "vitest"
import { Effect, Layer, Schema } from "effect"
import type { Outcome } from "../src/channel/Outcome.ts"
import * as JobHandler from "../src/job/JobHandler.ts"
import * as MemoryStorage from "../src/memory/MemoryStorage.ts"
import { createOverture } from "../src/Overture.ts"
import { OutboxStore } from "../src/outbox/OutboxStore.ts"
import * as Builders from "../src/testing/Builders.ts"
import * as TestChannel from "../src/testing/TestChannel.ts"
import { EngineClosed } from "../src/EngineLife.ts"
import { StorageError } from "../src/workspace/StorageError.ts"
import type { Transaction } from "../src/workspace/Transaction.ts"

const actor = { type: "api", id: "host" } as const
const build = Builders.make("promises")

/** A storage that was restored from a backup, until somebody says to go on. */
const restored = () => {
  let isRestored = true
  return Layer.provideMerge(
    Layer.effect(
      OutboxStore,
      Effect.map(OutboxStore, (store) =>
        OutboxStore.of({
          ...store,
          guard: Effect.suspend(() =>
            isRestored ? Effect.succeed({ type: "restored" as const, detail: "an older place" }) : store.guard
          ),
          acknowledge: Effect.sync(() => void (isRestored = false))
        })
      )
    ),
    MemoryStorage.layer
  )
}

/** A workspace with one account on the channel. */
const prepared = async (overture: ReturnType<typeof createOverture>) => {
  const workspace = await overture.workspaces.create({ name: "host" }, actor)
  const { account } = await overture.accounts.connect(
    { workspace: workspace.id, channel: "sandbox", externalId: "a", minGapMs: 0 },
    actor
  )
  const send = (person: string) =>
    overture.messages.send(workspace.id, {
      to: { account: account.id, person },
      content: Builders.text("Hello"),
      author: { type: "api", id: null }
    })
  return { workspace, send }
}

describe("createOverture", () => {
  it("gives the verbs of its services as promises, and the feed as an iterable", async () => {
    const channel = TestChannel.make()
    await using overture = createOverture({ storage: MemoryStorage.layer, channels: [channel] })
    const { send, workspace } = await prepared(overture)
    const { id } = await send("ann")
    await overture.tick()
    assert.strictEqual((await overture.messages.find(workspace.id, id)).status, "sent")
    for await (const { event } of overture.follow(workspace.id, { after: null, events: ["message.sent"] })) {
      assert.strictEqual(event.subject, id)
      break
    }
    assert.strictEqual((await overture.campaigns.list(workspace.id, {})).data.length, 0)
    const gone: unknown = await overture.campaigns.get(workspace.id, build.ids.next("cmp")).catch((error) => error)
    assert.propertyVal(gone, "_tag", "CampaignNotFound", "by the service and not by its store")
    assert.strictEqual(await Promise.resolve(overture.messages), overture.messages)
  })

  it("rejects with the errors that verbs name, and of a verb that there is not", async () => {
    await using overture = createOverture({ storage: MemoryStorage.layer, channels: [] })
    const tags: Array<unknown> = []
    await overture.workspaces.get(build.workspace().id).catch(({ _tag }: { _tag: string }) => tags.push(_tag))
    const messages = overture.messages as unknown as Record<string, () => Promise<unknown>>
    await messages["sned"]!().catch(({ message }: Error) => tags.push(message))
    assert.deepStrictEqual(tags, ["WorkspaceNotFound", "messages has no verb sned"])
  })

  it("says what keeps it from sending, and sends once that was answered and it is started again", async () => {
    const channel = TestChannel.make()
    await using overture = createOverture({ storage: restored(), channels: [channel] })
    const { send } = await prepared(overture)
    await send("ann")
    const ended = await new Promise<unknown>((resolve) => overture.start(resolve))
    assert.propertyVal(ended, "_tag", "RestoreDetected")
    assert.strictEqual(channel.asked.length, 0)
    await overture.acknowledge()
    overture.start()
    while (channel.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
  })

  it("says that its database cannot be opened, and opens it when it can be", async () => {
    let isAway = true
    const away = new StorageError({ operation: "open", retryable: true, cause: new Error("no such directory") })
    const storage = Layer.unwrap(
      Effect.suspend(() => (isAway ? Effect.fail(away) : Effect.succeed(MemoryStorage.layer)))
    )
    const channel = TestChannel.make()
    await using overture = createOverture({ storage, channels: [channel] })
    assert.strictEqual(await new Promise<unknown>((resolve) => overture.start(resolve)), away)
    isAway = false
    const { send } = await prepared(overture)
    await send("ann")
    overture.start()
    while (channel.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
  })

  it("ends with its calls settled: the feed that is followed ends, and what is asked of it later is refused", async () => {
    const sending = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    const answer = Effect.promise(async (): Promise<Outcome> => {
      sending.resolve()
      await answered.promise
      return { type: "accepted", externalId: "x" }
    })
    const overture = createOverture({
      storage: MemoryStorage.layer,
      channels: [TestChannel.make({ answer: () => answer })]
    })
    const { send, workspace } = await prepared(overture)
    const types: Array<string> = []
    const following = (async () => {
      for await (const { event } of overture.follow(workspace.id, { after: null })) types.push(event.type)
    })()
    await send("ann")
    const ticking = overture.tick()
    await sending.promise
    const closing = overture.close()
    const ended: Array<unknown> = []
    const refused = send("ben").catch((error: unknown) => ended.push(error))
    overture.start((error) => ended.push(error))
    answered.resolve()
    assert.strictEqual((await ticking).sent, 1)
    await Promise.all([closing, overture.close(), following, refused])
    assert.isTrue(types.includes("workspace.created"))
    assert.deepStrictEqual(
      ended.map((error) => error instanceof EngineClosed),
      [true, true]
    )
  })

  it("does kinds of jobs of the host's own", async () => {
    const recount = ({ within }: Transaction["Service"]) =>
      JobHandler.make({
        kind: "shop.recount",
        input: Schema.Struct({ pages: Schema.Int }),
        checkpoint: Schema.Int,
        run: Effect.fn(function* ({ checkpoint, input, progress }) {
          for (let page = checkpoint ?? 0; page < input.pages; page++) {
            yield* within(progress({ done: page + 1, total: input.pages, checkpoint: page + 1 }))
          }
          return { counted: input.pages }
        })
      })
    await using overture = createOverture({
      storage: MemoryStorage.layer,
      channels: [TestChannel.make()],
      jobHandlers: (transaction) => [recount(transaction)]
    })
    const { workspace } = await prepared(overture)
    overture.start()
    const { job } = await overture.jobs.submit({
      workspace: workspace.id,
      actor,
      kind: "shop.recount",
      input: { pages: 3 }
    })
    const done = await overture.jobs.wait(workspace.id, job.id)
    assert.deepStrictEqual([done.status, done.result], ["succeeded", { counted: 3 }])
  })
})
