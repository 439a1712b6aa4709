/** Shows what a campaign would say, to people on screen or to one address of ours; no lead is touched and no quota used. */
import { Context, Effect, Layer, Option, Schema } from "effect"
import * as Account from "../account/Account.ts"
import { AccountNotFound } from "../account/Account.ts"
import { AccountStore } from "../account/AccountStore.ts"
import * as Address from "../channel/Address.ts"
import { Channels } from "../channel/Channel.ts"
import * as Chat from "../chat/Chat.ts"
import * as ChatOpening from "../chat/ChatOpening.ts"
import { ChatStore } from "../chat/ChatStore.ts"
import { type Message, single, untried } from "../chat/Message.ts"
import * as FirstWord from "../chat/FirstWord.ts"
import * as ReplyWindow from "../chat/ReplyWindow.ts"
import * as People from "../contact/Contacts.ts"
import { ContactStore } from "../contact/ContactStore.ts"
import { Suppressions } from "../contact/Suppressions.ts"
import { type Actor, stamped } from "../event/DomainEvent.ts"
import { OutboxStore } from "../outbox/OutboxStore.ts"
import type { AccountId, CampaignId, ContactId, MessageId, StepId, WorkspaceId } from "../workspace/Id.ts"
import { Ids } from "../workspace/Id.ts"
import { second } from "../workspace/Instant.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import * as Paging from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Transaction } from "../workspace/Transaction.ts"
import { type Campaign, CampaignNotFound, seedKey, stepAt } from "./Campaign.ts"
import { CampaignStore } from "./CampaignStore.ts"
import * as Preview from "./Preview.ts"
import * as RecipientHours from "./RecipientHours.ts"
import type { RareHours } from "./RecipientHours.ts"
import * as TouchRendering from "./TouchRendering.ts"

/** A test send that a gate of the channel or of the workspace forbids, or that has nothing to say. */
export class TestSendRefused extends Schema.TaggedError<TestSendRefused>()("TestSendRefused", {
  /** As of a skipped touch: `suppressed`, `policy`, `noConsent`, `replyWindowClosed`, `missingVariable`, `contactGone` … */
  reason: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail
  }
}

export interface TestSend {
  readonly campaign: CampaignId
  /** Step 0 where it is left out. */
  readonly step?: StepId | undefined
  readonly account: AccountId
  /** The id on the account's channel. */
  readonly to: string
  /** Whose name and attributes the texts show; without one, variables are blank. */
  readonly as?: ContactId | undefined
}

export class Previews extends Context.Service<
  Previews,
  {
    /** Every step and variant for the first `limit` people (1–1,000) of the campaign that one of its accounts reaches. */
    preview(
      workspace: WorkspaceId,
      id: CampaignId,
      limit: number
    ): Effect.Effect<Preview.Preview, StorageError | CampaignNotFound | Paging.InvalidListRequest>
    /** People of the campaign for whom hardly any of its hours, or none, are left by their quiet hours; most first. */
    rareHours(
      workspace: WorkspaceId,
      id: CampaignId
    ): Effect.Effect<ReadonlyArray<RareHours>, StorageError | CampaignNotFound>
    /**
     * Queues the parts of one step to an address, marked `test` in their metadata: past windows, paces and the counts of the
     * campaign, but not past suppressions, the channel's policy, or the caps of account, group and workspace.
     */
    testSend(
      workspace: WorkspaceId,
      test: TestSend,
      actor: Actor
    ): Effect.Effect<ReadonlyArray<MessageId>, StorageError | CampaignNotFound | AccountNotFound | TestSendRefused>
  }
>()("@overture/core/Previews") {
  static readonly layer = Layer.effect(
    Previews,
    Effect.suspend(() => make)
  )
}

/** The most people of one preview. */
export const maxPeople = 1_000

const checkPreview = Paging.checker(Schema.Struct({ limit: Paging.upTo(maxPeople) }))

