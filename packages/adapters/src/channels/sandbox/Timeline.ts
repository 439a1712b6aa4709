/**
 * The events of one account in the order in which they are told, delivered by cursor. A cursor says how many messages
 * were known and up to when events were handed out; so an event of a message that another process logs late is neither
 * missed nor told twice.
 */
import type { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import type { Instant } from "@overture/core/workspace/Instant"
import { DueList } from "./DueList.ts"
import type { Telling } from "./Happenings.ts"

interface Due extends Telling {
  readonly message: number
}

/** `3@1772971200000`: the first three messages were known, and what they brought by then was handed out. */
const position = (cursor: string | null): { readonly known: number; readonly until: Instant } => {
  const [, known, until] = /^(\d+)@(-?\d+)$/.exec(cursor ?? "") ?? []
  return known === undefined ? { known: 0, until: -Infinity } : { known: Number(known), until: Number(until) }
}

export class Timeline {
  readonly #due = new DueList<Due>()
  readonly #ofMessage: Array<ReadonlyArray<Telling>> = []

  /** What follows the next message. */
  add(tellings: ReadonlyArray<Telling>): void {
    const message = this.#ofMessage.push(tellings) - 1
    for (const { event, toldAt } of tellings) this.#due.add({ message, toldAt, event })
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
    const nextAt = this.#due.nextAfter(Math.max(now, until))
    if (now < until) return { events: [], cursor, nextAt }
    const due = this.#due.between(until, now).filter(({ message }) => message < known)
    for (let message = known; message < this.#ofMessage.length; message++) {
      for (const { event, toldAt } of this.#ofMessage[message] ?? []) {
        if (toldAt <= now) due.push({ message, toldAt, event })
      }
    }
    return {
      events: due.sort((a, b) => a.toldAt - b.toldAt || a.message - b.message).map(({ event }) => event),
      // As it was while nothing is handed out, so that nobody has to remember another one.
      cursor: due.length > 0 ? `${Math.max(known, this.#ofMessage.length)}@${now}` : cursor,
      nextAt
    }
  }
}
