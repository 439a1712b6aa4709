/**
 * What a file is, told by its first bytes: what a platform or a person says of it is a claim. A page of HTML never passes
 * for an image, however it was declared, and nothing that a browser would run is taken for one.
 */
import type { MediaKind } from "../channel/Content.ts"

/** How many of the first bytes `sniff` looks at. */
export const headBytes = 1024

/** Bytes at an offset; null stands for any byte. */
type Signature = readonly [mime: string, offset: number, bytes: ReadonlyArray<number | null>]

const ascii = (text: string): ReadonlyArray<number | null> =>
  Array.from(text, (letter) => (letter === "?" ? null : letter.charCodeAt(0)))

/** Containers of sound and pictures stand here as video; what they were declared as decides. */
const signatures: ReadonlyArray<Signature> = [
  ["image/png", 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", 0, [0xff, 0xd8, 0xff]],
  ["image/gif", 0, ascii("GIF87a")],
  ["image/gif", 0, ascii("GIF89a")],
  ["image/webp", 0, ascii("RIFF????WEBP")],
  ["image/bmp", 0, [0x42, 0x4d, null, null, null, null, 0, 0, 0, 0]],
  ["image/tiff", 0, [0x49, 0x49, 0x2a, 0x00]],
  ["image/tiff", 0, [0x4d, 0x4d, 0x00, 0x2a]],
  ["image/avif", 4, ascii("ftypavif")],
  ["image/heic", 4, ascii("ftypheic")],
  ["image/heic", 4, ascii("ftypheix")],
  ["image/heif", 4, ascii("ftypmif1")],
  ["audio/mp4", 4, ascii("ftypM4A")],
  ["video/quicktime", 4, ascii("ftypqt")],
  ["video/3gpp", 4, ascii("ftyp3g")],
  ["video/mp4", 4, ascii("ftyp")],
  ["video/webm", 0, [0x1a, 0x45, 0xdf, 0xa3]],
  ["video/x-msvideo", 0, ascii("RIFF????AVI ")],
  ["video/mpeg", 0, [0x00, 0x00, 0x01, 0xba]],
  ["audio/wav", 0, ascii("RIFF????WAVE")],
  ["audio/ogg", 0, ascii("OggS")],
  ["audio/flac", 0, ascii("fLaC")],
  ["audio/amr", 0, ascii("#!AMR")],
  ["audio/mpeg", 0, ascii("ID3")],
  ["application/pdf", 0, ascii("%PDF-")],
  ["application/zip", 0, [0x50, 0x4b, 0x03, 0x04]],
  ["application/zip", 0, [0x50, 0x4b, 0x05, 0x06]],
  ["application/gzip", 0, [0x1f, 0x8b, 0x08]],
  ["application/x-ole-storage", 0, [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]],
  ["application/rtf", 0, ascii("{\\rtf")]
]

/** A frame of MPEG audio or of AAC in ADTS, which have no name of their own. */
const frame = ([first, second]: Uint8Array): string | null => {
  if (first !== 0xff || second === undefined) return null
  if ((second & 0xf6) === 0xf0) return "audio/aac"
  return (second & 0xe0) === 0xe0 && (second & 0x06) !== 0 ? "audio/mpeg" : null
}

/** Markup that a browser would run, also behind a byte order mark, blanks and comments. */
const markup = (head: Uint8Array): string | null => {
  const text = String.fromCharCode(...head.subarray(0, headBytes))
    .replace(/^\u00ef\u00bb\u00bf/, "")
    .replace(/^(\s|<!--[\s\S]*?-->|<\?xml[\s\S]*?\?>)+/, "")
    .toLowerCase()
  if (/^(<!doctype html|<html|<head|<body|<script|<iframe|<title|<meta)\b/.test(text)) return "text/html"
  return /^(<!doctype svg|<svg)\b/.test(text) ? "image/svg+xml" : null
}

/** The type that the first bytes of a file show; null where they show none. */
export const sniff = (head: Uint8Array): string | null => {
  for (const [mime, offset, bytes] of signatures) {
    if (head.length >= offset + bytes.length && bytes.every((byte, i) => byte === null || head[offset + i] === byte)) {
      return mime
    }
  }
  return frame(head) ?? markup(head)
}

/** `image/jpeg` of `Image/JPEG; charset=x`; null where there is no type in it. */
export const essence = (declared: string | null | undefined): string | null => {
  const mime = declared?.split(";")[0]?.trim().toLowerCase() ?? ""
  return /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,127}$/.test(mime) ? mime : null
}

/** Under what kind a channel sends a type. */
export const kindOf = (mime: string): MediaKind => {
  const family = mime.split("/")[0]
  return mime !== "image/svg+xml" && (family === "image" || family === "video" || family === "audio") ? family : "file"
}

/** Types that hold sound alone as well as pictures: what was asked for decides between the two. */
const containers: ReadonlySet<string> = new Set(["video/mp4", "video/webm", "video/3gpp", "audio/ogg", "audio/mp4"])

/** Formats that are files of another format, and what the first bytes of each are. */
const wrapped = (declared: string): string | null =>
  /officedocument|opendocument|\+zip$|java-archive|vnd\.android/.test(declared)
    ? "application/zip"
    : /msword|ms-excel|ms-powerpoint|ms-outlook/.test(declared)
      ? "application/x-ole-storage"
      : null

/** What a file is taken for, or what it was expected to be and what it is. */
export type Recognised = { readonly mime: string } | { readonly expected: string; readonly actual: string }

/**
 * The type of a file that is to be of a kind, by its first bytes; `declared` is what was said of it. Images, video and audio
 * must show that they are; a file may be anything, but a page of HTML only where it was declared as one.
 */
export const recognise = (head: Uint8Array, kind: MediaKind, declared: string | null): Recognised => {
  if (head.length === 0) return { expected: kind, actual: "an empty file" }
  const shown = sniff(head)
  if (kind !== "file") {
    if (shown !== null && kindOf(shown) === kind) return { mime: shown }
    if (shown !== null && kind !== "image" && containers.has(shown)) {
      return { mime: `${kind}/${shown.slice(shown.indexOf("/") + 1)}` }
    }
    return { expected: kind, actual: shown ?? "a file of no known type" }
  }
  const said = declared === "application/octet-stream" ? null : declared
  if (shown === null) return { mime: said !== null && isPlain(said) ? said : "application/octet-stream" }
  if (shown === "text/html" && said !== shown) return { expected: said ?? "a file", actual: shown }
  return { mime: said !== null && wrapped(said) === shown ? said : shown }
}

/** A type that may be believed: its files begin with nothing in particular. */
const isPlain = (mime: string): boolean => /^text\/(?!html)|\/json$|\/xml$|\/csv$|\/calendar$|\/vcard$/.test(mime)
