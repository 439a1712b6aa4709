/**
 * What is due when, in order of time and, at the same time, of coming in. It is kept in pieces of bounded length, so that
 * an addition anywhere among a hundred thousand is cheap.
 */
import type { Instant } from "@overture/core/workspace/Instant"

export interface Due {
  readonly toldAt: Instant
}

const longestPiece = 512

/** How many of the sorted `items` have a time at or before `at`. */
const countUntil = <A>(items: ReadonlyArray<A>, at: Instant, timeOf: (item: A) => Instant): number => {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && timeOf(item) <= at) low = middle + 1
    else high = middle
  }
  return low
}

const timeOf = ({ toldAt }: Due): Instant => toldAt
const endOf = (piece: ReadonlyArray<Due>): Instant => piece[piece.length - 1]?.toldAt ?? -Infinity

export class DueList<A extends Due> {
  /** None is empty; each ends no later than the next begins. */
  readonly #pieces: Array<Array<A>> = []

  add(due: A): void {
    const last = this.#pieces.length - 1
    const place = Math.min(countUntil(this.#pieces, due.toldAt, endOf), Math.max(last, 0))
    const piece = this.#pieces[place]
    if (piece === undefined) {
      this.#pieces.push([due])
      return
    }
    piece.splice(countUntil(piece, due.toldAt, timeOf), 0, due)
    if (piece.length > longestPiece) this.#pieces.splice(place + 1, 0, piece.splice(longestPiece / 2))
  }

  /** What is due after `after` and at or before `until`. */
  between(after: Instant, until: Instant): Array<A> {
    const found: Array<A> = []
    for (let i = countUntil(this.#pieces, after, endOf); i < this.#pieces.length; i++) {
      const piece = this.#pieces[i] ?? []
      const to = countUntil(piece, until, timeOf)
      for (let j = countUntil(piece, after, timeOf); j < to; j++) found.push(piece[j] as A)
      if (to < piece.length) break
    }
    return found
  }

  /** When the first thing after `after` is due; null when there is none. */
  nextAfter(after: Instant): Instant | null {
    const piece = this.#pieces[countUntil(this.#pieces, after, endOf)]
    return piece?.[countUntil(piece, after, timeOf)]?.toldAt ?? null
  }
}
