/** What the sandbox's tests send, and from whom. */
import type { Outbound } from "@overture/core/channel/Channel"
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import type { Sender } from "@overture/core/channel/Sender"
import type { Instant } from "@overture/core/workspace/Instant"
import type { AccountId, MessageId } from "@overture/core/workspace/Id"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import type { SandboxChannel } from "../../../src/channels/sandbox/Sandbox.ts"

export const sender = (externalId = "page"): Sender => ({
  account: "acc_00000000000000000000000000000000" as AccountId,
  externalId,
  credentials: null,
  egress: null
})

export const outbound = (to: string, key: string, text = `Hello ${to}`): Outbound => ({
  message: "msg_00000000000000000000000000000000" as MessageId,
  key,
  to: { channel: "sandbox", scope: "", externalId: to },
  content: { type: "text", text }
})

/** Sends one after another, each under a key of its own. */
export const sendAll = (sandbox: SandboxChannel, people: ReadonlyArray<string>, from = sender()) =>
  Effect.forEach(people, (to, i) => sandbox.send(from, outbound(to, `${from.externalId}-${to}-${i}`)))

export const people = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, i) => `person-${i}`)

/** Everything an account is told, by jumping from one event to the next as a virtual-time driver does. */
export const drive = Effect.fnUntraced(function* (sandbox: SandboxChannel, from = sender()) {
  const told: Array<ChannelEvent> = []
  let cursor: string | null = null
  for (let now: Instant | null = 0; now !== null; ) {
    const polled: Effect.Success<ReturnType<typeof sandbox.poll>> = yield* sandbox.poll(from, cursor, now)
    told.push(...polled.events)
    cursor = polled.cursor
    now = polled.nextAt
  }
  return told
})

/** A path for a log in a directory that goes with the scope. */
export const logPath = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sandbox-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
).pipe(Effect.map((directory) => join(directory, "sent.ndjson")))
