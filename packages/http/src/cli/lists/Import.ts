/**
 * An import from a file into a list, whatever its size: in chunks that commit with how far it came. Cut off in any way, the
 * same command goes on where it was; run again after its end it reads the file once more, which doubles nothing.
 */
import * as ContactFile from "@overture/adapters/sources/ContactFile"
import type * as Batches from "@overture/adapters/sources/Batches"
import { AccountStore } from "@overture/core/account/AccountStore"
import type { MergeMode } from "@overture/core/contact/Contact"
import type { ContactImport } from "@overture/core/contact/ContactImport"
import { ContactImports } from "@overture/core/contact/ContactImports"
import { ContactLists } from "@overture/core/contact/ContactLists"
import { ContactStore } from "@overture/core/contact/ContactStore"
import type { ContactListId } from "@overture/core/workspace/Id"
import { Ids } from "@overture/core/workspace/Id"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Effect, Option, Stream } from "effect"
import { statSync } from "node:fs"
import * as ChannelsInUse from "../ChannelsInUse.ts"
import * as Engine from "../Engine.ts"
import { refuse } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as Text from "../report/Text.ts"
import * as Inputs from "../run/Inputs.ts"
import * as Setup from "../run/Setup.ts"
import * as Stop from "../Stop.ts"
import * as Target from "../Target.ts"
import * as ImportProgress from "./ImportProgress.ts"
import * as RejectedRows from "./RejectedRows.ts"

export interface ImportOptions {
  readonly file: string
  readonly list: string
  /** Of rows that name none. */
  readonly channel: string | undefined
  readonly country: Batches.Options["defaultCountry"]
  readonly mapping: Readonly<Record<string, string | null>>
  readonly mode: MergeMode
  /** Where the rows go that are left out; the first few to the screen where it is left out. */
  readonly rejected: string | undefined
  readonly database: Target.Target
  readonly json: boolean
}

/** The list of that name; a new one is being gathered until its import is finished. */
const listNamed = Effect.fnUntraced(function* (name: string) {
  const store = yield* ContactStore
  const known = yield* store.listByName(Engine.workspace, name)
  if (Option.isSome(known)) return known.value
  const createdAt = yield* (yield* PacingTime).now
  const ids = yield* (yield* Ids).generator
  return yield* store.createList({
    id: ids.next("lst"),
    workspace: Engine.workspace,
    name,
    status: "gathering",
    createdAt
  })
})

/** The most often that one file is imported into one list. */
const mostTimes = 1_000

/** The import that is to be done: the one that was cut off, else the next one of this file. */
const nextImport = Effect.fnUntraced(function* (list: ContactListId, mode: MergeMode, fingerprint: string) {
  const store = yield* ContactStore
  for (let time = 1; time <= mostTimes; time++) {
    const id = `${list}:${mode}:${fingerprint.slice(0, 32)}:${time}`
    const found = yield* store.getImport(Engine.workspace, id)
    if (Option.isNone(found)) return { id, at: null }
    if (found.value.finishedAt === null) return { id, at: found.value }
  }
  return yield* refuse(`the same file was imported ${mostTimes} times into this list`)
})

/** Which channels rows may be on, and the one of rows that name none. */
const channelRules = Effect.fnUntraced(function* (flag: string | undefined) {
  const names = yield* ChannelsInUse.names
  const accounts = (yield* (yield* AccountStore).list(Engine.workspace, { limit: 500 })).data
  const [only, ...others] = new Set(accounts.map(({ channel }) => channel))
  if (flag !== undefined && accounts.length > 0 && !accounts.some(({ channel }) => channel === flag)) {
    Output.say(`warning: no account is on ${flag}, so nobody can write to people there yet`)
  }
  return {
    names: [...new Set([...names, ...(flag === undefined ? [] : [flag])])],
    rules: { channel: flag ?? (others.length === 0 ? (only ?? "sandbox") : null), accounts }
  }
})

const importOf = Effect.fnUntraced(function* (
  options: ImportOptions,
  fingerprint: string,
  rules: Effect.Success<ReturnType<typeof channelRules>>["rules"],
  source: Batches.Options,
  stop: Stop.Stop
) {
  const { file, mode } = options
  yield* Setup.ensureWorkspace
  const list = yield* listNamed(options.list)
  const { at, id } = yield* nextImport(list.id, mode, fingerprint)
  if (at !== null) Output.say(`${file}: going on after ${Text.count(at.records, "row")}`)
  const rejected =
    options.rejected === undefined
      ? RejectedRows.toScreen(file)
      : yield* RejectedRows.toFile(options.rejected, at?.rejected ?? 0)
  const progress = ImportProgress.make(file, statSync(file).size, options.json)
  const done: ContactImport = yield* Stop.interrupting(stop)(
    (yield* ContactImports).run({
      workspace: Engine.workspace,
      id,
      list: list.id,
      rules,
      mode,
      fingerprint,
      source: ContactFile.read(file, source, progress.read),
      onRejected: rejected.take,
      onProgress: progress.tell
    })
  )
  const { members } = yield* (yield* ContactLists).get(Engine.workspace, list.id)
  return { done, list: { id: list.id, number: list.number, name: list.name, members }, resumed: at !== null }
})

const tell = (options: ImportOptions, result: Effect.Success<ReturnType<typeof importOf>>) => {
  const { done, list, resumed } = result
  const { created, merged, records, rejected } = done
  if (options.json) {
    const where = options.rejected === undefined ? {} : { rejectedFile: options.rejected }
    return Output.printLine({ type: "done", list, records, created, merged, rejected, resumed, ...where })
  }
  Output.print(
    `${options.file}: ${Text.count(created, "new contact")}, ${Text.number(merged)} known already, ${Text.count(rejected, "row")} left out; ` +
      `the list ${list.name} has ${Text.count(list.members, "contact")}`
  )
  if (rejected === 0) return
  Output.say(
    options.rejected === undefined
      ? "Which ones: --rejected FILE.csv writes every line with its column and reason."
      : `${options.rejected}: every row that was left out, with its column and reason`
  )
}

/** Imports; fails where no row of the file could be used. */
export const run = (options: ImportOptions) =>
  Effect.scoped(
    Effect.gen(function* () {
      const stop = yield* Stop.listen
      yield* Effect.sync(Output.outliveReader)
      const { channel, country, database, file, mapping } = options
      const source: Batches.Options = { name: file, defaultCountry: country, mapping }
      const fingerprint = yield* ContactFile.fingerprint(file, {
        channel: channel ?? null,
        country: country ?? null,
        mapping
      })
      // What its beginning shows to be no list of contacts is refused before there is anything for it.
      yield* Stream.runDrain(Stream.take(ContactFile.read(file, source), 2))
      const storage = yield* Target.open(database)
      const { names, rules } = yield* Effect.provideContext(channelRules(channel), storage)
      const engine = yield* Engine.build(storage, { channels: yield* ChannelsInUse.silent(names) })
      const result = yield* Effect.provideContext(importOf(options, fingerprint, rules, source, stop), engine)
      tell(options, result)
      const { created, merged, records } = result.done
      if (created + merged === 0) {
        return yield* refuse(Inputs.noRowLine(file, records))
      }
    })
  )
