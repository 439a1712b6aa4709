/**
 * What the platform remembers, rebuilt line by line from the log: the keys it took, what every person got and wrote, how
 * many messages each account has sent.
 */
import type { Instant } from "@overture/core/workspace/Instant"
import * as Seed from "@overture/core/workspace/Seed"
import { following, type Taken, type Telling, visiting } from "./Happenings.ts"
import type { Script } from "./Script.ts"
import type { Received } from "./SentLog.ts"
import { Timeline } from "./Timeline.ts"

/** One person as one account knows them. */
export interface Person {
  /** Tries to reach them so far, repeats left out. */
  attempts: number
  /** Messages that reached them. */
  taken: number
  /** When they write, or will, in no order. */
  readonly writesAt: Array<Instant>
}

export interface AccountMemory {
  readonly timeline: Timeline
  /** When each message was taken. */
  readonly takenAt: Array<Instant>
}

const upsert = <V>(map: Map<string, V>, key: string, make: () => V): V => {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}

export class Memory {
  readonly received: Array<Received> = []
  readonly #channel: string
  readonly #script: Script
  readonly #taken = new Map<string, Taken>()
  readonly #people = new Map<string, Person>()
  readonly #accounts = new Map<string, AccountMemory>()
  readonly #attempts = new Map<string, number>()
  readonly #answered = new Set<string>()

  constructor(channel: string, script: Script) {
    this.#channel = channel
    this.#script = script
  }

  account(account: string): AccountMemory {
    const known = this.#accounts.get(account)
    if (known !== undefined) return known
    const made = { timeline: new Timeline(), takenAt: [] }
    this.#accounts.set(account, made)
    const visits = visiting(this.#script, this.#channel, account)
    if (visits.length > 0) this.#expect(account, made.timeline, visits)
    return made
  }

  /** The accounts that have anything to be told. */
  accounts(): ReadonlyArray<string> {
    return [...new Set([...this.#script.visitors.map(({ account }) => account), ...this.#accounts.keys()])]
  }

  person(account: string, to: string): Person {
    return upsert(this.#people, JSON.stringify([account, to]), () => ({ attempts: 0, taken: 0, writesAt: [] }))
  }

  /** Tries to reach this person so far, from whichever account. */
  attempts(to: string): number {
    return this.#attempts.get(to) ?? 0
  }

  /** The message an account sent with this key, where the platform took it; the latest, should there be several. */
  taken(account: string, key: string): Taken | undefined {
    return this.#taken.get(JSON.stringify([account, key]))
  }

  /** Whether the account answered this comment in private. */
  hasAnswered(account: string, comment: string): boolean {
    return this.#answered.has(JSON.stringify([account, comment]))
  }

  /** A try that the log does not have: it got lost on its way. */
  lost(account: string, to: string): void {
    this.person(account, to).attempts += 1
    this.#attempts.set(to, this.attempts(to) + 1)
  }

  /** The next line of the log. */
  observe(line: Received): void {
    this.received.push(line)
    if (line.repeat) return
    const person = this.person(line.account, line.to)
    person.attempts += 1
    this.#attempts.set(line.to, this.attempts(line.to) + 1)
    if (line.outcome !== "accepted") return
    person.taken += 1
    if (line.comment !== undefined) this.#answered.add(JSON.stringify([line.account, line.comment]))
    const account = this.account(line.account)
    const taken = {
      line,
      externalId: this.#externalId(line, person.taken),
      number: person.taken,
      ofAccount: account.takenAt.push(line.at)
    }
    this.#taken.set(JSON.stringify([line.account, line.key]), taken)
    this.#expect(line.account, account.timeline, following(this.#script, taken))
  }

  #expect(account: string, timeline: Timeline, tellings: ReadonlyArray<Telling>): void {
    timeline.add(tellings)
    for (const { event } of tellings) {
      if (event.type === "messageReceived") this.person(account, event.participant.externalId).writesAt.push(event.at)
    }
  }

  /** The platform's name for a message it took, the same for every process that reads the log. */
  #externalId({ account, to, key }: Received, number: number): string {
    const identity = this.#script.idempotencyKeys ? ["key", key] : ["number", number]
    return `sbx_${Seed.digest(JSON.stringify([this.#channel, account, to, ...identity]))}`
  }
}
