/** The ids of all chats that a person may have: they follow from the accounts of the workspace and the person's addresses. */
import { Effect } from "effect"
import type { AccountStore } from "../account/AccountStore.ts"
import * as Address from "../channel/Address.ts"
import type { Contact } from "../contact/Contact.ts"
import type { ChatId, WorkspaceId } from "../workspace/Id.ts"
import { maxLimit } from "../workspace/Page.ts"
import * as Chat from "./Chat.ts"

/** Also those that were never opened. */
export const of = Effect.fnUntraced(function* (
  accounts: Pick<AccountStore["Service"], "list">,
  workspace: WorkspaceId,
  { addresses }: Contact
) {
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
