/**
 * How words are found in texts: anywhere in them, whatever their capitals. A database lowers the letters of ASCII alone, so
 * other scripts are looked for as typed, in small letters, in capitals, and with capitals at the beginnings of words.
 */

const lowered = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())

const capitalised = (text: string): string =>
  text.toLowerCase().replaceAll(/(^|\s)\p{L}/gu, (start) => start.toUpperCase())

/** The most characters that are looked for. */
export const maxLength = 200

/** What to look for, with its letters of ASCII lowered; none for a blank query, which everything passes. */
export const variants = (query: string): ReadonlyArray<string> => {
  const words = query.trim().slice(0, maxLength)
  return words === ""
    ? []
    : [...new Set([words, words.toLowerCase(), words.toUpperCase(), capitalised(words)].map(lowered))]
}

/** Whether a text has the words of a query. */
export const isIn = (text: string, query: string): boolean => {
  const wanted = variants(query)
  const where = lowered(text)
  return wanted.length === 0 || wanted.some((words) => where.includes(words))
}
