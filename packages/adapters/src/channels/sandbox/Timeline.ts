/**
 * The events of one account in the order in which they fall due, delivered by cursor. A cursor says how many messages
 * were known and up to when events were handed out; so an event of a message that another process logs late is neither
 * missed nor told twice.
 */
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import type { Instant } from "@overture/core/workspace/Instant"

interface Due {
  readonly message: number
  readonly event: ChannelEvent
}

/** `3@1772971200000`: the first three messages were known, and what they brought by then was handed out. */
const position = (cursor: string | null): { readonly known: number; readonly until: Instant } => {
  const [, known, until] = /^(\d+)@(-?\d+)$/.exec(cursor ?? "") ?? []
  return known === undefined ? { known: 0, until: -Infinity } : { known: Number(known), until: Number(until) }
}

export class Timeline {
  readonly #due: Array<Due> = []
  readonly #ofMessage: Array<ReadonlyArray<ChannelEvent>> = []

  /** The events that follow the next message. */
  add(events: ReadonlyArray<ChannelEvent>): void {
    const message = this.#ofMessage.push(events) - 1
    for (const event of events) this.#due.splice(this.#after(event.at), 0, { message, event })
  }

  /** What falls due by `now` and was not handed out before `cursor`. A clock that went back is handed nothing. */
  next(
    cursor: string | null,
    now: Instant
  ): {
    readonly events: ReadonlyArray<ChannelEvent>
    readonly cursor: string | null
    readonly nextAt: Instant | null
  } {
    const { known, until } = position(cursor)
    const end = this.#after(Math.max(now, until))
    const nextAt = this.#due[end]?.event.at ?? null
    if (now < until) return { events: [], cursor, nextAt }
    const due = this.#due.slice(this.#after(until), end).filter(({ message }) => message < known)
    for (let message = known; message < this.#ofMessage.length; message++) {
      for (const event of this.#ofMessage[message] ?? []) if (event.at <= now) due.push({ message, event })
    }
    return {
      events: due.sort((a, b) => a.event.at - b.event.at || a.message - b.message).map(({ event }) => event),
      // As it was while nothing is handed out, so that nobody has to remember another one.
      cursor: due.length > 0 ? `${Math.max(known, this.#ofMessage.length)}@${now}` : cursor,
      nextAt
    }
  }

  /** How many events fall due at or before `at`. */
  #after(at: Instant): number {
    let low = 0
    let high = this.#due.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#due[middle]?.event.at ?? Infinity) <= at) low = middle + 1
      else high = middle
    }
    return low
  }
}
