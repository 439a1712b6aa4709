/** What is wrong with the accounts that a campaign is to have: each by its field. */
import { Effect, Option } from "effect"
import type { AccountStore } from "../account/AccountStore.ts"
import type { AccountId, WorkspaceId } from "../workspace/Id.ts"
import type { Problem } from "../workspace/Problem.ts"

/** Those that are none of the workspace. */
export const problems = Effect.fnUntraced(function* (
  store: AccountStore["Service"],
  workspace: WorkspaceId,
  asked: ReadonlyArray<AccountId>
) {
  const found: Array<Problem> = []
  for (const [i, id] of asked.entries()) {
    if (Option.isSome(yield* store.get(workspace, id))) continue
    found.push({ field: `accounts[${i}]`, message: `there is no account ${id} in this workspace` })
  }
  return found
})
