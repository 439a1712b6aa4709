/** The ids of all chats that a person may have: they follow from the accounts of the workspace and the person's addresses. */
import { Effect } from "effect"
import type { AccountStore } from "../account/AccountStore.ts"
import * as Address from "../channel/Address.ts"
import type { Contact } from "../contact/Contact.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import { everything } from "../workspace/Page.ts"
import * as Chat from "./Chat.ts"

/** Also those that were never opened. */
export const of = Effect.fnUntraced(function* (
  accounts: Pick<AccountStore["Service"], "list">,
  workspace: WorkspaceId,
  { addresses }: Contact
) {
  const all = yield* everything((page) => accounts.list(workspace, page))
  return all.flatMap((account) =>
    addresses.flatMap((address) =>
      address.channel === account.channel ? [Chat.idOf(account.id, Address.key(address))] : []
    )
  )
})
