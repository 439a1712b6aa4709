/**
 * What comes from outside, as every database can keep it. PostgreSQL takes neither a NUL character nor half of a surrogate
 * pair (an emoji that somebody cut in two), and what it refuses once it would refuse again for ever.
 */

/** The text without NUL, and with U+FFFD in place of each half of a pair; mostly the very text. */
export const text = (value: string): string => {
  const whole = value.isWellFormed() ? value : value.toWellFormed()
  return whole.includes("\u0000") ? whole.replaceAll("\u0000", "") : whole
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const cleaned = (value: unknown): unknown => {
  if (typeof value === "string") return text(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) {
    const items = value.map(cleaned)
    return items.every((item, i) => item === value[i]) ? value : items
  }
  if (!isPlain(value)) return value
  let isAsItWas = true
  const entries = Object.entries(value).map(([key, field]) => {
    const entry = [text(key), cleaned(field)] as const
    isAsItWas &&= entry[0] === key && entry[1] === field
    return entry
  })
  return isAsItWas ? value : Object.fromEntries(entries)
}

/** The value with each text in it so; of plain objects and arrays, and the very value where nothing is to be changed. */
export const storable = <A>(value: A): A => cleaned(value) as A
