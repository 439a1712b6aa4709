/**
 * Reads `data:` URIs (RFC 2397), in both forms: base64 and percent-encoded. Bounded: a text longer than its bytes may be
 * is refused before anything of it is decoded.
 */
import { essence } from "./MediaType.ts"

export interface DataUri {
  /** Without parameters; `text/plain` where none is given, as the RFC has it. */
  readonly mime: string
  readonly bytes: Uint8Array
}

/** Why a text is not taken. Never the text itself, which may be large or private. */
export type DataUriProblem = { readonly expected: string; readonly actual: string }

const scheme = /^data:/i

/** Whether it is meant to be one. */
export const isDataUri = (text: string): boolean => scheme.test(text)

const fromBase64 = (text: string): Uint8Array | null => {
  const digits = text
    .replaceAll(/[\t\n\f\r ]/g, "")
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .replace(/={1,2}$/, "")
  if (!/^[A-Za-z0-9+/]*$/.test(digits) || digits.length % 4 === 1) return null
  const decoded = atob(digits)
  const bytes = new Uint8Array(decoded.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = decoded.charCodeAt(i)
  return bytes
}

const encoder = new TextEncoder()

/** Percent-decoded bytes; what is not encoded stands for its own UTF-8, as browsers read it. */
const fromPercent = (text: string): Uint8Array | null => {
  const raw = encoder.encode(text)
  const bytes = new Uint8Array(raw.length)
  let length = 0
  for (let i = 0; i < raw.length; i++) {
    const byte = raw[i]!
    if (byte !== 0x25) {
      bytes[length++] = byte
      continue
    }
    const digits = String.fromCharCode(raw[i + 1] ?? 0, raw[i + 2] ?? 0)
    if (!/^[0-9a-f]{2}$/i.test(digits)) return null
    bytes[length++] = Number.parseInt(digits, 16)
    i += 2
  }
  return bytes.subarray(0, length)
}

const decodeText = (text: string): string | null => {
  const bytes = fromPercent(text)
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

/** The file in a data URI of at most `maxBytes` bytes. */
export const parse = (text: string, maxBytes: number): DataUri | DataUriProblem => {
  const comma = text.indexOf(",")
  if (!isDataUri(text) || comma < 0) return { expected: "data:<type>;base64,<bytes>", actual: "a text without a comma" }
  const header = text.slice("data:".length, comma)
  if (header.length > 256) return { expected: "a type before the comma", actual: `${header.length} characters` }
  // Each byte is a character at least and three at most, and base64 has four for three of them.
  if (text.length - comma - 1 > maxBytes * 3) {
    return { expected: `at most ${maxBytes} bytes`, actual: `${text.length} characters` }
  }
  const isBase64 = /;\s*base64\s*$/i.test(header)
  const type = isBase64 ? header.replace(/;\s*base64\s*$/i, "") : header
  const mime = type.trim() === "" || type.startsWith(";") ? "text/plain" : essence(type)
  if (mime === null) return { expected: "a type such as image/png", actual: JSON.stringify(type.slice(0, 64)) }
  const body = text.slice(comma + 1)
  const plain = isBase64 && body.includes("%") ? decodeText(body) : body
  const bytes = plain === null ? null : isBase64 ? fromBase64(plain) : fromPercent(plain)
  if (bytes === null) {
    return isBase64
      ? { expected: "base64 after the comma", actual: "characters that are none of base64" }
      : { expected: "two hexadecimal digits after each %", actual: "a % without them" }
  }
  if (bytes.length > maxBytes) return { expected: `at most ${maxBytes} bytes`, actual: `${bytes.length} bytes` }
  return { mime, bytes }
}
