import { assert, describe, it } from "@effect/vitest"
import * as InboundMessage from "../../src/chat/InboundMessage.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import * as Settling from "../../src/outbox/Settling.ts"
import * as Builders from "../../src/testing/Builders.ts"
import { day, minute } from "../../src/workspace/Instant.ts"

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

describe("a message that the platform puts off", () => {
  const build = Builders.make("limited")
  const workspace = build.workspace()
  const account = build.account(workspace.id)
  const message = build.message(account, build.contact(workspace.id), { status: "sending", dueAt: null })
  const limited: Outcome = { type: "rateLimited", scope: "recipient", retryAfterMs: minute }
  const settle = (row: typeof message, at: number, outcome: Outcome = limited) =>
    Settling.settle({ claimed: { message: row, account }, outcome, at }, row)

  it("waits for seven days from the first time, however old it is", () => {
    const first = settle(message, start + 30 * day)
    assert.deepStrictEqual([first.fate, first.retryAt], ["again", start + 30 * day + minute])
    const later = settle({ ...first.message, status: "sending" }, start + 37 * day)
    assert.strictEqual(later.fate, "again")
    const last = settle({ ...later.message, status: "sending" }, start + 37 * day + 1)
    assert.deepStrictEqual([last.fate, last.message.reason, last.message.details], ["failed", "rateLimited", null])
  })

  it.each<Outcome>([{ type: "transient" }, { type: "accepted", externalId: "x" }, { type: "restricted" }])(
    "waits anew once it came to something else: $type",
    (outcome) => {
      const first = settle({ ...message, details: { comment: "c1" } }, start)
      const other = settle({ ...first.message, status: "sending" }, start + day, outcome)
      assert.deepStrictEqual(other.message.details, { comment: "c1" })
    }
  )
})
