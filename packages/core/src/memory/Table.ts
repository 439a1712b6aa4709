/**
 * The tables of the memory storage: plain Maps whose every write can be taken back, with a few indexes where a scan would
 * hurt. Rows are immutable objects, so an undo step only remembers which one was there before.
 */

/** What a transaction has written so far, as steps that take it back. */
export class UndoLog {
  readonly #steps: Array<() => void> = []

  /** The place to which a later `rollback` may return. */
  get mark(): number {
    return this.#steps.length
  }

  record(step: () => void): void {
    this.#steps.push(step)
  }

  /** Keeps what was written. */
  commit(): void {
    this.#steps.length = 0
  }

  /** Takes back what was written since `mark`, the last write first. */
  rollback(mark: number): void {
    while (this.#steps.length > mark) this.#steps.pop()!()
  }
}

/** Rows by a text of their own; a row is found under each of its keys. */
export class Index<K, V> {
  readonly #keysOf: (row: V) => ReadonlyArray<string>
  readonly #buckets = new Map<string, Map<K, V>>()

  constructor(keysOf: (row: V) => ReadonlyArray<string>) {
    this.#keysOf = keysOf
  }

  /** The rows under a key; copy them before writing to their table. */
  get(key: string): ReadonlyMap<K, V> {
    return this.#buckets.get(key) ?? new Map()
  }

  /** Called by the table for every write. */
  move(id: K, before: V | undefined, after: V | undefined): void {
    const keys = after === undefined ? [] : this.#keysOf(after)
    for (const key of before === undefined ? [] : this.#keysOf(before)) {
      if (keys.includes(key)) continue
      const bucket = this.#buckets.get(key)
      bucket?.delete(id)
      if (bucket?.size === 0) this.#buckets.delete(key)
    }
    for (const key of keys) {
      const bucket = this.#buckets.get(key)
      if (bucket === undefined) this.#buckets.set(key, new Map([[id, after!]]))
      else bucket.set(id, after!)
    }
  }
}

export class Table<K, V extends object> {
  readonly #rows = new Map<K, V>()
  readonly #indexes: Array<Index<K, V>> = []
  readonly #log: UndoLog

  constructor(log: UndoLog) {
    this.#log = log
  }

  get size(): number {
    return this.#rows.size
  }

  get(id: K): V | undefined {
    return this.#rows.get(id)
  }

  /** A row that a broken invariant alone could have removed. */
  need(id: K): V {
    const row = this.#rows.get(id)
    if (row === undefined) throw new Error(`there is no row ${String(id)}`)
    return row
  }

  /** All rows, in no order that may be relied on; copy them before writing. */
  values(): Iterable<V> {
    return this.#rows.values()
  }

  /** All rows with their ids, as they are now. */
  entries(): ReadonlyArray<readonly [K, V]> {
    return [...this.#rows]
  }

  set(id: K, row: V): void {
    this.#write(id, row)
  }

  delete(id: K): void {
    this.#write(id, undefined)
  }

  /** An index over the rows; made before the first one is written. */
  index(keysOf: (row: V) => ReadonlyArray<string>): Index<K, V> {
    const index = new Index<K, V>(keysOf)
    this.#indexes.push(index)
    return index
  }

  #write(id: K, row: V | undefined): void {
    const before = this.#rows.get(id)
    if (before === row) return
    this.#log.record(() => this.#put(id, before))
    this.#put(id, row)
  }

  #put(id: K, row: V | undefined): void {
    const before = this.#rows.get(id)
    if (row === undefined) this.#rows.delete(id)
    else this.#rows.set(id, row)
    for (const index of this.#indexes) index.move(id, before, row)
  }
}
