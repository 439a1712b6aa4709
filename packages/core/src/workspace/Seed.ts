/**
 * Deterministic chance: a text (a seed key and what it is for) becomes four 32-bit words, and those a stream of uniform
 * numbers (sfc32). The same text gives the same stream on every machine, so a forecast is the schedule itself.
 * Not for secrets.
 */

/** Four well-mixed 32-bit words of a text: 128 bits, enough to derive ids from (cyrb128). */
export const hash = (text: string): readonly [number, number, number, number] => {
  let a = 1779033703,
    b = 3144134277,
    c = 1013904242,
    d = 2773480762
  for (let i = 0; i < text.length; i++) {
    const k = text.charCodeAt(i)
    a = b ^ Math.imul(a ^ k, 597399067)
    b = c ^ Math.imul(b ^ k, 2869860233)
    c = d ^ Math.imul(c ^ k, 951274213)
    d = a ^ Math.imul(d ^ k, 2716044179)
  }
  a = Math.imul(c ^ (a >>> 18), 597399067)
  b = Math.imul(d ^ (b >>> 22), 2869860233)
  c = Math.imul(a ^ (c >>> 17), 951274213)
  d = Math.imul(b ^ (d >>> 19), 2716044179)
  a ^= b ^ c ^ d
  return [a >>> 0, (b ^ a) >>> 0, (c ^ a) >>> 0, (d ^ a) >>> 0]
}

/** A stream of uniform numbers in [0, 1) for a text. */
export const random = (text: string): (() => number) => {
  let [a, b, c, d] = hash(text)
  const next = () => {
    const t = (a + b + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4294967296
  }
  for (let i = 0; i < 8; i++) next()
  return next
}

/** The two digits of each byte: a look-up costs a sixth of what formatting a word of 32 bits does. */
const bytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))
const hex = (word: number): string =>
  bytes[word >>> 24]! + bytes[(word >>> 16) & 0xff]! + bytes[(word >>> 8) & 0xff]! + bytes[word & 0xff]!

/** 32 hexadecimal digits derived from a text: the body of a derived id. */
export const digest = (text: string): string => {
  const [a, b, c, d] = hash(text)
  return hex(a) + hex(b) + hex(c) + hex(d)
}
