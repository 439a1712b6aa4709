/** The files that campaigns and saved contents of a workspace name; campaigns that were deleted name nothing. */
import { Context, Effect, Layer } from "effect"
import { MediaMentions, type MediaMention, mentionedIn } from "../chat/MediaMentions.ts"
import { TemplateStore } from "../chat/TemplateStore.ts"
import { everything } from "../workspace/Page.ts"
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

  return CampaignMedia.of(
    Effect.fn("CampaignMedia.mention")(function* (workspace) {
      const all = yield* everything((page) => campaigns.list(workspace, page))
      const steps = all.flatMap(({ settings, status }) => (status === "deleted" ? [] : [settings.steps]))
      const saved = yield* everything((page) => templates.list(workspace, page))
      return new Set(mentionedIn([steps, saved.map(({ content }) => content)]))
    })
  )
})
