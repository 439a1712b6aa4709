/** Imports in chunks, in memory. */
import { Option } from "effect"
import type { Contact, MergeMode } from "../contact/Contact.ts"
import type { ContactStore, Imported } from "../contact/ContactStore.ts"
import type { ContactListId, WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { type State, within } from "./State.ts"

type Verbs = Pick<ContactStore["Service"], "beginImport" | "importChunk" | "changedLast" | "finishImport" | "getImport">

type Take = (
  state: State,
  workspace: WorkspaceId,
  rows: ReadonlyArray<Contact>,
  list: ContactListId | null,
  mode: MergeMode
) => Imported

export const make = ({ state, verb }: Memory, take: Take): Verbs => ({
  beginImport: (begin) =>
    verb(() => {
      const key = within(begin.workspace, begin.id)
      const known = state.imports.get(key)
      if (known === undefined) state.imports.set(key, begin)
      return known ?? begin
    }),
  importChunk: (at, chunk) =>
    verb(() => {
      const key = within(at.workspace, at.id)
      const stands = state.imports.get(key)
      if (stands === undefined || stands.finishedAt !== null || stands.records !== at.records) return Option.none()
      const imported = take(state, stands.workspace, chunk.contacts, stands.list, stands.mode)
      const after = {
        ...stands,
        records: stands.records + chunk.records,
        created: stands.created + imported.created,
        merged: stands.merged + imported.merged,
        rejected: stands.rejected + chunk.rejected + imported.ambiguous.length
      }
      state.imports.set(key, after)
      state.importChanges.set(key, imported.changed)
      return Option.some({ at: after, imported })
    }),
  changedLast: (workspace, id) => verb(() => state.importChanges.get(within(workspace, id)) ?? []),
  finishImport: (workspace, id, at) =>
    verb(() => {
      const key = within(workspace, id)
      const stands = state.imports.get(key)
      if (stands?.finishedAt === null) state.imports.set(key, { ...stands, finishedAt: at })
      state.importChanges.delete(key)
    }),
  getImport: (workspace, id) => verb(() => Option.fromUndefinedOr(state.imports.get(within(workspace, id))))
})
