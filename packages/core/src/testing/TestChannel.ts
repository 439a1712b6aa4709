/**
 * A channel for tests of the engine: it answers as told, at once, and remembers what it was asked. It can do everything
 * and allows everything unless told otherwise.
 */
import { Effect } from "effect"
import type { ChannelName } from "../channel/Address.ts"
import type { Capabilities } from "../channel/Capability.ts"
import * as Channel from "../channel/Channel.ts"
import type { ChannelEvent } from "../channel/ChannelEvent.ts"
import type { ChannelPolicy } from "../channel/ChannelPolicy.ts"
import type { Outcome } from "../channel/Outcome.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { AccountId } from "../workspace/Id.ts"

export interface Asked {
  readonly account: AccountId
  readonly to: string
  readonly key: string
  readonly text: string
}

export interface Options {
  readonly name?: ChannelName
  readonly capabilities?: Partial<Capabilities>
  readonly policy?: Partial<ChannelPolicy>
  /** What the platform answers; `accepted` with an id of its own where it answers nothing. */
  readonly answer?: (asked: Asked, count: number) => Outcome | Effect.Effect<Outcome> | undefined
  readonly lookup?: (key: string) => Outcome
}

export interface TestChannel extends Channel.Channel {
  readonly asked: ReadonlyArray<Asked>
  /** Has the platform tell this at `at`. */
  tell(account: AccountId, at: Instant, event: ChannelEvent): void
}

export const capabilities: Capabilities = {
  text: { maxLength: 1_000, unit: "characters" },
  media: ["image", "video", "audio", "file"],
  buttons: 3,
  approvedTemplates: true,
  reactions: true,
  edits: true,
  deletions: true,
  replies: true,
  receipts: ["delivered", "read"],
  idempotencyKeys: false,
  lookup: null,
  polling: true,
  addressScope: "channel",
  phoneNumbers: false
}

export const policy: ChannelPolicy = {
  official: true,
  personWritesFirst: false,
  optInRequired: false,
  automationAllowed: true,
  replyWindow: { automatedMs: null, humanMs: null }
}

export const make = (options: Options = {}): TestChannel => {
  const asked: Array<Asked> = []
  const coming: Array<{ readonly account: AccountId; readonly at: Instant; readonly event: ChannelEvent }> = []
  const channel = Channel.make({
    name: options.name ?? "sandbox",
    capabilities: { ...capabilities, ...options.capabilities },
    policy: { ...policy, ...options.policy },
    send: (sender, { content, key, to }) =>
      Effect.suspend(() => {
        const text = content.type === "text" ? content.text : content.type
        const one: Asked = { account: sender.account, to: to.externalId, key, text }
        asked.push(one)
        const answer = options.answer?.(one, asked.filter((other) => other.to === one.to).length)
        if (answer === undefined) return Effect.succeed<Outcome>({ type: "accepted", externalId: `x-${key}` })
        return Effect.isEffect(answer) ? answer : Effect.succeed(answer)
      }),
    lookup: (_sender, { key }) => Effect.sync(() => options.lookup?.(key) ?? { type: "outcomeUnknown" }),
    poll: (sender, cursor, now) =>
      Effect.sync(() => {
        const mine = coming.filter(({ account }) => account === sender.account).sort((a, b) => a.at - b.at)
        const from = cursor === null ? 0 : Number(cursor)
        const due = mine.slice(from).filter(({ at }) => at <= now)
        return {
          events: due.map(({ event }) => event),
          cursor: String(from + due.length),
          nextAt: mine[from + due.length]?.at ?? null
        }
      })
  })
  return Object.assign(channel, {
    asked,
    tell: (account: AccountId, at: Instant, event: ChannelEvent) => void coming.push({ account, at, event })
  })
}
