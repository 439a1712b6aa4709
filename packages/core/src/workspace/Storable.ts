/**
 * What comes from outside, as every database can keep it. PostgreSQL takes neither a NUL character nor half of a surrogate
 * pair (an emoji that somebody cut in two), and what it refuses once it would refuse again for ever.
 */

/** The text without NUL, and with U+FFFD in place of each half of a pair; mostly the very text. */
export const text = (value: string): string => {
  const whole = value.isWellFormed() ? value : value.toWellFormed()
  return whole.includes("\u0000") ? whole.replaceAll("\u0000", "") : whole
}

/** The first `length` UTF-16 units of a text, one fewer where the cut would go through a pair. */
export const cut = (value: string, length: number): string => {
  const part = value.slice(0, length)
  return part.isWellFormed() || !value.isWellFormed() ? part : part.slice(0, -1)
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Whether the value may stay as it is: nothing is made to find out, for nearly all of it may. */
const isStorable = (value: unknown): boolean => {
  if (typeof value === "string") return value.isWellFormed() && !value.includes("\u0000")
  if (typeof value !== "object" || value === null) return true
  if (Array.isArray(value)) return value.every(isStorable)
  if (!isPlain(value)) return true
  for (const key in value) if (!isStorable(key) || !isStorable((value as Record<string, unknown>)[key])) return false
  return true
}

const cleaned = (value: unknown): unknown => {
  if (isStorable(value)) return value
  if (typeof value === "string") return text(value)
  if (Array.isArray(value)) return value.map(cleaned)
  return Object.fromEntries(Object.entries(value as object).map(([key, field]) => [text(key), cleaned(field)]))
}

/** The value with each text in it so; of plain objects and arrays, and the very value where nothing is to be changed. */
export const storable = <A>(value: A): A => cleaned(value) as A
