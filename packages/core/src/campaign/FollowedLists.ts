/**
 * Who joins a list that a campaign follows becomes its lead, however they came onto it: a page of members at a time, and the
 * campaign remembers the place on the list up to which everyone is enrolled. Nothing of that is in the transaction in which
 * they join; a process that dies leaves the rest to the chore of another.
 */
import { Effect } from "effect"
import { turns } from "../workspace/Chore.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { type Campaign, hasEnded } from "./Campaign.ts"
import type { CampaignStore, GrownList } from "./CampaignStore.ts"
import type { Enroller } from "./Enroller.ts"

export interface FollowedLists {
  /**
   * Enrols a page of each list that has grown, unless the end of the campaign has come: then they wait for a later end.
   * Whether there was any.
   */
  catchUp(now: Instant): Effect.Effect<boolean, StorageError>
}

/** Lists that are looked at together. */
const some = 50

/** `goOn` lets a campaign that was finished run again where leads of it are open. */
export const make = (
  store: CampaignStore["Service"],
  enroller: Enroller,
  goOn: (campaign: Campaign) => Effect.Effect<void, StorageError>
): FollowedLists => {
  const page = Effect.fnUntraced(function* ({ campaign, enrolled, last, list }: GrownList, now: Instant) {
    const upTo = yield* enroller.next(campaign, list, enrolled, now)
    // Before the place is noted: whoever finds it there need not look at these leads again.
    yield* goOn(campaign)
    // Who left the list has left a place behind at which there is nobody.
    yield* store.noteEnrolled(campaign.id, list, upTo ?? last)
  })

  const keyOf = ({ campaign, list }: GrownList) => `${campaign.id} ${list}`
  const each = turns("lists that campaigns follow")

  return {
    catchUp: Effect.fnUntraced(function* (now) {
      let had = 0
      for (let after: GrownList | null = null; ; ) {
        const grown: ReadonlyArray<GrownList> = yield* store.grownLists(after, some)
        const open = new Map(grown.flatMap((one) => (hasEnded(one.campaign, now) ? [] : [[keyOf(one), one] as const])))
        had += yield* each([...open.keys()], now, (key) => page(open.get(key)!, now))
        if (grown.length < some) return had > 0
        after = grown.at(-1) ?? null
      }
    })
  }
}
