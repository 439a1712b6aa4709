import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ChannelEvent } from "../../src/channel/ChannelEvent.ts"
import type { Content } from "../../src/channel/Content.ts"
import type { InboundHook } from "../../src/chat/InboundHook.ts"
import { OptOuts } from "../../src/chat/OptOuts.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { Suppressions } from "../../src/contact/Suppressions.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import type { ContactId } from "../../src/workspace/Id.ts"
import { day, hour, type Instant } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import type { Workspace } from "../../src/workspace/Workspace.ts"
import * as Scene from "../engine/Scene.ts"
import * as Desk from "./Desk.ts"

const { start } = Desk
const photo = (caption: string): Content => ({ type: "media", kind: "image", url: "https://p.example/a.jpg", caption })

type Received = Extract<ChannelEvent, { readonly type: "messageReceived" }>

/** Vera, who is known by two addresses. */
const two = (settings: Partial<Workspace> = {}) =>
  Effect.gen(function* () {
    const channel = TestChannel.make()
    const desk = yield* Desk.make(channel, settings)
    const contacts = yield* Contacts
    const list = yield* contacts.listNamed(desk.workspace, "people")
    const rules = { channel: channel.name, accounts: [desk.account] }
    const add = (externalId: string, externalRef = "vera") =>
      contacts.importRows(
        desk.workspace,
        list.id,
        [{ line: 2, externalId, externalRef, tags: [], attributes: {} }],
        rules
      )
    yield* add("vera")
    yield* add("vera-2")
    const [vera] = (yield* (yield* ContactStore).list(desk.workspace, {})).data
    const suppressions = yield* Suppressions
    return {
      ...desk,
      contacts,
      suppressions,
      vera: vera!.id,
      addresses: vera!.addresses,
      /** Whose messages nobody may answer any more, by the ids of their addresses. */
      stopped: Effect.map(suppressions.page(desk.workspace, { limit: 100 }), ({ data }) =>
        data.map(({ address, reason }) => `${address.split("/").at(-1)} ${reason}`)
      ),
      /** A message of a person at an instant of the platform. */
      heard: (person: string, at: Instant, more: Partial<Received>) =>
        desk.tell(({ dedupeKey }) => ({
          type: "messageReceived",
          dedupeKey,
          at,
          participant: { externalId: person, scope: "", name: person },
          externalId: dedupeKey,
          content: Builders.text("Hm"),
          ...more
        })),
      edited: (person: string, at: Instant, externalId: string, content: Content) =>
        desk.tell(({ dedupeKey }) => ({
          type: "messageEdited",
          dedupeKey,
          at,
          participant: { externalId: person, scope: "" },
          externalId,
          content
        })),
      /** The opt-outs and returns that the feed tells of, in its order. */
      wishes: Effect.map(
        Effect.flatMap(EventStore, ({ read }) => read(desk.workspace, null, 10_000)),
        (feed) =>
          feed.flatMap(({ event: { subject, type } }) =>
            type === "contact.opted_out" || type === "contact.opted_in"
              ? [`${subject === vera!.id ? "vera" : "?"} ${type.slice("contact.opted_".length)}`]
              : []
          )
      )
    }
  })

const engine = (...hooks: ReadonlyArray<InboundHook>) =>
  Overture.layer({
    storage: MemoryStorage.layer,
    channels: [TestChannel.make()],
    time: PacingTime.layerVirtual(start),
    inbound: hooks
  })

