/** Saved contents in memory. */
import { Option } from "effect"
import { TemplateStore } from "../chat/TemplateStore.ts"
import type { TemplateId, WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { append } from "./MemoryEventStore.ts"
import { page } from "./Paging.ts"

export const make = ({ state, verb }: Memory) => {
  const get = (workspace: WorkspaceId, id: TemplateId) => {
    const template = state.templates.get(id)
    return template?.workspace === workspace ? Option.some(template) : Option.none()
  }
  return TemplateStore.of({
    create: (template, events) =>
      verb(() => {
        if (state.templates.get(template.id) !== undefined) return false
        state.templates.set(template.id, template)
        append(state, events)
        return true
      }),
    get: (workspace, id) => verb(() => get(workspace, id)),
    list: (workspace, request) =>
      verb(() =>
        page(
          [...state.templates.values()].filter((template) => template.workspace === workspace),
          request,
          ({ id }) => [id]
        )
      ),
    modify: (workspace, id, change) =>
      verb(() =>
        Option.map(get(workspace, id), (before) => {
          const { events, template } = change(before)
          state.templates.set(id, template)
          append(state, events)
          return template
        })
      ),
    delete: (workspace, id, events) =>
      verb(() => {
        if (Option.isNone(get(workspace, id))) return false
        state.templates.delete(id)
        append(state, events)
        return true
      })
  })
}
