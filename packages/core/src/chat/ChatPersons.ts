/**
 * The chats and messages of a person. Their ids follow from the accounts of the workspace and the person's addresses, so
 * that neither a chat that nobody was known in nor one whose first message is still on its way is missed.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { AccountStore } from "../account/AccountStore.ts"
import * as Address from "../channel/Address.ts"
import type { Contact } from "../contact/Contact.ts"
import type { PersonParty } from "../contact/PersonParty.ts"
import type { ChatId, WorkspaceId } from "../workspace/Id.ts"
import { maxLimit } from "../workspace/Page.ts"
import * as Chat from "./Chat.ts"
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

  const chatsOf = Effect.fnUntraced(function* (workspace: WorkspaceId, { addresses }: Contact) {
    const chats: Array<ChatId> = []
    let cursor: string | undefined
    do {
      const page = yield* accounts.list(workspace, { limit: maxLimit, ...(cursor !== undefined && { cursor }) })
      for (const account of page.data) {
        for (const address of addresses) {
          if (address.channel === account.channel) chats.push(Chat.idOf(account.id, Address.key(address)))
        }
      }
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    return chats
  })

  return ChatPersons.of({
    name: "chats",
    export: Effect.fn("ChatPersons.export")(function* (workspace, contact) {
      const held = yield* store.held(workspace, yield* chatsOf(workspace, contact))
      return { data: encode(held), subjects: [...held.chats, ...held.messages].map(({ id }) => id) }
    }),
    erase: Effect.fn("ChatPersons.erase")(function* (workspace, contact) {
      const chats = yield* chatsOf(workspace, contact)
      const messages = yield* store.erase(workspace, chats)
      return [...chats, ...messages]
    })
  })
})
