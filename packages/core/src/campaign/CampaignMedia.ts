/** The files that campaigns and saved contents of a workspace name; campaigns that were deleted name nothing. */
import { Context, Effect, Layer } from "effect"
import { MediaMentions, type MediaMention, mentionedIn } from "../chat/MediaMentions.ts"
import { TemplateStore } from "../chat/TemplateStore.ts"
import type { MediaId } from "../workspace/Id.ts"
import { maxLimit, type Page, type PageRequest } from "../workspace/Page.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { CampaignStore } from "./CampaignStore.ts"

export class CampaignMedia extends Context.Service<CampaignMedia, MediaMention>()("@overture/core/CampaignMedia") {
  static readonly layer = Layer.effect(
    CampaignMedia,
    Effect.suspend(() => make)
  )

  /** Registers it with media. */
  static readonly layerMentions = Layer.effect(
    MediaMentions,
    Effect.map(CampaignMedia, (mention) => [mention])
  )
}

const make = Effect.gen(function* () {
  const campaigns = yield* CampaignStore
  const templates = yield* TemplateStore

  const gather = Effect.fnUntraced(function* <A>(
    read: (page: PageRequest) => Effect.Effect<Page<A>, StorageError>,
    contentsOf: (one: A) => unknown
  ) {
    const found: Array<MediaId> = []
    let cursor: string | undefined
    do {
      const page: Page<A> = yield* read({ limit: maxLimit, cursor })
      found.push(...mentionedIn(page.data.map(contentsOf)))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    return found
  })

  return CampaignMedia.of(
    Effect.fn("CampaignMedia.mention")(function* (workspace) {
      const inCampaigns = yield* gather(
        (page) => campaigns.list(workspace, page),
        ({ settings, status }) => (status === "deleted" ? null : settings.steps)
      )
      const inTemplates = yield* gather(
        (page) => templates.list(workspace, page),
        ({ content }) => content
      )
      return new Set([...inCampaigns, ...inTemplates])
    })
  )
})
