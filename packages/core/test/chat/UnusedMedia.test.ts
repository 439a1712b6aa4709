/** Files that were given to us: those that nothing was made of go after their time, and no other. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Workspaces } from "../../src/account/Workspaces.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { Templates } from "../../src/campaign/Templates.ts"
import type { Content } from "../../src/channel/Content.ts"
import { MediaLibrary } from "../../src/chat/MediaLibrary.ts"
import { MediaRecordStore } from "../../src/chat/MediaRecordStore.ts"
import { type MediaSource, MediaSource as Source } from "../../src/chat/MediaSource.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { Retentions } from "../../src/job/Retentions.ts"
import * as MemoryMediaStore from "../../src/memory/MemoryMediaStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import type { MediaId } from "../../src/workspace/Id.ts"
import { day } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import * as Desk from "./Desk.ts"

const nobody = Layer.succeed(Source, {
  download: () => Effect.die("nothing is fetched here")
} as MediaSource["Service"])
const media = Layer.merge(
  MemoryMediaStore.layer((bytes) => `${bytes.length}`),
  nobody
)

describe("files that nothing was made of", () => {
  it.effect("go after their time; what is named, sent or kept on purpose stays", () => {
    const channel = TestChannel.make()
    const engine = Overture.layer({
      storage: MemoryStorage.layer,
      channels: [channel],
      media,
      time: PacingTime.layerVirtual(Desk.start)
    })
    return Effect.gen(function* () {
      yield* TestClock.setTime(Desk.start)
      const { account, build, messages, workspace, wait } = yield* Desk.make(channel)
      const [library, records] = [yield* MediaLibrary, yield* MediaRecordStore]
      const upload = (expiresAt?: number) =>
        Effect.map(
          library.upload(workspace, Stream.make(new Uint8Array([1, 2, 3])), {
            kind: "file",
            ...(expiresAt !== undefined && { expiresAt })
          }),
          ({ id }) => id
        )
      const content = (id: MediaId): Content => ({ type: "media", kind: "file", url: `media:${id}`, caption: "look" })
      const files = {
        forgotten: yield* upload(),
        saved: yield* upload(),
        planned: yield* upload(),
        sent: yield* upload(),
        kept: yield* upload(Desk.start + 400 * day)
      }
      yield* (yield* Templates).create(workspace, { content: content(files.saved) }, system)
      const step = { ...build.step(), parts: [{ variants: [{ weight: 1, content: content(files.planned) }] }] } as const
      yield* (yield* Campaigns).create(
        {
          workspace,
          name: "planned",
          settings: build.settings({ steps: [step] }),
          accounts: [account.id],
          externalRef: null,
          metadata: {}
        },
        system
      )
      yield* messages.send(workspace, {
        to: { account: account.id, person: "ann" },
        content: content(files.sent),
        author: { type: "api", id: null },
        notBefore: Desk.start + 300 * day
      })
      const purge = Effect.flatMap(Retentions, (retentions) => retentions.purge(workspace))
      const left = Effect.map(records.list(workspace, {}), ({ data }) =>
        Object.entries(files).flatMap(([name, id]) => (data.some((one) => one.id === id) ? [name] : []))
      )
      yield* TestClock.setTime(Desk.start + 30 * day)
      yield* wait(30 * day)
      assert.strictEqual((yield* purge).unusedMedia, 0)
      yield* TestClock.setTime(Desk.start + 31 * day)
      yield* wait(day)
      assert.strictEqual((yield* purge).unusedMedia, 1)
      assert.deepStrictEqual(yield* left, ["saved", "planned", "sent", "kept"])
      yield* (yield* Workspaces).change(workspace, { retention: { unusedMedia: 1 } }, system)
      const late = yield* upload()
      yield* TestClock.setTime(Desk.start + 33 * day)
      yield* wait(2 * day)
      assert.strictEqual((yield* purge).unusedMedia, 1)
      assert.strictEqual((yield* Effect.flip(library.get(workspace, late)))._tag, "MediaNotFound")
      assert.lengthOf(yield* left, 4)
    }).pipe(Effect.provide(engine))
  })
})
