import { assert, it } from "@effect/vitest"
import { Redacted } from "effect"
import * as Concealment from "../../src/channel/Concealment.ts"
import type { Sender } from "../../src/channel/Sender.ts"
import * as Builders from "../../src/testing/Builders.ts"

const build = Builders.make("concealment")
const sender = (credentials: string | null, egress: string | null = null): Sender => ({
  account: build.account(build.workspace().id).id,
  externalId: "page",
  credentials: credentials === null ? null : Redacted.make(credentials),
  egress: egress === null ? null : Redacted.make(egress)
})

for (const [what, from, said, left] of [
  [
    "a token",
    sender("EAAG-token"),
    "EAAG-token has expired, get another than EAAG-token",
    "[secret] has expired, get another than [secret]"
  ],
  [
    "the parts of credentials",
    sender('{"page":{"token":"part-one"},"keys":["part-two"],"n":"7"}'),
    "part-two, part-one, 7",
    "[secret], [secret], 7"
  ],
  [
    "a token in a URL",
    sender("a+token/with=signs"),
    "GET /me?token=a%2Btoken%2Fwith%3Dsigns",
    "GET /me?token=[secret]"
  ],
  [
    "the login of a proxy",
    sender(null, "http://annabel:p%40ssword@proxy:1"),
    "annabel with p@ssword at proxy:1",
    "[secret] with [secret] at proxy:1"
  ],
  [
    "a whole proxy",
    sender(null, "http://annabel:p%40ssword@proxy:1"),
    "via http://annabel:p%40ssword@proxy:1",
    "via [secret]"
  ],
  ["nothing of a proxy without login", sender(null, "http://proxy:1"), "via http://proxy:1", "via http://proxy:1"],
  ["the longer of two", sender('{"a":"secret-1","b":"secret-12"}'), "secret-12 secret-1", "[secret] [secret]"],
  ["nothing of what has no secrets", sender(null), "words", "words"],
  ["no short words", sender("me"), "remember me", "remember me"]
] as const) {
  it(`takes out ${what}`, () => {
    assert.strictEqual(Concealment.conceal(from, said), left)
    const outcome: { type: string; detail: string; code: string } = { type: "transient", detail: said, code: "5" }
    assert.deepStrictEqual(Concealment.concealed(from, outcome), { ...outcome, detail: left })
  })
}

it("leaves what says nothing as it is", () => {
  const outcome = { type: "accepted", externalId: "x" }
  assert.strictEqual(Concealment.concealed(sender("EAAG-token"), outcome), outcome)
})
