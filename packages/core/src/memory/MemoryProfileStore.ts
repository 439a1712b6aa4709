/** The profiles of accounts in memory. */
import { Option } from "effect"
import { images, type ProfileState } from "../account/Profile.ts"
import { ProfileStore } from "../account/ProfileStore.ts"
import { earliest, type Instant } from "../workspace/Instant.ts"
import type { Memory } from "./Memory.ts"
import { by, firstOf } from "./Paging.ts"

const byDue = by<ProfileState>(
  (row) => row.dueAt ?? 0,
  (row) => row.account
)

export const make = ({ state, verb }: Memory) =>
  ProfileStore.of({
    get: (workspace, account) =>
      verb(() => {
        const row = state.profiles.get(account)
        return row?.workspace === workspace ? Option.some(row) : Option.none()
      }),
    modify: (initial, change) =>
      verb(() => {
        const before = state.profiles.get(initial.account) ?? initial
        const after = change(before)
        if (after === before) return after
        state.profiles.set(after.account, after)
        const needed = new Set(images(after))
        for (const { account, id } of state.profileImages.values()) {
          if (account === after.account && !needed.has(id)) state.profileImages.delete(id)
        }
        return after
      }),
    claim: (now, until, limit) =>
      verb(() => {
        const due = [...state.profiles.values()].filter(({ dueAt }) => dueAt !== null && dueAt <= now)
        return firstOf(due, limit, byDue).map((row) => {
          const claimed = { ...row, dueAt: until }
          state.profiles.set(row.account, claimed)
          return claimed
        })
      }),
    nextDue: verb(() =>
      Array.from(state.profiles.values(), ({ dueAt }) => dueAt).reduce<Instant | null>(earliest, null)
    ),
    addImage: (image) => verb(() => state.profileImages.set(image.id, image)),
    image: (account, id) =>
      verb(() => {
        const row = state.profileImages.get(id)
        return row?.account === account ? Option.some(row) : Option.none()
      })
  })
