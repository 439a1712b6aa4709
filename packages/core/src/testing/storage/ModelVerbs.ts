/** The verbs of a random sequence, each drawn from the world's own chance and answered in words that can be compared. */
import { Effect } from "effect"
import type { LeadChange } from "../../campaign/CampaignStore.ts"
import * as TouchConclusion from "../../campaign/TouchConclusion.ts"
import type { Outcome } from "../../channel/Outcome.ts"
import type { Message } from "../../chat/Message.ts"
import type { Result } from "../../outbox/Settling.ts"
import * as Settling from "../../outbox/Settling.ts"
import type { LeadId } from "../../workspace/Id.ts"
import { minute } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed, claimRules, queuedRule, type QueuedVerdict, type Verdict } from "./FakeRules.ts"
import { below, chance, dayOf, type Held, nextLease, pick, type Ports, some, type World } from "./ModelWorld.ts"

type Verb = (world: World, ports: Ports) => Effect.Effect<unknown, unknown>

const sortedIds = (rows: ReadonlyArray<{ readonly id: string }>) => rows.map(({ id }) => id).toSorted()

const outcomes: ReadonlyArray<Outcome> = [
  { type: "accepted", externalId: "" },
  { type: "accepted", externalId: "" },
  { type: "accepted", externalId: "" },
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

const concluded = (world: World, { facts, ...change }: TouchConclusion.Conclusion): LeadChange => ({
  ...change,
  events: facts.map((fact) => ({ ...fact, id: world.build.ids.next("evt"), at: world.now }))
})

const freed = (ports: Ports, messages: ReadonlyArray<Message>, now: number) => {
  const ids = messages.flatMap(({ lead, part }) => (lead !== null && part === 0 ? [lead] : []))
  return ports.campaigns.changeLeads({ type: "ids", ids }, now, (lead) => changed({ ...lead, claim: null }))
}

const held = (world: World, id: Held["id"], messages: Held["messages"]) => {
  if (messages.length > 0) world.claims.push({ id, messages: messages.toSorted((a, b) => (a.message.id < b.message.id ? -1 : 1)) })
}

const anyClaim = (world: World): Held =>
  world.claims.length === 0 ? { id: world.build.ids.next("clm"), messages: [] } : pick(world, world.claims.slice(-6))

const claim: Verb = (world, { campaigns }) =>
  Effect.gen(function* () {
    const lease = nextLease(world)
    const day = dayOf(world)
    const salt = below(world, 1_000)
    const rules = claimRules(world.build.ids, lease.claim, world.now, {
      day,
      want: ({ pace }) => [null, 0, 1, 2, 3][chance(`${pace.account}|${pace.campaign}|${salt}`, 5)]!,
      verdict: ({ lead }): Verdict =>
        (["take", "take", "take", "take", "skip", { deferTo: world.now + 5 * minute + lead.position }, "leave"] as const)[
          chance(`${lead.id}|${lead.step}|${salt}`, 7)
        ]!,
      nextAt: ({ pace }) => (chance(`${pace.account}|${salt}|next`, 9) === 0 ? null : world.now + minute)
    })
    const answer = yield* campaigns.claim({ now: world.now, limit: 100, lease, rules })
    held(world, lease.claim, answer?.claim?.messages ?? [])
    return {
      planned: answer?.planned.map(({ due }) => `${due.pace.campaign}|${due.pace.account}`).toSorted(),
      looks: rules.looks.map(({ dryness, first, followUps }) => ({
        first: first.map(({ lead }) => lead.id),
        followUps: followUps.map(({ lead }) => lead.id),
        dryness
      })),
      messages: sortedIds(answer?.claim?.messages.map(({ message }) => message) ?? [])
    }
  })

const settle: Verb = (world, ports) =>
  ports.transaction.within(
    Effect.gen(function* () {
      const { id, messages } = anyClaim(world)
      const results = messages.map((one): Result => ({ claimed: one, outcome: outcomeOf(one.message), at: world.now }))
      const { settled } = yield* ports.outbox.settle(id, results, (all) => ({
        settled: all.map(({ message, result }) => Settling.settle(result, message)),
        openings: [],
        touches: all.map(({ message }) => ({ chat: message.chat, at: world.now, text: message.id, direction: "outbound", unread: 0 })),
        suppressions: [],
        events: all.map(({ message }) => world.build.event(message.workspace, message.id, { type: "message.sent" }))
      }))
      const byLead = new Map<LeadId, Settling.Settled>()
      for (const one of settled) if (one.claimed.message.lead !== null) byLead.set(one.claimed.message.lead, one)
      const campaigns = new Map(world.campaigns.map((campaign) => [campaign.id as string, campaign]))
      const changes = yield* ports.campaigns.changeLeads({ type: "ids", ids: [...byLead.keys()] }, world.now, (lead, rows) =>
        concluded(world, TouchConclusion.conclude(lead, rows, byLead.get(lead.id)!, campaigns.get(lead.campaign)!)))
      return { settled: settled.map(({ fate, message }) => `${message.id} ${fate}`).toSorted(), leads: sortedIds(changes) }
    })
  )

const release: Verb = (world, ports) =>
  ports.transaction.within(
    Effect.gen(function* () {
      const { id, messages } = anyClaim(world)
      const released = yield* ports.outbox.release(id, messages.map(({ message }) => message.id), world.now)
      return [sortedIds(released), sortedIds(yield* freed(ports, released, world.now))]
    })
  )

/** The rest of every lease passes; each claim is recovered, oldest first, as a worker would one after the other. */
const recover: Verb = (world, ports) =>
  Effect.gen(function* () {
    yield* ports.clock.advance(10_000_000)
    const told: Array<unknown> = []
    for (let count = 0; count < 500; count++) {
      const lease = nextLease(world)
      const recovered = yield* ports.transaction.within(
        Effect.gen(function* () {
          const one = yield* ports.outbox.recover(lease, world.now)
          if (one !== null) yield* freed(ports, one.returned.map(({ message }) => message), world.now)
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

const claimQueued: Verb = (world, { outbox }) =>
  Effect.gen(function* () {
    const lease = nextLease(world)
    const verdict = ({ message }: { readonly message: Message }): QueuedVerdict =>
      message.lead !== null
        ? "take"
        : (["take", "take", "cancel", { deferTo: world.now + 3 * minute + chance(message.id, 60_000) }] as const)[
            chance(`${message.id}|${message.dueAt}`, 4)
          ]!
    const decide = queuedRule(verdict, dayOf(world))
    const answer = yield* outbox.claimQueued({ now: world.now, limit: 100, lease, decide })
    held(world, lease.claim, answer?.claim?.messages ?? [])
    if (answer === null) return null
    return [answer.claim?.messages ?? [], answer.cancelled].map((all) => sortedIds(all.map(({ message }) => message)))
  })

const enqueue: Verb = (world, { outbox }) => {
  const account = pick(world, world.accounts)
  const contacts = some(world, world.contacts.slice(-8))
  const messages = contacts.map((contact, index) =>
    world.build.message(account, contact, {
      author: { type: pick(world, ["member", "api", "system"] as const), id: null },
      dueAt: world.now + index + below(world, 5) * minute
    }))
  const openings = contacts.map((contact) => world.build.opening(account, contact, { at: world.now }))
  // Rows of touches may be gone, and only a claim makes them.
  const known = world.claims.at(-1)?.messages.map(({ message }) => message).filter(({ lead }) => lead === null) ?? []
  return outbox.enqueue([...messages, ...known], openings, messages.map(({ id, workspace }) => world.build.event(workspace, id)))
}

/** A reply, an opt-out or a takeover: by the engine's own rule. */
const stopLeads: Verb = (world, { campaigns, contacts }) =>
  Effect.gen(function* () {
    const stopped = some(world, some(world, world.contacts))
    const ended = pick(world, ["replied", "optedOut", "takenOver"] as const)
    const selector = { type: "contacts", workspace: world.workspace.id, contacts: stopped.map(({ id }) => id) } as const
    const leads = yield* campaigns.changeLeads(selector, world.now, (lead, rows) => {
      const conclusion = TouchConclusion.stop(lead, rows, ended, world.now)
      return conclusion === null ? null : concluded(world, conclusion)
    })
    const rows = stopped.map((contact) => ({
      workspace: world.workspace.id,
      address: Builders.addressOf(contact),
      account: world.random() < 0.5 ? null : pick(world, world.accounts).id,
      reason: "optedOut" as const,
      at: world.now
    }))
    const added = ended === "optedOut" ? yield* contacts.suppress(rows, []) : 0
    const lifted = world.random() < 0.2 ? yield* contacts.lift(world.workspace.id, rows.map(({ address }) => address)) : 0
    return [sortedIds(leads), added, lifted]
  })

const draw: Verb = (world, { campaigns }) => {
  const campaign = pick(world, world.campaigns)
  const [most, take] = [below(world, 20), below(world, 6)]
  return Effect.map(
    campaigns.draw(campaign.id, world.now, (_, accounts, pool) =>
      Effect.map(pool(most), (count) =>
        accounts
          .toSorted((a, b) => (a.account.id < b.account.id ? -1 : 1))
          .map(({ account, holding }) => ({ account: account.id, take: Math.min(take, count, 8 - holding), reaches: [Builders.channel] }))
          .filter((one) => one.take > 0))),
    (drawn) => drawn.map((one) => `${one.account} ${one.drawn}`).toSorted()
  )
}

/** Leads that an account has not touched go back to the pool. */
const leave: Verb = (world, { campaigns }) => {
  const campaign = pick(world, world.campaigns).id
  const selector = { type: "campaign", campaign, account: pick(world, world.accounts).id, statuses: ["assigned"], limit: 500 } as const
  const change = campaigns.changeLeads(selector, world.now, (lead) =>
    lead.attempts > 0 ? null : changed({ ...lead, status: "pending", account: null }))
  return Effect.map(change, sortedIds)
}

const enroll: Verb = (world, { campaigns, contacts }) =>
  Effect.gen(function* () {
    const campaign = pick(world, world.campaigns)
    const fresh = Array.from({ length: below(world, 3) }, () => world.build.contact(world.workspace.id))
    const copy = world.build.contact(world.workspace.id, { addresses: pick(world, world.contacts).addresses, tags: ["again"] })
    const imported = yield* contacts.import(world.workspace.id, [...fresh, copy], world.random() < 0.5 ? world.list.id : null)
    world.contacts.push(...fresh)
    const leads = [...fresh, pick(world, world.contacts)].map((contact) => world.build.lead(campaign, contact, { priority: below(world, 2) }))
    return [imported, yield* campaigns.enroll(campaign.id, leads, [world.build.event(campaign.workspace, campaign.id)], world.now)]
  })

const modifyCampaign: Verb = (world, { campaigns }) => {
  const campaign = pick(world, world.campaigns)
  const status = pick(world, ["running", "running", "paused"] as const)
  return campaigns.modify(world.workspace.id, campaign.id, world.now, (row) => ({
    campaign: { ...row, status, version: row.version + 1 },
    events: [world.build.event(row.workspace, row.id)]
  }))
}

const switches: Verb = (world, { accounts, workspaces }) =>
  Effect.gen(function* () {
    const [on, paused, enabled] = [0.2, 0.3, 0.7].map((share) => world.random() < share)
    yield* workspaces.stop(on!)
    yield* workspaces.modify(world.workspace.id, (row) => ({ ...row, paused: paused! }))
    const ids = [pick(world, world.accounts).id, pick(world, world.accounts).id]
    const changes = yield* accounts.modify(ids, (row) =>
      row.enabled === enabled
        ? { account: row, events: [] }
        : { account: { ...row, enabled: enabled! }, events: [world.build.event(row.workspace, row.id, { type: "account.changed" })] })
    yield* accounts.setPollCursor(ids[0]!, `cursor ${world.now}`)
    yield* workspaces.setPacingClock({ type: "virtual", at: world.now - below(world, 2) * 10 * minute })
    return changes.length > 0
  })

/** What a person writes, and what the platform tells of a message of ours, late and twice. */
const hear: Verb = (world, { chats }) =>
  Effect.gen(function* () {
    const [account, contact] = [pick(world, world.accounts), pick(world, world.contacts)]
    const chat = (yield* chats.open([world.build.opening(account, contact, { at: world.now })]))[0]!
    const key = { account: account.id, dedupeKey: `event ${below(world, 30)}`, at: world.now }
    const admitted = yield* chats.admit([key, key])
    const inbound = () =>
      world.build.message(account, contact, {
        direction: "inbound",
        author: { type: "contact", id: contact.id },
        status: "received",
        dueAt: null,
        createdAt: world.now,
        externalId: `in ${below(world, 40)}`
      })
    const recorded = yield* chats.record([inbound(), inbound()])
    const at = world.now - below(world, 3) * minute
    yield* chats.touch([{ chat: chat.id, at, text: `at ${at}`, direction: "inbound", unread: recorded.length }])
    yield* chats.setTakenOver([chat.id], world.random() < 0.2 ? world.now : null)
    const refs = world.claims.slice(-4).flatMap(({ messages }) => messages).map(({ message }) => ({ chat: message.chat, externalId: `x-${message.id}` }))
    const advanced = yield* chats.advance(refs, (message) =>
      message.status === "sent" ? { ...message, status: "delivered", deliveredAt: world.now } : message)
    return [admitted, recorded, advanced.map(({ after, index }) => `${index} ${after.status}`).toSorted()]
  })

const begin: Verb = (world, { outbox }) => {
  const { id, messages } = anyClaim(world)
  return Effect.map(outbox.begin(id, some(world, messages).map(({ message }) => message.id)), (ids) => ids.toSorted())
}

const renew: Verb = (world, { outbox }) => {
  const { id } = anyClaim(world)
  return Effect.andThen(outbox.finish(id), outbox.renew(id, nextLease(world).durationMs))
}

const cancel: Verb = (world, { outbox }) => {
  const [one] = some(world, world.claims.flatMap(({ messages }) => messages)).slice(-1)
  const id = one?.message.id ?? world.build.ids.next("msg")
  return outbox.cancel(world.workspace.id, id, "by hand", [world.build.event(world.workspace.id, id)])
}

const ring: Verb = (world, { campaigns }) => campaigns.ring(some(world, world.accounts).map(({ id }) => id), world.now)

/** By name; those listed twice come twice as often. */
export const verbs: ReadonlyArray<readonly [string, Verb]> = [
  ["claim", claim],
  ["claim", claim],
  ["claim", claim],
  ["begin", begin],
  ["begin", begin],
  ["begin", begin],
  ["settle", settle],
  ["settle", settle],
  ["settle", settle],
  ["draw", draw],
  ["draw", draw],
  ["claimQueued", claimQueued],
  ["claimQueued", claimQueued],
  ["enqueue", enqueue],
  ["release", release],
  ["recover", recover],
  ["stopLeads", stopLeads],
  ["leave", leave],
  ["enroll", enroll],
  ["modifyCampaign", modifyCampaign],
  ["switches", switches],
  ["hear", hear],
  ["hear", hear],
  ["renew", renew],
  ["cancel", cancel],
  ["ring", ring]
]
