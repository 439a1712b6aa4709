/** Which comments were answered in private, in memory. */
import { PrivateReplyStore } from "../chat/PrivateReplyStore.ts"
import type { Memory } from "./Memory.ts"

export const make = ({ state, verb }: Memory) =>
  PrivateReplyStore.of({
    reserve: (reply) =>
      verb(() => {
        const key = `${reply.account}|${reply.comment}`
        const known = state.privateReplies.get(key)
        if (known !== undefined) return known.message
        state.privateReplies.set(key, reply)
        return reply.message
      }),
    release: (messages) =>
      verb(() => {
        for (const [key, reply] of state.privateReplies.entries()) {
          if (messages.includes(reply.message)) state.privateReplies.delete(key)
        }
      })
  })
