/**
 * The log of a sandbox: one line of JSON for every message that reached the platform, appended before the platform
 * answers. The file is the platform's memory: several processes may share it, and whoever opens it later knows what
 * former runs sent. Reading and appending happen under a lock that a killed holder loses (SQLite's lock on an empty
 * file); a line cut off by a crash is ended before the next one, and skipped by readers unless it is complete.
 */
import { Instant } from "@overture/core/workspace/Instant"
import { Option, Schema } from "effect"
import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { OutcomeName } from "./ScriptedOutcome.ts"

/** A message that reached the platform, whatever it came to there. */
export class Received extends Schema.Opaque<Received>()(
  Schema.Struct({
    /** Pacing time. */
    at: Instant,
    /** The sender's external id. */
    account: Schema.String,
    /** The person's external id. */
    to: Schema.String,
    key: Schema.String,
    /** The words of the content. */
    body: Schema.String,
    /** `accepted` is what the person got, also where the sender was never told. */
    outcome: OutcomeName,
    /** The platform knew the key and did nothing. */
    repeat: Schema.Boolean,
    /** The address' scope, where it has one. */
    scope: Schema.optionalKey(Schema.String),
    /** The comment whose author it answers in private. */
    comment: Schema.optionalKey(Schema.String)
  })
) {}

/** The log file could not be opened, locked, read or written. */
export class SandboxLogError extends Schema.TaggedError<SandboxLogError>()("SandboxLogError", {
  path: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `${this.path}: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`
  }
}

export interface SentLog {
  /** Hands over what others appended meanwhile. */
  catchUp(): void
  /**
   * Runs `use` caught up and while no other process may append; a line is in the file when `append` returns. Whatever
   * `use` does it does at once: the lock is held meanwhile.
   */
  exclusively<A>(use: (append: (line: Received) => void) => A): A
  close(): void
}

/** A log that ends with the process. */
export const memory = (observe: (line: Received) => void): SentLog => ({
  catchUp: () => {},
  exclusively: (use) => use(observe),
  close: () => {}
})

/** How long to wait for another process, in milliseconds; it holds the lock for less than one. */
const patience = 10_000
const newline = 10

const encodeLine = Schema.encodeSync(Received)

/** A line as the file has it; the order of the fields is part of the format. */
const encode = (line: Received): Buffer => {
  const { at, account, to, key, body, outcome, repeat, scope, comment } = encodeLine(line)
  return Buffer.from(`${JSON.stringify({ at, account, to, key, body, outcome, repeat, scope, comment })}\n`)
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Received))

/** Opens or creates the log at `path`, with its directory, and hands every line in it to `observe`. Throws. */
export const file = (path: string, observe: (line: Received) => void): SentLog => {
  const io = <A>(use: () => A): A => {
    try {
      return use()
    } catch (cause) {
      throw new SandboxLogError({ path, cause })
    }
  }
  const fd = io(() => {
    mkdirSync(dirname(path), { recursive: true })
    return openSync(path, "a+")
  })
  const lock = io(() => new DatabaseSync(`${path}.lock`, { timeout: patience }))
  const [take, release] = io(() => [lock.prepare("BEGIN EXCLUSIVE"), lock.prepare("ROLLBACK")] as const)
  /** Where the first line begins that was not handed over yet. */
  let offset = 0
  let chunk = Buffer.allocUnsafe(65_536)

  const size = () => fstatSync(fd).size

  const write = (bytes: Buffer) => {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
  }

  const catchUp = () => {
    while (offset < size()) {
      const bytes = chunk.subarray(0, readSync(fd, chunk, 0, chunk.length, offset))
      const end = bytes.lastIndexOf(newline) + 1
      if (end === 0) {
        if (bytes.length < chunk.length) return
        chunk = Buffer.allocUnsafe(chunk.length * 2)
      }
      for (const line of bytes.toString("utf8", 0, end).split("\n")) {
        if (line !== "") Option.map(decode(line), observe)
      }
      offset += end
    }
  }

  const append = (line: Received) => {
    const bytes = encode(line)
    io(() => write(bytes))
    offset += bytes.length
    observe(line)
  }

  const exclusively: SentLog["exclusively"] = (use) => {
    io(() => take.run())
    try {
      io(() => {
        catchUp()
        if (offset < size()) {
          write(Buffer.of(newline))
          catchUp()
        }
      })
      return use(append)
    } finally {
      io(() => release.run())
    }
  }

  const close = () =>
    io(() => {
      lock.close()
      closeSync(fd)
    })

  try {
    exclusively(() => {})
  } catch (error) {
    close()
    throw error
  }
  return { catchUp: () => io(catchUp), exclusively, close }
}
