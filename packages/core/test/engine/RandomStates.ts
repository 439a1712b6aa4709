/** Random campaigns in the middle of their lives, written straight into a memory: each in a workspace of its own. */
import type { Account } from "../../src/account/Account.ts"
import type { AccountGroup } from "../../src/account/AccountGroup.ts"
import { initial } from "../../src/campaign/Pace.ts"
import type { Campaign, CampaignSettings } from "../../src/campaign/Campaign.ts"
import type { Lead } from "../../src/campaign/Lead.ts"
import type { Step } from "../../src/campaign/Step.ts"
import * as Address from "../../src/channel/Address.ts"
import * as Chat from "../../src/chat/Chat.ts"
import type { ContactTouch } from "../../src/contact/Contact.ts"
import { paceKey, type State, suppressionKey } from "../../src/memory/State.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import type { DayUse } from "../../src/workspace/Budget.ts"
import { day, hour, type Instant, minute } from "../../src/workspace/Instant.ts"
import * as Seed from "../../src/workspace/Seed.ts"
import * as Zone from "../../src/workspace/Zone.ts"

/** Half past an hour, when hourly slots are due in every zone of whole hours. 12:30 in UTC, a Monday. */
export const now: Instant = Builders.start + 2 * hour + 30 * minute

/** Channels of every policy; an account may also be on one that is not there. */
export const channels = () => [
  TestChannel.make({ capabilities: { text: { maxLength: 60, unit: "characters" } } }),
  TestChannel.make({ name: "optin", policy: { optInRequired: true } }),
  TestChannel.make({ name: "inbound", policy: { personWritesFirst: true } }),
  TestChannel.make({ name: "windowed", policy: { replyWindow: { automatedMs: day, humanMs: null } } }),
  TestChannel.make({ name: "manual", policy: { automationAllowed: false } })
]

export interface Cell {
  readonly campaign: Campaign
  readonly account: Account
  /** In their turn; all of one kind, first touches or follow-ups. */
  readonly leads: ReadonlyArray<Lead>
}

const texts = ["Hello {{ name }}", "Hello {{ name }}", "Hello {{ name }}", "Your order {{ order }}", "x".repeat(61)]

