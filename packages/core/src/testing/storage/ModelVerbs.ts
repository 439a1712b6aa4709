/** The verbs of a random sequence, each drawn from the world's own chance and answered in words that can be compared. */
import { Effect } from "effect"
import * as LeadStopping from "../../campaign/LeadStopping.ts"
import type { Chat } from "../../chat/Chat.ts"
import { keysOf } from "../../contact/Suppression.ts"
import { hour, minute } from "../../workspace/Instant.ts"
import * as Builders from "../Builders.ts"
import { changed } from "./FakeRules.ts"
import { takeOf } from "./Scene.ts"
import { addressHash, below, pick, some } from "./ModelWorld.ts"

import * as Ledger from "./ModelLedger.ts"
import { concluded, sortedIds, type Verb } from "./ModelLedger.ts"

/** A reply, an opt-out or a takeover: by the engine's own rule. */
const stopLeads: Verb = (world, { campaigns, contacts }) =>
  Effect.gen(function* () {
    const stopped = [pick(world, world.contacts), pick(world, world.contacts)]
    const ended = pick(world, ["replied", "replied", "replied", "optedOut", "takenOver"] as const)
    const selector = { type: "contacts", workspace: world.workspace.id, contacts: stopped.map(({ id }) => id) } as const
    // Each at an instant of its own: no storage promises who is first of two leads that wait until the same.
    const leads = yield* campaigns.changeLeads(selector, world.now, (lead, rows) => {
      const { settings } = world.campaigns.find(({ id }) => id === lead.campaign)!
      const conclusion = LeadStopping.stop(lead, rows, ended, world.now + lead.position, settings)
      return conclusion === null ? null : concluded(world, lead, conclusion)
    })
    const rows = stopped.map((contact) => ({
      workspace: world.workspace.id,
      address: pick(world, keysOf(addressHash, Builders.addressOf(contact))),
      account: world.random() < 0.5 ? null : pick(world, world.accounts).id,
      reason: "optedOut" as const,
      at: world.now
    }))
    const added = ended === "optedOut" ? yield* contacts.suppress(rows, []) : 0
    if (world.random() < 0.2) {
      yield* contacts.heed(
        rows.map(({ address, workspace }) => ({ workspace, address, type: "start" as const, at: world.now }))
      )
    }
    return [sortedIds(leads), added]
  })

const draw: Verb = (world, { campaigns }) => {
  const campaign = pick(world, world.campaigns)
  const [most, take, own] = [below(world, 20), below(world, 6), below(world, 3)]
  const seen: Array<string> = []
  const ranges = [null, ...world.accounts.map(({ id }) => id)].map((wanted) => ({ reach: Builders.channel, wanted }))
  return Effect.map(
    campaigns.draw(campaign.id, world.now, (_, accounts, pool) =>
      Effect.map(pool(ranges, most), (sizes) => {
        seen.push(sizes.join(" "))
        return accounts
          .toSorted((a, b) => (a.account.id < b.account.id ? -1 : 1))
          .map(({ account, deferred, given, holding }) => {
            seen.push(`${account.id} ${holding} ${deferred} ${given}`)
            const { from, ...rest } = takeOf(account.id, Math.min(take, 8 - holding))
            return { ...rest, from: [...from, { reach: Builders.channel, wanted: account.id, most: own }] }
          })
          .filter((one) => one.take > 0)
      })
    ),
    (drawn) => [...seen, ...drawn.map((one) => `${one.account} ${one.drawn}`)].toSorted()
  )
}

/** An account leaves a campaign, or comes back. */
const membership: Verb = (world, { campaigns }) => {
  const [campaign, account] = [pick(world, world.campaigns), pick(world, world.accounts)]
  const { id, workspace } = campaign
  return world.random() < 0.5
    ? campaigns.leave(workspace, id, account.id, world.now, [world.build.event(workspace, id)])
    : campaigns.addAccounts(workspace, id, [account.id], world.now)
}

/** What decides about an account that was lost, and about the routes of its leads. */
const lost: Verb = (world, { campaigns }) =>
  Effect.gen(function* () {
    const [campaign, account] = [pick(world, world.campaigns).id, pick(world, world.accounts).id]
    const ids = world.accounts.map((one) => one.id)
    const pooled = yield* campaigns.pooled(campaign, { after: null, limit: 10 }, ids)
    return [
      pooled.map(({ chats, lead }) => [lead.id, lead.wanted, chats.map((chat) => chat.id).toSorted()]),
      sortedIds((yield* campaigns.followUpsOf(campaign, account, 500)).map((id) => ({ id }))),
      yield* campaigns.isUnderWay(campaign, account)
    ]
  })

/** Leads that an account has not touched go back to the pool. */
const leave: Verb = (world, { campaigns }) => {
  const campaign = pick(world, world.campaigns).id
  const selector = {
    type: "campaign",
    campaign,
    account: pick(world, world.accounts).id,
    statuses: ["assigned"],
    limit: 500
  } as const
  const change = campaigns.changeLeads(selector, world.now, (lead) =>
    lead.attempts > 0 ? null : changed({ ...lead, status: "pending", account: null })
  )
  return Effect.map(change, sortedIds)
}

