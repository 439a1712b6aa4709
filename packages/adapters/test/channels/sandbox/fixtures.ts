/** What the sandbox's tests send, and from whom. */
import type { Outbound } from "@overture/core/channel/Channel"
import type { Sender } from "@overture/core/channel/Sender"
import type { AccountId, MessageId } from "@overture/core/workspace/Id"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import type { SandboxChannel } from "../../../src/channels/sandbox/Sandbox.ts"

export const sender = (externalId = "page"): Sender => ({
  account: "acc_00000000000000000000000000000000" as AccountId,
  externalId,
  credentials: null
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

/** A path for a log in a directory that goes with the scope. */
export const logPath = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sandbox-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
).pipe(Effect.map((directory) => join(directory, "sent.ndjson")))
