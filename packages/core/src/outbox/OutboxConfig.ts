/** How a process sends. The defaults are those of the rules; leases and timeouts are real time. */
import { Context } from "effect"

export interface OutboxOptions {
  /** Names this process in claim rows. */
  readonly worker: string
  /** Messages that may be `sending` at one time in this process. */
  readonly sendConcurrency: number
  /** The most due things one claim takes. */
  readonly claimSize: number
  /** How long a claim is held before others may take it over, in milliseconds; renewed while it is worked on. */
  readonly leaseMs: number
  /** How long a channel may take for one send, in milliseconds; after that its outcome is unknown. */
  readonly sendTimeoutMs: number
  /** The most by which this process's clock may differ from the database's, in milliseconds. */
  readonly maxClockSkewMs: number
}

export const defaults: OutboxOptions = {
  worker: "worker",
  sendConcurrency: 32,
  claimSize: 500,
  leaseMs: 60_000,
  sendTimeoutMs: 60_000,
  maxClockSkewMs: 5_000
}

export class OutboxConfig extends Context.Reference<OutboxOptions>("@overture/core/OutboxConfig", {
  defaultValue: () => defaults
}) {}
