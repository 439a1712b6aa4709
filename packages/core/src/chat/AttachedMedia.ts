/** The files of messages, as their messages show them: what is to be fetched for a message, and what became of it. Pure. */
import type { Content } from "../channel/Content.ts"
import * as Id from "../workspace/Id.ts"
import type { MediaId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as Media from "./Media.ts"
import type { Message } from "./Message.ts"
import type { Attachment } from "./MessageDetails.ts"

const attachmentsOf = ({ details }: Pick<Message, "details">): ReadonlyArray<Attachment> => details?.attachments ?? []

/** A row for each file of a message that is still at its platform; `at` is the real time. */
export const remote = (message: Message, at: Instant): ReadonlyArray<Media.Media> =>
  attachmentsOf(message)
    .filter(({ status }) => status === "remote")
    .map(({ bytes, filename, id, kind, mime, url }) => ({
      ...Media.unsettled,
      id,
      workspace: message.workspace,
      kind,
      status: "remote",
      mime: mime ?? null,
      bytes: bytes ?? null,
      filename: filename ?? null,
      source: "inbound",
      url,
      account: message.account,
      message: message.id,
      chat: message.chat,
      dueAt: at,
      createdAt: at
    }))

/** Rows for the files that a change brought. */
export const gained = (before: Message, after: Message, at: Instant): ReadonlyArray<Media.Media> => {
  const known = new Set(attachmentsOf(before).map(({ id }) => id))
  return remote(after, at).filter(({ id }) => !known.has(id))
}

/** The files that a change took from a message: nobody sees them any more. */
export const dropped = (before: Message, after: Message): ReadonlyArray<MediaId> => {
  const kept = new Set(attachmentsOf(after).map(({ id }) => id))
  return attachmentsOf(before).flatMap(({ id }) => (kept.has(id) ? [] : [id]))
}

/** Whether the message still has this file. */
export const has = (message: Message, id: MediaId): boolean => attachmentsOf(message).some((one) => one.id === id)

const shown = (one: Attachment, media: Media.Media): Attachment => {
  switch (media.status) {
    case "stored":
      return {
        ...one,
        status: "stored",
        ...(media.mime !== null && { mime: media.mime }),
        ...(media.bytes !== null && { bytes: media.bytes }),
        ...(media.filename !== null && { filename: media.filename })
      }
    case "failed":
      return { ...one, status: "failed", ...(media.reason !== null && { reason: media.reason }) }
    case "deleted":
      return { ...one, status: "expired" }
    case "remote":
    case "pending":
      return one
  }
}

/**
 * The message with what became of one of its files; the very same where that says nothing new. A content that is the file
 * refers to ours in place of the platform's, once it is stored.
 */
export const settled = (message: Message, media: Media.Media): Message => {
  const { content, details } = message
  const before = attachmentsOf(message).find(({ id }) => id === media.id)
  if (before === undefined) return message
  const after = shown(before, media)
  if (after === before) return message
  const attachments = attachmentsOf(message).map((one) => (one === before ? after : one))
  const isContent = content.type === "media" && content.url === before.url
  return {
    ...message,
    details: { ...details, attachments },
    ...(isContent && after.status === "stored" && { content: { ...content, url: Media.reference(media.id) } })
  }
}

const isOf = (content: Content, { id, url }: Attachment): boolean =>
  content.type === "media" && (content.url === url || content.url === Media.reference(id))

/**
 * The message once its content was edited: the file of the former content goes, unless it is that of the new one; another
 * is to be fetched. Nothing of what we sent ourselves is.
 */
export const rewritten = (before: Message, after: Message): Message => {
  const { content, details } = after
  const { chat, direction, externalId } = before
  if (content.type !== "media" && before.content.type !== "media") return after
  const others = attachmentsOf(before).filter((one) => !isOf(before.content, one))
  const same = attachmentsOf(before).find((one) => isOf(content, one))
  const isTheirs = direction === "inbound" || attachmentsOf(before).length > 0
  const own: ReadonlyArray<Attachment> =
    content.type !== "media" || !isTheirs
      ? []
      : [
          same ?? {
            id: Id.derived("med", before.createdAt, `${chat}|${externalId}|${content.url}`),
            kind: content.kind,
            url: content.url,
            ...(content.filename !== undefined && { filename: content.filename }),
            status: "remote"
          }
        ]
  const attachments = [...own, ...others]
  const { attachments: _before, ...rest } = details ?? {}
  return {
    ...after,
    details: { ...rest, ...(attachments.length > 0 && { attachments }) },
    ...(same?.status === "stored" &&
      content.type === "media" && { content: { ...content, url: Media.reference(same.id) } })
  }
}
