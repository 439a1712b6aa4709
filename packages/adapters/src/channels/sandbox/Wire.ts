/**
 * Between the sandbox's words and ours: what a happening that it pushes is to the engine, and how it tells an event. Both
 * ways lose nothing but how it was told, which a message keeps as `raw`.
 */
import type { ChannelName } from "@overture/core/channel/Address"
import type { ChannelEvent, Participant } from "@overture/core/channel/ChannelEvent"
import type { Content } from "@overture/core/channel/Content"
import type { AccountEvents, Undecodable } from "@overture/core/channel/InboundRequest"
import { Result, type Schema } from "effect"
import * as WireFormat from "./WireFormat.ts"
import type { Happening, Person, Said } from "./WireFormat.ts"

const present = <K extends string, V>(key: K, value: V | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V }

const participantOf = ({ id, name, scope }: Person): Participant => ({
  scope: scope ?? "",
  externalId: id,
  ...present("name", name)
})

const contentOf = ({ buttons, media, request, template, text }: Said): Content => {
  if (request !== undefined) return { type: "preContact", ...request }
  const pressable = present("buttons", buttons)
  if (template !== undefined) {
    const { language, name, values } = template
    return { type: "approvedTemplate", name, language, ...present("parameters", values), ...pressable }
  }
  if (media === undefined) return { type: "text", text: text ?? "", ...pressable }
  const { kind, name, url } = media
  return { type: "media", kind, url, ...present("caption", text), ...present("filename", name), ...pressable }
}

const saidBy = (words: Said & { readonly id: string }) => ({
  externalId: words.id,
  content: contentOf(words),
  ...present(
    "files",
    words.files?.map(({ kind, name, size, type, url }) => ({
      kind,
      url,
      ...present("mime", type),
      ...present("filename", name),
      ...present("bytes", size)
    }))
  ),
  ...present("replyTo", words.quotes)
})

/** What a happening is in our words; `raw` is how it was told. */
const heard = (wire: Happening, raw: Schema.Json): ChannelEvent => {
  const common = { dedupeKey: wire.id, at: wire.time }
  if (wire.kind === "notice") {
    return { type: "accountTroubled", ...common, reason: wire.trouble, ...present("detail", wire.detail) }
  }
  const of = { ...common, participant: participantOf(wire.person) }
  switch (wire.kind) {
    case "message": {
      const { pressed, stop } = wire.message
      return {
        type: "messageReceived",
        ...of,
        ...saidBy(wire.message),
        raw,
        ...present("button", pressed),
        ...present("optOut", stop)
      }
    }
    case "own_message":
      return { type: "messageEchoed", ...of, ...saidBy(wire.message), raw, ...present("key", wire.key) }
    case "receipt": {
      const type = wire.state === "seen" ? "messageRead" : "messageDelivered"
      return { type, ...of, externalId: wire.message }
    }
    case "failure": {
      const why = { ...present("code", wire.code), ...present("detail", wire.detail) }
      return { type: "messageFailed", ...of, externalId: wire.message, ...why }
    }
    case "edit":
      return { type: "messageEdited", ...of, externalId: wire.message.id, content: contentOf(wire.message) }
    case "unsend":
      return { type: "messageDeleted", ...of, externalId: wire.message }
    case "reaction": {
      const type = wire.removed === true ? "reactionRemoved" : "reactionAdded"
      return { type, ...of, externalId: wire.message, emoji: wire.emoji, fromUs: wire.own === true }
    }
    case "unsubscribe":
      return { type: "optedOut", ...of }
    case "appointment":
      return { type: "booked", ...of, ...present("ref", wire.reference), ...present("startsAt", wire.starts) }
  }
}

const sayingOf = (id: string, content: Content) => {
  const pressable = present("buttons", "buttons" in content ? content.buttons : undefined)
  switch (content.type) {
    case "text":
      return { id, text: content.text, ...pressable }
    case "approvedTemplate": {
      const { language, name, parameters } = content
      return { id, template: { name, language, ...present("values", parameters) }, ...pressable }
    }
    case "media": {
      const { caption, filename, kind, url } = content
      return { id, media: { kind, url, ...present("name", filename) }, ...present("text", caption), ...pressable }
    }
    case "preContact":
      return { id, request: present("note", content.note) }
  }
}

const wordsOf = (event: Extract<ChannelEvent, { readonly type: "messageReceived" | "messageEchoed" }>) => ({
  ...sayingOf(event.externalId, event.content),
  ...present(
    "files",
    event.files?.map(({ bytes, filename, kind, mime, url }) => ({
      kind,
      url,
      ...present("type", mime),
      ...present("name", filename),
      ...present("size", bytes)
    }))
  ),
  ...present("quotes", event.replyTo)
})

/** A happening as the sandbox tells it. */
const told = (event: ChannelEvent): Happening => {
  const common = { id: event.dedupeKey, time: event.at }
  if (event.type === "accountTroubled") {
    return { kind: "notice", ...common, trouble: event.reason, ...present("detail", event.detail) }
  }
  const { externalId, name, scope } = event.participant
  const of = { ...common, person: { id: externalId, ...present("name", name), ...(scope !== "" && { scope }) } }
  switch (event.type) {
    case "messageReceived": {
      const extra = { ...present("pressed", event.button), ...present("stop", event.optOut) }
      return { kind: "message", ...of, message: { ...wordsOf(event), ...extra } }
    }
    case "messageEchoed":
      return { kind: "own_message", ...of, message: wordsOf(event), ...present("key", event.key) }
    case "messageDelivered":
    case "messageRead": {
      const state = event.type === "messageRead" ? "seen" : "delivered"
      return { kind: "receipt", ...of, message: event.externalId, state }
    }
    case "messageFailed": {
      const why = { ...present("code", event.code), ...present("detail", event.detail) }
      return { kind: "failure", ...of, message: event.externalId, ...why }
    }
    case "messageEdited":
      return { kind: "edit", ...of, message: sayingOf(event.externalId, event.content) }
    case "messageDeleted":
      return { kind: "unsend", ...of, message: event.externalId }
    case "reactionAdded":
    case "reactionRemoved": {
      const how = { ...(event.type === "reactionRemoved" && { removed: true }), ...(event.fromUs && { own: true }) }
      return { kind: "reaction", ...of, message: event.externalId, emoji: event.emoji, ...how }
    }
    case "optedOut":
      return { kind: "unsubscribe", ...of }
    case "booked":
      return { kind: "appointment", ...of, ...present("reference", event.ref), ...present("starts", event.startsAt) }
  }
}

/** The body in which the sandbox tells these events of one account. */
export const encode = ({ account, events }: AccountEvents): Uint8Array => WireFormat.write(account, events.map(told))

/** What a body tells: all of it, or the first thing that is wrong with it. */
export const decode = (channel: ChannelName, body: Uint8Array): Result.Result<AccountEvents, Undecodable> =>
  Result.map(WireFormat.read(channel, body), ({ account, events }) => ({
    account,
    events: events.map(([happening, json]) => heard(happening, json))
  }))
