/** Finds words in bytes, whichever way they may have been written there. */

/** The part of a Base64 text that is the same whatever stands around the word; `before` = bytes of it in the first group. */
const base64Core = (word: Buffer, before: number): string => {
  const text = Buffer.concat([Buffer.alloc(before), word])
    .toString("base64")
    .replaceAll("=", "")
  const whole = Math.floor(((before + word.length) * 8) / 6)
  return text.slice(Math.ceil((before * 8) / 6), whole)
}

const escaped = (word: string): string =>
  Array.from({ length: word.length }, (_, i) => `\\u${word.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")

/** Every form of a word that something that stores texts is likely to make of it. */
export const formsOf = (word: string): ReadonlyArray<readonly [form: string, bytes: Buffer]> => {
  const utf8 = Buffer.from(word)
  const hex = utf8.toString("hex")
  const bigEndian = Buffer.from(word, "utf16le").swap16()
  const base64 = [0, 1, 2].map((before) => base64Core(utf8, before))
  const texts: ReadonlyArray<readonly [string, string]> = [
    ["plain", word],
    ["lower case", word.toLowerCase()],
    ["JSON", JSON.stringify(word).slice(1, -1)],
    ["JSON, escaped", escaped(word)],
    ["URL", encodeURIComponent(word)],
    ["hex", hex],
    ["HEX", hex.toUpperCase()],
    ...base64.map((text) => ["Base64", text] as const),
    ...base64.map((text) => ["Base64url", text.replaceAll("+", "-").replaceAll("/", "_")] as const)
  ]
  const forms = texts.map(([form, text]) => [form, Buffer.from(text)] as const)
  return [...forms, ["UTF-16LE", Buffer.from(word, "utf16le")], ["UTF-16BE", bigEndian]]
}

/** A place where something is kept, with its bytes. */
export interface Kept {
  readonly where: string
  readonly bytes: Buffer
}

/** Finds words in what is kept: each find is `where: word (form) … what stands around it`. */
export const finder = (words: ReadonlyArray<string>) => {
  const forms = words.flatMap((word) => formsOf(word).map(([form, bytes]) => ({ word, form, bytes })))
  return (kept: ReadonlyArray<Kept>): ReadonlyArray<string> =>
    kept.flatMap(({ bytes: all, where }) =>
      forms.flatMap(({ bytes, form, word }) => {
        const at = all.indexOf(bytes)
        const around = all.subarray(Math.max(0, at - 80), at + bytes.length + 80).toString("latin1")
        return at < 0 ? [] : [`${where}: ${word} (${form}) … ${around.replaceAll(/[^\x20-\x7e]/g, "·")}`]
      })
    )
}