describe("STOP", () => {
  const ways: ReadonlyArray<readonly [string, Partial<Received>]> = [
    ["in the words of a message", { content: Builders.text("Stop!") }],
    ["in the caption of a photo", { content: photo("STOP") }],
    ["in the note of a contact request", { content: { type: "preContact", note: "Stop." } }],
    ["in the value of a button", { content: Builders.text("No, thank you"), button: "UNSUBSCRIBE" }],
    ["by the platform's own word for it", { optOut: true }]
  ]
  for (const [name, said] of ways) {
    it.effect(`is heard ${name}`, () =>
      Effect.gen(function* () {
        const desk = yield* two()
        yield* desk.heard("vera", start, said)
        assert.deepStrictEqual(yield* desk.stopped, ["vera optedOut", "vera-2 optedOut"])
        assert.deepStrictEqual(yield* desk.wishes, ["vera out"])
      }).pipe(Effect.provide(engine()))
    )
  }

  it.effect("is heard in an edit, at the edit's time", () =>
    Effect.gen(function* () {
      const desk = yield* two()
      yield* desk.heard("vera", start, { externalId: "m", content: Builders.text("Stpo") })
      yield* desk.edited("vera", start + 5, "m", Builders.text("STOP"))
      assert.deepStrictEqual(yield* desk.stopped, ["vera optedOut", "vera-2 optedOut"])
      yield* desk.heard("vera", start + 4, { content: Builders.text("START") })
      assert.lengthOf(yield* desk.stopped, 2)
      yield* desk.edited("vera", start + 9, "m", Builders.text("Start"))
      assert.deepStrictEqual(yield* desk.stopped, [])
      assert.deepStrictEqual(yield* desk.wishes, ["vera out", "vera in"])
    }).pipe(Effect.provide(engine()))
  )

  it.effect("is heard in an edit that came before its message, or after a later edit", () =>
    Effect.gen(function* () {
      const desk = yield* two()
      yield* desk.edited("vera", start + 9, "m", Builders.text("Never mind"))
      yield* desk.edited("vera", start + 5, "m", Builders.text("STOP"))
      assert.deepStrictEqual(yield* desk.stopped, [])
      yield* desk.heard("vera", start, { externalId: "m" })
      assert.deepStrictEqual(yield* desk.stopped, ["vera optedOut", "vera-2 optedOut"])
      yield* desk.heard("vera", start + 6, { content: Builders.text("START") })
      assert.deepStrictEqual(yield* desk.stopped, [])
      yield* desk.edited("vera", start + 7, "m", photo("stop"))
      assert.deepStrictEqual(yield* desk.stopped, ["vera optedOut", "vera-2 optedOut"])
    }).pipe(Effect.provide(engine()))
  )

  it.effect("is nothing where the account's owner wrote it", () =>
    Effect.gen(function* () {
      const desk = yield* two()
      yield* desk.tell(({ at, dedupeKey }) => ({
        type: "messageEchoed",
        at,
        dedupeKey,
        participant: { externalId: "vera", scope: "" },
        externalId: "m",
        content: Builders.text("Hello")
      }))
      yield* desk.edited("vera", start + 5, "m", Builders.text("STOP"))
      assert.deepStrictEqual(yield* desk.stopped, [])
    }).pipe(Effect.provide(engine()))
  )

  it.effect("is what a hook takes a message for", () => {
    const intent: InboundHook = {
      name: "intent",
      judge: (_account, all) =>
        Effect.succeed(
          all.map(({ content }) => ({ optOut: content.type === "text" && content.text.includes("lawyer") }))
        )
    }
    return Effect.gen(function* () {
      const desk = yield* two()
      yield* desk.says("vera", "Hello")
      assert.deepStrictEqual(yield* desk.stopped, [])
      yield* desk.says("vera", "You will hear from my lawyer")
      assert.deepStrictEqual(yield* desk.stopped, ["vera optedOut", "vera-2 optedOut"])
      assert.deepStrictEqual(yield* desk.wishes, ["vera out"])
    }).pipe(Effect.provide(engine(intent)))
  })

  it.effect("holds at an address that is added later, and START gives that back, too", () =>
    Effect.gen(function* () {
      const desk = yield* two()
      yield* desk.says("vera", "STOP")
      const list = yield* desk.contacts.listNamed(desk.workspace, "people")
      const rules = { channel: "sandbox", accounts: [desk.account] }
      const rows = [{ line: 2, externalId: "vera-3", externalRef: "vera", tags: [], attributes: {} }]
      yield* desk.contacts.importRows(desk.workspace, list.id, rows, rules)
      assert.deepStrictEqual(yield* desk.stopped, ["vera optedOut", "vera-2 optedOut", "vera-3 optedOut"])
      yield* desk.wait(hour)
      yield* desk.says("vera-2", "START")
      assert.deepStrictEqual(yield* desk.stopped, [])
    }).pipe(Effect.provide(engine()))
  )
})

describe("START", () => {
  it.effect("gives back all that STOP took, and is told of", () =>
    Effect.gen(function* () {
      const desk = yield* two()
      yield* desk.heard("vera", start, { content: Builders.text("STOP") })
      yield* desk.heard("vera-2", start + 1, { content: Builders.text("START") })
      assert.deepStrictEqual(yield* desk.stopped, [])
      assert.deepStrictEqual(yield* desk.wishes, ["vera out", "vera in"])
    }).pipe(Effect.provide(engine()))
  )

  it.effect("speaks for its own address alone where STOP does", () =>
    Effect.gen(function* () {
      const desk = yield* two({ optOutScope: "address" })
      yield* desk.heard("vera", start, { content: Builders.text("STOP") })
      yield* desk.heard("vera-2", start, { content: Builders.text("STOP") })
      yield* desk.heard("vera", start + 1, { content: Builders.text("START") })
      assert.deepStrictEqual(yield* desk.stopped, ["vera-2 optedOut"])
    }).pipe(Effect.provide(engine()))
  )

  it.effect("is told of where it lifts something, whichever came first", () =>
    Effect.gen(function* () {
      const desk = yield* two()
      const says = (at: number, words: string) => desk.heard("vera", start + at, { content: Builders.text(words) })
      yield* says(5, "START")
      assert.deepStrictEqual(yield* desk.wishes, [])
      yield* says(3, "STOP")
      assert.deepStrictEqual(yield* desk.wishes, ["vera out", "vera in"])
      yield* says(9, "STOP")
      yield* says(7, "START")
      assert.deepStrictEqual(yield* desk.wishes, ["vera out", "vera in", "vera out"])
      assert.lengthOf(yield* desk.stopped, 2)
    }).pipe(Effect.provide(engine()))
  )
})

