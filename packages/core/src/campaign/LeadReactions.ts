/** What leads do when their contact answers or wants no more, a person takes the chat over, or a send proves otherwise. */
import { Effect, Option } from "effect"
import * as Chat from "../chat/Chat.ts"
import type { InboundReaction, News } from "../chat/InboundReaction.ts"
import type { Message } from "../chat/Message.ts"
import { stamped } from "../event/DomainEvent.ts"
import type { Settled } from "../outbox/Settling.ts"
import type { ContactId, IdGenerator, LeadId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { Campaign, CampaignSettings } from "./Campaign.ts"
import * as CampaignRevival from "./CampaignRevival.ts"
import type { CampaignStore } from "./CampaignStore.ts"
import { joined, type LeadChange } from "./LeadChange.ts"
import type { Lead, LeadEnded } from "./Lead.ts"
import * as LeadNews from "./LeadNews.ts"
import * as LeadStopping from "./LeadStopping.ts"
import * as Sequence from "./Sequence.ts"
import * as TouchProof from "./TouchProof.ts"

export interface LeadReactions {
  readonly inbound: Omit<InboundReaction, "heard">
  /** Tells leads of what their contacts did, or a member towards them; `campaigns` are those that these are in. */
  tell(
    workspace: WorkspaceId,
    news: ReadonlyArray<News>,
    campaigns: ReadonlyArray<Campaign>,
    now: Instant
  ): Effect.Effect<void, StorageError>
  /** Ends everything that campaigns have open for these contacts, as `cancelled`. */
  cancel(workspace: WorkspaceId, contacts: ReadonlyArray<ContactId>, now: Instant): Effect.Effect<void, StorageError>
  /** Queued parts that the gates refused: their touches end. */
  cancelled(messages: ReadonlyArray<Message>, now: Instant): Effect.Effect<void, StorageError>
  /** Messages of no campaign went out: steps that count from the last message of their chat move. */
  spoke(all: ReadonlyArray<Settled>): Effect.Effect<void, StorageError>
}

/** A change whose facts have become events. */
export const change = (
  ids: IdGenerator,
  now: Instant,
  conclusion: LeadStopping.Conclusion | null
): LeadChange | null => {
  if (conclusion === null) return null
  const { facts, ...rest } = conclusion
  return { ...rest, events: facts.map((fact) => stamped(ids, now, fact)) }
}

/** A change after another one of the same lead, if there are both. */
const followed = (one: LeadChange | null, other: LeadChange | null): LeadChange | null =>
  one === null || other === null ? (one ?? other) : joined(one, other)

/** Messages by their leads, of each lead those of one touch at a time: a rule is shown the rows of one. */
const byTouch = (
  messages: ReadonlyArray<Message & { readonly lead: LeadId }>
): ReadonlyArray<ReadonlyMap<LeadId, readonly [Message, ...Array<Message>]>> => {
  const rounds: Array<Map<LeadId, [Message, ...Array<Message>]>> = []
  for (const message of messages) {
    const { lead, step } = message
    const own = rounds.find((round) => round.get(lead)?.[0].step === step)
    const round = own ?? rounds.find((one) => !one.has(lead)) ?? new Map<LeadId, [Message, ...Array<Message>]>()
    if (!rounds.includes(round)) rounds.push(round)
    const known = round.get(lead)
    if (known === undefined) round.set(lead, [message])
    else known.push(message)
  }
  return rounds
}

const settingsIn = (campaigns: ReadonlyArray<Campaign>) =>
  new Map<string, CampaignSettings>(campaigns.map(({ id, settings }) => [id, settings]))

const chatOf = ({ account, address }: Lead) => (account === null ? null : Chat.idOf(account, address))

export const make = (store: CampaignStore["Service"], makeIds: Effect.Effect<IdGenerator>): LeadReactions => {
  /** In order. What was said in another chat is nothing to a campaign that listens to its own. */
  const tell: LeadReactions["tell"] = Effect.fnUntraced(function* (workspace, news, campaigns, now) {
    if (news.length === 0 || campaigns.length === 0) return
    const ids = yield* makeIds
    const contacts = [...new Set(news.map(({ contact }) => contact))]
    const settings = settingsIn(campaigns)
    const told = new Map<ContactId, Array<News>>()
    for (const one of news) {
      const known = told.get(one.contact)
      if (known === undefined) told.set(one.contact, [one])
      else known.push(one)
    }
    yield* store.changeLeads({ type: "contacts", workspace, contacts, ended: true }, now, (lead, messages) => {
      const own = settings.get(lead.campaign) ?? null
      const heard = (told.get(lead.contact) ?? []).filter(
        (one) =>
          LeadNews.concerns(lead, one) &&
          (one.type === "optedOut" || own?.stopOn !== "chat" || one.chat === chatOf(lead))
      )
      return heard
        .toSorted((a, b) => a.at - b.at)
        .reduce<LeadChange | null>((made, { at, type }) => {
          const current = made?.lead ?? lead
          // Of what the first did away with nothing is left for the others.
          const left = messages.filter(
            ({ id, step }) => step === current.step && !made?.cancel.some((one) => one.id === id)
          )
          return followed(made, change(ids, now, LeadStopping.stop(current, left, type, at, own)))
        }, null)
    })
  })

  const end = (workspace: WorkspaceId, contacts: ReadonlyArray<ContactId>, ended: LeadEnded, now: Instant) =>
    Effect.flatMap(makeIds, (ids) =>
      Effect.asVoid(
        store.changeLeads({ type: "contacts", workspace, contacts }, now, (lead, messages) =>
          change(ids, now, LeadStopping.stop(lead, messages, ended, now, null))
        )
      )
    )

  const proven: InboundReaction["proven"] = (messages, now) =>
    Effect.gen(function* () {
      const ids = yield* makeIds
      const campaigns = new Map<string, Campaign>()
      for (const { campaign, workspace } of messages) {
        if (campaign === null || campaigns.has(campaign)) continue
        const found = yield* store.get(workspace, campaign)
        if (Option.isSome(found)) campaigns.set(campaign, found.value)
      }
      for (const round of byTouch(messages)) {
        const step = ({ id }: Lead) => round.get(id)?.[0].step ?? null
        const over = new Set<LeadId>()
        const changed = yield* store.changeLeads({ type: "ids", ids: [...round.keys()], step }, now, (lead, rows) => {
          if (lead.ended !== null) over.add(lead.id)
          const settings = campaigns.get(lead.campaign)?.settings ?? null
          return (round.get(lead.id) ?? []).reduce<LeadChange | null>((made, message) => {
            const conclusion = TouchProof.prove(made?.lead ?? lead, rows, message, now, settings)
            return followed(made, change(ids, now, conclusion))
          }, null)
        })
        const going = changed.filter(({ ended, id }) => ended === null && over.has(id))
        yield* CampaignRevival.revive(store, [...campaigns.values()], going, ids, now)
      }
    })

  const cancelled: LeadReactions["cancelled"] = (messages, now) => {
    const byLead = new Map(
      messages.flatMap((message) => (message.lead === null ? [] : [[message.lead, message] as const]))
    )
    if (byLead.size === 0) return Effect.void
    return Effect.gen(function* () {
      const ids = yield* makeIds
      yield* store.changeLeads({ type: "ids", ids: [...byLead.keys()] as ReadonlyArray<LeadId> }, now, (lead, rows) => {
        const ended: LeadEnded = byLead.get(lead.id)?.reason === "suppressed" ? "optedOut" : "cancelled"
        return change(ids, now, LeadStopping.stop(lead, rows, ended, now, null))
      })
    })
  }

  const spoke: LeadReactions["spoke"] = (all) => {
    const at = new Map<WorkspaceId, Map<ContactId, Map<string, Instant>>>()
    for (const { fate, message } of all) {
      if (message.lead !== null || message.contact === null || (fate !== "sent" && fate !== "unknown")) continue
      const people = at.get(message.workspace) ?? new Map<ContactId, Map<string, Instant>>()
      at.set(message.workspace, people)
      people.set(
        message.contact,
        (people.get(message.contact) ?? new Map<string, Instant>()).set(message.chat, message.sentAt ?? 0)
      )
    }
    return Effect.forEach(
      at,
      ([workspace, people]) =>
        Effect.gen(function* () {
          const contacts = [...people.keys()]
          const settings = settingsIn(yield* store.ofContacts(workspace, contacts))
          const waits = [...settings.values()].some(({ steps }) =>
            steps.some(({ type }) => type === "noReplyResponded")
          )
          if (!waits) return
          yield* store.changeLeads({ type: "contacts", workspace, contacts }, 0, (lead) => {
            const own = settings.get(lead.campaign)
            const spokeAt = people.get(lead.contact)?.get(chatOf(lead) ?? "")
            const moved = own === undefined || spokeAt === undefined ? null : Sequence.spoken(lead, own, spokeAt)
            return moved === null ? null : { ...LeadStopping.alone, lead: moved }
          })
        }),
      { discard: true }
    )
  }

  return {
    inbound: {
      hold: (workspace, contacts, leads) => store.hold(workspace, contacts, leads),
      holdCounts: store.holdCounts,
      proven
    },
    tell,
    cancel: (workspace, contacts, now) => end(workspace, contacts, "cancelled", now),
    cancelled,
    spoke
  }
}
