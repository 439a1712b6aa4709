/** Somebody is erased while something is being written to them: nothing of it is left. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { MediaRecordStore } from "../../src/chat/MediaRecordStore.ts"
import { MediaSource } from "../../src/chat/MediaSource.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as MemoryMediaStore from "../../src/memory/MemoryMediaStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { hour } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import * as Seed from "../../src/workspace/Seed.ts"
import * as Desk from "../chat/Desk.ts"

const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0])

describe("somebody who is erased while the file of a message to them is fetched", () => {
  for (const verb of ["erase", "remove"] as const) {
    for (const to of ["contact", "chat", "person"] as const) {
      it.effect(`gets no message by their ${to} once the verb is ${verb}, and no row or file is left`, () => {
        let meanwhile: Effect.Effect<void> = Effect.void
        const web = Layer.succeed(MediaSource, {
          download: () => Effect.as(meanwhile, { bytes: png, mime: "image/png", filename: "theirs.png" })
        } as MediaSource["Service"])
        const channel = TestChannel.make({ capabilities: { mediaIntake: { by: "bytes" } } })
        const engine = Overture.layer({
          storage: MemoryStorage.layer,
          channels: [channel],
          media: Layer.merge(
            MemoryMediaStore.layer((bytes) => `${bytes.length}`),
            web
          ),
          time: PacingTime.layerVirtual(Desk.start),
          addressHash: (address) => Seed.digest(`secret ${address}`)
        })
        return Effect.gen(function* () {
          const it = yield* Desk.make(channel)
          yield* it.says("osprey", "hello")
          const contacts = yield* Contacts
          const known = yield* (yield* ContactStore).byAddress(it.workspace, `${channel.name}//osprey`)
          const person = known._tag === "Some" ? known.value.id : assert.fail("nobody wrote")
          meanwhile = Effect.orDie(contacts[verb](it.workspace, person, system))
          const chat = it.chatOf("osprey")
          const address = {
            contact: { contact: person },
            chat: { chat },
            person: { account: it.account.id, person: "osprey" }
          }
          const failure = yield* Effect.flip(
            it.messages.send(it.workspace, {
              to: address[to],
              content: { type: "media", kind: "image", url: "https://example.com/theirs.png", caption: "Dear Osprey" },
              author: { type: "api", id: null }
            })
          )
          assert.strictEqual(failure._tag, "ContactNotFound")
          yield* it.run(Desk.start + hour)
          assert.deepStrictEqual(channel.asked, [])
          const { data } = yield* it.messages.list(it.workspace, {}, {})
          assert.deepStrictEqual(
            data.map(({ direction, status }) => `${direction} ${status}`),
            ["inbound received"]
          )
          assert.notMatch(JSON.stringify(data), /osprey/i)
          const files = yield* (yield* MediaRecordStore).ofChats(it.workspace, [chat])
          assert.deepStrictEqual(
            files.filter(({ status }) => status === "stored"),
            []
          )
        }).pipe(Effect.provide(engine))
      })
    }
  }
})