describe("a consent", () => {
  it.effect("is a return: told of, and outlasting an older stop that is told late", () =>
    Effect.gen(function* () {
      const desk = yield* two()
      yield* desk.wait(day)
      const now = yield* desk.now
      yield* desk.heard("vera", now - 9, { content: Builders.text("STOP") })
      const consent = { channel: "*", scope: "", source: "form", at: now }
      yield* desk.contacts.recordConsent(desk.workspace, desk.vera, consent, Desk.api)
      assert.deepStrictEqual([yield* desk.stopped, yield* desk.wishes], [[], ["vera out", "vera in"]])
      yield* desk.heard("vera-2", now - 5, { content: Builders.text("STOP") })
      assert.deepStrictEqual(yield* desk.stopped, [])
    }).pipe(Effect.provide(engine()))
  )

  it.effect("of a time to come keeps nobody from stopping until then", () =>
    Effect.gen(function* () {
      const desk = yield* two()
      const consent = { channel: "*", scope: "", source: "form", at: start + 400 * day }
      yield* desk.contacts.recordConsent(desk.workspace, desk.vera, consent, Desk.api)
      yield* desk.wait(hour)
      yield* desk.says("vera", "STOP")
      assert.lengthOf(yield* desk.stopped, 2)
    }).pipe(Effect.provide(engine()))
  )
})

describe("an opt-out by a call", () => {
  it.effect("suppresses every address, is told with who asked for it, and START lifts it", () =>
    Effect.gen(function* () {
      const desk = yield* two({ optOutScope: "address", optOutReply: "Bye" })
      const optOuts = yield* OptOuts
      yield* optOuts.optOut(desk.workspace, desk.vera, Desk.api)
      assert.deepStrictEqual(yield* desk.stopped, ["vera optedOut", "vera-2 optedOut"])
      const told = (yield* desk.told(desk.vera)).map(({ actor, data, type }) => ({ actor, data, type }))
      assert.deepStrictEqual(told, [{ actor: Desk.api, data: {}, type: "contact.opted_out" }])
      yield* desk.wait(hour)
      yield* desk.says("vera", "START")
      assert.deepStrictEqual(yield* desk.stopped, ["vera-2 optedOut"])
      const nobody = yield* Effect.flip(optOuts.optOut(desk.workspace, "con_0" as ContactId, Desk.api))
      assert.strictEqual(nobody._tag, "ContactNotFound")
    }).pipe(Effect.provide(engine()))
  )

  it.effect("is told of once, however often it is done, until they come back", () =>
    Effect.gen(function* () {
      const desk = yield* two()
      const again = Effect.gen(function* () {
        yield* desk.wait(hour)
        yield* (yield* OptOuts).optOut(desk.workspace, desk.vera, Desk.api)
      })
      yield* Effect.repeat(again, { times: 2 })
      assert.deepStrictEqual(yield* desk.wishes, ["vera out"])
      yield* desk.wait(hour)
      yield* desk.says("vera", "START")
      yield* Effect.repeat(again, { times: 2 })
      assert.deepStrictEqual(yield* desk.wishes, ["vera out", "vera in", "vera out"])
      assert.deepStrictEqual(yield* desk.stopped, ["vera optedOut", "vera-2 optedOut"])
    }).pipe(Effect.provide(engine()))
  )

  it.effect("ends what campaigns have open and everything that was to follow", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const account = yield* it.account("a")
      const pacing = { rangeMin: 24, rangeMax: 24, jitter: 0, catchUp: "skip" as const, newShare: 0.25 }
      const touched = yield* it.campaign("touched", [account], [{ id: "p" }], { pacing }, [1, 1])
      yield* it.start(touched.id)
      yield* it.run(start + hour)
      const open = yield* it.campaign("open", [account], [{ id: "p" }], { pacing }, [1, 1])
      const [lead] = yield* it.leads(touched.id)
      yield* (yield* OptOuts).optOut(account.workspace, lead!.contact, Desk.api)
      yield* it.start(open.id)
      yield* it.run(start + 9 * day)
      assert.lengthOf(channel.asked, 1)
      const stands = Effect.map(Effect.all([it.leads(touched.id), it.leads(open.id)]), (all) =>
        all.flat().map(({ ended, status }) => [status, ended])
      )
      assert.deepStrictEqual(yield* stands, [
        ["sent", "optedOut"],
        ["skipped", "optedOut"]
      ])
    }).pipe(
      Effect.provide(
        Overture.layer({ storage: MemoryStorage.layer, channels: [channel], time: PacingTime.layerVirtual(start) })
      )
    )
  })
})
