/** The channels that the accounts of a database are on: what a command must have to judge their leads. */
import { AccountStore } from "@overture/core/account/AccountStore"
import type { Account } from "@overture/core/account/Account"
import type { Channel } from "@overture/core/channel/Channel"
import type { WorkspaceId } from "@overture/core/workspace/Id"
import type { Page, PageRequest } from "@overture/core/workspace/Page"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect } from "effect"
import * as Engine from "./Engine.ts"
import { everything } from "@overture/core/workspace/Page"

/** Everything that a paged read has in any workspace. */
export const ofWorkspaces = <A>(
  read: (workspace: WorkspaceId, request: PageRequest) => Effect.Effect<Page<A>, StorageError>
) =>
  Effect.gen(function* () {
    const workspaces = yield* (yield* WorkspaceStore).list
    const found = yield* Effect.forEach(workspaces, ({ id }) => everything((request) => read(id, request)))
    return found.flat()
  })

/** Their names, the sandbox first. */
export const names = Effect.gen(function* () {
  const store = yield* AccountStore
  const accounts = yield* ofWorkspaces<Account>((workspace, request) => store.list(workspace, request))
  return [...new Set(["sandbox", ...accounts.map(({ channel }) => channel)])]
})

/** Stand-ins with their names, for a command that sends nothing. */
export const silent = (channels: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Channel>> =>
  Effect.scoped(Effect.orDie(Engine.sandboxes(channels, { script: null, log: undefined }, Engine.clockHolder())))
