/** The results of a campaign as a stream: whatever its size, a page of leads is in memory. */
import { Context, Effect, Layer, Option, Stream } from "effect"
import { CampaignNotFound } from "../campaign/Campaign.ts"
import { CampaignStore } from "../campaign/CampaignStore.ts"
import type { CampaignId, WorkspaceId } from "../workspace/Id.ts"
import { maxLimit } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { CampaignResult } from "./CampaignResult.ts"
import * as Results from "./CampaignResult.ts"

export class CampaignResults extends Context.Service<
  CampaignResults,
  {
    /** Every lead once, in order of their ids, a page at a time; leads that join meanwhile may be among them. */
    pages(
      workspace: WorkspaceId,
      id: CampaignId
    ): Stream.Stream<ReadonlyArray<CampaignResult>, StorageError | CampaignNotFound>
    /** The same as CSV, in pieces of whole rows, the header first. */
    csv(
      workspace: WorkspaceId,
      id: CampaignId,
      options?: { readonly forSpreadsheets?: boolean | undefined }
    ): Stream.Stream<string, StorageError | CampaignNotFound>
  }
>()("@overture/core/CampaignResults") {
  static readonly layer = Layer.effect(
    CampaignResults,
    Effect.gen(function* () {
      const store = yield* CampaignStore

      const pages = (workspace: WorkspaceId, id: CampaignId) =>
        Stream.unwrap(
          Effect.gen(function* () {
            const campaign = yield* store.get(workspace, id)
            if (Option.isNone(campaign)) return yield* new CampaignNotFound({ campaign: id })
            const accounts = yield* store.paces(id)
            const result = Results.resultOf(
              campaign.value,
              accounts.map(({ account }) => account)
            )
            return Stream.paginate<string | undefined, ReadonlyArray<CampaignResult>, StorageError>(
              undefined,
              (cursor) =>
                Effect.map(
                  store.leads(workspace, id, {}, { limit: maxLimit, cursor }),
                  ({ data, nextCursor }) => [[data.map(result)], Option.fromNullOr(nextCursor)] as const
                )
            )
          })
        )

      return CampaignResults.of({
        pages,
        csv: (workspace, id, { forSpreadsheets = false } = {}) => {
          const row = Results.row(forSpreadsheets)
          return Stream.concat(
            Stream.succeed(Results.header),
            Stream.map(pages(workspace, id), (page) => page.map(row).join(""))
          )
        }
      })
    })
  )
}
