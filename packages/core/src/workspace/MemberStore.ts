/** The port for the people who work in a workspace. */
import { Context, type Effect, type Option } from "effect"
import type { MemberId, WorkspaceId } from "./Id.ts"
import type { Member } from "./Member.ts"
import type { Page, PageRequest } from "./Page.ts"
import type { StorageError } from "./StorageError.ts"

export class MemberStore extends Context.Service<
  MemberStore,
  {
    /** Adds a member; one of that id, or of that externalRef in the workspace, stays as it is and is returned. */
    create(member: Member): Effect.Effect<{ readonly member: Member; readonly created: boolean }, StorageError>
    get(workspace: WorkspaceId, id: MemberId): Effect.Effect<Option.Option<Member>, StorageError>
    /** In order of their ids. */
    list(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<Member>, StorageError>
    /** Locks the row, applies the rule, writes; id, workspace, externalRef and createdAt stay. None when there is none. */
    modify(
      workspace: WorkspaceId,
      id: MemberId,
      change: (member: Member) => Member
    ): Effect.Effect<Option.Option<Member>, StorageError>
    /**
     * Locks the workspace's members in id order, lets `choose` say who gets what comes next, and remembers whose turn it
     * was (`last` rises with each choice; 0 = never). Two of these run one after the other. Returns the choices.
     */
    takeTurns(
      workspace: WorkspaceId,
      choose: (members: ReadonlyArray<{ readonly member: Member; readonly last: number }>) => ReadonlyArray<MemberId>
    ): Effect.Effect<ReadonlyArray<MemberId>, StorageError>
  }
>()("@overture/core/MemberStore") {}
