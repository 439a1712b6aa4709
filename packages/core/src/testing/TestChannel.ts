/**
 * A channel for tests of the engine: it answers as told, at once, and remembers what it was asked. It can do everything
 * and allows everything unless told otherwise.
 */
import { Effect, Redacted } from "effect"
import type { ChannelName } from "../channel/Address.ts"
import type { Capabilities } from "../channel/Capability.ts"
import * as Channel from "../channel/Channel.ts"
import type { ChannelEvent } from "../channel/ChannelEvent.ts"
import type { ChannelPolicy } from "../channel/ChannelPolicy.ts"
import type { Outcome } from "../channel/Outcome.ts"
import type { ParticipantProfile } from "../channel/ParticipantProfile.ts"
import type { ProfileResult, ProfileUpdate } from "../channel/ProfileUpdate.ts"
import type { Sender } from "../channel/Sender.ts"
import type { Verification } from "../channel/Verification.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { AccountId } from "../workspace/Id.ts"

export interface Asked {
  readonly account: AccountId
  readonly to: string
  readonly key: string
  readonly text: string
  /** Only where there is one. */
  readonly replyTo?: string
  /** Only where there is one. */
  readonly comment?: string
}

/** With which secrets the engine spoke in an account's name. */
export interface Spoke {
  readonly verb: "send" | "poll" | "verify" | "applyProfile"
  readonly account: AccountId
  readonly credentials: string | null
  readonly egress: string | null
}

export interface Options {
  readonly name?: ChannelName
  readonly capabilities?: Partial<Capabilities>
  readonly policy?: Partial<ChannelPolicy>
  /** What the platform answers; `accepted` with an id of its own where it answers nothing. */
  readonly answer?: (asked: Asked, count: number) => Outcome | Effect.Effect<Outcome> | undefined
  readonly lookup?: (key: string) => Outcome
  /** What the platform says of the credentials, opened; they are the account's unless told otherwise. */
  readonly verify?: (credentials: string | null) => Verification | Effect.Effect<Verification> | undefined
  /** What the platform tells of a person, the `count`th time it is asked; nothing unless told otherwise. */
  readonly profileOf?: (person: string, count: number) => ParticipantProfile | null
  /** What becomes of a profile the `count`th time; all of it is taken unless told otherwise. */
  readonly applyProfile?: (update: ProfileUpdate, count: number) => ProfileResult | Effect.Effect<ProfileResult>
}

export interface TestChannel extends Channel.Channel {
  readonly asked: ReadonlyArray<Asked>
  readonly spoke: ReadonlyArray<Spoke>
  /** What was to be applied, in order. */
  readonly profiles: ReadonlyArray<ProfileUpdate>
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
  phoneNumbers: false,
  privateReplies: true,
  verification: true,
  profile: {
    name: { maxLength: 50 },
    about: { maxLength: 100 },
    image: { mime: "image/jpeg", maxWidth: 500, maxHeight: 500, maxBytes: 200_000, cut: true },
    banner: { mime: "image/jpeg", maxWidth: 1_200, maxHeight: 400, maxBytes: 400_000, cut: false }
  }
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
  let people = 0
  const spoke: Array<Spoke> = []
  const profiles: Array<ProfileUpdate> = []
  const note = (verb: Spoke["verb"], { account, credentials, egress }: Sender) =>
    void spoke.push({
      verb,
      account,
      credentials: credentials === null ? null : Redacted.value(credentials),
      egress: egress === null ? null : Redacted.value(egress)
    })
  const coming: Array<{ readonly account: AccountId; readonly at: Instant; readonly event: ChannelEvent }> = []
  const channel = Channel.make({
    name: options.name ?? "sandbox",
    capabilities: { ...capabilities, ...options.capabilities },
    policy: { ...policy, ...options.policy },
    send: (sender, { comment, content, key, replyTo, to }) =>
      Effect.suspend(() => {
        const text = content.type === "text" ? content.text : content.type
        const one: Asked = {
          account: sender.account,
          to: to.externalId,
          key,
          text,
          ...(replyTo !== undefined && { replyTo }),
          ...(comment !== undefined && { comment })
        }
        asked.push(one)
        note("send", sender)
        const answer = options.answer?.(one, asked.filter((other) => other.to === one.to).length)
        if (answer === undefined) return Effect.succeed<Outcome>({ type: "accepted", externalId: `x-${key}` })
        return Effect.isEffect(answer) ? answer : Effect.succeed(answer)
      }),
    lookup: (_sender, { key }) => Effect.sync(() => options.lookup?.(key) ?? { type: "outcomeUnknown" }),
    profileOf: (_sender, { externalId }) => Effect.sync(() => options.profileOf?.(externalId, (people += 1)) ?? null),
    verify: (sender) =>
      Effect.suspend(() => {
        note("verify", sender)
        const said = options.verify?.(sender.credentials === null ? null : Redacted.value(sender.credentials))
        if (said === undefined) return Effect.succeed<Verification>({ type: "valid", externalId: sender.externalId })
        return Effect.isEffect(said) ? said : Effect.succeed(said)
      }),
    applyProfile: (sender, update) =>
      Effect.suspend(() => {
        note("applyProfile", sender)
        profiles.push(update)
        const all = Object.keys(update) as ReadonlyArray<keyof ProfileUpdate>
        const result = options.applyProfile?.(update, profiles.length) ?? { applied: all, refusal: null }
        return Effect.isEffect(result) ? result : Effect.succeed(result)
      }),
    poll: (sender, cursor, now) =>
      Effect.sync(() => {
        note("poll", sender)
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
    spoke,
    profiles,
    tell: (account: AccountId, at: Instant, event: ChannelEvent) => void coming.push({ account, at, event })
  })
}
