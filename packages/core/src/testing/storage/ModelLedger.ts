/** The verbs of a random sequence that claim, send and settle: what the outbox and the claims of campaigns do. */
import { Effect } from "effect"
import type { LeadChange } from "../../campaign/LeadChange.ts"
import type { Lead } from "../../campaign/Lead.ts"
import type { Conclusion } from "../../campaign/LeadStopping.ts"
import type { PaceCounts } from "../../campaign/Pace.ts"
import * as TouchConclusion from "../../campaign/TouchConclusion.ts"
import type { Outcome } from "../../channel/Outcome.ts"
import * as ChatOpening from "../../chat/ChatOpening.ts"
import type { Message } from "../../chat/Message.ts"
import { stamped, system } from "../../event/DomainEvent.ts"
import type { QueuedCandidate } from "../../outbox/OutboxStore.ts"
import type { Result } from "../../outbox/Settling.ts"
import * as Settling from "../../outbox/Settling.ts"
import type { LeadId } from "../../workspace/Id.ts"
import { minute } from "../../workspace/Instant.ts"
import * as Expect from "../Expect.ts"
import { changed, claimRules, queuedRule, type QueuedVerdict, type Verdict } from "./FakeRules.ts"
import {
  addressHash,
  below,
  chance,
  dayOf,
  type Held,
  nextLease,
  pick,
  type Ports,
  some,
  type World
} from "./ModelWorld.ts"

/** Does something to the storage by the world's chance and tells what came of it. */
export type Verb = (world: World, ports: Ports) => Effect.Effect<unknown, unknown>

/** Ids of rows, in an order that no storage chooses. */
export const sortedIds = (rows: ReadonlyArray<{ readonly id: string }>) => rows.map(({ id }) => id).toSorted()

const outcomes: ReadonlyArray<Outcome> = [
  ...Array.from({ length: 9 }, () => ({ type: "accepted" as const, externalId: "" })),
  { type: "transient" },
  { type: "rateLimited", scope: "account", retryAfterMs: 90_000 },
  { type: "unreachable", code: "551" },
  { type: "outcomeUnknown" },
  { type: "restricted" }
]

const outcomeOf = (message: Message): Outcome => {
  const outcome = outcomes[chance(`${message.id}|${message.tries}|outcome`, outcomes.length)]!
  return outcome.type === "accepted" ? { ...outcome, externalId: `x-${message.id}` } : outcome
}

const counted = ["sent", "partial", "failed", "skipped"] as const

/** A conclusion as it is written. What it counts is taken from the lead itself: here the store is tried, not the rule. */
export const concluded = (world: World, before: Lead, { facts, ...change }: Conclusion): LeadChange => {
  const { lead } = change
  const counts: { -readonly [K in keyof PaceCounts]?: number } = { touched: change.counts.touched ?? 0 }
  for (const status of counted) {
    const added = (lead.status === status ? 1 : 0) - (before.status === status ? 1 : 0)
    if (added !== 0) counts[status] = added
  }
  if (before.repliedAt === null && lead.repliedAt !== null) counts.replied = 1
  return {
    ...change,
    counts,
    events: facts.map((fact) => stamped(world.build.ids, world.now, fact))
  }
}

const freed = (ports: Ports, messages: ReadonlyArray<Message>, now: number) => {
  const ids = messages.flatMap(({ lead, part }) => (lead !== null && part === 0 ? [lead] : []))
  return ports.campaigns.changeLeads({ type: "ids", ids }, now, (lead) =>
    changed({ ...lead, claim: null }, { forget: true })
  )
}

const held = (world: World, id: Held["id"], messages: Held["messages"]) => {
  if (messages.length > 0)
    world.claims.push({ id, messages: messages.toSorted((a, b) => (a.message.id < b.message.id ? -1 : 1)) })
}

const anyClaim = (world: World): Held =>
  world.claims.length === 0
    ? { id: world.build.ids.next("clm"), messages: [] }
    : pick(world, world.claims.slice(world.random() < 0.8 ? -2 : -8))

export const claim: Verb = (world, { campaigns }) =>
  Effect.gen(function* () {
    const lease = nextLease(world)
    const day = dayOf(world)
    const salt = below(world, 1_000)
    const rules = claimRules(world.build.ids, lease.claim, world.now, {
      day,
      want: ({ pace }) => [null, 0, 1, 2, 2, 3, 3][chance(`${pace.account}|${pace.campaign}|${salt}`, 7)]!,
      verdict: ({ lead }): Verdict =>
        (["skip", { deferTo: world.now + 5 * minute + lead.position }, "leave"] as const)[
          chance(`${lead.id}|${lead.step}|${salt}`, 20)
        ] ?? "take",
      nextAt: ({ pace }) => (chance(`${pace.account}|${salt}|next`, 9) === 0 ? null : world.now + minute)
    })
    const answer = yield* campaigns.claim({ now: world.now, limit: 100, lease, rules, addressHash })
    held(world, lease.claim, answer?.claim?.messages ?? [])
    return {
      planned: answer?.planned.map(({ due }) => `${due.pace.campaign}|${due.pace.account}`).toSorted(),
      looks: rules.looks.map(({ dryness, due, first, followUps }) => ({
        account: due.pace.account,
        group: due.group,
        first: first.map(({ lead }) => lead.id),
        followUps: followUps.map(({ lead }) => lead.id),
        held: [...first, ...followUps].map(({ sequences, suppressions }) => [sequences, suppressions.length]),
        dryness
      })),
      messages: sortedIds(answer?.claim?.messages.map(({ message }) => message) ?? [])
    }
  })

