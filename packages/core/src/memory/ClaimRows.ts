/** The rows of claims: who holds which messages until when, and how unbegun ones go back. */
import type { Claimed, Message } from "../chat/Message.ts"
import type { Lease } from "../outbox/Claim.ts"
import type { ClaimId, MessageId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import { giveBack } from "./Reservations.ts"
import { byId } from "./Paging.ts"
import { type State, touchMessages } from "./State.ts"

/** Makes the fence of a new claim. */
export const start = (state: State, lease: Lease, clock: Instant): void =>
  state.claims.set(lease.claim, { id: lease.claim, worker: lease.worker, until: clock + lease.durationMs })

/** The messages that a claim holds, in id order. */
export const heldBy = (state: State, claim: ClaimId): ReadonlyArray<Message> =>
  [...state.messagesByClaim.get(claim).values()].sort(byId)

/** Removes a claim that holds nothing any more. */
export const finish = (state: State, claim: ClaimId): void => {
  if (state.messagesByClaim.get(claim).size === 0) state.claims.delete(claim)
}

/** A message with its account. */
export const claimed = (state: State, message: Message): Claimed => ({
  message,
  account: state.accounts.need(message.account).account
})

/** Removes what is still queued of a touch, and what it held. */
export const removeTouch = (state: State, message: Message): void => {
  for (const row of message.lead === null ? [] : touchMessages(state, message.lead, message.step)) {
    if (row.status !== "queued") continue
    giveBack(state, row)
    state.messages.delete(row.id)
  }
}

/** Returns those of the messages that the claim holds and that were not begun; tells them as they were. */
export const release = (
  state: State,
  claim: ClaimId,
  ids: Iterable<MessageId>,
  now: Instant
): ReadonlyArray<Message> => {
  const returned: Array<Message> = []
  for (const id of ids) {
    const message = state.messages.get(id)
    if (message === undefined || message.claim !== claim || message.status !== "queued") continue
    returned.push(message)
    if (message.lead !== null && message.part === 0) removeTouch(state, message)
    else {
      // A later part of a touch stays reserved: its touch was reserved whole, and claiming it again takes no budget.
      if (message.lead === null) giveBack(state, message)
      const reserved = message.lead === null ? null : message.reserved
      state.messages.set(id, { ...message, claim: null, dueAt: now, reserved })
    }
  }
  return returned
}