const enroll: Verb = (world, { campaigns, contacts }) =>
  Effect.gen(function* () {
    const campaign = pick(world, world.campaigns)
    const fresh = Array.from({ length: below(world, 3) }, () => world.build.contact(world.workspace.id))
    const copy = world.build.contact(world.workspace.id, {
      addresses: pick(world, world.contacts).addresses,
      tags: ["again"]
    })
    const imported = yield* contacts.import(
      world.workspace.id,
      [...fresh, copy],
      world.random() < 0.5 ? world.list.id : null
    )
    world.contacts.push(...fresh)
    const leads = [...fresh, pick(world, world.contacts)].map((contact) =>
      world.build.lead(campaign, contact, {
        priority: below(world, 2),
        wanted: world.random() < 0.3 ? pick(world, world.accounts).id : null
      })
    )
    return [
      imported,
      yield* campaigns.enroll(campaign.id, leads, [world.build.event(campaign.workspace, campaign.id)], world.now)
    ]
  })

const modifyCampaign: Verb = (world, { campaigns }) => {
  const campaign = pick(world, world.campaigns)
  const status = pick(world, ["running", "running", "running", "running", "paused"] as const)
  return campaigns.modify(world.workspace.id, campaign.id, world.now, (row) => ({
    campaign: { ...row, status, version: row.version + 1 },
    events: [world.build.event(row.workspace, row.id)]
  }))
}

const switches: Verb = (world, { accounts, workspaces }) =>
  Effect.gen(function* () {
    const [on, paused, enabled] = [0.1, 0.15, 0.8].map((share) => world.random() < share)
    yield* workspaces.stop(on!)
    yield* workspaces.modify(world.workspace.id, (row) => ({ ...row, paused: paused! }))
    const ids = [pick(world, world.accounts).id, pick(world, world.accounts).id]
    const changes = yield* accounts.modify(ids, (row) =>
      row.enabled === enabled
        ? { account: row, events: [] }
        : {
            account: { ...row, enabled: enabled! },
            events: [world.build.event(row.workspace, row.id, { type: "account.changed" })]
          }
    )
    yield* accounts.setPollCursor(ids[0]!, `cursor ${world.now}`)
    yield* workspaces.setPacingClock({ type: "virtual", at: world.now - below(world, 2) * 10 * minute })
    return changes.length > 0
  })

/** Accounts come into a group or leave theirs, and a group gets a cap or loses it. */
const regroup: Verb = (world, { accounts, groups }) =>
  Effect.gen(function* () {
    const group = world.groups[below(world, world.groups.length + 1)]?.id ?? null
    const moved = yield* accounts.modify([pick(world, world.accounts).id], (row) => ({
      account: { ...row, group },
      events: []
    }))
    const dailyCap = [40, 60][below(world, 3)] ?? null
    const changed = yield* groups.modify(world.workspace.id, pick(world, world.groups).id, (row) => ({
      ...row,
      dailyCap
    }))
    return [moved.map((row) => row.group), changed]
  })

/** What a person writes, and what the platform tells of a message of ours, late and twice. */
const hear: Verb = (world, { chats }) =>
  Effect.gen(function* () {
    const [account, contact] = [pick(world, world.accounts), pick(world, world.contacts)]
    const [chat] = (yield* chats.open([world.build.opening(account, contact, { at: world.now })])).chats as [Chat]
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
    const refs = world.claims
      .slice(-4)
      .flatMap(({ messages }) => messages)
      .map(({ message }) => ({ chat: message.chat, externalId: `x-${message.id}` }))
    const advanced = yield* chats.advance(refs, (message) =>
      message.status === "sent" ? { ...message, status: "delivered", deliveredAt: world.now } : message
    )
    return [admitted, recorded, advanced.map(({ after, index }) => `${index} ${after.status}`).toSorted()]
  })

/** Follow-ups become due. */
const sleep: Verb = (world) =>
  Effect.sync(() => {
    world.now += 9 * hour
  })

const ring: Verb = (world, { campaigns }) =>
  campaigns.ring(
    some(world, world.accounts).map(({ id }) => id),
    world.now
  )

/** By name; those listed twice come twice as often. */
export const verbs: ReadonlyArray<readonly [string, Verb]> = [
  ["claim", Ledger.claim],
  ["claim", Ledger.claim],
  ["claim", Ledger.claim],
  ["claim", Ledger.claim],
  ["begin", Ledger.begin],
  ["begin", Ledger.begin],
  ["begin", Ledger.begin],
  ["begin", Ledger.begin],
  ["settle", Ledger.settle],
  ["settle", Ledger.settle],
  ["settle", Ledger.settle],
  ["settle", Ledger.settle],
  ["draw", draw],
  ["draw", draw],
  ["claimQueued", Ledger.claimQueued],
  ["claimQueued", Ledger.claimQueued],
  ["enqueue", Ledger.enqueue],
  ["release", Ledger.release],
  ["recover", Ledger.recover],
  ["stopLeads", stopLeads],
  ["leave", leave],
  ["membership", membership],
  ["lost", lost],
  ["enroll", enroll],
  ["modifyCampaign", modifyCampaign],
  ["switches", switches],
  ["regroup", regroup],
  ["hear", hear],
  ["hear", hear],
  ["renew", Ledger.renew],
  ["cancel", Ledger.cancel],
  ["sleep", sleep],
  ["ring", ring]
]
