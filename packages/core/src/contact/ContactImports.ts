/**
 * Imports of any size: rows come as a stream, go to the store in chunks, and a chunk commits together with how far the
 * import came. What is in memory is two chunks, whatever the size of the source. An import that was cut off goes on with
 * the same id and source: it reads the source again and passes by what is done.
 */
import { Context, Effect, Layer, Option, Stream } from "effect"
import { Channels } from "../channel/Channel.ts"
import { stamped, system } from "../event/DomainEvent.ts"
import type { ContactId, ContactListId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { storable } from "../workspace/Storable.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { needed, type WorkspaceNotFound } from "../workspace/Workspace.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import type { Contact, MergeMode } from "./Contact.ts"
import { type ContactImport, ImportMismatch, ImportOvertaken } from "./ContactImport.ts"
import { type AddressRules, addresses, contactOf, type RowBatch, type RowProblem } from "./ContactRow.ts"
import { ContactStore } from "./ContactStore.ts"
import { ContactReactions, tellChanged } from "./ContactReaction.ts"
import * as Erased from "./Erased.ts"
import { AddressHash } from "./Suppression.ts"

export interface ImportOptions<E, R, E2, R2> {
  readonly workspace: WorkspaceId
  /** The same id goes on with the same import; one that is finished is not done again. */
  readonly id: string
  readonly list: ContactListId | null
  readonly rules: AddressRules
  /** @default "update" */
  readonly mode?: MergeMode | undefined
  /** Changes with the source and with how it is read: its digest and the mapping. */
  readonly fingerprint: string
  /** From its beginning, the same records in the same order each time. */
  readonly source: Stream.Stream<RowBatch, E, R>
  /**
   * Takes the rejected records of a chunk in their order, before the chunk commits: after a crash those of the last chunk
   * may come again, and none is missing.
   */
  readonly onRejected?: ((problems: ReadonlyArray<RowProblem>) => Effect.Effect<void, E2, R2>) | undefined
  /** After each chunk. */
  readonly onProgress?: ((at: ContactImport) => Effect.Effect<void, E2, R2>) | undefined
  /**
   * Records in one transaction. They fall all over a large index, so that fewer and larger ones write fewer pages; on
   * SQLite others who write wait for a chunk. @default 15000
   */
  readonly chunk?: number | undefined
}

export class ContactImports extends Context.Service<
  ContactImports,
  {
    /**
     * Imports a source, or goes on with it. When the source fails, what was committed stays and `ContactStore.getImport`
     * says how far that is; the same id may go on with the mended source only if its fingerprint is the same.
     */
    run<E = never, R = never, E2 = never, R2 = never>(
      options: ImportOptions<E, R, E2, R2>
    ): Effect.Effect<
      ContactImport,
      E | E2 | WorkspaceNotFound | ImportMismatch | ImportOvertaken | StorageError,
      R | R2
    >
  }
>()("@overture/core/ContactImports") {
  static readonly layer = Layer.effect(
    ContactImports,
    Effect.suspend(() => make)
  )
}

const recordsIn = (batch: RowBatch): number => batch.rows.length + batch.rejected.length

/** The batch without its first `count` records. */
const after = (batch: RowBatch, count: number): RowBatch => {
  if (count <= 0) return batch
  const lines = [...batch.rows, ...batch.rejected].map(({ line }) => line).sort((a, b) => a - b)
  const from = lines[count] ?? Infinity
  return {
    rows: batch.rows.filter(({ line }) => line >= from),
    rejected: batch.rejected.filter(({ line }) => line >= from)
  }
}

/** What is left of a source after its first `count` records. */
const remaining = <E, R>(source: Stream.Stream<RowBatch, E, R>, count: number): Stream.Stream<RowBatch, E, R> =>
  count === 0
    ? source
    : source.pipe(
        Stream.mapAccum(
          () => count,
          (left, batch) => [Math.max(0, left - recordsIn(batch)), [after(batch, left)]] as const
        ),
        Stream.filter((batch) => recordsIn(batch) > 0)
      )

interface Chunk {
  readonly batches: ReadonlyArray<RowBatch>
  readonly records: number
}

/** A chunk as the store takes it; the rejected are those known before it is taken. */
interface Prepared {
  readonly contacts: ReadonlyArray<Contact>
  /** Of each contact. */
  readonly lines: ReadonlyArray<number>
  readonly rejected: ReadonlyArray<RowProblem>
  readonly records: number
}

const empty: Chunk = { batches: [], records: 0 }

/** Batches put together until they hold `size` records. */
const chunks = <E, R>(source: Stream.Stream<RowBatch, E, R>, size: number): Stream.Stream<Chunk, E, R> =>
  Stream.mapAccum(
    source,
    () => empty,
    (sofar, batch) => {
      const next = { batches: [...sofar.batches, batch], records: sofar.records + recordsIn(batch) }
      return next.records >= size ? ([empty, [next]] as const) : ([next, []] as const)
    },
    { onHalt: (rest) => (rest.records > 0 ? [rest] : []) }
  )

const make = Effect.gen(function* () {
  const store = yield* ContactStore
  const workspaces = yield* WorkspaceStore
  const channels = yield* Channels
  const time = yield* PacingTime
  const transaction = yield* Transaction
  const makeIds = (yield* Ids).generator
  const hold = Erased.holder(store, yield* AddressHash)
  const reactions = yield* ContactReactions

  /** A chunk as contacts, and why the others became none. */
  const prepare = Effect.fnUntraced(function* (
    chunk: Chunk,
    { rules, workspace }: { readonly rules: AddressRules; readonly workspace: WorkspaceId }
  ): Effect.fn.Return<Prepared, StorageError> {
    const ids = yield* makeIds
    const at = yield* time.now
    const addressOf = addresses(channels.all, rules)
    const rejected: Array<RowProblem> = []
    const contacts: Array<Contact> = []
    const lines: Array<number> = []
    for (const batch of chunk.batches) {
      for (const problem of batch.rejected) rejected.push(problem)
      for (const row of storable(batch.rows)) {
        const address = addressOf(row)
        if (!("channel" in address)) {
          rejected.push({ line: row.line, ...address })
          continue
        }
        contacts.push(contactOf(row, address, { id: ids.next("con"), workspace, at }))
        lines.push(row.line)
      }
    }
    return { contacts, lines, records: chunk.records, rejected }
  })

  const run = Effect.fn("ContactImports.run")(function* <E, R, E2, R2>(options: ImportOptions<E, R, E2, R2>) {
    const { fingerprint, id, list, mode = "update", onProgress, onRejected, workspace } = options
    yield* needed(workspace)(yield* workspaces.get(workspace))
    const none = { records: 0, created: 0, merged: 0, rejected: 0, finishedAt: null }
    let at = yield* store.beginImport({ workspace, id, list, mode, fingerprint, startedAt: yield* time.now, ...none })
    for (const [field, wanted] of [
      ["fingerprint", fingerprint],
      ["list", list],
      ["mode", mode]
    ] as const) {
      if (at[field] !== wanted) return yield* new ImportMismatch({ id, field })
    }
    if (at.finishedAt !== null) return at
    const react = (changed: ReadonlyArray<ContactId>) =>
      Effect.flatMap(time.now, (now) => tellChanged(reactions, workspace, changed, now))
    // Whoever took the last chunk may have died before the others heard of it.
    if (at.records > 0) yield* react(yield* store.changedLast(workspace, id))

    const take = Effect.fnUntraced(function* (prepared: Prepared) {
      let changed: ReadonlyArray<ContactId> = []
      at = yield* transaction.within(
        Effect.gen(function* () {
          const { contacts, lines, rejected: erased } = yield* hold(workspace, prepared)
          const rejected = [...prepared.rejected, ...erased]
          const { records } = prepared
          const done = yield* store.importChunk(at, { contacts, records, rejected: rejected.length })
          if (Option.isNone(done)) return yield* new ImportOvertaken({ id })
          changed = done.value.imported.changed
          for (const { contacts: several, index } of done.value.imported.ambiguous) {
            rejected.push({
              line: lines[index]!,
              column: "externalId",
              value: contacts[index]?.addresses[0]?.externalId ?? "",
              reason: `matches ${several.length} contacts: ${several.join(", ")}`
            })
          }
          if (onRejected !== undefined && rejected.length > 0)
            yield* onRejected(rejected.sort((a, b) => a.line - b.line))
          return done.value.at
        })
      )
      yield* react(changed)
      if (onProgress !== undefined) yield* onProgress(at)
    })

    yield* chunks(remaining(options.source, at.records), options.chunk ?? 15_000).pipe(
      Stream.mapEffect((chunk) => prepare(chunk, options)),
      // The next chunk is read while the last one is written.
      Stream.buffer({ capacity: 0 }),
      Stream.runForEach(take)
    )
    const finishedAt = yield* time.now
    yield* transaction.within(
      Effect.gen(function* () {
        yield* store.finishImport(workspace, id, finishedAt)
        if (list === null) return
        yield* store.setListReady(workspace, list, [
          stamped(yield* makeIds, finishedAt, {
            workspace,
            type: "list.ready",
            subject: list,
            actor: system,
            data: { import: id, created: at.created, merged: at.merged, rejected: at.rejected }
          })
        ])
      })
    )
    return { ...at, finishedAt }
  })

  return ContactImports.of({ run })
})
