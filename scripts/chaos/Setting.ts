/**
 * What a chaos scenario runs on: a database, sandboxes of three kinds with a log each, and campaigns that overlap in
 * accounts and people. Written to a file, so that every worker process reads the same.
 */
import type { ScriptInput } from "@overture/adapters/channels/sandbox/Script"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** How a platform helps after a lost worker; also the names of the channels. */
export const modes = ["plain", "keys", "lookup"] as const
export type Mode = (typeof modes)[number]

export type Place =
  | { readonly type: "sqlite"; readonly path: string }
  | { readonly type: "postgres"; readonly url: string }

export interface Setting {
  /** Holds the setting, the sandbox logs and what workers say. */
  readonly directory: string
  readonly place: Place
  /** Leads of all campaigns together. */
  readonly leads: number
  /** Accounts of each mode; each works for both campaigns of its mode. */
  readonly accounts: number
  /** How many times as fast as real time pacing runs. */
  readonly rate: number
  /** Messages per campaign, account and day. */
  readonly quota: number
  /** Of every third account: messages a day over its campaigns. */
  readonly dailyCap: number
  /** One send, in real milliseconds. */
  readonly latency: { readonly minMs: number; readonly maxMs: number }
  readonly leaseMs: number
  /** Seconds of pacing between two parts. */
  readonly partDelay: { readonly minSeconds: number; readonly maxSeconds: number }
  /** A follow-up the next day, and people who answer, opt out or are refused. */
  readonly conversation: boolean
}

/** Channels that a mode's sandbox pretends. */
export const scriptOf = (setting: Setting, mode: Mode): ScriptInput => ({
  seed: `chaos-${mode}`,
  latency: setting.latency,
  idempotencyKeys: mode === "keys",
  lookup: mode === "lookup" ? { afterMs: setting.latency.maxMs } : null,
  outcomes: [
    { rate: 0.01, outcome: "transient" },
    { rate: 0.005, outcome: "contentRejected" }
  ],
  ...(setting.conversation && {
    replies: [{ rate: 0.1, delay: { minMs: 60_000, maxMs: 40_000_000 }, text: "Tell me more" }],
    optOuts: [{ rate: 0.1, delay: { minMs: 60_000, maxMs: 40_000_000 }, text: "STOP" }]
  })
})

export const logOf = (setting: Setting, mode: Mode): string => join(setting.directory, `${mode}.ndjson`)

const fileOf = (directory: string) => join(directory, "setting.json")

export const write = (setting: Setting): void => writeFileSync(fileOf(setting.directory), JSON.stringify(setting))

export const read = (directory: string): Setting => JSON.parse(readFileSync(fileOf(directory), "utf8")) as Setting
