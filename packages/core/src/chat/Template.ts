/** A saved content of ours, with variables or without. What a platform approved beforehand is another thing. */
import { Schema } from "effect"
import { Content } from "../channel/Content.ts"
import { TemplateId, WorkspaceId } from "../workspace/Id.ts"
import { Instant } from "../workspace/Instant.ts"

export class Template extends Schema.Opaque<Template>()(
  Schema.Struct({
    id: TemplateId,
    workspace: WorkspaceId,
    /** Null = it is known by its id alone. */
    name: Schema.NullOr(Schema.NonEmptyString),
    content: Content,
    createdAt: Instant,
    changedAt: Instant
  }).annotate({ identifier: "Template" })
) {}

export class TemplateNotFound extends Schema.TaggedError<TemplateNotFound>()("TemplateNotFound", {
  template: Schema.String
}) {
  override get message(): string {
    return `there is no template ${this.template} in this workspace`
  }
}
