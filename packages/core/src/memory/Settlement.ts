/** What a settling transaction writes: messages, the budgets they give back, chats, suppressions and events. */
import type { SettleWrites } from "../outbox/OutboxStore.ts"
import { dropsParts, isRemoved, keepsReservation, type Settled } from "../outbox/Settling.ts"
import * as ClaimRows from "./ClaimRows.ts"
import * as MemoryChatStore from "./MemoryChatStore.ts"
import { suppress } from "./MemoryContactStore.ts"
import { append } from "./MemoryEventStore.ts"
import { giveBack } from "./Reservations.ts"
import type { State } from "./State.ts"

const writeMessage = (state: State, settled: Settled): void => {
  const { message } = settled
  const before = state.messages.need(message.id)
  // The touch is rendered and reserved whole again, so its other parts must not hold anything meanwhile.
  if (dropsParts(settled)) ClaimRows.removeTouch(state, before)
  if (!isRemoved(settled) && keepsReservation(settled) && message.status !== "cancelled") {
    state.messages.set(message.id, { ...message, reserved: before.reserved })
    return
  }
  giveBack(state, before)
  if (isRemoved(settled)) state.messages.delete(message.id)
  else state.messages.set(message.id, { ...message, reserved: null })
}

/** Writes what `conclude` answered. */
export const write = (state: State, writes: SettleWrites): void => {
  for (const settled of writes.settled) writeMessage(state, settled)
  MemoryChatStore.open(state, writes.openings)
  MemoryChatStore.touch(state, writes.touches)
  suppress(state, writes.suppressions)
  append(state, writes.events)
}
