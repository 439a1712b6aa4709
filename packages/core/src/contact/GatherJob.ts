/**
 * Fills a list from a source. A page comes, those who are wanted join the list, and how far it came is written in the same
 * transaction: a job that begins again asks for the page it was in, passes by who is done, and sees to it that others
 * have heard of the last of them.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { AccountStore } from "../account/AccountStore.ts"
import * as Address from "../channel/Address.ts"
import { Channels } from "../channel/Channel.ts"
import type { Job } from "../job/Job.ts"
import { forGood, JobFailed, type JobHandler, type JobRun, make as handler, noLonger } from "../job/JobHandler.ts"
import { JobStore } from "../job/JobStore.ts"
import { ContactId, ContactListId } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import { storable } from "../workspace/Storable.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { type AddressRules, addresses, type ContactRow } from "./ContactRow.ts"
import { ContactReactions, tellChanged } from "./ContactReaction.ts"
import { ContactSources, type FoundPage } from "./ContactSource.ts"
import { ContactStore } from "./ContactStore.ts"
import { Gathering, judge, LeftOut, rowOf } from "./Gathering.ts"
import * as ImportJob from "./ImportJob.ts"
import { ListEnd } from "./ListEnd.ts"
import { RowImports } from "./RowImports.ts"

export const GatherInput = Schema.Struct({
  list: ContactListId,
  gathering: Gathering,
  addressing: ImportJob.Addressing
})
export type GatherInput = typeof GatherInput.Type

const Counts = Schema.Struct({
  /** People that the source told of. */
  found: Schema.Int,
  created: Schema.Int,
  merged: Schema.Int,
  /** Records that are nobody, and people without an address here. */
  rejected: Schema.Int,
  leftOut: Schema.Record(LeftOut, Schema.Int)
})

const Checkpoint = Schema.Struct({
  cursor: Schema.NullOr(Schema.String),
  /** People of the page under way that are done. */
  taken: Schema.Int,
  /** Of the first page: what the source is asked about the next time. */
  version: Schema.NullOr(Schema.String),
  /** Of the page under way: another one begins from its start. */
  pageVersion: Schema.NullOr(Schema.String),
  /** Of the last people taken, those of whom others are to hear, which they do after the transaction. */
  changed: Schema.Array(ContactId),
  /** How many were on the list before. */
  before: Schema.Int,
  isOver: Schema.Boolean,
  counts: Counts
})
type Checkpoint = typeof Checkpoint.Type

export const kind = "lists.gather"

const decodeInput = Schema.decodeUnknownOption(GatherInput)
const decodeResult = Schema.decodeUnknownOption(Schema.Struct({ version: Gathering.fields.version }))

/** What a job of this kind was asked for; null where that was emptied, as a person was erased. */
export const inputOf = ({ input }: Job): GatherInput | null => Option.getOrNull(decodeInput(input))

/** The version of what the source held when the job succeeded; null where it tells none. */
export const versionOf = ({ result }: Job): string | null =>
  Option.match(decodeResult(result), { onNone: () => null, onSome: ({ version }) => version })

/** People of one transaction. */
const chunk = 500

export class GatherJob extends Context.Service<GatherJob, JobHandler>()("@overture/core/GatherJob") {
  static readonly layer = Layer.effect(
    GatherJob,
    Effect.suspend(() => make)
  )
}

const nobody: typeof Counts.Type = {
  found: 0,
  created: 0,
  merged: 0,
  rejected: 0,
  leftOut: { keyword: 0, excludedKeyword: 0, location: 0, country: 0, known: 0 }
}

