/**
 * The files of a person's chats. Erasing marks them in the transaction of the erasure; their bytes go right after it, and
 * also when the process is killed in between, as the marks stay until that is done.
 */
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { AccountStore } from "../account/AccountStore.ts"
import type { PersonParty } from "../contact/PersonParty.ts"
import * as ChatsOfPerson from "./ChatsOfPerson.ts"
import * as Media from "./Media.ts"
import { MediaRecordStore } from "./MediaRecordStore.ts"

const encode = Schema.encodeSync(Schema.toCodecJson(Schema.Array(Media.Media)))

export class MediaPersons extends Context.Service<MediaPersons, PersonParty>()("@overture/core/MediaPersons") {
  static readonly layer = Layer.effect(
    MediaPersons,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const accounts = yield* AccountStore
  const records = yield* MediaRecordStore

  return MediaPersons.of({
    name: "media",
    export: Effect.fn("MediaPersons.export")(function* (workspace, contact) {
      const held = yield* records.ofChats(workspace, yield* ChatsOfPerson.of(accounts, workspace, contact))
      return { data: encode(held), subjects: held.map(({ id }) => id) }
    }),
    erase: Effect.fn("MediaPersons.erase")(function* (workspace, contact) {
      const chats = yield* ChatsOfPerson.of(accounts, workspace, contact)
      const now = yield* Clock.currentTimeMillis
      const changes = yield* records.modifyOfChats(workspace, chats, (media) => Media.discarded(media, now))
      return changes.map(({ before }) => before.id)
    })
  })
})
