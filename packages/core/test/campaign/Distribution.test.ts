import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as CampaignFile from "../../src/campaign/CampaignFile.ts"
import type { Distribution } from "../../src/campaign/Distribution.ts"
import * as Routing from "../../src/campaign/Routing.ts"
import * as Address from "../../src/channel/Address.ts"
import { type Chat, untended } from "../../src/chat/Chat.ts"
import * as Builders from "../../src/testing/Builders.ts"

const file = {
  name: "spring",
  accounts: [{ id: "a", channel: "sandbox" }, "b"],
  messages: ["Hello"],
  pacing: { rangeMin: 5, rangeMax: 10 }
}
const byAttribute = { strategy: "byAttribute", attribute: "region", accounts: { north: "a" } } as const

describe("the distribution of a campaign file", () => {
  it.effect.each<Distribution>([
    { strategy: "capacity" },
    { strategy: "even" },
    { strategy: "weighted", weights: { a: 1, b: 3 } },
    { strategy: "sticky" },
    byAttribute,
    { ...byAttribute, otherwise: "b" }
  ])("may be %j", (distribution) =>
    Effect.gen(function* () {
      const read = yield* CampaignFile.decode({ ...file, distribution, onAccountLost: "reassign" })
      const settings = CampaignFile.settingsOf(read, "UTC", Builders.ids("file"))
      assert.deepEqual(settings.distribution, distribution)
      assert.strictEqual(settings.onAccountLost, "reassign")
    })
  )

  it.effect.each<readonly [object, string]>([
    [{ strategy: "fair" }, "distribution"],
    [{ strategy: "even", weights: { a: 1 } }, "distribution"],
    [{ strategy: "weighted" }, "distribution.weights"],
    [{ strategy: "weighted", weights: { a: 1, b: 0 } }, "distribution.weights.b"],
    [{ strategy: "weighted", weights: { a: 1, b: 1.5 } }, "distribution.weights.b"],
    [{ strategy: "weighted", weights: { a: 1 } }, 'distribution.weights: has no weight for account "b"'],
    [
      { strategy: "weighted", weights: { a: 1, b: 1, c: 2 } },
      'distribution.weights.c: "c" is none of the campaign\'s accounts: a, b'
    ],
    [{ strategy: "byAttribute", attribute: "region" }, "distribution.accounts"],
    [{ strategy: "byAttribute", accounts: { north: "a" } }, "distribution.attribute"],
    [{ ...byAttribute, attribute: "" }, "distribution.attribute"],
    [{ ...byAttribute, accounts: {} }, "distribution.accounts: names no account"],
    [{ ...byAttribute, accounts: { north: "c" } }, 'distribution.accounts.north: "c" is none'],
    [{ ...byAttribute, otherwise: "c" }, 'distribution.otherwise: "c" is none'],
    [{ ...byAttribute, otherwise: 7 }, "distribution.otherwise"]
  ])("is refused by its field: %j", ([distribution, start]) =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(CampaignFile.decode({ ...file, distribution }))
      const lines = problems.map(({ field, message }) => `${field}: ${message}`)
      assert.isTrue(
        lines.some((line) => line.startsWith(start)),
        lines.join("\n")
      )
    })
  )
})

describe("the route of a lead", () => {
  const build = Builders.make("routes")
  const workspace = build.workspace().id
  const a = build.account(workspace, { externalRef: "a" })
  const b = build.account(workspace, { externalRef: "b" })
  const page = build.account(workspace, { externalId: "page", externalRef: "page" })
  const phone = (externalId: string) => ({ channel: Builders.channel, scope: "", externalId })
  const scoped = { channel: Builders.channel, scope: "page", externalId: "x" }
  const person = (addresses: ReadonlyArray<Address.Address>, attributes = {}) =>
    build.contact(workspace, { addresses, attributes })
  const chat = (account: typeof a, address: Address.Address, lastAt: number): Chat => ({
    id: "cht_1" as Chat["id"],
    workspace,
    number: 1,
    account: account.id,
    address: Address.key(address),
    contact: null,
    name: "",
    lastAt,
    lastText: "",
    lastDirection: "outbound",
    lastInboundAt: null,
    unread: 0,
    ...untended,
    openedAt: 0,
    createdAt: 0
  })
  const anyone = (address: Address.Address) => ({
    reach: Address.reach(address),
    address: Address.key(address),
    wanted: null
  })
  const [one, two] = [phone("1"), phone("2")]
  const named: Distribution = {
    strategy: "byAttribute",
    attribute: "who",
    accounts: { eve: "page", bob: "b", nil: "z" }
  }

  it.each<[string, Distribution, Parameters<typeof Routing.routeOf>[2], ReadonlyArray<Chat>, Routing.Route | null]>([
    ["the first address that an account reaches", { strategy: "even" }, person([scoped, one]), [], anyone(one)],
    ["none where no account reaches any", { strategy: "sticky" }, person([scoped]), [], null],
    [
      "to the latest chat, by the address it is with",
      { strategy: "sticky" },
      person([one, two]),
      [chat(a, one, 1), chat(b, two, 2)],
      { ...anyone(two), wanted: b.id }
    ],
    [
      "to the first of two accounts whose chats are of one instant",
      { strategy: "sticky" },
      person([one]),
      [chat(b, one, 1), chat(a, one, 1)],
      { ...anyone(one), wanted: a.id }
    ],
    [
      "past a chat with an address that is no longer there",
      { strategy: "sticky" },
      person([one]),
      [chat(b, two, 2)],
      anyone(one)
    ],
    ["past chats where they do not matter", { strategy: "capacity" }, person([one]), [chat(b, one, 2)], anyone(one)],
    ["to who is named", named, person([one], { who: "bob" }), [], { ...anyone(one), wanted: b.id }],
    ["past a name that nobody has", named, person([one], { who: "Bob" }), [], anyone(one)],
    ["past an account that is not in the campaign", named, person([one], { who: "nil" }), [], anyone(one)],
    ["past an account that does not reach them", named, person([one], { who: "eve" }), [], anyone(one)],
    ["past what only looks like a value", named, person([one], { who: "toString" }), [], anyone(one)],
    ["past a missing attribute", named, person([one]), [], anyone(one)],
    ["to the account for all others", { ...named, otherwise: "a" }, person([one]), [], { ...anyone(one), wanted: a.id }]
  ])("goes %s", (_, distribution, contact, chats, expected) => {
    assert.deepStrictEqual(Routing.routeOf(distribution, [a, b], contact, chats), expected)
  })

  it("goes to a named account by the address that it alone reaches", () => {
    assert.deepStrictEqual(Routing.routeOf(named, [a, page], person([one, scoped], { who: "eve" }), []), {
      ...anyone(one),
      wanted: page.id
    })
    assert.deepStrictEqual(Routing.routeOf(named, [a, page], person([scoped, one], { who: "eve" }), []), {
      ...anyone(scoped),
      wanted: page.id
    })
  })
})
