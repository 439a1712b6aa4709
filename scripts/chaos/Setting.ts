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
  /** Whether the workers are the command line's. It plays all channels by one script: then none helps after a lost worker. */
  readonly cli: boolean
  /** A follow-up the next day, and people who answer, opt out or are refused. */
  readonly conversation: boolean
  /** Connections are cut after a message went out, and before. */
  readonly cut: boolean
}

/** What a mode's platform can do after a lost worker. */
export const kindOf = (setting: Setting, mode: Mode): Mode => (setting.cli ? "plain" : mode)

/** How a mode's sandbox behaves. */
export const scriptOf = (setting: Setting, mode: Mode): ScriptInput => ({
  seed: `chaos-${kindOf(setting, mode)}`,
  latency: setting.latency,
  idempotencyKeys: kindOf(setting, mode) === "keys",
  lookup: kindOf(setting, mode) === "lookup" ? { afterMs: setting.latency.maxMs } : null,
  outcomes: [
    { rate: 0.01, outcome: "transient" },
    { rate: 0.005, outcome: "contentRejected" },
    ...(setting.cut
      ? ([
          { rate: 0.02, outcome: { type: "outcomeUnknown", received: true } },
          { rate: 0.01, outcome: { type: "outcomeUnknown", received: false } }
        ] as const)
      : [])
  ],
  ...(setting.conversation && {
    replies: [{ rate: 0.1, delay: { minMs: 60_000, maxMs: 40_000_000 }, text: "Tell me more" }],
    optOuts: [{ rate: 0.1, delay: { minMs: 60_000, maxMs: 40_000_000 }, text: "STOP" }]
  })
})

export const logOf = (setting: Setting, mode: Mode): string => join(setting.directory, `sent.${mode}.ndjson`)

/** The flags by which the command line does what our own worker does. */
export const flagsOf = ({ directory, leaseMs, place, rate }: Setting): ReadonlyArray<string> => [
  "worker",
  "--exit-when-idle",
  "--database",
  place.type === "sqlite" ? place.path : place.url,
  "--clock-rate",
  String(rate),
  "--lease",
  String(leaseMs / 1_000),
  "--sandbox",
  scriptFile(directory),
  "--sandbox-log",
  join(directory, "sent.ndjson")
]

const scriptFile = (directory: string) => join(directory, "script.json")

const fileOf = (directory: string) => join(directory, "setting.json")

export const write = (setting: Setting): void => {
  writeFileSync(fileOf(setting.directory), JSON.stringify(setting))
  writeFileSync(scriptFile(setting.directory), JSON.stringify(scriptOf(setting, "plain")))
}

export const read = (directory: string): Setting => JSON.parse(readFileSync(fileOf(directory), "utf8")) as Setting
