/**
 * The leads of a person: what is still to come for them ends as `cancelled`, and the rows stay, because the counts of
 * their campaigns and the keys of what was sent are made of them.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type { PersonParty } from "../contact/PersonParty.ts"
import { CampaignStore } from "./CampaignStore.ts"
import { Lead } from "./Lead.ts"
import { Outreach } from "./Outreach.ts"

const encode = Schema.encodeSync(Schema.toCodecJson(Schema.Array(Lead)))

export class LeadPersons extends Context.Service<LeadPersons, PersonParty>()("@overture/core/LeadPersons") {
  static readonly layer = Layer.effect(
    LeadPersons,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* CampaignStore
  const outreach = yield* Outreach
  return LeadPersons.of({
    name: "leads",
    export: Effect.fn("LeadPersons.export")(function* (workspace, { id }) {
      const leads = yield* store.leadsOf(workspace, id)
      return { data: encode(leads), subjects: leads.map((lead) => lead.id) }
    }),
    erase: Effect.fn("LeadPersons.erase")(function* (workspace, { id }, now) {
      yield* outreach.cancel(workspace, [id], now)
      yield* store.eraseLeads(workspace, id)
      return (yield* store.leadsOf(workspace, id)).map((lead) => lead.id)
    })
  })
})
