/** The port for saved contents. */
import { Context, type Effect, type Option } from "effect"
import type { DomainEvent } from "../event/DomainEvent.ts"
import type { TemplateId, WorkspaceId } from "../workspace/Id.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Template } from "./Template.ts"

export class TemplateStore extends Context.Service<
  TemplateStore,
  {
    /** Adds a template; false, and no event, when the id exists. */
    create(template: Template, events: ReadonlyArray<DomainEvent>): Effect.Effect<boolean, StorageError>
    get(workspace: WorkspaceId, id: TemplateId): Effect.Effect<Option.Option<Template>, StorageError>
    /** In order of their ids, which is that of their making. */
    list(workspace: WorkspaceId, page: PageRequest): Effect.Effect<Page<Template>, StorageError>
    /** Locks the row, applies the rule, writes it with its events; id and workspace stay. None when there is none. */
    modify(
      workspace: WorkspaceId,
      id: TemplateId,
      change: (template: Template) => { readonly template: Template; readonly events: ReadonlyArray<DomainEvent> }
    ): Effect.Effect<Option.Option<Template>, StorageError>
    /** False, and no event, when there was none. */
    delete(
      workspace: WorkspaceId,
      id: TemplateId,
      events: ReadonlyArray<DomainEvent>
    ): Effect.Effect<boolean, StorageError>
  }
>()("@overture/core/TemplateStore") {}
