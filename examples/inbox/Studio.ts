/** Two yoga studios and the people they write to: the workspace, its accounts, its member and its campaign. */
import { Accounts } from "@overture/core/account/Accounts"
import { Connections } from "@overture/core/account/Connections"
import { Workspaces } from "@overture/core/account/Workspaces"
import * as CampaignFile from "@overture/core/campaign/CampaignFile"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { Members } from "@overture/core/chat/Members"
import { Contacts } from "@overture/core/contact/Contacts"
import { fromUuid, Ids } from "@overture/core/workspace/Id"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, Redacted } from "effect"

export const workspace = fromUuid("wsp", "00000000-0000-7000-8000-0000000000aa")
const actor = { type: "api", id: "demo" } as const
/** Nine in the morning, in New York. */
export const monday = Date.parse("2026-03-02T14:00:00Z")

const people = ["Ann Lee", "Ben Ortiz", "Chloé Dubois", "Dev Patel", "Emil Sørensen", "Fatima Khan"]

const campaign = {
  id: "trial-week",
  name: "Trial week",
  accounts: ["riverside", "hillside"] as const,
  messages: ["Hi {{ first }}, shall I keep you a mat for Thursday's free class?"] as const,
  followUps: [
    { messages: ["{{ first }}, only three mats are left for Thursday. Would you like one?"] as const, sendAfterDays: 1 }
  ],
  distribution: { strategy: "even" as const },
  pacing: { rangeMin: 6, rangeMax: 6 },
  sendWindow: { timezone: "America/New_York", windows: [{ start: "09:00", end: "10:00" }] }
}

/** Founds the studios: before that nobody can be told of them. */
export const found = Effect.gen(function* () {
  yield* (yield* WorkspaceStore).create({
    id: workspace,
    name: "Riverside & Hillside Yoga",
    timezone: "America/New_York",
    paused: false,
    dailyCap: null,
    optOutScope: "contact",
    optOutReply: "You will not hear from us again. Write START to change that.",
    createdAt: yield* (yield* PacingTime).now,
    metadata: {}
  })
})

/** Opens them and starts the campaign; answers who answers people. */
export const open = Effect.gen(function* () {
  const accounts = yield* Accounts
  const connections = yield* Connections
  const contacts = yield* Contacts
  const list = yield* contacts.listNamed(workspace, "Open day guests")
  const connected = yield* Effect.forEach(campaign.accounts, (externalId) =>
    Effect.gen(function* () {
      const input = { workspace, channel: "sandbox", externalId, externalRef: externalId }
      const { account } = yield* accounts.connect(input, actor)
      const credentials = Redacted.make(`${externalId}-token`)
      yield* connections.set(workspace, account.id, { credentials }, actor)
      yield* connections.verify(workspace, account.id, actor)
      return account
    })
  )
  const rows = people.map((name, i) => {
    const [first = name] = name.split(" ")
    const externalId = first.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()
    return { line: i + 1, externalId, name, first, tags: [], attributes: {} }
  })
  yield* contacts.importRows(workspace, list.id, rows, { channel: "sandbox", accounts: connected })

  const members = yield* Members
  const { member } = yield* members.add(workspace, { name: "Mia", role: "agent" }, actor)
  yield* (yield* Workspaces).change(workspace, { assignment: "roundRobin" }, actor)

  const file = yield* CampaignFile.decode(campaign)
  const campaigns = yield* Campaigns
  const made = yield* campaigns.create(
    {
      workspace,
      name: file.name,
      settings: CampaignFile.settingsOf(file, "America/New_York", yield* (yield* Ids).generator),
      accounts: [connected[0].id, ...connected.slice(1).map(({ id }) => id)],
      externalRef: "trial-week",
      metadata: {}
    },
    actor
  )
  yield* campaigns.enrollList(workspace, made.campaign.id, list.id)
  yield* campaigns.start(workspace, made.campaign.id, actor)
  return member
})