const make = Effect.gen(function* () {
  const store = yield* ContactStore
  const { take: takeRows } = yield* RowImports
  const reactions = yield* ContactReactions
  const time = yield* PacingTime
  const accounts = yield* AccountStore
  const channels = yield* Channels
  const sources = yield* ContactSources
  const jobs = yield* JobStore
  const { within } = yield* Transaction
  const end = yield* ListEnd

  /** One that is retried finds others that were asked for since: its list is to be gathered again, once they are done. */
  const beginAlone = Effect.fnUntraced(function* ({ id, workspace }: Job, list: ContactListId) {
    // Its row is locked first: of two at the same time one sees the other.
    yield* store.gatherList(workspace, list, false)
    for (const other of [kind, ImportJob.kind]) {
      const { data } = yield* jobs.list(workspace, { subject: list, kind: other, status: "running" }, { limit: 2 })
      const busy = data.find((job) => job.id !== id)
      if (busy !== undefined) {
        return yield* new JobFailed({ problem: `${busy.id} is filling the same list`, retryable: true })
      }
    }
  })

  const run = Effect.fnUntraced(function* (run: JobRun<GatherInput, Checkpoint>) {
    const { job, progress } = run
    const { addressing, gathering, list } = run.input
    const { max, mode, onlyNew, query, retries } = gathering
    const { workspace } = job
    const source = sources.get(gathering.source)
    if (source === undefined) {
      return yield* new JobFailed({
        problem: `there is no ContactSource ${gathering.source} here any more`,
        retryable: false
      })
    }
    yield* source
      .check(query)
      .pipe(Effect.mapError(({ message }) => new JobFailed({ problem: noLonger(message), retryable: false })))
    yield* within(beginAlone(job, list))
    const known = yield* Effect.forEach(addressing.accounts, (id) => accounts.get(workspace, id))
    const rules: AddressRules = { channel: addressing.channel, accounts: known.flatMap(Option.toArray) }
    const addressOf = addresses(channels.all, rules)
    const verdictOn = judge(gathering)
    const members = Effect.map(store.countMembers(workspace, [list]), ([count = 0]) => count)

    const isKnown = Effect.fnUntraced(function* (row: ContactRow) {
      const address = addressOf(row)
      return "channel" in address && Option.isSome(yield* store.byAddress(workspace, Address.key(address)))
    })

    const pageAt = (cursor: string | null, version: string | null) =>
      source.page({ query, cursor, version }).pipe(
        Effect.map(storable),
        Effect.mapError(
          ({ message, retryable }) =>
            new JobFailed({ problem: message, retryable: retryable && job.attempts <= retries })
        )
      )

    /** Takes people of a page from `from.taken` on, as many as may still join. */
    const take = Effect.fnUntraced(function* (page: FoundPage, from: Checkpoint, isFirst: boolean) {
      const empties = isFirst && mode === "override"
      if (empties) yield* store.gatherList(workspace, list, true)
      const at = empties ? { ...from, before: 0 } : from
      const room = max === null ? Infinity : max - ((yield* members) - at.before)
      const leftOut = { ...at.counts.leftOut }
      const rows: Array<ContactRow> = []
      let { taken } = at
      while (taken < page.people.length && taken - at.taken < chunk && rows.length < room) {
        const person = page.people[taken]!
        taken += 1
        const why = verdictOn(person) ?? (onlyNew && (yield* isKnown(person.row)) ? "known" : null)
        if (why === null) rows.push(rowOf(person))
        else leftOut[why] += 1
      }
      const imported = yield* takeRows(workspace, list, rows, rules, mode === "override" ? "update" : "fill").pipe(
        Effect.catchTag("WorkspaceNotFound", forGood)
      )
      const counts = {
        found: at.counts.found + taken - at.taken,
        created: at.counts.created + imported.created,
        merged: at.counts.merged + imported.merged,
        rejected: at.counts.rejected + imported.rejected.length + (at.taken === 0 ? page.rejected.length : 0),
        leftOut
      }
      const isFull = max !== null && (yield* members) - at.before >= max
      const isDone = taken >= page.people.length
      const next: Checkpoint = {
        ...at,
        counts,
        changed: imported.changed,
        ...(isDone ? { cursor: page.cursor, taken: 0, pageVersion: null } : { taken, pageVersion: page.version }),
        isOver: isFull || (isDone && page.cursor === null)
      }
      yield* progress({
        done: counts.found,
        total: page.total,
        note: `${counts.created + counts.merged} of ${counts.found}`,
        checkpoint: next
      })
      return next
    })

    let at: Checkpoint = run.checkpoint ?? {
      cursor: null,
      taken: 0,
      version: null,
      pageVersion: null,
      changed: [],
      before: yield* members,
      isOver: false,
      counts: nobody
    }
    const tell = (people: ReadonlyArray<ContactId>) =>
      Effect.flatMap(time.now, (now) => tellChanged(reactions, workspace, people, now))
    // Whoever took them may have died before the others heard of them.
    yield* tell(at.changed)
    let isFirst = run.checkpoint === null
    while (!at.isOver) {
      const { cursor } = at
      const page = yield* pageAt(cursor, isFirst ? gathering.version : null)
      if (page === "unchanged") {
        yield* end.ready(job, { found: 0, unchanged: true })
        return { ...nobody, version: gathering.version, unchanged: true }
      }
      if (page.cursor !== null && page.cursor === cursor) {
        return yield* new JobFailed({
          problem: `a page of ${gathering.source} names itself as the next one`,
          retryable: false
        })
      }
      if (at.taken > 0 && at.pageVersion !== page.version) at = { ...at, taken: 0 }
      // Of several pages one could change without the first.
      if (cursor === null) at = { ...at, version: page.cursor === null ? page.version : null }
      do {
        at = yield* within(take(page, at, isFirst))
        yield* tell(at.changed)
        isFirst = false
      } while (!at.isOver && at.taken > 0)
    }
    const { counts, version } = at
    yield* end.ready(job, { found: counts.found, created: counts.created, merged: counts.merged })
    return { ...counts, version, unchanged: false }
  })

  return GatherJob.of(handler({ kind, input: GatherInput, checkpoint: Checkpoint, run, onCancelled: end.given }))
})
