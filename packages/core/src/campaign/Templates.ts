/** Saved contents: kept, shown for a contact, and sent with the contact's name and attributes in them. */
import { Context, Effect, Layer, Option, Result, Schema } from "effect"
import type { Content } from "../channel/Content.ts"
import { Parties } from "../chat/Parties.ts"
import type { Message } from "../chat/Message.ts"
import { type Template, TemplateNotFound } from "../chat/Template.ts"
import { TemplateStore } from "../chat/TemplateStore.ts"
import { ContactNotFound } from "../contact/Contacts.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { type Actor, type EventType, stamped } from "../event/DomainEvent.ts"
import type { MessageDraft } from "../outbox/MessageDraft.ts"
import { Messages, type SendError } from "../outbox/Messages.ts"
import type { ContactId, TemplateId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import * as Paging from "../workspace/Page.ts"
import type { Page, PageRequest } from "../workspace/Page.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { needed, type WorkspaceNotFound } from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import * as Rendering from "./Rendering.ts"

export interface TemplatePreview {
  /** With what is missing left blank; null where that says nothing. */
  readonly content: Content | null
  /** The variables that the contact has no value of, and that have no default. */
  readonly missing: ReadonlyArray<string>
  /** Why nothing comes of it, where nothing does. */
  readonly problem: string | null
}

/** A template that does not become a message for this contact. */
export class TemplateUnrendered extends Schema.TaggedError<TemplateUnrendered>()("TemplateUnrendered", {
  template: Schema.String,
  missing: Schema.Array(Schema.String),
  problem: Schema.String
}) {
  override get message(): string {
    return `the template ${this.template} cannot be sent: ${this.problem}`
  }
}

/** What may be changed; what is left out stays. */
export interface TemplateChange {
  /** Null takes it away. */
  readonly name?: string | null | undefined
  readonly content?: Content | undefined
}

export class Templates extends Context.Service<
  Templates,
  {
    /** Saves a content; one whose variables cannot be read is refused. */
    create(
      workspace: WorkspaceId,
      template: { readonly name?: string | undefined; readonly content: Content },
      actor: Actor
    ): Effect.Effect<Template, StorageError | WorkspaceNotFound | Rendering.TemplateError>
    get(workspace: WorkspaceId, id: TemplateId): Effect.Effect<Template, StorageError | TemplateNotFound>
    /** In the order in which they were made. */
    list(
      workspace: WorkspaceId,
      page: PageRequest
    ): Effect.Effect<Page<Template>, StorageError | Paging.InvalidListRequest>
    change(
      workspace: WorkspaceId,
      id: TemplateId,
      change: TemplateChange,
      actor: Actor
    ): Effect.Effect<Template, StorageError | TemplateNotFound | Rendering.TemplateError>
    /** Messages that were made of it stay. */
    remove(workspace: WorkspaceId, id: TemplateId, actor: Actor): Effect.Effect<void, StorageError | TemplateNotFound>
    /** What it says to a contact; to nobody in particular without one. */
    preview(
      workspace: WorkspaceId,
      id: TemplateId,
      contact: ContactId | null
    ): Effect.Effect<TemplatePreview, StorageError | TemplateNotFound | ContactNotFound>
    /** `Messages.send` of what it says to the contact of the chat. A missing variable sends nothing. */
    send(
      workspace: WorkspaceId,
      id: TemplateId,
      draft: Omit<MessageDraft, "content">
    ): Effect.Effect<Message, TemplateNotFound | TemplateUnrendered | SendError>
  }
>()("@overture/core/Templates") {
  static readonly layer = Layer.effect(
    Templates,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* TemplateStore
  const contacts = yield* ContactStore
  const parties = yield* Parties
  const workspaces = yield* WorkspaceStore
  const messages = yield* Messages
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator

  const event = Effect.fnUntraced(function* (workspace: WorkspaceId, type: EventType, subject: string, actor: Actor) {
    return stamped(yield* makeIds, yield* time.now, { workspace, type, subject, actor, data: {} })
  })

  const get = Effect.fn("Templates.get")(function* (workspace: WorkspaceId, id: TemplateId) {
    const found = yield* store.get(workspace, id)
    return Option.isSome(found) ? found.value : yield* new TemplateNotFound({ template: id })
  })

  const rendered = (content: Content, contact: Rendering.ContactFields, onMissing: Rendering.OnMissing) =>
    Result.match(Rendering.compileContent(content), {
      onFailure: (error): Rendering.RenderedContent => ({ _tag: "Failed", field: "content", problem: error.message }),
      onSuccess: (compiled) => Rendering.renderContent(compiled, Rendering.variablesOf(contact), onMissing)
    })

  return Templates.of({
    create: Effect.fn("Templates.create")(function* (workspace, { content, name }, actor) {
      yield* Effect.fromResult(Rendering.compileContent(content))
      yield* needed(workspace)(yield* workspaces.get(workspace))
      const id = (yield* makeIds).next("tpl")
      const now = yield* time.now
      const template: Template = { id, workspace, name: name ?? null, content, createdAt: now, changedAt: now }
      yield* store.create(template, [yield* event(workspace, "template.created", id, actor)])
      return template
    }),
    get,
    list: Effect.fn("Templates.list")(function* (workspace, request) {
      const { page } = yield* Effect.fromResult(Paging.checkById({ page: request }))
      return yield* Paging.ofList("templates", page, (own) => store.list(workspace, own))
    }),
    change: Effect.fn("Templates.change")(function* (workspace, id, { content, name }, actor) {
      if (content !== undefined) yield* Effect.fromResult(Rendering.compileContent(content))
      const changedAt = yield* time.now
      const told = yield* event(workspace, "template.changed", id, actor)
      const changed = yield* store.modify(workspace, id, (before) => ({
        template: {
          ...before,
          name: name === undefined ? before.name : name,
          content: content ?? before.content,
          changedAt
        },
        events: [told]
      }))
      return Option.isSome(changed) ? changed.value : yield* new TemplateNotFound({ template: id })
    }),
    remove: Effect.fn("Templates.remove")(function* (workspace, id, actor) {
      const told = yield* event(workspace, "template.deleted", id, actor)
      if (!(yield* store.delete(workspace, id, [told]))) return yield* new TemplateNotFound({ template: id })
    }),
    preview: Effect.fn("Templates.preview")(function* (workspace, id, contact) {
      const { content } = yield* get(workspace, id)
      const found = contact === null ? null : Option.getOrNull(yield* contacts.get(workspace, contact))
      if (contact !== null && found === null) return yield* new ContactNotFound({ contact })
      const strict = rendered(content, found ?? {}, "skip")
      const blank = rendered(content, found ?? {}, "blank")
      return {
        content: blank._tag === "Rendered" ? blank.content : null,
        missing: strict._tag === "MissingVariable" ? strict.names : [],
        problem: blank._tag === "Failed" ? `${blank.field}: ${blank.problem}` : null
      }
    }),
    send: Effect.fn("Templates.send")(function* (workspace, id, draft) {
      const template = yield* get(workspace, id)
      const { contact, name } = yield* parties.place(workspace, draft.to)
      const result = rendered(template.content, contact ?? { name }, "skip")
      if (result._tag !== "Rendered") {
        const missing = result._tag === "MissingVariable" ? result.names : []
        const problem =
          result._tag === "MissingVariable" ? `${missing.join(", ")} missing` : `${result.field}: ${result.problem}`
        return yield* new TemplateUnrendered({ template: id, missing, problem })
      }
      return yield* messages.send(workspace, { ...draft, content: result.content })
    })
  })
})
