/** Which campaign a person means by `--campaign`. */
import type { Campaign } from "@overture/core/campaign/Campaign"
import { seedKey } from "@overture/core/campaign/Campaign"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import type { CampaignId } from "@overture/core/workspace/Id"
import { Effect, Option } from "effect"
import { workspace } from "./Engine.ts"
import { misuse, refuse } from "./Failure.ts"

/** Every campaign of the workspace that is not deleted. */
export const all = Effect.gen(function* () {
  const store = yield* CampaignStore
  const found: Array<Campaign> = []
  let cursor: string | null = null
  do {
    const page: Effect.Success<ReturnType<typeof store.list>> = yield* store.list(workspace, {
      limit: 500,
      ...(cursor !== null && { cursor })
    })
    found.push(...page.data.filter(({ status }) => status !== "deleted"))
    cursor = page.nextCursor
  } while (cursor !== null)
  return found
})

const listed = (campaigns: ReadonlyArray<Campaign>): ReadonlyArray<string> => [
  ...campaigns.slice(0, 10).map((campaign) => `  ${seedKey(campaign)}  ${campaign.name}  ${campaign.status}`),
  ...(campaigns.length > 10 ? [`  and ${campaigns.length - 10} more`] : [])
]

/** The campaign that `ref` names, by the id in its file, its own id or its name; without one, the only one. */
export const one = Effect.fnUntraced(function* (ref: Option.Option<string>) {
  const store = yield* CampaignStore
  if (Option.isNone(ref)) {
    const [only, ...others] = yield* all
    if (only === undefined) return yield* refuse("there is no campaign in this database", "overture run makes one.")
    if (others.length > 0) return yield* misuse("which campaign? Add --campaign REF:", ...listed([only, ...others]))
    return only
  }
  const byRef = yield* store.byExternalRef(workspace, ref.value)
  if (Option.isSome(byRef)) return byRef.value
  if (/^cmp_[0-9a-f]{32}$/.test(ref.value)) {
    const byId = yield* store.get(workspace, ref.value as CampaignId)
    if (Option.isSome(byId)) return byId.value
  }
  const [named, ...more] = yield* store.byName(workspace, ref.value)
  if (named === undefined) return yield* refuse(`there is no campaign ${ref.value}; there are:`, ...listed(yield* all))
  if (more.length > 0) return yield* misuse(`several campaigns are named ${ref.value}:`, ...listed([named, ...more]))
  return named
})
