/**
 * Tells whether bytes are UTF-8 text, and otherwise what they are and where it shows: an import must not turn a
 * workbook or Latin-1 into contacts. Nothing is kept but the state of the decoder.
 */

/** Why bytes are not text that can be read, in words for whoever made the file. */
export interface NotText {
  readonly problem: string
  readonly advice: string
}

const asCsv = 'open it in the spreadsheet program and save it as "CSV UTF-8"'
const asUtf8 = 'save it as UTF-8 (in Excel: "CSV UTF-8")'

const signatures: ReadonlyArray<readonly [bytes: ReadonlyArray<number>, NotText]> = [
  [[0x50, 0x4b, 0x03, 0x04], { problem: "it is a spreadsheet such as .xlsx, or a zip archive", advice: asCsv }],
  [[0x50, 0x4b, 0x05, 0x06], { problem: "it is an empty zip archive", advice: asCsv }],
  [[0xd0, 0xcf, 0x11, 0xe0], { problem: "it is an old Excel workbook (.xls)", advice: asCsv }],
  [[0x1f, 0x8b], { problem: "it is compressed (gzip)", advice: "unpack it first" }],
  [[0x25, 0x50, 0x44, 0x46], { problem: "it is a PDF", advice: "export the list as CSV instead" }],
  [[0xff, 0xfe], { problem: "it is UTF-16", advice: asUtf8 }],
  [[0xfe, 0xff], { problem: "it is UTF-16", advice: asUtf8 }]
]

const html = /^\s*<(!doctype|!--|html|head|body|table|\?xml)/i

/** What a file that begins so is, when it is something other than text with columns. */
export const recognise = (head: Uint8Array): NotText | null => {
  const signature = signatures.find(([bytes]) => bytes.every((byte, i) => head[i] === byte))
  if (signature !== undefined) return signature[1]
  return html.test(new TextDecoder().decode(head.subarray(0, 1_024)))
    ? { problem: "it is a web page (HTML or XML)", advice: "a download may have led to a log-in page; export again" }
    : null
}

/** A fault at byte `at` of the last slice (infinity: behind it), which is on line `line` of the text (from 1). */
export interface Fault extends NotText {
  readonly at: number
  readonly line: number
}

const decoder = () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const throws = (f: () => void): boolean => {
  try {
    f()
    return false
  } catch {
    return true
  }
}

/** Follows a text slice by slice. */
export class Utf8Check {
  private readonly decoder = decoder()
  /** The last bytes seen, enough to hold the beginning of a character. */
  private tail: Uint8Array = new Uint8Array(0)
  private line = 1
  private afterReturn = false

  /** The first byte of the next slice that is not UTF-8 text, null when all is well. */
  next(slice: Uint8Array): Fault | null {
    const bad = throws(() => void this.decoder.decode(slice, { stream: true })) ? this.locate(slice) : slice.length
    const zero = slice.indexOf(0)
    const end = zero < 0 ? bad : Math.min(zero, bad)
    this.count(slice, end)
    if (end < bad) {
      return { at: end, line: this.line, problem: "it contains NUL bytes: UTF-16, or no text at all", advice: asUtf8 }
    }
    if (bad < slice.length) return this.notUtf8(bad)
    this.tail = slice.length >= 3 ? slice.slice(-3) : Buffer.concat([this.tail, slice]).subarray(-3)
    return null
  }

  /** Whether the text ends inside a character. */
  end(): Fault | null {
    return throws(() => void this.decoder.decode()) ? this.notUtf8(Infinity) : null
  }

  /** Counts the lines that end before byte `end`. */
  private count(slice: Uint8Array, end: number): void {
    let ended = 0
    let afterReturn = this.afterReturn
    for (let i = 0; i < end; i++) {
      const byte = slice[i]
      if (byte === 13 || (byte === 10 && !afterReturn)) ended += 1
      afterReturn = byte === 13
    }
    this.line += ended
    this.afterReturn = afterReturn
  }

  private notUtf8(at: number): Fault {
    return { at, line: this.line, problem: "it is not UTF-8: probably Latin-1 or Windows-1252", advice: asUtf8 }
  }

  /** Which byte the decoder refused: it only says that it did, so this one time bytes are decoded one by one. */
  private locate(slice: Uint8Array): number {
    const begin = this.tail.findIndex((byte) => (byte & 0xc0) !== 0x80)
    const single = decoder()
    if (begin >= 0) single.decode(this.tail.subarray(begin), { stream: true })
    const at = slice.findIndex((_, i) => throws(() => void single.decode(slice.subarray(i, i + 1), { stream: true })))
    return at < 0 ? 0 : at
  }
}
