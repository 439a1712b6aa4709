/** The jobs of people over the memory storage, with a source and files that a test holds in its hands. */
import { Effect, Layer, Stream } from "effect"
import { Channels } from "../../src/channel/Channel.ts"
import { type ContactFileSource as FileSource, ContactFileSource } from "../../src/contact/ContactFileSource.ts"
import { ContactHandlers } from "../../src/contact/ContactHandlers.ts"
import { ContactImports } from "../../src/contact/ContactImports.ts"
import { ContactJobs } from "../../src/contact/ContactJobs.ts"
import { ContactLists } from "../../src/contact/ContactLists.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import {
  type ContactSource,
  ContactSources,
  type FoundPage,
  type FoundPerson,
  SourceFailed
} from "../../src/contact/ContactSource.ts"
import { JobPersons } from "../../src/contact/JobPersons.ts"
import { PersonParties } from "../../src/contact/PersonParty.ts"
import { AddressHash } from "../../src/contact/Suppression.ts"
import { Bulks } from "../../src/job/Bulks.ts"
import { JobFileError, JobFileStore } from "../../src/job/JobFileStore.ts"
import { JobHandlers } from "../../src/job/JobHandler.ts"
import { JobRunner } from "../../src/job/JobRunner.ts"
import { Jobs } from "../../src/job/Jobs.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { Ids } from "../../src/workspace/Id.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"

/** Files in memory. */
export const files = () => {
  const held = new Map<string, Uint8Array>()
  const store: JobFileStore = {
    put: (_workspace, file, content) =>
      Effect.map(Stream.runCollect(content), (chunks) => {
        const bytes = Buffer.concat([...chunks])
        held.set(file, bytes)
        return bytes.length
      }),
    get: (_workspace, file) =>
      Stream.suspend(() => {
        const bytes = held.get(file)
        return bytes === undefined
          ? Stream.fail(new JobFileError({ file, problem: "it is not there any more", retryable: false }))
          : Stream.succeed(bytes)
      }),
    remove: (_workspace, file) =>
      Effect.sync(() => {
        held.delete(file)
      })
  }
  return { held, store }
}

/** A source of people whose pages a test gives; each of the first `failures` requests fails. */
export const source = (pages: ReadonlyArray<ReadonlyArray<FoundPerson>>, failures = 0) => {
  const asked: Array<string | null> = []
  let left = failures
  const made: ContactSource = {
    name: "test",
    check: (query) => Effect.succeed(query as never),
    page: ({ cursor, version }) =>
      Effect.suspend((): Effect.Effect<FoundPage | "unchanged", SourceFailed> => {
        asked.push(cursor)
        if (left > 0) {
          left -= 1
          return Effect.fail(new SourceFailed({ source: "test", problem: "nobody answers", retryable: true }))
        }
        if (version === "v1") return Effect.succeed("unchanged")
        const at = Number(cursor ?? 0)
        return Effect.succeed({
          people: pages[at] ?? [],
          rejected: [],
          cursor: at + 1 < pages.length ? String(at + 1) : null,
          total: pages.flat().length,
          version: "v1"
        })
      })
  }
  return { asked, source: made }
}

export const person = (externalId: string, more: Partial<FoundPerson> = {}): FoundPerson => ({
  row: { line: 1, externalId, name: `Person ${externalId}`, tags: [], attributes: {} },
  text: "",
  location: null,
  country: null,
  joinedAt: null,
  ...more
})

export interface Given {
  readonly sources?: ReadonlyArray<ContactSource>
  readonly files?: JobFileStore
  readonly contactFiles?: FileSource
  readonly hash?: AddressHash
}

export const layer = (given: Given = {}) => {
  const base = Layer.mergeAll(
    MemoryStorage.layer,
    Layer.succeed(Channels, Channels.from([TestChannel.make()])),
    Layer.succeed(ContactSources, new Map(given.sources?.map((one) => [one.name, one]))),
    Layer.succeed(JobFileStore, given.files ?? null),
    Layer.succeed(ContactFileSource, given.contactFiles ?? null),
    Layer.succeed(AddressHash, given.hash ?? null),
    Ids.layer,
    PacingTime.layer
  )
  const held = Layer.effect(
    PersonParties,
    Effect.map(JobPersons, (jobs) => [jobs])
  ).pipe(Layer.provide(JobPersons.layer))
  const people = Layer.mergeAll(held, Contacts.layer, ContactImports.layer, ContactLists.layer).pipe(
    Layer.provideMerge(base)
  )
  const kinds = Layer.effect(JobHandlers, Effect.map(ContactHandlers, JobHandlers.from)).pipe(
    Layer.provideMerge(ContactHandlers.layer),
    Layer.provideMerge(people)
  )
  return ContactJobs.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(Bulks.layer, JobRunner.layer)),
    Layer.provideMerge(Jobs.layer),
    Layer.provideMerge(kinds)
  )
}
