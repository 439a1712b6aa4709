/**
 * Whether a person asks to be written to no more, or again, in anything they say: the words of a message (its text, its
 * caption or its note), an edit of one, the value of a button they pressed, or the channel's own signal. Pure, and the one
 * place that decides it.
 */
import { type Content, words } from "../channel/Content.ts"
import type { Wish } from "../contact/Wish.ts"
import type { ChatId, ContactId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { PersonEvent } from "./InboundPeople.ts"
import type { Notice } from "./Notice.ts"
import * as OptOutWords from "./OptOutWords.ts"

/** A wish, by whom and where it was said. */
export interface SaidWish {
  readonly type: Wish["type"]
  /** The platform's time. */
  readonly at: Instant
  /** The place of what it was said in among the events of its batch. */
  readonly index: number
  /** The key of the address. */
  readonly address: string
  readonly chat: ChatId
  readonly contact: ContactId | null
}

/** What is compared with the words, each as a whole. */
const said = (content: Content, button: string | undefined): ReadonlyArray<string> => [
  words(content),
  ...(button === undefined ? [] : [button])
]

const wishIn = (content: Content, button?: string): Wish["type"] | null => {
  const all = said(content, button)
  return all.some(OptOutWords.isOptOut) ? "stop" : all.some(OptOutWords.isOptIn) ? "start" : null
}

/** What a person's event asks for; null = neither. Of both at once, stop. An edit is taken for one of a message of theirs. */
export const of = (event: PersonEvent | Notice): Wish["type"] | null => {
  switch (event.type) {
    case "optedOut":
      return "stop"
    case "messageReceived":
      return event.optOut === true ? "stop" : wishIn(event.content, event.button)
    case "messageEdited":
      return wishIn(event.content)
    default:
      return null
  }
}
