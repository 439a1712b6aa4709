/** Which campaign a person means by `--campaign`, and which account. */
import * as Account from "@overture/core/account/Account"
import { AccountStore } from "@overture/core/account/AccountStore"
import type { Campaign } from "@overture/core/campaign/Campaign"
import { seedKey } from "@overture/core/campaign/Campaign"
import * as CampaignStanding from "@overture/core/campaign/CampaignStanding"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { CampaignId } from "@overture/core/workspace/Id"
import { Effect, Option } from "effect"
import { workspace } from "./Engine.ts"
import { everything } from "@overture/core/workspace/Page"
import { misuse, refuse } from "./Failure.ts"

/** Those of these campaigns that are not deleted; all of them where every one is. */
export const unlessDeleted = (campaigns: ReadonlyArray<Campaign>): ReadonlyArray<Campaign> => {
  const there = campaigns.filter(({ status }) => status !== "deleted")
  return there.length > 0 ? there : campaigns
}

/** Every campaign of the workspace, the deleted ones among them. */
export const everyOne = Effect.gen(function* () {
  const store = yield* CampaignStore
  return yield* everything((request) => store.list(workspace, request))
})

/** Every campaign of the workspace that is not deleted. */
export const all = Effect.map(everyOne, (campaigns) => campaigns.filter(({ status }) => status !== "deleted"))

const listed = Effect.fnUntraced(function* (campaigns: ReadonlyArray<Campaign>) {
  const shown = campaigns.slice(0, 10)
  const members = yield* (yield* CampaignStore).membersOf(
    workspace,
    shown.map(({ id }) => id)
  )
  const lines = shown.map((campaign) => {
    const standing = CampaignStanding.of(campaign, members.get(campaign.id) ?? [])
    return `  ${seedKey(campaign)}  ${campaign.name}  ${standing}`
  })
  return [...lines, ...(campaigns.length > 10 ? [`  and ${campaigns.length - 10} more`] : [])]
})

/** The campaign that `ref` names, by the id in its file, its own id or its name; without one, the only one. */
export const one = Effect.fnUntraced(function* (ref: Option.Option<string>) {
  const store = yield* CampaignStore
  if (Option.isNone(ref)) {
    const [only, ...others] = yield* all
    if (only === undefined) return yield* refuse("there is no campaign in this database", "overture run makes one.")
    if (others.length > 0)
      return yield* misuse("which campaign? Add --campaign REF:", ...(yield* listed([only, ...others])))
    return only
  }
  const byRef = yield* store.byExternalRef(workspace, ref.value)
  if (Option.isSome(byRef)) return byRef.value
  if (/^cmp_[0-9a-f]{32}$/.test(ref.value)) {
    const byId = yield* store.get(workspace, ref.value as CampaignId)
    if (Option.isSome(byId)) return byId.value
  }
  const [named, ...more] = unlessDeleted(yield* store.byName(workspace, ref.value))
  if (named === undefined) {
    const there = yield* all
    return yield* there.length === 0
      ? refuse(`there is no campaign ${ref.value}, nor any other, in this database`)
      : refuse(`there is no campaign ${ref.value}; there are:`, ...(yield* listed(there)))
  }
  if (more.length > 0)
    return yield* misuse(`several campaigns are named ${ref.value}:`, ...(yield* listed([named, ...more])))
  return named
})

/** Every account of the workspace. */
export const accounts = Effect.gen(function* () {
  const store = yield* AccountStore
  return yield* everything((request) => store.list(workspace, request))
})

/** The account that `ref` names, by the id in a campaign file, its own id or its name. */
export const account = Effect.fnUntraced(function* (ref: string) {
  const all = yield* accounts
  const exact = all.find((one) => one.externalRef === ref) ?? all.find(({ id }) => id === ref)
  if (exact !== undefined) return exact
  const [named, ...more] = all.filter(({ name }) => name === ref)
  if (more.length > 0) return yield* misuse(`several accounts are named ${ref}: give one of their ids`)
  if (named !== undefined) return named
  return yield* refuse(
    all.length === 0
      ? `there is no account ${ref}, nor any other, in this database`
      : `there is no account ${ref}; there are: ${all.slice(0, 20).map(Account.seedKey).join(", ")}`
  )
})
