/**
 * The engine inside a program that knows nothing of Effect: promises in, promises out. It keeps everything in memory here;
 * `SqliteStorage.layer({ path })` in its place makes it last.
 */
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import { Accounts } from "@overture/core/account/Accounts"
import * as CampaignFile from "@overture/core/campaign/CampaignFile"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Contacts } from "@overture/core/contact/Contacts"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { createOverture } from "@overture/core/Overture"
import { fromUuid, Ids } from "@overture/core/workspace/Id"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, Scope } from "effect"

const scope = Scope.makeUnsafe()
const sandbox = await Effect.runPromise(Scope.provide(Sandbox.make(), scope))
await using overture = createOverture({ storage: MemoryStorage.layer, channels: [sandbox] })

const workspace = fromUuid("wsp", "00000000-0000-7000-8000-0000000000aa")
const actor = { type: "api", id: "example" } as const

const campaign = await overture.run(
  Effect.gen(function* () {
    const workspaces = yield* WorkspaceStore
    yield* workspaces.create({
      id: workspace,
      name: "example",
      timezone: "UTC",
      paused: false,
      dailyCap: null,
      optOutScope: "contact",
      createdAt: Date.now(),
      metadata: {}
    })
    const { account } = yield* (yield* Accounts).connect(
      { workspace, channel: "sandbox", externalId: "studio", minGapMs: 0 },
      actor
    )
    const contacts = yield* Contacts
    const list = yield* contacts.listNamed(workspace, "friends")
    const rows = ["ann", "ben", "cleo"].map((externalId, i) => ({
      line: i + 1,
      externalId,
      first: externalId,
      tags: [],
      attributes: {}
    }))
    yield* contacts.importRows(workspace, list.id, rows, { channel: "sandbox", accounts: [account] })
    const file = yield* CampaignFile.decode({
      name: "Hello",
      accounts: ["studio"],
      messages: ["Hi {{ first }}!"],
      // A day of 86,400 messages: a slot every second, so that the example is quick.
      pacing: { rangeMin: 86_400, rangeMax: 86_400 }
    })
    const campaigns = yield* Campaigns
    const { campaign } = yield* campaigns.create(
      {
        workspace,
        name: file.name,
        settings: CampaignFile.settingsOf(file, "UTC", yield* (yield* Ids).generator),
        accounts: [account.id],
        externalRef: "hello",
        metadata: {}
      },
      actor
    )
    yield* campaigns.enrollList(workspace, campaign.id, list.id)
    return yield* campaigns.start(workspace, campaign.id, actor)
  })
)

// `start` sends in the background until `close`; `tick` does one round whenever the host likes.
overture.start()
const counts = () => overture.run(Effect.flatMap(CampaignStore, (store) => store.counts(campaign.id)))
while ((await counts()).sent < 3) await new Promise((resolve) => setTimeout(resolve, 100))

for (const { at, body, to } of sandbox.received()) console.log(new Date(at).toISOString(), to, body)
