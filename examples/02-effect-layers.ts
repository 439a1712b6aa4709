/**
 * The engine as layers, for a program that uses Effect: storage in SQLite, the sandbox as a channel, virtual time. The
 * same `Driver` that a worker runs jumps from one due instant to the next, so three days pass at once.
 */
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import { Accounts } from "@overture/core/account/Accounts"
import { Workspaces } from "@overture/core/account/Workspaces"
import * as CampaignFile from "@overture/core/campaign/CampaignFile"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Contacts } from "@overture/core/contact/Contacts"
import { Driver } from "@overture/core/outbox/Driver"
import * as Overture from "@overture/core/Overture"
import { format } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Console, Effect, Layer } from "effect"

const actor = { type: "api", id: "example" } as const
const monday = Date.parse("2026-03-02T08:00:00Z")

// The sandbox's people act in pacing time, which begins with the engine: it reads it from here.
const clock = { now: () => monday }

const engine = Layer.unwrap(
  Effect.map(
    Sandbox.make({
      script: { replies: [{ rate: 0.5, text: "Yes!", delay: 3_600_000, onMessage: 1 }] },
      clock: () => clock.now()
    }),
    (sandbox) =>
      Overture.layer({
        storage: SqliteStorage.layer({ path: ":memory:" }),
        channels: [sandbox],
        time: PacingTime.layerVirtual(monday)
      })
  )
)

const program = Effect.gen(function* () {
  const time = yield* PacingTime
  clock.now = () => Effect.runSync(time.now)

  const { id: workspace } = yield* (yield* Workspaces).create({ name: "example", timezone: "Europe/Berlin" }, actor)
  const { account } = yield* (yield* Accounts).connect({ workspace, channel: "sandbox", externalId: "studio" }, actor)
  const contacts = yield* Contacts
  const list = yield* contacts.listNamed(workspace, "friends")
  const rows = Array.from({ length: 10 }, (_, i) => ({
    line: i + 1,
    externalId: `friend-${i}`,
    tags: [],
    attributes: {}
  }))
  yield* contacts.importRows(workspace, list.id, rows, { channel: "sandbox", accounts: [account] })

  const file = {
    name: "Hello",
    accounts: ["studio"],
    messages: ["Hi {{ first | default: 'friend' }}, may I ask you something?"],
    followUps: [{ messages: ["Did you see my question?"], sendAfterDays: 1 }],
    pacing: { rangeMin: 8, rangeMax: 8 },
    sendWindow: { timezone: "Europe/Berlin", windows: [{ start: "09:00", end: "17:00" }] }
  }
  const campaigns = yield* Campaigns
  const { campaign } = yield* campaigns.create(
    {
      workspace,
      name: file.name,
      settings: yield* CampaignFile.settings(file, "UTC"),
      accounts: [account.id],
      externalRef: "hello",
      metadata: {}
    },
    actor
  )
  yield* campaigns.enrollList(workspace, campaign.id, list.id)
  yield* campaigns.start(workspace, campaign.id, actor)

  const store = yield* CampaignStore
  yield* (yield* Driver).runUntil(store.isDone(campaign.id))
  const { replied, sent, total } = yield* store.counts(campaign.id)
  yield* Console.log(`${format(yield* time.now)}: ${sent} of ${total} sent, ${replied} replied`)
})

await Effect.runPromise(Effect.provide(program, engine))
