/** What leads do when their contact answers or wants no more, a person takes the chat over, or a send proves otherwise. */
import { Effect, Option } from "effect"
import * as Chat from "../chat/Chat.ts"
import type { InboundReaction, News } from "../chat/InboundReaction.ts"
import type { Message } from "../chat/Message.ts"
import type { Settled } from "../outbox/Settling.ts"
import type { ContactId, IdGenerator, LeadId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { CampaignSettings } from "./Campaign.ts"
import type { CampaignStore } from "./CampaignStore.ts"
import type { LeadChange } from "./LeadChange.ts"
import type { Lead, LeadEnded } from "./Lead.ts"
import * as LeadNews from "./LeadNews.ts"
import * as LeadStopping from "./LeadStopping.ts"
import * as Sequence from "./Sequence.ts"
import * as TouchConclusion from "./TouchConclusion.ts"

export interface LeadReactions {
  readonly inbound: InboundReaction
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
  return { ...rest, events: facts.map((fact) => ({ ...fact, id: ids.next("evt"), at: now })) }
}

/** Two changes of one lead, one after the other, as one; what is being sent stops for the reason given last. */
const joined = (one: LeadChange | null, other: LeadChange | null): LeadChange | null =>
  one === null || other === null
    ? (one ?? other)
    : {
        ...one,
        lead: other.lead,
        cancel: [...one.cancel, ...other.cancel],
        stop: [...one.stop.filter(({ id }) => !other.stop.some((later) => later.id === id)), ...other.stop],
        counts: { ...other.counts, ...one.counts },
        forget: one.forget || other.forget,
        events: [...one.events, ...other.events]
      }

const chatOf = ({ account, address }: Lead) => (account === null ? null : Chat.idOf(account, address))

export const make = (store: CampaignStore["Service"], makeIds: Effect.Effect<IdGenerator>): LeadReactions => {
  const settingsOf = (workspace: WorkspaceId, contacts: ReadonlyArray<ContactId>) =>
    Effect.map(
      store.ofContacts(workspace, contacts),
      (campaigns) => new Map<string, CampaignSettings>(campaigns.map(({ id, settings }) => [id, settings]))
    )

  /** Tells leads of these contacts of what happened, in order. What was said in another chat is nothing to a campaign that listens to its own. */
  const tell = Effect.fnUntraced(function* (workspace: WorkspaceId, news: ReadonlyArray<News>, now: Instant) {
    if (news.length === 0) return
    const ids = yield* makeIds
    const contacts = [...new Set(news.map(({ contact }) => contact))]
    const settings = yield* settingsOf(workspace, contacts)
    const told = new Map<ContactId, Array<News>>()
    for (const one of news) {
      const known = told.get(one.contact)
      if (known === undefined) told.set(one.contact, [one])
      else known.push(one)
    }
    yield* store.changeLeads({ type: "contacts", workspace, contacts, ended: true }, now, (lead, messages) => {
      const own = settings.get(lead.campaign) ?? null
      const heard = (told.get(lead.contact) ?? []).filter(
        ({ at, chat, type }) =>
          LeadNews.concerns(lead, { type, at }) &&
          (type === "optedOut" || own?.stopOn !== "chat" || chat === chatOf(lead))
      )
      return heard
        .toSorted((a, b) => a.at - b.at)
        .reduce<LeadChange | null>((made, { at, type }) => {
          const current = made?.lead ?? lead
          // Of what the first did away with nothing is left for the others.
          const left = messages.filter(
            ({ id, step }) => step === current.step && !made?.cancel.some((one) => one.id === id)
          )
          return joined(made, change(ids, now, LeadStopping.stop(current, left, type, at, own)))
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
      const byLead = new Map<LeadId, Array<Message>>()
      for (const message of messages) byLead.set(message.lead, [...(byLead.get(message.lead) ?? []), message])
      const settings = new Map<string, CampaignSettings>()
      for (const { campaign, workspace } of messages) {
        if (campaign === null || settings.has(campaign)) continue
        const found = yield* store.get(workspace, campaign)
        if (Option.isSome(found)) settings.set(campaign, found.value.settings)
      }
      yield* store.changeLeads({ type: "ids", ids: [...byLead.keys()] }, now, (lead) =>
        (byLead.get(lead.id) ?? []).reduce<LeadChange | null>((made, message) => {
          const own = settings.get(lead.campaign) ?? null
          return joined(made, change(ids, now, TouchConclusion.prove(made?.lead ?? lead, message, now, own)))
        }, null)
      )
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
          const settings = yield* settingsOf(workspace, contacts)
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
      holdCounts: (workspace, contacts, leads) => store.holdCounts(workspace, contacts, leads),
      heard: tell,
      proven
    },
    cancel: (workspace, contacts, now) => end(workspace, contacts, "cancelled", now),
    cancelled,
    spoke
  }
}
