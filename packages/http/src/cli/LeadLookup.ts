/** Finds the lead a person means: by its own id, or by the contact's id on a channel. */
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import * as Address from "@overture/core/channel/Address"
import { ContactStore } from "@overture/core/contact/ContactStore"
import type { LeadId } from "@overture/core/workspace/Id"
import { Effect, Option } from "effect"
import { workspace } from "./Engine.ts"
import { misuse, refuse } from "./Failure.ts"
import * as Selection from "./Selection.ts"

/** The contact with this id on any channel that an account of the workspace is on. */
const contactOf = Effect.fnUntraced(function* (externalId: string) {
  const contacts = yield* ContactStore
  const places = new Map(
    (yield* Selection.accounts)
      .flatMap(({ channel, externalId: own, group }) =>
        ["", own, ...(group === null ? [] : [group])].map((scope) => ({ channel, scope, externalId }))
      )
      .map((address) => [Address.key(address), address])
  )
  for (const key of places.keys()) {
    const found = yield* contacts.byAddress(workspace, key)
    if (Option.isSome(found)) return found.value.id
  }
  return yield* refuse(
    `there is no contact ${externalId} in this database`,
    "Give the id as it stands in the CSV, or a lead's id (led_…)."
  )
})

/** The lead; where the contact has one in several campaigns, `campaign` says which. */
export const findLead = Effect.fn("LeadLookup.findLead")(function* (who: string, ref: Option.Option<string>) {
  const store = yield* CampaignStore
  if (/^led_[0-9a-f]{32}$/.test(who)) {
    const lead = yield* store.getLead(workspace, who as LeadId)
    return Option.isSome(lead) ? lead.value : yield* refuse(`there is no lead ${who} in this database`)
  }
  const campaigns = Option.isSome(ref) ? [yield* Selection.one(ref)] : yield* Selection.everyOne
  const contact = yield* contactOf(who)
  const leads = yield* store.leadsOf(workspace, contact)
  const theirs = campaigns.filter(({ id }) => leads.some((lead) => lead.campaign === id))
  const [only, ...others] = Selection.unlessDeleted(theirs)
  if (only === undefined) {
    return yield* refuse(`${who} is known, but ${Option.isSome(ref) ? "not in this" : "in no"} campaign`)
  }
  if (others.length > 0) {
    const names = [only, ...others].map(({ id, name, status }) => (status === "deleted" ? id : name))
    return yield* misuse(`${who} is in several campaigns; add --campaign with one of: ${names.join(", ")}`)
  }
  return leads.find(({ campaign }) => campaign === only.id)!
})
