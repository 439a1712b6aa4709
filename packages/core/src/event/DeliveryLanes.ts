/**
 * What a process has in hand of one endpoint: a lane for each key, in which one delivery at a time is under way and the
 * others follow in order; and how far through the feed everything is done, whatever finished first.
 */
import type { DomainEvent } from "./DomainEvent.ts"
import type { Position } from "./EventStore.ts"
import type { DeliveryRow } from "./WebhookStore.ts"

/** A delivery to be made. */
export interface Errand {
  readonly event: DomainEvent
  readonly position: Position
  readonly key: string
  /** Its row, where it has one: it failed before, or waited. */
  readonly row: DeliveryRow | null
  /** Its place in the reading it came from; null = it came from a row. */
  readonly ticket: Ticket | null
}

/** An event that was read and is not done. */
export interface Ticket {
  readonly reading: FeedReading
  readonly position: Position
  isDone: boolean
}

/** A way through a part of the feed. */
export class FeedReading {
  #open: Array<Ticket> = []
  #first = 0
  #read: Position | null
  #done: Position | null

  constructor(after: Position | null) {
    this.#read = after
    this.#done = after
  }

  /** Where to read on. */
  get read(): Position | null {
    return this.#read
  }

  /** Everything up to here is done. */
  get done(): Position | null {
    return this.#first === this.#open.length ? this.#read : this.#done
  }

  /** How many events were read that are not done, or follow one that is not. */
  get size(): number {
    return this.#open.length - this.#first
  }

  /** Everything up to here was looked at. */
  readTo(position: Position | null): void {
    this.#read = position
  }

  /** An event is to be delivered; before the next one, and before `readTo`. */
  take(position: Position): Ticket {
    const ticket: Ticket = { reading: this, position, isDone: false }
    this.#open.push(ticket)
    return ticket
  }

  finish(ticket: Ticket): void {
    ticket.isDone = true
    for (let first = this.#open[this.#first]; first?.isDone === true; first = this.#open[this.#first]) {
      this.#done = first.position
      this.#first += 1
    }
    if (this.#first > 1_024 && this.#first * 2 > this.#open.length) {
      this.#open = this.#open.slice(this.#first)
      this.#first = 0
    }
  }

  /** The events that are not done though a later one is. */
  get holes(): ReadonlySet<Ticket> {
    const open = this.#open.slice(this.#first)
    const lastDone = open.findLastIndex(({ isDone }) => isDone)
    return new Set(open.slice(0, Math.max(0, lastDone)).filter(({ isDone }) => !isDone))
  }
}

interface Lane {
  /** Behind the one that is ready or under way. */
  readonly behind: Array<Errand>
  /** Whether it is of rows: then more of them may wait in the store. */
  readonly isOfRows: boolean
}

export class DeliveryLanes {
  readonly #lanes = new Map<string, Lane>()
  readonly #ready: Array<Errand> = []
  #first = 0
  #size = 0

  /** How many are in hand and not under way. */
  get size(): number {
    return this.#size
  }

  /** Whether a key has something in hand: from the feed alone, or from rows. */
  has(key: string): "none" | "feed" | "rows" {
    const lane = this.#lanes.get(key)
    return lane === undefined ? "none" : lane.isOfRows ? "rows" : "feed"
  }

  /** Puts one at the end of its lane. */
  add(errand: Errand): void {
    this.#size += 1
    const lane = this.#lanes.get(errand.key)
    if (lane !== undefined) {
      lane.behind.push(errand)
      return
    }
    this.#lanes.set(errand.key, { behind: [], isOfRows: errand.row !== null })
    this.#ready.push(errand)
  }

  /** The next to be under way. */
  next(): Errand | undefined {
    const errand = this.#ready[this.#first]
    if (errand === undefined) return undefined
    this.#first += 1
    this.#size -= 1
    if (this.#first === this.#ready.length) {
      this.#ready.length = 0
      this.#first = 0
    }
    return errand
  }

  /** One that was under way is over: the next of its key is ready. */
  pass({ key }: Errand): void {
    const lane = this.#lanes.get(key)
    const next = lane?.behind.shift()
    if (next === undefined) this.#lanes.delete(key)
    else this.#ready.push(next)
  }

  /** One that was under way must be tried again later: gives back those behind it, which wait as well. */
  block({ key }: Errand): ReadonlyArray<Errand> {
    const behind = this.#lanes.get(key)?.behind ?? []
    this.#lanes.delete(key)
    this.#size -= behind.length
    return behind
  }

  /** Everything that is not under way, in the order in which it would be; nothing is left. */
  clear(): ReadonlyArray<Errand> {
    const left = [...this.#ready.slice(this.#first), ...[...this.#lanes.values()].flatMap(({ behind }) => behind)]
    this.#lanes.clear()
    this.#ready.length = 0
    this.#first = 0
    this.#size = 0
    return left
  }
}
