/** What a claim shows of chats that a person took over, in which a lead's contact is written to by other accounts. */
import { Effect, Option } from "effect"
import { CampaignStore, type LeadCandidate } from "../../campaign/CampaignStore.ts"
import type { Lead } from "../../campaign/Lead.ts"
import * as Chat from "../../chat/Chat.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import type { LeadId } from "../../workspace/Id.ts"
import { hour } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed } from "./FakeRules.ts"
import { claim, scene } from "./Scene.ts"
import { type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

const idsOf = ({ takenOver }: LeadCandidate) => takenOver.map(({ id }) => id).toSorted()

const takenOverOf = (lead: Pick<Lead, "id" | "workspace">) =>
  Effect.gen(function* () {
    const found = Option.getOrNull(yield* (yield* CampaignStore).candidate(lead.workspace, lead.id))
    return idsOf(Expect.present(found?.candidate, "a candidate"))
  })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("takeovers: a lead with step 0 open is shown those of its contact, until they are over", function* () {
    const place = yield* scene("takeovers", { accounts: 2, leads: 3, steps: [1, 1] })
    const { accounts, build, contacts, leads } = place
    const store = yield* CampaignStore
    const chats = yield* ChatStore
    // Nobody had told who the person is when the first of them began.
    const openings = [
      { ...build.opening(accounts[0]!, contacts[0]!), contact: null },
      build.opening(accounts[1]!, contacts[0]!),
      build.opening(accounts[1]!, contacts[1]!)
    ]
    yield* chats.open(openings)
    const [first, second, third] = openings.map(({ id }) => id)
    Expect.equal(yield* takenOverOf(leads[0]!), [], "of chats that nobody took over")
    yield* chats.setTakenOver([first!, second!, third!], start)
    Expect.equal(yield* takenOverOf(leads[0]!), [first!, second!].toSorted(), "of two chats")
    Expect.equal(yield* takenOverOf(leads[2]!), [], "of somebody else's chats")
    const seen = new Map<LeadId, ReadonlyArray<string>>()
    yield* claim(place, {
      want: () => 3,
      nextAt: () => start + hour,
      verdict: (candidate) => {
        seen.set(candidate.lead.id, idsOf(candidate))
        return "leave"
      }
    })
    Expect.equal(
      leads.map(({ id }) => seen.get(id)?.length),
      [2, 1, 0],
      "what a claim saw"
    )
    yield* chats.modify(place.workspace.id, [first!], (chat) => ({ chat: Chat.closed(chat, start), events: [] }))
    yield* chats.modify(place.workspace.id, [third!], (chat) => ({ chat: { ...chat, takenOverAt: null }, events: [] }))
    Expect.equal(yield* takenOverOf(leads[0]!), [second!], "once one was closed")
    Expect.equal(yield* takenOverOf(leads[1]!), [], "once it was resumed")
    yield* store.changeLeads({ type: "ids", ids: [leads[0]!.id] }, start, (lead) =>
      changed({ ...lead, status: "sent", step: place.campaign.settings.steps[1]!.id, dueAt: start + hour })
    )
    Expect.equal(yield* takenOverOf(leads[0]!), [], "of one whose step 0 is over")
  })
]
