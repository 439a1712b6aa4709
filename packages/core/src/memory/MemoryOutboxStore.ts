/** The ledger in memory: claim, begin, settle and recover outbound messages. */
import { Clock } from "effect"
import { isAble } from "../account/Account.ts"
import type { Message } from "../chat/Message.ts"
import { consented } from "../contact/Contact.ts"
import { type AddressHash, openly } from "../contact/Suppression.ts"
import type { ClaimId, MessageId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { type Lease, type Recovered, repeatableMs } from "../outbox/Claim.ts"
import {
  type BudgetWrites,
  OutboxStore,
  type QueuedCandidate,
  type QueuedDecision,
  type Repeat,
  type Terms
} from "../outbox/OutboxStore.ts"
import { liftable } from "../outbox/QueuedGates.ts"
import * as ClaimRows from "./ClaimRows.ts"
import type { Memory } from "./Memory.ts"
import * as MemoryChatStore from "./MemoryChatStore.ts"
import { append } from "./MemoryEventStore.ts"
import { database } from "./MemoryWorkspaceStore.ts"
import { by, firstOf } from "./Paging.ts"
import { cancel } from "./Reservations.ts"
import { groupOf, type State, suppressionsOf } from "./State.ts"
import { externalIdOf } from "../outbox/Settling.ts"
import * as Settlement from "./Settlement.ts"

/** Writes what budgets hold after a decision. */
export const writeBudgets = (state: State, { accounts, groups = [], workspaces }: BudgetWrites): void => {
  for (const { id, lastTouchAt, use } of accounts) {
    state.accounts.set(id, { ...state.accounts.need(id), use, lastTouchAt })
  }
  for (const { id, use } of workspaces) state.workspaces.set(id, { ...state.workspaces.need(id), use })
  for (const { id, use } of groups) state.groups.set(id, { ...state.groups.need(id), use })
}

const byDue = by<Message>(
  (message) => message.dueAt ?? 0,
  (message) => message.id
)

const waiting = (state: State): ReadonlyArray<Message> => [...state.queue.get("waiting").values()]

const isPaused = (state: State, { campaign }: Message): boolean =>
  campaign !== null && state.campaigns.need(campaign).campaign.status !== "running"

const candidate = (state: State, message: Message, hash: AddressHash | null): QueuedCandidate => ({
  message,
  account: state.accounts.need(message.account),
  workspace: state.workspaces.need(message.workspace),
  campaignPaused: isPaused(state, message),
  group: groupOf(state, state.accounts.need(message.account)),
  contact: message.contact === null ? null : (state.contacts.get(message.contact)?.contact ?? null),
  chat: state.chats.get(message.chat) ?? null,
  suppressions: suppressionsOf(state, message.workspace, [message.address], message.account, hash)
})

const writeQueued = (state: State, decision: QueuedDecision, lease: Lease, clock: Instant) => {
  writeBudgets(state, decision)
  const taken = decision.take.map(({ despite, id, reserved }) => {
    const message: Message = { ...state.messages.need(id), claim: lease.claim, dueAt: null, reserved }
    state.messages.set(id, message)
    return { ...ClaimRows.claimed(state, message), despite }
  })
  for (const { id, reason, until } of decision.defer) {
    state.messages.set(id, { ...state.messages.need(id), dueAt: until, reason })
  }
  const cancelled = decision.cancel.map(({ id, reason }) =>
    ClaimRows.claimed(state, cancel(state, state.messages.need(id), reason))
  )
  append(state, decision.events)
  if (taken.length > 0) ClaimRows.start(state, lease, clock)
  return { claim: taken.length === 0 ? null : { id: lease.claim, messages: taken }, cancelled }
}

/** Whether nothing stops the message's workspace, account or campaign, nor everything, at this moment. */
const maySend = (state: State, message: Message, now: Instant): boolean => {
  const { author, campaign } = message
  const { account } = state.accounts.need(message.account)
  return (
    !database(state).stopped &&
    (author.type === "member" || !state.workspaces.need(message.workspace).workspace.paused) &&
    isAble(account) &&
    (account.restingUntil ?? 0) <= now &&
    (campaign === null || state.campaigns.need(campaign).campaign.status === "running")
  )
}

/** How often its address is suppressed for its account, under the address itself. */
const suppressed = (state: State, { account, address, workspace }: Message): number =>
  openly(suppressionsOf(state, workspace, [address], account, null))

/** Whether its person consented or wrote, where that is wanted. */
const isConsented = (state: State, { chat, contact }: Message, { consentFor }: Terms, now: Instant): boolean => {
  if (consentFor === undefined || state.chats.get(chat)?.lastInboundAt != null) return true
  const person = contact === null ? undefined : state.contacts.get(contact)?.contact
  return person !== undefined && consented(person, consentFor, now)
}

const noTerms: Terms = {}

/** What is asked about messages of a claim. */
interface Asked {
  readonly claim: ClaimId
  readonly ids: ReadonlyArray<MessageId>
  readonly now: Instant
  readonly terms: ReadonlyMap<MessageId, Terms>
  readonly clock: Instant
}

const begin = (state: State, { claim, clock, ids, now, terms }: Asked): ReadonlyArray<MessageId> => {
  const row = state.claims.get(claim)
  if (row === undefined || row.until <= clock) return []
  return ids.filter((id) => {
    const message = state.messages.get(id)
    if (message?.claim !== claim) return false
    const own = terms.get(id) ?? noTerms
    const may =
      maySend(state, message, now) &&
      suppressed(state, message) === (own.despite ?? 0) &&
      isConsented(state, message, own, now)
    if (message.status === "queued" && may) {
      state.messages.set(id, { ...message, status: "sending", begunAt: clock })
      return true
    }
    if (message.status !== "sending") return false
    if (may || message.stop !== null) return true
    state.messages.set(id, { ...message, status: "queued" })
    return false
  })
}

const mayRepeat = (state: State, { claim, clock, ids, now, terms }: Asked): ReadonlyMap<MessageId, Repeat> => {
  const row = state.claims.get(claim)
  if (row === undefined || row.until <= clock) return new Map()
  return new Map(
    ids.flatMap((id): ReadonlyArray<readonly [MessageId, Repeat]> => {
      const message = state.messages.get(id)
      if (message?.claim !== claim || message.status !== "sending") return []
      if (message.stop === "erased") return [[id, "erased"]]
      const isOld = (message.begunAt ?? 0) + repeatableMs <= clock
      const isForbidden = suppressed(state, message) > 0 || !isConsented(state, message, terms.get(id) ?? noTerms, now)
      const isOver = message.stop !== null || isOld || isForbidden
      return [[id, isOver ? "never" : maySend(state, message, now) ? "now" : "later"]]
    })
  )
}

const recover = (state: State, lease: Lease, now: Instant, clock: Instant): Recovered | null => {
  const expired = [...state.claims.values()].filter((row) => row.until < clock)
  const [old] = firstOf(
    expired,
    1,
    by(
      (row) => row.until,
      (row) => row.id
    )
  )
  if (old === undefined) return null
  const held = ClaimRows.heldBy(state, old.id)
  const returned = ClaimRows.release(
    state,
    old.id,
    held.map((message) => message.id),
    now
  )
  const sending = held
    .filter((message) => message.status === "sending")
    .map((row): Message => ({ ...row, claim: lease.claim }))
  for (const message of sending) state.messages.set(message.id, message)
  state.claims.delete(old.id)
  if (sending.length > 0) ClaimRows.start(state, lease, clock)
  return {
    id: lease.claim,
    sending: sending.map((message) => ClaimRows.claimed(state, message)),
    returned: returned.map((message) => ClaimRows.claimed(state, message))
  }
}

export const make = ({ state, timed, verb }: Memory) =>
  OutboxStore.of({
    clock: Clock.currentTimeMillis,
    guard: verb(() => ({ type: "same" })),
    acknowledge: verb(() => undefined),
    claimQueued: ({ addressHash = null, decide, lease, limit, now }) =>
      timed((clock) => {
        const due = firstOf(
          waiting(state).filter((message) => (message.dueAt ?? 0) <= now),
          limit,
          byDue
        )
        if (due.length === 0) return null
        return writeQueued(state, decide(due.map((message) => candidate(state, message, addressHash))), lease, clock)
      }),
    begin: (claim, ids, now, terms = new Map()) => timed((clock) => begin(state, { claim, ids, now, terms, clock })),
    mayRepeat: (claim, ids, now, terms = new Map()) =>
      timed((clock) => mayRepeat(state, { claim, ids, now, terms, clock })),
    release: (claim, ids, now) => verb(() => ClaimRows.release(state, claim, ids, now)),
    settle: (claim, results, conclude) =>
      verb(() => {
        const writes = conclude(
          results.flatMap((result) => {
            const message = state.messages.get(result.claimed.message.id)
            if (message?.claim !== claim || message.status !== "sending") return []
            const externalId = externalIdOf(result, message)
            const early = externalId === null ? [] : [{ chat: message.chat, externalId }]
            return [{ result, message, notices: MemoryChatStore.takeNotices(state, early).map(({ notice }) => notice) }]
          })
        )
        Settlement.write(state, writes)
        return writes
      }),
    renew: (claim, durationMs) =>
      timed((clock) => {
        const row = state.claims.get(claim)
        if (row !== undefined) state.claims.set(claim, { ...row, until: clock + durationMs })
        return row !== undefined
      }),
    claims: timed((clock) => {
      const expired = Array.from(state.claims.values()).filter(({ until }) => until <= clock).length
      return { held: state.claims.size - expired, expired }
    }),
    finish: (claim) => verb(() => ClaimRows.finish(state, claim)),
    recover: (lease, now) => timed((clock) => recover(state, lease, now, clock)),
    nextQueued: verb(() => firstOf(waiting(state), 1, byDue)[0]?.dueAt ?? null),
    enqueue: (messages, openings, events) =>
      verb(() => {
        MemoryChatStore.open(state, openings)
        const added = messages
          .filter((message) => {
            if (state.messages.get(message.id) !== undefined) return false
            state.messages.set(message.id, message)
            return true
          })
          .map((message) => message.id)
        const known = new Set<string>(messages.map((message) => message.id).filter((id) => !added.includes(id)))
        append(
          state,
          events.filter((event) => !known.has(event.subject))
        )
        return added
      }),
    wake: (accounts, now) =>
      verb(() => {
        const changed = new Set(accounts)
        for (const message of waiting(state)) {
          if (message.reason === null || !liftable.includes(message.reason) || !changed.has(message.account)) continue
          const dueAt = Math.max(now, message.notBefore ?? now)
          if ((message.dueAt ?? 0) > dueAt) state.messages.set(message.id, { ...message, dueAt })
        }
      }),
    cancel: (workspace, id, reason, events) =>
      verb(() => {
        const message = state.messages.get(id)
        if (message?.workspace !== workspace || message.status !== "queued") return false
        if (message.claim !== null || message.lead !== null) return false
        cancel(state, message, reason)
        append(state, events)
        return true
      })
  })