const make = Effect.gen(function* () {
  const store = yield* CampaignStore
  const accounts = yield* AccountStore
  const contacts = yield* ContactStore
  const chats = yield* ChatStore
  const outbox = yield* OutboxStore
  const suppressions = yield* Suppressions
  const { within } = yield* Transaction
  const channels = yield* Channels
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator
  const templates = TouchRendering.templateCache()

  const get = (workspace: WorkspaceId, id: CampaignId): Effect.Effect<Campaign, StorageError | CampaignNotFound> =>
    Effect.flatMap(store.get(workspace, id), (found) =>
      Option.isNone(found) || found.value.status === "deleted"
        ? Effect.fail(new CampaignNotFound({ campaign: id }))
        : Effect.succeed(found.value)
    )

  const preview = Effect.fn("Previews.preview")(function* (workspace: WorkspaceId, id: CampaignId, most: number) {
    const { limit } = yield* Effect.fromResult(checkPreview({ limit: most }))
    const campaign = yield* get(workspace, id)
    // Leads in the pool are shown by accounts that may draw them, the others by the account they have, even one that left.
    const paces = yield* store.paces(id)
    const senders = paces.map(({ account, pace }) => ({ account, hasLeft: pace.leftAt !== null }))
    const people: Array<Preview.PreviewedPerson> = []
    yield* Paging.walk(
      (page) => store.leads(workspace, id, {}, { ...page, limit: Math.max(1, limit - people.length) }),
      Effect.fnUntraced(function* (leads) {
        for (const lead of leads) {
          const found = yield* contacts.get(workspace, lead.contact)
          const sender = senders.find(({ account, hasLeft }) =>
            lead.account === null
              ? !hasLeft && Account.reachesOf(account).includes(lead.reach)
              : account.id === lead.account
          )
          const channel = sender === undefined ? undefined : channels.all.get(sender.account.channel)
          if (Option.isNone(found) || channel === undefined || people.length >= limit) continue
          const seed = `${seedKey(campaign)}|${lead.address}`
          people.push(Preview.person(templates, campaign.settings, found.value, channel, seed))
        }
        return people.length < limit
      })
    )
    return Preview.of(people)
  })

  const rareHours = Effect.fn("Previews.rareHours")(function* (workspace: WorkspaceId, id: CampaignId) {
    const { settings } = yield* get(workspace, id)
    if (settings.quietHours == null) return []
    const from = Math.max(yield* time.now, settings.startAt ?? 0)
    return RecipientHours.rareOf(settings, yield* store.zones(id), from)
  })

  const testSend = Effect.fn("Previews.testSend")(function* (workspace: WorkspaceId, test: TestSend, actor: Actor) {
    const campaign = yield* get(workspace, test.campaign)
    const found = yield* accounts.get(workspace, test.account)
    if (Option.isNone(found)) return yield* new AccountNotFound({ account: test.account })
    const account = found.value
    const refuse = (reason: string, detail: string) => Effect.fail(new TestSendRefused({ reason, detail }))
    const paces = yield* store.paces(campaign.id)
    if (!paces.some(({ pace }) => pace.account === account.id && pace.leftAt === null)) {
      return yield* refuse("accountNotInCampaign", `account ${account.name} is not in the campaign ${campaign.name}`)
    }
    const channel = channels.all.get(account.channel)
    if (channel === undefined) return yield* refuse("channelMissing", `this process has no channel ${account.channel}`)
    const { step } = stepAt(campaign.settings, test.step ?? campaign.settings.steps[0].id) ?? { step: null }
    if (step === null) return yield* refuse("stepMissing", `the campaign has no step ${test.step}`)

    const to: Address.Address = {
      channel: account.channel,
      scope: Account.scopeOf(account, channel.capabilities.addressScope),
      externalId: test.to
    }
    const address = Address.key(to)
    const now = yield* time.now
    const { policy } = channel
    const chatId = Chat.idOf(account.id, address)
    const chat = Option.getOrNull(yield* chats.get(workspace, chatId))
    const person = Option.getOrNull(yield* contacts.byAddress(workspace, address))
    const stops = (yield* suppressions.of(workspace, [to])).filter(
      (one) => one.account === null || one.account === account.id
    )
    if (stops.length > 0) return yield* refuse("suppressed", `${test.to} is suppressed`)
    if (!policy.automationAllowed) return yield* refuse("policy", `${channel.name} allows no automated messages`)
    const unasked = chat?.lastInboundAt == null ? FirstWord.refused(channel, person, now) : null
    if (unasked !== null) {
      const first = unasked === "policy" ? "write" : "consent"
      return yield* refuse(unasked, `on ${channel.name} ${test.to} has to ${first} first`)
    }
    const shown = test.as === undefined ? null : Option.getOrNull(yield* contacts.get(workspace, test.as))
    const blank = { name: "", first: null, last: null, attributes: {} }
    const rendered = TouchRendering.render(
      templates,
      shown === null ? { settings: { ...campaign.settings, onMissing: "blank" } } : campaign,
      step,
      shown ?? blank,
      channel,
      `${seedKey(campaign)}|${address}`
    )
    if (rendered.type === "refused") return yield* refuse(rendered.reason, `${rendered.reason}: ${rendered.detail}`)
    if (!ReplyWindow.permits(ReplyWindow.of(policy, "automated", chat, now), rendered.contents)) {
      return yield* refuse("replyWindowClosed", `the reply window of ${test.to} is closed`)
    }

    const ids = yield* makeIds
    const messages = rendered.contents.map((content, part): Message => {
      const dueAt = now + part * campaign.settings.partDelay.minSeconds * second
      return {
        ...untried,
        ...single,
        id: ids.next("msg"),
        workspace,
        account: account.id,
        chat: chatId,
        contact: person?.id ?? null,
        address,
        direction: "outbound",
        author: { type: "api", id: actor.id },
        content,
        status: "queued",
        notBefore: dueAt,
        dueAt,
        createdAt: now,
        metadata: { test: { campaign: campaign.id, step: step.id, part, ...(shown !== null && { as: shown.id }) } }
      }
    })
    const opening = ChatOpening.make(
      ids,
      { id: chatId, workspace, account: account.id, address, contact: person?.id ?? null, name: "", at: now },
      actor
    )
    const queued = messages.map((message) =>
      stamped(ids, now, {
        workspace,
        type: "message.queued",
        subject: message.id,
        actor,
        data: { chat: chatId, account: account.id, test: true }
      })
    )
    return yield* Effect.catchTag(
      within(
        Effect.andThen(
          People.keep(contacts, workspace, [person?.id, shown?.id]),
          outbox.enqueue(messages, [opening], queued)
        )
      ),
      "ContactNotFound",
      () => refuse("contactGone", "somebody it is about was deleted or erased meanwhile")
    )
  })

  return Previews.of({ preview, rareHours, testSend })
})
