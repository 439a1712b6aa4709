/** The services of people over the memory storage. */
import { Effect, Layer } from "effect"
import { Channels } from "../../src/channel/Channel.ts"
import { ContactImports } from "../../src/contact/ContactImports.ts"
import { ContactLists } from "../../src/contact/ContactLists.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { Suppressions } from "../../src/contact/Suppressions.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { Ids } from "../../src/workspace/Id.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

export const layer = Layer.mergeAll(Contacts.layer, ContactImports.layer, ContactLists.layer, Suppressions.layer).pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      MemoryStorage.layer,
      Layer.succeed(
        Channels,
        Channels.from([
          TestChannel.make(),
          TestChannel.make({ name: "phones", capabilities: { phoneNumbers: true } }),
          TestChannel.make({ name: "pages", capabilities: { addressScope: "account" } })
        ])
      ),
      Ids.layer,
      PacingTime.layer
    )
  )
)

/** A workspace with a list that is being gathered. */
export const scene = (seed: string) =>
  Effect.gen(function* () {
    const build = Builders.make(seed)
    const workspace = build.workspace()
    yield* (yield* WorkspaceStore).create(workspace)
    return { build, workspace: workspace.id }
  })

export const rules = { channel: "sandbox", accounts: [] } as const

export const row = (line: number, externalId: string, more: object = {}) => ({
  line,
  externalId,
  tags: [],
  attributes: {},
  ...more
})
