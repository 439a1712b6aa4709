/**
 * Accounts that join and leave a campaign, at any time of its life. Who joins draws from then on; who leaves gives back what
 * it did not touch, and keeps the chats it has. A lead is neither lost nor written to twice by either.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { AccountNotFound } from "../account/Account.ts"
import { AccountStore } from "../account/AccountStore.ts"
import type { Actor } from "../event/DomainEvent.ts"
import type { AccountId, CampaignId, WorkspaceId } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { CampaignNotFound } from "./Campaign.ts"
import type { CampaignChangeRefused } from "./CampaignChange.ts"
import { CampaignEdits } from "./CampaignEdits.ts"
import { CampaignStore } from "./CampaignStore.ts"
import type { Lost } from "./Distributor.ts"
import { Outreach } from "./Outreach.ts"

/** A campaign keeps one account at least. */
export class LastAccount extends Schema.TaggedError<LastAccount>()("LastAccount", {
  campaign: Schema.String,
  account: Schema.String
}) {
  override get message(): string {
    return `account ${this.account} is the last one of campaign ${this.campaign}: let another join first`
  }
}

export class CampaignAccounts extends Context.Service<
  CampaignAccounts,
  {
    /** Gives the campaign one more account, or has one that left come back, by an edit. False = it was in it. */
    join(
      workspace: WorkspaceId,
      campaign: CampaignId,
      account: AccountId,
      actor: Actor
    ): Effect.Effect<boolean, StorageError | CampaignNotFound | CampaignChangeRefused | AccountNotFound>
    /**
     * Takes an account out of the campaign. Its untouched leads go back to the pool, leads of the pool that only it reached
     * are skipped as unreachable, and its follow-ups end as `accountRemoved`, or with `onAccountLost: "reassign"` go to
     * others. What is being sent is sent, and ends then: it is not among what is returned.
     */
    leave(
      workspace: WorkspaceId,
      campaign: CampaignId,
      account: AccountId,
      actor: Actor
    ): Effect.Effect<Lost, StorageError | CampaignNotFound | AccountNotFound | LastAccount>
  }
>()("@overture/core/CampaignAccounts") {
  static readonly layer = Layer.effect(
    CampaignAccounts,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* CampaignStore
  const accounts = yield* AccountStore
  const { distributor } = yield* Outreach
  const time = yield* PacingTime
  const edits = yield* CampaignEdits

  const get = (workspace: WorkspaceId, id: CampaignId) =>
    Effect.flatMap(
      store.get(workspace, id),
      Option.match({ onNone: () => Effect.fail(new CampaignNotFound({ campaign: id })), onSome: Effect.succeed })
    )

  const accountOf = (workspace: WorkspaceId, id: AccountId) =>
    Effect.flatMap(
      accounts.get(workspace, id),
      Option.match({ onNone: () => Effect.fail(new AccountNotFound({ account: id })), onSome: Effect.succeed })
    )

  return CampaignAccounts.of({
    join: Effect.fn("CampaignAccounts.join")(function* (workspace, id, account, actor) {
      const { removedAt } = yield* accountOf(workspace, account)
      if (removedAt !== undefined) return yield* new AccountNotFound({ account })
      const { joined } = yield* edits.edit(workspace, id, { accounts: [account] }, actor)
      return joined.length > 0
    }),
    leave: Effect.fn("CampaignAccounts.leave")(function* (workspace, id, account, actor) {
      const campaign = yield* get(workspace, id)
      const leaver = yield* accountOf(workspace, account)
      const now = yield* time.now
      const left = yield* distributor.leave(campaign, leaver, actor, now)
      if (left === "absent") return yield* new AccountNotFound({ account })
      if (left === "last") return yield* new LastAccount({ campaign: id, account })
      yield* distributor.draw(id, now)
      return left
    })
  })
})
