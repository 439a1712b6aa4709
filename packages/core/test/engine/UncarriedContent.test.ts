import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Account } from "../../src/account/Account.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import { Connections } from "../../src/account/Connections.ts"
import type { CampaignSettings } from "../../src/campaign/Campaign.ts"
import { CampaignAccounts } from "../../src/campaign/CampaignAccounts.ts"
import { CampaignEdits } from "../../src/campaign/CampaignEdits.ts"
import { Campaigns } from "../../src/campaign/Campaigns.ts"
import { CampaignStore } from "../../src/campaign/CampaignStore.ts"
import type { Part } from "../../src/campaign/Step.ts"
import type { Content } from "../../src/channel/Content.ts"
import { system } from "../../src/event/DomainEvent.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import * as Scene from "./Scene.ts"

const request: Content = { type: "preContact", note: "It is {{ first }}" }
const image: Content = { type: "media", kind: "image", url: "https://example.com/a.png" }
const button = { type: "reply", title: "Yes", value: "yes" } as const
const asked: Content = { type: "text", text: "Well?", buttons: [button, button] }
const template: Content = { type: "approvedTemplate", name: "hello", language: "en" }
const hi = Builders.text("Hi")

/** Takes requests and texts of any length, and nothing else. */
const pigeon = TestChannel.make({
  name: "pigeon",
  capabilities: { preContact: true, media: [], buttons: 0, approvedTemplates: false }
})
/** Takes no requests, texts of twenty characters, images and one button. */
const telegraph = TestChannel.make({
  name: "telegraph",
  capabilities: { media: ["image"], buttons: 1, text: { maxLength: 20, unit: "characters" } }
})

const engine = Overture.layer({
  storage: MemoryStorage.layer,
  channels: [pigeon, telegraph],
  time: PacingTime.layerVirtual(Scene.start)
})

const part = (first: Content, ...others: ReadonlyArray<Content>): Part => ({
  variants: [{ weight: 1, content: first }, ...others.map((content) => ({ weight: 1, content }))]
})

const scene = Effect.gen(function* () {
  const it = yield* Scene.make(pigeon)
  const campaigns = yield* Campaigns
  const { connect } = yield* Accounts
  const account = (channel: string, name = channel) =>
    Effect.map(
      connect({ workspace: it.workspace.id, channel, externalId: name, minGapMs: 0 }, system),
      (made) => made.account
    )
  const steps = (
    first: readonly [Content | Part, ...Array<Content | Part>],
    ...later: ReadonlyArray<Content | Part>
  ): CampaignSettings["steps"] => {
    const partOf = (one: Content | Part) => ("variants" in one ? one : part(one))
    const [head, ...rest] = first
    return [
      { ...it.build.step(), parts: [partOf(head), ...rest.map(partOf)] },
      ...later.map((one) => ({ ...it.build.step({ type: "noReply" }), parts: [partOf(one)] as const }))
    ]
  }
  const make = (accounts: readonly [Account, ...Array<Account>], said: CampaignSettings["steps"]) =>
    campaigns.create(
      {
        workspace: it.workspace.id,
        name: "c",
        settings: it.build.settings({ steps: said }),
        accounts: [accounts[0].id, ...accounts.slice(1).map(({ id }) => id)],
        externalRef: null,
        metadata: {}
      },
      system
    )
  const refused = <A, E extends { readonly message: string }, R>(made: Effect.Effect<A, E, R>) =>
    Effect.map(Effect.flip(made), ({ message }) => message.split("\n"))
  return { it, account, steps, make, refused }
})

