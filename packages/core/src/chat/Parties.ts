/** Finds where to talk with whom somebody means: the account, the person's address, and the chat if there is one. */
import { Context, Effect, Layer, Option } from "effect"
import { type Account, AccountNotFound } from "../account/Account.ts"
import { AccountStore } from "../account/AccountStore.ts"
import * as Address from "../channel/Address.ts"
import { type Channel, ChannelNotFound, Channels } from "../channel/Channel.ts"
import type { Contact } from "../contact/Contact.ts"
import { ContactNotFound } from "../contact/Contacts.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import type { ChatId, ContactId, WorkspaceId } from "../workspace/Id.ts"
import { everything } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import * as Chat from "./Chat.ts"
import { ChatNotFound } from "./Chat.ts"
import * as ChatChoice from "./ChatChoice.ts"
import { ChatStore } from "./ChatStore.ts"
import { InboxStore } from "./InboxStore.ts"
import { ContactUnreachable, type Party, PartyInvalid, personOf } from "./Party.ts"

export interface Place {
  readonly id: ChatId
  /** As it stands, also where it is deleted; null = there is none yet. */
  readonly chat: Chat.Chat | null
  readonly account: Account
  readonly channel: Channel
  /** The key of the person's address. */
  readonly address: string
  readonly contact: Contact | null
  /** For a chat that is new. */
  readonly name: string
}

export type PlaceError =
  | StorageError
  | ChatNotFound
  | AccountNotFound
  | ContactNotFound
  | ContactUnreachable
  | ChannelNotFound
  | PartyInvalid

export class Parties extends Context.Service<
  Parties,
  {
    place(workspace: WorkspaceId, party: Party): Effect.Effect<Place, PlaceError>
    /** The chats there are with a contact, deleted ones too. */
    chatsOf(
      workspace: WorkspaceId,
      contact: ContactId,
      wish: ChatChoice.Wish
    ): Effect.Effect<ReadonlyArray<Chat.Chat>, StorageError | ContactNotFound>
  }
>()("@overture/core/Parties") {
  static readonly layer = Layer.effect(
    Parties,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* ChatStore
  const inbox = yield* InboxStore
  const accounts = yield* AccountStore
  const contacts = yield* ContactStore
  const channels = yield* Channels

  const contactOf = Effect.fnUntraced(function* (workspace: WorkspaceId, id: ContactId) {
    const found = yield* contacts.get(workspace, id)
    return Option.isSome(found) ? found.value : yield* new ContactNotFound({ contact: id })
  })

  const channelOf = (account: Account) => {
    const channel = channels.all.get(account.channel)
    return channel === undefined
      ? Effect.fail(new ChannelNotFound({ channel: account.channel }))
      : Effect.succeed(channel)
  }

  const accountOf = Effect.fnUntraced(function* (workspace: WorkspaceId, id: Account["id"]) {
    const account = Option.getOrNull(yield* accounts.get(workspace, id))
    return account === null || account.removedAt !== undefined ? yield* new AccountNotFound({ account: id }) : account
  })

  const waysTo = Effect.fnUntraced(function* (workspace: WorkspaceId, contact: Contact, wish: ChatChoice.Wish) {
    const ways = ChatChoice.ways(contact, yield* everything((page) => accounts.list(workspace, page)), wish)
    return { ways, chats: yield* inbox.find(workspace, ways.map(ChatChoice.chatOf)) }
  })

  const byChat = Effect.fnUntraced(function* (workspace: WorkspaceId, id: ChatId) {
    const chat = Option.getOrNull(yield* store.get(workspace, id))
    if (chat === null || Chat.isDeleted(chat) || Address.isErased(chat.address)) {
      return yield* new ChatNotFound({ chat: id })
    }
    const account = yield* accountOf(workspace, chat.account)
    const contact = chat.contact === null ? null : Option.getOrNull(yield* contacts.get(workspace, chat.contact))
    // A chat goes with its person: this one is as it was before that.
    if (contact === null && chat.contact !== null) return yield* new ChatNotFound({ chat: id })
    return { account, address: chat.address, contact, name: chat.name }
  })

  const byContact = Effect.fnUntraced(function* (workspace: WorkspaceId, id: ContactId, wish: ChatChoice.Wish) {
    const contact = yield* contactOf(workspace, id)
    const { chats, ways } = yield* waysTo(workspace, contact, wish)
    const choice = ChatChoice.choose(ways, new Map(chats.map((chat) => [chat.id, chat])), contact)
    if (choice === null) return yield* new ContactUnreachable({ contact: id })
    return { account: choice.account, address: Address.key(choice.address), contact, name: contact.name }
  })

  const byPerson = Effect.fnUntraced(function* (workspace: WorkspaceId, party: Extract<Party, { person: string }>) {
    const account = yield* accountOf(workspace, party.account)
    const to = personOf(account, yield* channelOf(account), party.person)
    if (to instanceof PartyInvalid) return yield* to
    const address = Address.key(to)
    const contact = Option.getOrNull(yield* contacts.byAddress(workspace, address))
    return { account, address, contact, name: party.name ?? contact?.name ?? "" }
  })

  return Parties.of({
    place: Effect.fn("Parties.place")(function* (workspace, party) {
      const found =
        "chat" in party
          ? yield* byChat(workspace, party.chat)
          : "contact" in party
            ? yield* byContact(workspace, party.contact, party)
            : yield* byPerson(workspace, party)
      const id = Chat.idOf(found.account.id, found.address)
      const chat = Option.getOrNull(yield* store.get(workspace, id))
      return { ...found, id, chat, channel: yield* channelOf(found.account) }
    }),
    chatsOf: Effect.fn("Parties.chatsOf")(function* (workspace, id, wish) {
      return (yield* waysTo(workspace, yield* contactOf(workspace, id), wish)).chats
    })
  })
})
