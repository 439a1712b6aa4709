/** The port for account groups. Which accounts are in one is written in the accounts (`Account.group`). */
import { Context, type Effect, type Option } from "effect"
import type { AccountGroupId, WorkspaceId } from "../workspace/Id.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { AccountGroup } from "./AccountGroup.ts"

export class AccountGroupStore extends Context.Service<
  AccountGroupStore,
  {
    /** Creates it with nothing used, or changes nothing when the id exists: false. */
    create(group: AccountGroup): Effect.Effect<boolean, StorageError>
    get(workspace: WorkspaceId, id: AccountGroupId): Effect.Effect<Option.Option<AccountGroup>, StorageError>
    /** In order of their ids. */
    list(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<AccountGroup>, StorageError>
    /** Locks the row, applies the rule, writes; id, workspace, creation and what is used stay. None when there is no such group in the workspace. */
    modify(
      workspace: WorkspaceId,
      id: AccountGroupId,
      change: (group: AccountGroup) => AccountGroup
    ): Effect.Effect<Option.Option<AccountGroup>, StorageError>
  }
>()("@overture/core/AccountGroupStore") {}
