/** What is known of media, in memory. */
import { Option } from "effect"
import { isUnused, type Media } from "../chat/Media.ts"
import { type MediaChange, MediaRecordStore } from "../chat/MediaRecordStore.ts"
import type { ChatId, MediaId, WorkspaceId } from "../workspace/Id.ts"
import type { Memory } from "./Memory.ts"
import { by, byId, firstOf, page } from "./Paging.ts"
import type { State } from "./State.ts"

const change = (state: State, rows: ReadonlyArray<Media>, rule: (media: Media) => Media | null) =>
  rows.map((before): MediaChange => {
    const after = rule(before)
    if (after === null) state.media.delete(before.id)
    else state.media.set(before.id, after)
    return { before, after }
  })

const byAge = by<Media>(
  (media) => media.createdAt,
  (media) => media.id
)

const ofChats = (state: State, workspace: WorkspaceId, chats: ReadonlyArray<ChatId>): ReadonlyArray<Media> =>
  [...new Set(chats)]
    .flatMap((chat) => [...state.mediaByChat.get(chat).values()])
    .filter((media) => media.workspace === workspace)
    .sort(byId)

export const make = ({ state, verb }: Memory) =>
  MediaRecordStore.of({
    add: (media) =>
      verb(() => {
        for (const one of media) if (state.media.get(one.id) === undefined) state.media.set(one.id, one)
      }),
    get: (workspace: WorkspaceId, id: MediaId) =>
      verb(() => {
        const media = state.media.get(id)
        return media?.workspace === workspace ? Option.some(media) : Option.none()
      }),
    list: (workspace, request) =>
      verb(() => {
        const kept = [...state.media.values()].filter(
          (media) => media.workspace === workspace && media.status !== "deleted"
        )
        return page(kept, request, (media) => [media.id])
      }),
    ofChats: (workspace, chats) =>
      verb(() => ofChats(state, workspace, chats).filter(({ status }) => status !== "deleted")),
    nextDue: verb(() =>
      [...state.media.values()].reduce<number | null>(
        (next, { dueAt }) => (dueAt === null ? next : Math.min(dueAt, next ?? dueAt)),
        null
      )
    ),
    claim: (now, until) =>
      verb(() => {
        const due = [...state.media.values()].filter(({ dueAt }) => dueAt !== null && dueAt <= now)
        const [first] = firstOf(
          due,
          1,
          by(
            (media) => media.dueAt ?? 0,
            (media) => media.id
          )
        )
        if (first === undefined) return Option.none()
        const claimed: Media = { ...first, attempts: first.attempts + 1, dueAt: until }
        state.media.set(claimed.id, claimed)
        return Option.some(claimed)
      }),
    modify: (ids, rule) =>
      verb(() => change(state, [...new Set(ids)].flatMap((id) => state.media.get(id) ?? []).sort(byId), rule)),
    modifyOfChats: (workspace, chats, rule) => verb(() => change(state, ofChats(state, workspace, chats), rule)),
    unused: (workspace, before, limit) =>
      verb(() => {
        const all = [...state.media.values()].filter((media) => media.workspace === workspace)
        return firstOf(
          all.filter((media) => media.createdAt < before && isUnused(media)),
          limit,
          byAge
        )
      }),
    older: (workspace, before, limit) =>
      verb(() => {
        const old = [...state.media.values()].filter(
          (media) =>
            media.workspace === workspace &&
            media.chat !== null &&
            media.createdAt < before &&
            (media.status === "stored" || media.status === "failed")
        )
        return firstOf(old, limit, byAge)
      })
  })
