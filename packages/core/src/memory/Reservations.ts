/** Gives back what a message reserved, to the days it was taken from. */
import type { Message } from "../chat/Message.ts"
import * as Budget from "../workspace/Budget.ts"
import { paceKey, type State } from "./State.ts"

/** Returns the message's place in its pace, account, group and workspace; nothing where it holds none. */
export const giveBack = (state: State, message: Message): void => {
  const { reserved } = message
  if (reserved === null) return
  if (reserved.pace !== null && message.campaign !== null) {
    const pace = state.paces.get(paceKey({ campaign: message.campaign, account: message.account }))
    if (pace?.date === reserved.pace) state.paces.set(paceKey(pace), { ...pace, used: Math.max(0, pace.used - 1) })
  }
  const account = state.accounts.need(message.account)
  state.accounts.set(message.account, { ...account, use: Budget.giveBack(account.use, reserved.account, 1) })
  const group = reserved.group === undefined ? undefined : state.groups.get(reserved.group.id)
  if (reserved.group !== undefined && group !== undefined) {
    state.groups.set(reserved.group.id, { ...group, use: Budget.giveBack(group.use, reserved.group.day, 1) })
  }
  const workspace = state.workspaces.need(message.workspace)
  state.workspaces.set(message.workspace, { ...workspace, use: Budget.giveBack(workspace.use, reserved.workspace, 1) })
}

/** Ends a queued message: it will never be sent and holds nothing any more. */
export const cancel = (state: State, message: Message, reason: string | null): Message => {
  giveBack(state, message)
  const cancelled: Message = { ...message, status: "cancelled", reason, claim: null, dueAt: null, reserved: null }
  state.messages.set(message.id, cancelled)
  return cancelled
}
