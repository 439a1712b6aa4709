/** How a process sends. The defaults are those of the rules; leases and timeouts are real time. */
import { Context } from "effect"

export interface OutboxOptions {
  /** Names this process in claim rows. */
  readonly worker: string
  /**
   * Messages that may be `sending` at one time in this process, as many as its channels bear: 1 to three times `claimSize`.
   * So many a crash may leave in doubt.
   */
  readonly sendConcurrency: number
  /** The most due things one claim takes: 1 to about 1 000. What is claimed and not begun waits for this process. */
  readonly claimSize: number
  /**
   * How long a claim is held before others may take it over, in milliseconds; renewed each third of it while it is worked
   * on, and nothing begins in its last 40 %. It need not outlast `sendTimeoutMs`, but any stall of the process or the
   * database: at least 10 s. The longer it is, the later the work of a process that died goes on.
   */
  readonly leaseMs: number
  /**
   * How long a channel may take for one send, in milliseconds: more than the channel's own timeouts, as what is cut off here
   * may have gone out, so its outcome is unknown until its channel can be asked, and for good where it cannot.
   */
  readonly sendTimeoutMs: number
  /**
   * The most by which this process's clock may differ from the database's, in milliseconds; beyond it nothing is sent. More
   * than the time that an answer of the database takes, and less than `leaseMs`.
   */
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
