/** An engine over memory in virtual time with several campaigns of one workspace: their people may be the same. */
import { Effect, Option } from "effect"
import { Accounts, type NewAccount } from "../../src/account/Accounts.ts"
import type { Account } from "../../src/account/Account.ts"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import type { AnyHostGate } from "../../src/campaign/HostGate.ts"
import type { Lead } from "../../src/campaign/Lead.ts"
import { Contacts } from "../../src/contact/Contacts.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { Driver } from "../../src/outbox/Driver.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import type { TestChannel } from "../../src/testing/TestChannel.ts"
import type { AccountId, CampaignId } from "../../src/workspace/Id.ts"
import type { Instant } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

export const { start } = Builders

/** The engine at `start`. */
export const engine = (channel: TestChannel, gates?: ReadonlyArray<AnyHostGate>) =>
  Overture.layer({ storage: MemoryStorage.layer, channels: [channel], time: PacingTime.layerVirtual(start), gates })

/** The owner of the account wrote to p from another device at `at`, which the platform tells at `told`. */
export const byHand = (channel: TestChannel, account: Account, at: Instant, told = at) =>
  channel.tell(account.id, told, {
    type: "messageEchoed",
    dedupeKey: `out-${at}`,
    at,
    participant: { externalId: "p", scope: "" },
    externalId: `out-${at}`,
    content: Builders.text("By hand")
  })

export interface Person {
  readonly id: string
  readonly timezone?: string
  readonly attributes?: Readonly<Record<string, string>>
}

export const make = (channel: Pick<TestChannel, "name">, name = "scene") =>
  Effect.gen(function* () {
    const build = Builders.make(name)
    const workspace = build.workspace()
    yield* (yield* WorkspaceStore).create(workspace)
    const store = yield* CampaignStore
    const campaigns = yield* Campaigns

    const account = (externalId: string, more: Partial<NewAccount> = {}) =>
      Effect.map(
        Effect.flatMap(Accounts, ({ connect }) =>
          connect(
            {
              workspace: workspace.id,
              channel: channel.name,
              externalId,
              externalRef: externalId,
              minGapMs: 0,
              ...more
            },
            system
          )
        ),
        (made) => made.account
      )

    /** A campaign of one step, or of as many as there are parts given, for these people; not started. */
    const campaign = (
      key: string,
      accounts: readonly [Account, ...Array<Account>],
      people: ReadonlyArray<Person>,
      settings: Partial<CampaignSettings> = {},
      parts: readonly [number, ...Array<number>] = [1]
    ) =>
      Effect.gen(function* () {
        const contacts = yield* Contacts
        const list = yield* contacts.listNamed(workspace.id, key)
        yield* contacts.importRows(
          workspace.id,
          list.id,
          people.map(({ attributes = {}, id, timezone }, i) => ({
            line: i + 2,
            externalId: id,
            name: id,
            timezone,
            tags: [],
            attributes
          })),
          { channel: channel.name, accounts }
        )
        const [first, ...later] = parts
        const steps = [
          build.step({ parts: first }),
          ...later.map((count) => build.step({ type: "noReply", parts: count }))
        ] as const
        const { campaign: made } = yield* campaigns.create(
          {
            workspace: workspace.id,
            name: key,
            settings: build.settings({ steps, ...settings }),
            accounts: [accounts[0].id, ...accounts.slice(1).map(({ id }) => id)],
            externalRef: key,
            metadata: {}
          },
          system
        )
        yield* campaigns.enrollList(workspace.id, made.id, list.id)
        return made
      })

    const leads = (id: CampaignId): Effect.Effect<ReadonlyArray<Lead>, unknown> =>
      Effect.map(store.leads(workspace.id, id, {}, { limit: 100 }), ({ data }) => data)

    /** Runs until nothing is due before `until`. */
    const run = (until: Instant) =>
      Effect.gen(function* () {
        const driver = yield* Driver
        const time = yield* PacingTime
        while (true) {
          const { nextDue, worked } = yield* driver.step
          if (worked) continue
          if (nextDue === null || nextDue >= until) return yield* time.waitUntil(until, 0)
          yield* time.waitUntil(nextDue, 0)
        }
      })

    /** Runs step by step until `isOver`. */
    const until = (isOver: () => boolean) =>
      Effect.gen(function* () {
        const driver = yield* Driver
        const time = yield* PacingTime
        while (!isOver()) {
          const { nextDue, worked } = yield* driver.step
          if (!worked && nextDue === null) return
          if (!worked && nextDue !== null) yield* time.waitUntil(nextDue, 0)
        }
      })

    /** When each message went out, from whom to whom, in their order. */
    const sent = Effect.gen(function* () {
      const events = yield* (yield* EventStore).read(workspace.id, null, 10_000)
      return events.flatMap(({ event }, i) =>
        event.type === "message.sent"
          ? [{ i, at: event.at, account: event.data["account"] as AccountId, lead: event.data["lead"] }]
          : []
      )
    })

    return {
      build,
      workspace,
      account,
      campaign,
      leads,
      run,
      until,
      sent,
      counts: (id: CampaignId) => Effect.all([store.counts(id), store.recount(id)]),
      start: (id: CampaignId) => campaigns.start(workspace.id, id, system),
      pause: (id: CampaignId) => campaigns.pause(workspace.id, id, null, system),
      status: (id: CampaignId) => Effect.map(store.get(workspace.id, id), (found) => Option.getOrThrow(found).status)
    }
  })
