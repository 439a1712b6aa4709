/**
 * The chats and messages of a person, also a chat that nobody was known in, or whose first message is still on its way,
 * and test sends that showed somebody else what the person would read.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { AccountStore } from "../account/AccountStore.ts"
import type { PersonParty } from "../contact/PersonParty.ts"
import { format } from "../workspace/Instant.ts"
import * as Chat from "./Chat.ts"
import * as ChatsOfPerson from "./ChatsOfPerson.ts"
import { ChatStore } from "./ChatStore.ts"
import { Message } from "./Message.ts"

const encode = Schema.encodeSync(
  Schema.toCodecJson(Schema.Struct({ chats: Schema.Array(Chat.Chat), messages: Schema.Array(Message) }))
)

export class ChatPersons extends Context.Service<ChatPersons, PersonParty>()("@overture/core/ChatPersons") {
  static readonly layer = Layer.effect(
    ChatPersons,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const accounts = yield* AccountStore
  const store = yield* ChatStore

  return ChatPersons.of({
    name: "chats",
    export: Effect.fn("ChatPersons.export")(function* (workspace, contact) {
      const held = yield* store.held(workspace, yield* ChatsOfPerson.of(accounts, workspace, contact))
      const shown = yield* store.showing(workspace, contact.id)
      const notices = held.notices.map(({ chat, externalId, notice, toldAt }) => ({
        chat,
        externalId,
        toldAt: format(toldAt),
        notice: { ...notice, at: format(notice.at) } as Schema.Json
      }))
      const { chats } = held
      const messages = [...held.messages, ...shown]
      return {
        data: { ...(encode({ chats, messages }) as object), notices },
        subjects: [...chats, ...messages].map(({ id }) => id)
      }
    }),
    erase: Effect.fn("ChatPersons.erase")(function* (workspace, contact) {
      const chats = yield* ChatsOfPerson.of(accounts, workspace, contact)
      const shown = yield* store.showing(workspace, contact.id)
      const messages = yield* store.erase(
        workspace,
        chats,
        shown.map(({ id }) => id)
      )
      return [...chats, ...messages]
    })
  })
})