/** One campaign with its account and people, at random. */
export const cell = (state: State, seed: string): Cell => {
  const random = Seed.random(seed)
  const build = Builders.make(seed)
  const chance = (p: number) => random() < p
  const pick = <A>(...values: readonly [A, ...Array<A>]): A => values[Math.floor(random() * values.length)]!
  const int = (from: number, to: number) => from + Math.floor(random() * (to - from + 1))
  const zone = () => pick("UTC", "UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")
  const use = (timezone: string): DayUse =>
    chance(0.4)
      ? { day: null, used: 0 }
      : { day: Zone.localDate(Zone.make(timezone), now - (chance(0.3) ? day : 0)), used: int(0, 3) }

  const workspace = build.workspace({
    timezone: zone(),
    paused: chance(0.03),
    dailyCap: chance(0.2) ? int(1, 4) : null
  })
  state.workspaces.set(workspace.id, { workspace, use: use(workspace.timezone) })
  const group: AccountGroup = {
    id: build.ids.next("agr"),
    workspace: workspace.id,
    name: "group",
    dailyCap: chance(0.5) ? int(1, 3) : null,
    timezone: chance(0.5) ? zone() : null,
    metadata: {},
    createdAt: 0
  }
  state.groups.set(group.id, { group, use: use(group.timezone ?? workspace.timezone) })
  const timezone = chance(0.5) ? zone() : null
  const channel = chance(0.05)
    ? pick("manual", "absent")
    : pick("sandbox", "sandbox", "sandbox", "sandbox", "optin", "inbound", "windowed")
  const account = build.account(workspace.id, {
    channel,
    timezone,
    group: chance(0.3) ? group.id : null,
    enabled: chance(0.97),
    attention: chance(0.03) ? ["unauthorized"] : [],
    restingUntil: chance(0.05) ? now + int(-60, 60) * minute : null,
    dailyCap: chance(0.2) ? int(1, 4) : null,
    minGapMs: chance(0.2) ? 20_000 : 0,
    ...(chance(0.2) && {
      limits: {
        warmUp: {
          ramp: { type: "incremental", increment: 1, max: 3 },
          day: int(0, 2),
          date: chance(0.5) ? null : Zone.localDate(Zone.make(timezone ?? workspace.timezone), now - int(0, 20) * day)
        }
      }
    })
  })
  state.accounts.set(account.id, {
    account,
    use: use(timezone ?? workspace.timezone),
    lastTouchAt: chance(0.3) ? null : now - pick(5_000, hour, day)
  })

  const step = (type: Step["type"]): Step => {
    const { id, parts } = build.step({ parts: pick(1, 1, 2) })
    const content = Builders.text(pick(texts[0]!, ...texts))
    const [, ...others] = parts
    return {
      id,
      type,
      sendAfterDays: type === "first" ? 0 : 1,
      parts: [{ variants: [{ weight: 1, content }] }, ...others]
    }
  }
  const first = int(0, 15)
  const hours = int(4, 8)
  const clock = (at: number) => `${String(at).padStart(2, "0")}:00`
  const isWholeDay = chance(0.8)
  const steps = [step("first"), step(pick("noReply", "noReply", "noReplyResponded")), step("noReply")] as const
  // A slot an hour, however many messages a touch has.
  const quota = (isWholeDay ? 24 : hours) * steps[0].parts.length
  const settings: CampaignSettings = build.settings({
    steps,
    pacing: { rangeMin: quota, rangeMax: quota, jitter: 0, catchUp: "skip", newShare: 0.25 },
    sendWindow: isWholeDay ? {} : { windows: [{ start: clock(first), end: clock(first + hours) }] },
    timezone: zone(),
    startAt: chance(0.05) ? now + hour : null,
    endAt: chance(0.1) ? now + pick(-hour, 0, 5 * minute, hour) : null,
    quietHours: chance(0.3) ? { start: clock(int(8, 20)), end: clock(int(0, 7)) } : null,
    stopOn: pick("contact", "contact", "chat"),
    frequency: chance(0.3) ? { touches: int(1, 2), days: pick(1, 7, 60) } : null,
    skipContacted: chance(0.3)
  })
  const campaign = build.campaign(workspace.id, {
    status: chance(0.95) ? "running" : "paused",
    startedAt: now - 2 * day,
    settings
  })
  const other = build.campaign(workspace.id, { status: chance(0.7) ? "running" : "paused", startedAt: now - 20 * day })
  for (const one of [campaign, other])
    state.campaigns.set(one.id, { campaign: one, counts: initial(one, account.id).counts })
  const isRunning = campaign.status === "running"
  const used = chance(0.35) ? pick(1, quota - 1, quota - 1, quota) : 0
  const pace = {
    ...initial(campaign, account.id),
    version: campaign.version,
    paused: !isRunning,
    nextAt: isRunning ? now : null,
    ...(used > 0 && { date: Zone.localDate(Zone.make(settings.timezone), now), quota, used })
  }
  state.paces.set(paceKey(pace), pace)

  const isFollowUp = chance(0.4)
  const leads = Array.from({ length: int(1, 4) }, (_, i): Lead => {
    const scope = chance(0.05) ? "elsewhere" : ""
    const contact = build.contact(workspace.id, {
      addresses: Array.from({ length: pick(1, 1, 2) }, (_, j) => ({ channel, scope, externalId: `${seed}-${i}-${j}` })),
      timezone: pick(null, zone(), "Not/AZone"),
      consents: chance(0.6)
        ? [{ channel: pick(channel, "*", "other"), scope: "", source: "form", at: now - pick(-hour, day) }]
        : []
    })
    const lead = build.lead(campaign, contact, {
      account: account.id,
      status: isFollowUp ? "sent" : "assigned",
      step: settings.steps[isFollowUp ? 1 : 0]!.id,
      dueAt: isFollowUp || chance(0.2) ? now - (4 - i) * minute : null,
      ...(isFollowUp && {
        firstSentAt: now - day,
        lastSentAt: now - day,
        touches: [{ step: settings.steps[0].id, status: "sent", reason: null, at: now - day }],
        // A step that an edit took away, and people who wrote.
        ...(chance(0.1) && { step: build.ids.next("stp") }),
        ...(chance(0.15) && { repliedAt: now - hour })
      })
    })
    // Follow-ups that are not due, and leads that were put off before.
    const waiting: Partial<Lead> = chance(0.1)
      ? { dueAt: now + hour }
      : chance(0.15) && lead.step !== null
        ? {
            dueAt: now - 5 * minute,
            touches: [
              ...lead.touches,
              { step: lead.step, status: "deferred", reason: "frequencyCapped", at: now - int(20, 40) * day },
              ...(chance(0.5)
                ? [{ step: lead.step, status: "deferred" as const, reason: "quietHours", at: now - day }]
                : [])
            ]
          }
        : {}
    const elsewhere = build.lead(other, contact, {
      account: account.id,
      ...pick<Partial<Lead>>(
        { status: "sent", step: other.settings.steps[0].id, dueAt: now + pick(-hour, 3 * day) },
        { status: "sent", step: null, ended: "completed" },
        { status: "sending" },
        { status: "pending", account: null }
      )
    })
    const touches: Array<ContactTouch> = isFollowUp
      ? [{ at: now - day, campaign: campaign.id, lead: lead.id, step: settings.steps[0].id }]
      : []
    if (chance(0.4)) {
      state.leads.set(elsewhere.id, elsewhere)
      touches.push({
        at: now - int(0, 80) * 12 * hour,
        campaign: other.id,
        lead: elsewhere.id,
        step: other.settings.steps[0].id
      })
    }
    state.contacts.set(contact.id, { contact, touches })
    const ready: Lead = { ...lead, ...waiting }
    state.leads.set(lead.id, ready)
    for (const address of contact.addresses.map(Address.key)) {
      if (!chance(0.15)) continue
      const suppression = {
        workspace: workspace.id,
        address,
        account: chance(0.3) ? account.id : null,
        reason: "manual" as const,
        at: now - day
      }
      state.suppressions.set(suppressionKey(suppression), suppression)
    }
    for (const by of [...(chance(0.5) ? [account.id] : []), ...(chance(0.1) ? [build.ids.next("acc")] : [])]) {
      const chat: Chat.Chat = {
        id: Chat.idOf(by, lead.address),
        workspace: workspace.id,
        number: i + 1,
        account: by,
        address: lead.address,
        contact: contact.id,
        name: "",
        lastAt: now - day,
        lastText: "",
        lastDirection: pick("inbound", "outbound"),
        lastInboundAt: pick(null, now - hour, now - 2 * day),
        unread: 0,
        ...Chat.untended,
        takenOverAt: by !== account.id || chance(0.2) ? now - hour : null,
        openedAt: now - day,
        createdAt: now - day
      }
      state.chats.set(chat.id, chat)
    }
    return ready
  })
  return { campaign, account, leads }
}
