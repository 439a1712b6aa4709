/**
 * The engine inside a program that knows nothing of Effect: every verb of its services is a promise. It keeps everything in
 * memory here; `SqliteStorage.layer({ path })` in its place makes it last.
 */
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import * as CampaignFile from "@overture/core/campaign/CampaignFile"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { createOverture } from "@overture/core/Overture"
import { Effect, Scope } from "effect"

const sandbox = await Effect.runPromise(Scope.provide(Sandbox.make(), Scope.makeUnsafe()))
await using overture = createOverture({ storage: MemoryStorage.layer, channels: [sandbox] })

const actor = { type: "api", id: "example" } as const
const { id: workspace } = await overture.workspaces.create({ name: "example" }, actor)
const { account } = await overture.accounts.connect(
  { workspace, channel: "sandbox", externalId: "studio", minGapMs: 0 },
  actor
)

const list = await overture.contacts.listNamed(workspace, "friends")
const rows = ["ann", "ben", "cleo"].map((externalId, i) => ({
  line: i + 1,
  externalId,
  first: externalId,
  tags: [],
  attributes: {}
}))
await overture.contacts.importRows(workspace, list.id, rows, { channel: "sandbox", accounts: [account] })

const file = {
  name: "Hello",
  accounts: ["studio"],
  messages: ["Hi {{ first }}!"],
  // A day of 86,400 messages: a slot every second, so that the example is quick.
  pacing: { rangeMin: 86_400, rangeMax: 86_400 }
}
const settings = await overture.run(CampaignFile.settings(file, "UTC"))
const { campaign } = await overture.campaigns.create(
  { workspace, name: file.name, settings, accounts: [account.id], externalRef: "hello", metadata: {} },
  actor
)
await overture.campaigns.enrollList(workspace, campaign.id, list.id)
await overture.campaigns.start(workspace, campaign.id, actor)

// `start` sends in the background until `close`; `tick` does one round whenever the host likes.
overture.start((error) => console.error("nothing is sent any more:", error))
for await (const { event } of overture.follow(workspace, { after: null, events: ["lead.*", "campaign.*"] })) {
  console.log(event.type)
  if (event.type === "campaign.finished") break
}

for (const { at, body, to } of sandbox.received()) console.log(new Date(at).toISOString(), to, body)