describe("a message that none of a campaign's channels can carry", () => {
  it.effect("refuses the campaign by its field, and says what each channel lacks", () =>
    Effect.gen(function* () {
      const { account, it, make, refused, steps } = yield* scene
      const bird = yield* account("pigeon")
      const wire = yield* account("telegraph")
      assert.deepStrictEqual(yield* refused(make([wire], steps([hi, request]))), [
        "steps[0].parts[1]: none of the campaign's channels can send it: telegraph: people cannot be asked to let us in here (preContact)"
      ])
      assert.deepStrictEqual(yield* refused(make([bird, wire], steps([hi], part(hi, asked)))), [
        "steps[1].parts[0].variants[1]: none of the campaign's channels can send it: " +
          "pigeon: 2 buttons, at most 0 are allowed; telegraph: 2 buttons, at most 1 are allowed"
      ])
      assert.deepStrictEqual(
        (yield* refused(make([bird, bird], steps([image, template])))).map((line) => line.split(":")[0]),
        ["steps[0].parts[0]", "steps[0].parts[1]"]
      )
      assert.deepStrictEqual((yield* (yield* CampaignStore).list(it.workspace.id, {})).data, [])
    }).pipe(Effect.provide(engine))
  )

  it.effect("is none where one of them can", () =>
    Effect.gen(function* () {
      const { account, make, steps } = yield* scene
      const accounts = [yield* account("pigeon"), yield* account("telegraph")] as const
      assert.isTrue((yield* make([...accounts], steps([request, image], template))).created)
    }).pipe(Effect.provide(engine))
  )

  it.effect("is a text that is too long for whoever reads it, not one that may be", () =>
    Effect.gen(function* () {
      const { account, make, refused, steps } = yield* scene
      const wire = yield* account("telegraph")
      assert.deepStrictEqual(yield* refused(make([wire], steps([Builders.text("x".repeat(21))]))), [
        "steps[0].parts[0]: none of the campaign's channels can send it: " +
          "telegraph: the text has 21 characters, at most 20 are allowed"
      ])
      const remark = "{% comment %}a long remark of ours{% endcomment %}Hi"
      const named = "{% if first %}{{ first }}{% else %}to whom it may concern{% endif %}"
      for (const text of [remark, named]) assert.isTrue((yield* make([wire], steps([Builders.text(text)]))).created)
    }).pipe(Effect.provide(engine))
  )

  it.effect("refuses an edit that brings it, and none that leaves what is there; accounts join and leave", () =>
    Effect.gen(function* () {
      const { account, it, make, refused, steps } = yield* scene
      const bird = yield* account("pigeon")
      const wire = yield* account("telegraph")
      const edits = yield* CampaignEdits
      const accounts = yield* CampaignAccounts
      const said = steps([request, hi])
      const { campaign } = yield* make([bird], said)
      const edit = (settings: Partial<CampaignSettings>, joining: ReadonlyArray<Account> = []) =>
        edits.edit(it.workspace.id, campaign.id, { settings, accounts: joining.map(({ id }) => id) }, system)

      const withImage: CampaignSettings["steps"] = [said[0], ...steps([hi], image).slice(1)]
      assert.deepStrictEqual(
        (yield* refused(edit({ steps: withImage }))).map((line) => line.split(":")[0]),
        ["steps[1].parts[0]"]
      )
      // With who can send it, in one go.
      assert.deepStrictEqual((yield* edit({ steps: withImage }, [wire])).joined, [wire.id])

      yield* accounts.leave(it.workspace.id, campaign.id, bird.id, system)
      assert.deepStrictEqual((yield* edit({ evergreen: true })).changed, ["evergreen"])
      assert.isTrue(yield* accounts.join(it.workspace.id, campaign.id, (yield* account("telegraph", "w2")).id, system))
      const again: CampaignSettings["steps"] = [
        { ...said[0], parts: [part({ ...request, note: "Another note" }), part(hi)] },
        ...withImage.slice(1)
      ]
      assert.deepStrictEqual(
        (yield* refused(edit({ steps: again }))).map((line) => line.split(":")[0]),
        ["steps[0].parts[0]"]
      )
      assert.deepStrictEqual((yield* edit({ steps: again }, [bird])).joined, [bird.id])
    }).pipe(Effect.provide(engine))
  )

  it.effect("refuses no edit for what it leaves beside it: another variant, another weight, another place", () =>
    Effect.gen(function* () {
      const { account, it, make, refused, steps } = yield* scene
      const bird = yield* account("pigeon")
      const wire = yield* account("telegraph")
      const { campaign } = yield* make([bird, wire], steps([part(request, hi)]))
      yield* (yield* CampaignAccounts).leave(it.workspace.id, campaign.id, bird.id, system)
      const [first] = campaign.settings.steps
      const edit = (...parts: readonly [Part, ...Array<Part>]) =>
        Effect.flatMap(CampaignEdits, (edits) =>
          edits.edit(it.workspace.id, campaign.id, { settings: { steps: [{ ...first, parts }] } }, system)
        )
      for (const changed of [
        part(request, Builders.text("Hello")),
        {
          variants: [
            { weight: 3, content: request },
            { weight: 1, content: hi }
          ] as const
        },
        part(request)
      ]) {
        assert.deepStrictEqual((yield* edit(part(hi), changed)).changed, ["steps"])
      }
      const other = { ...request, note: "Another note" }
      assert.deepStrictEqual(
        (yield* refused(edit(part(request, other)))).map((line) => line.split(":")[0]),
        ["steps[0].parts[0].variants[1]"]
      )
    }).pipe(Effect.provide(engine))
  )

  it.effect("is carried by nobody where its only carrier was removed, even as the last account", () =>
    Effect.gen(function* () {
      const { account, it, make, refused, steps } = yield* scene
      const bird = yield* account("pigeon")
      const wire = yield* account("telegraph")
      const { campaign } = yield* make([bird], steps([hi]))
      yield* (yield* Connections).remove(it.workspace.id, bird.id, system)
      const settings = { steps: [{ ...campaign.settings.steps[0], parts: [part(request)] }] as const }
      const edited = (yield* CampaignEdits).edit(
        it.workspace.id,
        campaign.id,
        { settings, accounts: [wire.id] },
        system
      )
      assert.deepStrictEqual(
        (yield* refused(edited)).map((line) => line.split(":")[0]),
        ["steps[0].parts[0]"]
      )
    }).pipe(Effect.provide(engine))
  )

  it.effect("is not looked for in what is no content, or no step", () =>
    Effect.gen(function* () {
      const { account, it, make, refused, steps } = yield* scene
      const wire = yield* account("telegraph")
      const { campaign } = yield* make([wire], steps([hi]))
      const edits = yield* CampaignEdits
      for (const [step, field] of [
        [
          { parts: [{ variants: [{ weight: 1, content: { type: "text" } }] }] },
          "steps[0].parts[0].variants[0].content"
        ],
        [{ parts: [{}] }, "steps[0].parts[0].variants"],
        [{ parts: undefined }, "steps[0].parts"]
      ] as const) {
        const broken = [{ ...campaign.settings.steps[0], ...step }] as unknown as CampaignSettings["steps"]
        const edited = edits.edit(it.workspace.id, campaign.id, { settings: { steps: broken } }, system)
        for (const lines of [yield* refused(make([wire], broken)), yield* refused(edited)]) {
          assert.isTrue(lines[0]!.startsWith(field), lines[0])
        }
      }
    }).pipe(Effect.provide(engine))
  )

  it.effect("is nobody's to judge where the process lacks one of the channels", () =>
    Effect.gen(function* () {
      const { account, make, steps } = yield* scene
      const accounts = [yield* account("telegraph"), yield* account("smoke")] as const
      assert.isTrue((yield* make([...accounts], steps([request]))).created)
    }).pipe(Effect.provide(engine))
  )
})
