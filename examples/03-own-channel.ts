/**
 * A channel of your own: what it can do and allows is data, what it does is `send`. This one "prints postcards"; a real
 * one would call a platform's API and say what the answer means. Whoever cannot tell whether the platform took the message
 * answers `outcomeUnknown`, and it is sent again by itself only where the platform knows a key again or can be asked.
 */
import { Accounts } from "@overture/core/account/Accounts"
import { Workspaces } from "@overture/core/account/Workspaces"
import * as CampaignFile from "@overture/core/campaign/CampaignFile"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import * as Channel from "@overture/core/channel/Channel"
import { preview } from "@overture/core/channel/Content"
import { Contacts } from "@overture/core/contact/Contacts"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { Driver } from "@overture/core/outbox/Driver"
import * as Overture from "@overture/core/Overture"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Console, Effect } from "effect"

const postcard = Channel.make({
  name: "postcard",
  capabilities: {
    text: { maxLength: 400, unit: "characters" },
    media: [],
    buttons: 0,
    approvedTemplates: false,
    reactions: false,
    edits: false,
    deletions: false,
    replies: false,
    receipts: [],
    // The printer knows a key again, so a send that a crash cut off may safely be repeated.
    idempotencyKeys: true,
    lookup: null,
    polling: false,
    addressScope: "channel",
    phoneNumbers: false
  },
  policy: {
    official: true,
    personWritesFirst: false,
    optInRequired: false,
    automationAllowed: true,
    replyWindow: { automatedMs: null, humanMs: null }
  },
  send: (sender, { content, key, to }) =>
    to.externalId === "moved away"
      ? Effect.succeed({ type: "unreachable", detail: "no such address" })
      : Effect.as(Console.log(`${sender.externalId} → ${to.externalId}: ${preview(content)}`), {
          type: "accepted",
          externalId: `card-${key}`
        })
})

const actor = { type: "api", id: "example" } as const
const monday = Date.parse("2026-03-02T08:00:00Z")

const program = Effect.gen(function* () {
  const { id: workspace } = yield* (yield* Workspaces).create({ name: "example" }, actor)
  const { account } = yield* (yield* Accounts).connect({ workspace, channel: "postcard", externalId: "press" }, actor)
  const contacts = yield* Contacts
  const list = yield* contacts.listNamed(workspace, "members")
  const rows = ["12 Elm Street", "moved away", "7 Harbour Lane"].map((externalId, i) => ({
    line: i + 1,
    externalId,
    tags: [],
    attributes: {}
  }))
  yield* contacts.importRows(workspace, list.id, rows, { channel: "postcard", accounts: [account] })
  const file = {
    name: "Greetings",
    accounts: ["press"],
    messages: ["Greetings from the workshop!"],
    pacing: { rangeMin: 10, rangeMax: 10 }
  }
  const campaigns = yield* Campaigns
  const { campaign } = yield* campaigns.create(
    {
      workspace,
      name: file.name,
      settings: yield* CampaignFile.settings(file, "UTC"),
      accounts: [account.id],
      externalRef: "greetings",
      metadata: {}
    },
    actor
  )
  yield* campaigns.enrollList(workspace, campaign.id, list.id)
  yield* campaigns.start(workspace, campaign.id, actor)
  const store = yield* CampaignStore
  yield* (yield* Driver).runUntil(store.isDone(campaign.id))
  for (const { count, reason, status } of yield* store.breakdown(campaign.id)) {
    yield* Console.log(`${count} ${status}${reason === null ? "" : `: ${reason}`}`)
  }
})

const engine = Overture.layer({
  storage: MemoryStorage.layer,
  channels: [postcard],
  time: PacingTime.layerVirtual(monday)
})
await Effect.runPromise(Effect.provide(program, engine))
