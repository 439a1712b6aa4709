/**
 * What a campaign file says otherwise than the campaign that was made from it, put into effect: all of it, or it is
 * refused by field. A file says everything of its campaign, so what it leaves out is as if its default stood there.
 */
import type { Account } from "@overture/core/account/Account"
import { CampaignAccounts } from "@overture/core/campaign/CampaignAccounts"
import * as CampaignFile from "@overture/core/campaign/CampaignFile"
import { CampaignEdits } from "@overture/core/campaign/CampaignEdits"
import type { Campaign } from "@overture/core/campaign/Campaign"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Ids } from "@overture/core/workspace/Id"
import { Effect } from "effect"
import { actor, workspace } from "../Engine.ts"
import { refuse } from "../Failure.ts"
import * as Inputs from "./Inputs.ts"
import { workspaceZone } from "./Setup.ts"

/** The place in a file of a field of settings: `steps[2].parts[0]` is `followUps[1].messages[0]`. */
const fieldOf = (field: string): string =>
  field
    .replace(/^steps\[0\]/, "messages")
    .replace(/^messages\.parts\b/, "messages")
    .replace(/^steps\[(\d+)\]/, (_, index: string) => `followUps[${Number(index) - 1}]`)
    .replace(/^(followUps\[\d+\])\.parts\b/, "$1.messages")

/** Brings a campaign to what the file says. Answers the campaign as it is then, what changed, and who left. */
export const apply = Effect.fn("Changes.apply")(function* (
  path: string,
  campaign: Campaign,
  file: CampaignFile.CampaignFile,
  accounts: ReadonlyArray<Account>
) {
  const store = yield* CampaignStore
  const edits = yield* CampaignEdits
  const membership = yield* CampaignAccounts
  const ids = yield* (yield* Ids).generator
  const named = new Set<string>(accounts.map(({ id }) => id))
  const settings = CampaignFile.settingsOf(file, workspaceZone, ids, campaign.settings)
  const edited = yield* edits
    .edit(workspace, campaign.id, { name: file.name, settings, accounts: accounts.map(({ id }) => id) }, actor)
    .pipe(
      Effect.catchTag("CampaignChangeRefused", ({ problems }) =>
        refuse(
          ...Inputs.problemLines(
            path,
            problems.map((one) => ({ ...one, field: fieldOf(one.field) }))
          )
        )
      )
    )
  const gone = (yield* store.paces(campaign.id)).filter(
    ({ account, pace }) => pace.leftAt === null && !named.has(account.id)
  )
  const left = yield* Effect.forEach(gone, ({ account }) =>
    Effect.map(membership.leave(workspace, campaign.id, account.id, actor), (lost) => ({ account, lost }))
  )
  return {
    campaign: edited.campaign,
    changed: [...edited.changed, ...(edited.joined.length + gone.length > 0 ? ["accounts"] : [])],
    resumed: edited.resumed,
    left
  }
})
