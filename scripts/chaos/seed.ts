/** Fills a setting: people, accounts and two running campaigns for each mode, one of single messages and one of two parts. */
import { Accounts } from "@overture/core/account/Accounts"
import type { CampaignSettings } from "@overture/core/campaign/Campaign"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import type { Step } from "@overture/core/campaign/Step"
import { Contacts } from "@overture/core/contact/Contacts"
import { system } from "@overture/core/event/DomainEvent"
import type { AccountId, IdGenerator } from "@overture/core/workspace/Id"
import { Ids } from "@overture/core/workspace/Id"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect } from "effect"
import { ask } from "./Engine.ts"
import { modes, type Setting } from "./Setting.ts"

/** A text that nobody gets twice: campaign, step, part and person are in it. */
const partsOf = (name: string, step: number, parts: number): Step["parts"] => {
  const part = (index: number) => ({
    variants: [
      { weight: 1, content: { type: "text", text: `${name} step ${step} part ${index} to {{ name }}` } }
    ] as const
  })
  return [part(0), ...Array.from({ length: parts - 1 }, (_, index) => part(index + 1))]
}

const settingsOf = (setting: Setting, name: string, parts: number, ids: IdGenerator): CampaignSettings => ({
  steps: [
    { id: ids.next("stp"), type: "first", sendAfterDays: 0, parts: partsOf(name, 0, parts) },
    ...(setting.conversation
      ? [{ id: ids.next("stp"), type: "noReply" as const, sendAfterDays: 1, parts: partsOf(name, 1, 1) }]
      : [])
  ],
  pacing: { rangeMin: setting.quota, rangeMax: setting.quota, jitter: 0.8, catchUp: "skip", newShare: 0.25 },
  sendWindow: {},
  timezone: "UTC",
  rampUp: { type: "disabled" },
  distribution: { strategy: "capacity" },
  onMissing: "skip",
  partDelay: setting.partDelay,
  onAccountLost: "end",
  stopOn: "contact",
  startAt: null,
  endAt: null,
  evergreen: false
})

/** Makes the campaigns and starts them. The people of the second campaign of a mode are among those of the first. */
export const seed = (setting: Setting): Promise<void> =>
  ask(
    setting,
    Effect.gen(function* () {
      const ids = yield* (yield* Ids).generator
      const workspace = ids.next("wsp")
      yield* (yield* WorkspaceStore).create({
        id: workspace,
        name: "chaos",
        timezone: "UTC",
        paused: false,
        dailyCap: null,
        optOutScope: "contact",
        createdAt: yield* (yield* PacingTime).now,
        metadata: {}
      })
      const people = yield* Contacts
      const campaigns = yield* Campaigns
      for (const mode of modes) {
        const accounts = yield* Effect.forEach(Array.from({ length: setting.accounts }), (_, i) =>
          Effect.flatMap(Accounts, ({ connect }) =>
            connect(
              {
                workspace,
                channel: mode,
                externalId: `${mode}-${i}`,
                minGapMs: 0,
                ...(i % 3 === 0 && { dailyCap: setting.dailyCap })
              },
              system
            )
          )
        )
        const senders = accounts.map(({ account }) => account)
        const [first, ...rest] = senders.map(({ id }) => id) as [AccountId, ...Array<AccountId>]
        const leads = Math.floor(setting.leads / modes.length)
        for (const [index, count] of [Math.ceil(leads * 0.75), Math.floor(leads * 0.25)].entries()) {
          const name = `${mode}-${index}`
          const list = yield* people.listNamed(workspace, name)
          const rows = Array.from({ length: count }, (_, i) => ({
            line: i + 1,
            externalId: `p${i}`,
            name: `p${i}`,
            tags: [],
            attributes: {}
          }))
          for (let at = 0; at < rows.length; at += 1_000) {
            yield* people.importRows(workspace, list.id, rows.slice(at, at + 1_000), {
              channel: mode,
              accounts: senders
            })
          }
          const { campaign } = yield* campaigns.create(
            {
              workspace,
              name,
              settings: settingsOf(setting, name, index + 1, yield* (yield* Ids).generator),
              accounts: [first, ...rest],
              externalRef: name,
              metadata: {}
            },
            system
          )
          yield* campaigns.enrollList(workspace, campaign.id, list.id)
          yield* campaigns.start(workspace, campaign.id, system)
        }
      }
    })
  )
