/**
 * Gives chats to members as people write in them, where the workspace wants that: in the transaction of the message, so
 * that no chat is given out twice. One that somebody has, or that is closed, is left alone.
 */
import { Context, Effect, Layer } from "effect"
import { stamped, system } from "../event/DomainEvent.ts"
import { Ids } from "../workspace/Id.ts"
import { choose } from "../workspace/Member.ts"
import { MemberStore } from "../workspace/MemberStore.ts"
import { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import { isOpen } from "./Chat.ts"
import * as ChatChange from "./ChatChange.ts"
import { ChatStore } from "./ChatStore.ts"
import { InboundReactions, type InboundReaction } from "./InboundReaction.ts"
import { InboxStore } from "./InboxStore.ts"

export class Assignments extends Context.Service<
  Assignments,
  {
    readonly heard: InboundReaction["heard"]
  }
>()("@overture/core/Assignments") {
  static readonly layer = Layer.effect(
    Assignments,
    Effect.suspend(() => make)
  )

  /** Registers it with the inbox, beside what is registered there already. */
  static readonly layerInbound = Layer.effect(
    InboundReactions,
    Effect.gen(function* () {
      const { heard } = yield* Assignments
      const others = yield* InboundReactions
      return InboundReactions.of([...others, { heard, proven: () => Effect.void }])
    })
  )
}

const make = Effect.gen(function* () {
  const workspaces = yield* WorkspaceStore
  const members = yield* MemberStore
  const chats = yield* ChatStore
  const inbox = yield* InboxStore
  const makeIds = (yield* Ids).generator

  return Assignments.of({
    heard: Effect.fn("Assignments.heard")(function* (workspace, news, now) {
      const who = news.flatMap((one) => (one.type === "replied" ? [one.chat] : []))
      if (who.length === 0) return
      const found = yield* workspaces.get(workspace)
      const assignment = found._tag === "None" ? undefined : found.value.assignment
      if (assignment === undefined) return
      const wrote = yield* inbox.find(workspace, who)
      const free = wrote.filter((chat) => chat.assignee === null && isOpen(chat)).map(({ id }) => id)
      if (free.length === 0) return
      const loads = new Map<string, number>()
      if (assignment === "leastLoad") {
        for (const { load, member } of yield* inbox.loads(workspace)) loads.set(member, load)
      }
      const chosen = yield* members.takeTurns(workspace, (team) =>
        choose(
          assignment,
          team.map((one) => ({ ...one, load: loads.get(one.member.id) ?? 0 })),
          free.length
        )
      )
      const ids = yield* makeIds
      yield* chats.modify(workspace, free, (chat) => {
        const member = chosen[free.indexOf(chat.id)]
        if (member === undefined || chat.assignee !== null) return { chat, events: [] }
        const { chat: after, event } = ChatChange.apply(chat, { type: "assign", member }, now)
        return {
          chat: after,
          events: [stamped(ids, now, { workspace, subject: chat.id, actor: system, ...event })]
        }
      })
    })
  })
})