export const settle: Verb = (world, ports) =>
  ports.transaction.within(
    Effect.gen(function* () {
      const { id, messages } = anyClaim(world)
      if (world.random() < 0.7)
        yield* ports.outbox.begin(
          id,
          messages.map(({ message }) => message.id),
          world.now
        )
      const results = messages.map((one): Result => ({ claimed: one, outcome: outcomeOf(one.message), at: world.now }))
      const { settled } = yield* ports.outbox.settle(id, results, (all) => ({
        settled: all.map(({ message, result }) => Settling.settle(result, message)),
        openings: all.map(({ message: { account, address, chat, contact, workspace } }) =>
          ChatOpening.make(
            world.build.ids,
            { id: chat, workspace, account, address, contact, name: "", at: world.now },
            system
          )
        ),
        touches: all.map(({ message }) => ({
          chat: message.chat,
          at: world.now,
          text: message.id,
          direction: "outbound",
          unread: 0
        })),
        suppressions: [],
        events: all.map(({ message }) => world.build.event(message.workspace, message.id, { type: "message.sent" }))
      }))
      const byLead = new Map<LeadId, Settling.Settled>()
      for (const one of settled) if (one.claimed.message.lead !== null) byLead.set(one.claimed.message.lead, one)
      const campaigns = new Map(world.campaigns.map((campaign) => [campaign.id as string, campaign]))
      const changes = yield* ports.campaigns.changeLeads(
        { type: "ids", ids: [...byLead.keys()] },
        world.now,
        (lead, rows) =>
          concluded(
            world,
            lead,
            TouchConclusion.conclude(lead, rows, byLead.get(lead.id)!, campaigns.get(lead.campaign)!)
          )
      )
      return {
        settled: settled.map(({ fate, message }) => `${message.id} ${fate}`).toSorted(),
        leads: sortedIds(changes)
      }
    })
  )

export const release: Verb = (world, ports) =>
  ports.transaction.within(
    Effect.gen(function* () {
      const { id, messages } = anyClaim(world)
      const released = yield* ports.outbox.release(
        id,
        messages.map(({ message }) => message.id),
        world.now
      )
      return [sortedIds(released), sortedIds(yield* freed(ports, released, world.now))]
    })
  )

/** The rest of every lease passes; each claim is recovered, oldest first, as a worker would one after the other. */
export const recover: Verb = (world, ports) =>
  Effect.gen(function* () {
    yield* ports.clock.advance(10_000_000)
    const told: Array<unknown> = []
    for (let count = 0; count < 500; count++) {
      const lease = nextLease(world)
      const recovered = yield* ports.transaction.within(
        Effect.gen(function* () {
          const one = yield* ports.outbox.recover(lease, world.now)
          if (one !== null)
            yield* freed(
              ports,
              one.returned.map(({ message }) => message),
              world.now
            )
          return one
        })
      )
      if (recovered === null) return told
      held(world, recovered.id, recovered.sending)
      const ids = (all: Held["messages"]) => sortedIds(all.map(({ message }) => message))
      told.push([ids(recovered.sending), ids(recovered.returned)])
    }
    return Expect.fail("recover does not come to an end")
  })

export const claimQueued: Verb = (world, { outbox }) =>
  Effect.gen(function* () {
    const lease = nextLease(world)
    const verdict = ({ message, suppressions }: QueuedCandidate): QueuedVerdict =>
      message.lead !== null
        ? "take"
        : suppressions.length > 0
          ? "cancel"
          : ((["cancel", { deferTo: world.now + 3 * minute + chance(message.id, 60_000) }] as const)[
              chance(`${message.id}|${message.dueAt}`, 8)
            ] ?? "take")
    const decide = queuedRule(verdict, dayOf(world))
    const answer = yield* outbox.claimQueued({ now: world.now, limit: 100, lease, decide, addressHash })
    held(world, lease.claim, answer?.claim?.messages ?? [])
    if (answer === null) return null
    return [answer.claim?.messages ?? [], answer.cancelled].map((all) => sortedIds(all.map(({ message }) => message)))
  })

export const enqueue: Verb = (world, { outbox }) => {
  const account = pick(world, world.accounts)
  const contacts = some(world, world.contacts.slice(-8))
  const messages = contacts.map((contact, index) =>
    world.build.message(account, contact, {
      author: { type: pick(world, ["member", "api", "system"] as const), id: null },
      dueAt: world.now + index + below(world, 5) * minute
    })
  )
  const openings = contacts.map((contact) => world.build.opening(account, contact, { at: world.now }))
  // Rows of touches may be gone, and only a claim makes them.
  const known =
    world.claims
      .at(-1)
      ?.messages.map(({ message }) => message)
      .filter(({ lead }) => lead === null) ?? []
  return outbox.enqueue(
    [...messages, ...known],
    openings,
    messages.map(({ id, workspace }) => world.build.event(workspace, id))
  )
}

export const begin: Verb = (world, { outbox }) => {
  const { id, messages } = anyClaim(world)
  return Effect.map(
    outbox.begin(
      id,
      some(world, messages).map(({ message }) => message.id),
      world.now
    ),
    (ids) => ids.toSorted()
  )
}

export const renew: Verb = (world, { outbox }) => {
  const { id } = anyClaim(world)
  return Effect.andThen(outbox.finish(id), outbox.renew(id, nextLease(world).durationMs))
}

export const cancel: Verb = (world, { outbox }) => {
  const [one] = some(
    world,
    world.claims.flatMap(({ messages }) => messages.filter(({ message }) => message.lead === null))
  ).slice(-1)
  const id = one?.message.id ?? world.build.ids.next("msg")
  return outbox.cancel(world.workspace.id, id, "by hand", [world.build.event(world.workspace.id, id)])
}
