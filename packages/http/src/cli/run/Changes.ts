/**
 * What a campaign file says otherwise than the campaign that was made from it, put into effect: all of it, or it is
 * refused by field. A file says everything, so what it leaves out is as if its default stood there.
 */
import type { Account } from "@overture/core/account/Account"
import { Accounts } from "@overture/core/account/Accounts"
import { CampaignAccounts } from "@overture/core/campaign/CampaignAccounts"
import * as CampaignFile from "@overture/core/campaign/CampaignFile"
import { CampaignEdits } from "@overture/core/campaign/CampaignEdits"
import type { Campaign } from "@overture/core/campaign/Campaign"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { Ids } from "@overture/core/workspace/Id"
import { second } from "@overture/core/workspace/Instant"
import { Effect } from "effect"
import { workspace } from "../Engine.ts"
import { refuse } from "../Failure.ts"
import { actor, workspaceZone } from "./Setup.ts"

/** The place in a file of a field of settings: `steps[2].parts[0]` is `followUps[1].messages[0]`. */
const fieldOf = (field: string): string =>
  field
    .replace(/^steps\[0\]/, "messages")
    .replace(/^messages\.parts\b/, "messages")
    .replace(/^steps\[(\d+)\]/, (_, index: string) => `followUps[${Number(index) - 1}]`)
    .replace(/^(followUps\[\d+\])\.parts\b/, "$1.messages")

/** Accounts that are written out with other limits than they have. */
const changeAccounts = Effect.fnUntraced(function* (file: CampaignFile.CampaignFile, accounts: ReadonlyArray<Account>) {
  const service = yield* Accounts
  const changed: Array<string> = []
  for (const [i, entry] of file.accounts.entries()) {
    const account = accounts[i]
    if (typeof entry === "string" || account === undefined) continue
    const wanted = {
      dailyCap: entry.dailyCap ?? null,
      minGapMs: entry.minGap * second,
      warmUp: entry.warmUp ?? null
    }
    const ramp = account.limits?.warmUp?.ramp ?? null
    const isSame =
      wanted.dailyCap === account.dailyCap &&
      wanted.minGapMs === account.minGapMs &&
      JSON.stringify(wanted.warmUp) === JSON.stringify(ramp)
    if (isSame) continue
    yield* service.change(workspace, account.id, wanted, actor)
    changed.push(`accounts[${i}]`)
  }
  return changed
})

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
        refuse(...problems.map(({ field, message }) => `${path}: ${fieldOf(field)}: ${message}`))
      )
    )
  const gone = (yield* store.paces(campaign.id)).filter(
    ({ account, pace }) => pace.leftAt === null && !named.has(account.id)
  )
  const left = yield* Effect.forEach(gone, ({ account }) =>
    Effect.map(membership.leave(workspace, campaign.id, account.id, actor), (lost) => ({ account, lost }))
  )
  const limits = yield* changeAccounts(file, accounts)
  return {
    campaign: edited.campaign,
    changed: [...edited.changed, ...(edited.joined.length + gone.length > 0 ? ["accounts"] : []), ...limits],
    resumed: edited.resumed,
    left
  }
})
