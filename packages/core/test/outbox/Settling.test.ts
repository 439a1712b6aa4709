import { assert, describe, it } from "@effect/vitest"
import * as InboundMessage from "../../src/chat/InboundMessage.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import * as Settling from "../../src/outbox/Settling.ts"
import * as Builders from "../../src/testing/Builders.ts"

const { start } = Builders

describe("an echo that comes while its message is being sent", () => {
  const build = Builders.make("echo")
  const workspace = build.workspace()
  const account = build.account(workspace.id)
  const contact = build.contact(workspace.id)
  const sending = build.message(account, contact, { status: "sending", dueAt: null, begunAt: start })
  const echoed = InboundMessage.echoed(sending, {
    type: "messageEchoed",
    dedupeKey: "e",
    at: start + 5,
    participant: { externalId: "p", scope: "" },
    externalId: "x1",
    content: sending.content
  })

  it("leaves the row to whoever sends it", () => {
    assert.deepStrictEqual([echoed.status, echoed.sentAt, echoed.externalId], ["sending", start + 5, "x1"])
  })

  it.each<Outcome>([
    { type: "outcomeUnknown" },
    { type: "transient" },
    { type: "contentRejected" },
    { type: "rateLimited", scope: "account", retryAfterMs: 1 },
    { type: "restricted" }
  ])("proves that it went out, whatever the send came to: $type", (outcome) => {
    const settled = Settling.settle({ claimed: { message: sending, account }, outcome, at: start + 9 }, echoed)
    assert.deepStrictEqual([settled.fate, settled.message.status, settled.message.externalId], ["sent", "sent", "x1"])
    assert.strictEqual(settled.message.sentAt, start + 5)
  })

  it("and without it nothing is taken for granted", () => {
    const outcome: Outcome = { type: "outcomeUnknown" }
    const settled = Settling.settle({ claimed: { message: sending, account }, outcome, at: start + 9 }, sending)
    assert.strictEqual(settled.fate, "unknown")
  })
})
