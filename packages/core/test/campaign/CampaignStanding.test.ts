import { assert, describe, it } from "@effect/vitest"
import * as CampaignStanding from "../../src/campaign/CampaignStanding.ts"
import * as Builders from "../../src/testing/Builders.ts"

const build = Builders.make("standing")
const { id: workspace } = build.workspace()
const running = build.campaign(workspace, { status: "running" })
const able = () => build.account(workspace, { enabled: true })
const unable = () => build.account(workspace, { enabled: false })
const typesOf = (events: ReturnType<CampaignStanding.Telling>) => events.map(({ type }) => type)

describe("CampaignStanding", () => {
  it("counts who leaves among those who could send until then, and none who left before", () => {
    const [leaving, before] = [able(), able()]
    const telling = CampaignStanding.left(leaving.id, build.ids, Builders.start)
    assert.deepStrictEqual(typesOf(telling(running, [unable()], [leaving, before])), ["campaign.inactive"])
    const spent = unable()
    const silent = CampaignStanding.left(spent.id, build.ids, Builders.start)
    assert.deepStrictEqual(typesOf(silent(running, [unable()], [spent, before])), [])
  })

  it("tells nothing of a campaign that does not run", () => {
    const telling = CampaignStanding.begun(build.ids, Builders.start)
    assert.deepStrictEqual(typesOf(telling({ ...running, status: "paused" }, [], [])), [])
    assert.deepStrictEqual(typesOf(telling(running, [], [])), ["campaign.inactive"])
  })
})
