/** What files are taken for, by the first bytes that real ones have. */
import type { MediaKind } from "../../src/channel/Content.ts"
import * as MediaType from "../../src/chat/MediaType.ts"
import { assert, describe, it } from "@effect/vitest"

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"))
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"))

/** Beginnings of files as their programs write them. */
const beginnings: Readonly<Record<string, ReadonlyArray<Uint8Array>>> = {
  "image/png": [bytes("89504e47 0d0a1a0a 0000000d 49484452")],
  "image/jpeg": [bytes("ffd8ffe0 00104a46 49460001"), bytes("ffd8ffe1 1c2f4578 69660000"), bytes("ffd8ffdb 00430003")],
  "image/gif": [ascii("GIF89a\x01\0\x01\0"), ascii("GIF87a\x01\0\x01\0")],
  "image/webp": [ascii("RIFF\x24\0\0\0WEBPVP8 ")],
  "image/bmp": [bytes("424d 36000300 0000 0000 36000000")],
  "image/avif": [ascii("\0\0\0\x1cftypavif\0\0\0\0")],
  "image/heic": [ascii("\0\0\0\x18ftypheic\0\0\0\0mif1")],
  "video/mp4": [ascii("\0\0\0\x20ftypisom\0\0\x02\0"), ascii("\0\0\0\x18ftypmp42\0\0\0\0")],
  "video/quicktime": [ascii("\0\0\0\x14ftypqt  \0\0\0\0")],
  "video/3gpp": [ascii("\0\0\0\x18ftyp3gp5")],
  "video/webm": [bytes("1a45dfa3 9f428681 01")],
  "audio/mp4": [ascii("\0\0\0\x1cftypM4A \0\0\0\0")],
  "audio/ogg": [ascii("OggS\0\x02\0\0\0\0\0\0")],
  "audio/mpeg": [ascii("ID3\x03\0\0\0"), bytes("fffb9064 00000000"), bytes("fff3 40c4")],
  "audio/aac": [bytes("fff15080 2e7ffc21"), bytes("fff95080")],
  "audio/wav": [ascii("RIFF\x24\x08\0\0WAVEfmt ")],
  "audio/amr": [ascii("#!AMR\n\x3c")],
  "audio/flac": [ascii("fLaC\0\0\0\x22")],
  "application/pdf": [ascii("%PDF-1.7\n%\xe2\xe3")],
  "application/zip": [ascii("PK\x03\x04\x14\0\x06\0")],
  "application/x-ole-storage": [bytes("d0cf11e0 a1b11ae1 00000000")],
  "text/html": [
    ascii("<!DOCTYPE html><html>"),
    ascii("\xef\xbb\xbf  \n<HTML lang=en>"),
    ascii("<!-- error page --><html>"),
    ascii("<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC"),
    ascii("<script>location='/login'</script>")
  ],
  "image/svg+xml": [ascii("<svg xmlns='http://www.w3.org/2000/svg'>"), ascii("<?xml version='1.0'?><svg onload=x>")]
}

describe("MediaType.sniff", () => {
  for (const [mime, heads] of Object.entries(beginnings)) {
    it(mime, () => {
      for (const head of heads) assert.strictEqual(MediaType.sniff(head), mime)
    })
  }

  it("knows nothing of the rest", () => {
    for (const head of [
      ascii(""),
      ascii("x"),
      ascii("hello"),
      ascii("BM is a car"),
      bytes("ff"),
      ascii("<3 you"),
      ascii("{}")
    ]) {
      assert.isNull(MediaType.sniff(head))
    }
  })
})

describe("MediaType.recognise", () => {
  const as = (kind: MediaKind, head: Uint8Array, declared: string | null = null): string => {
    const found = MediaType.recognise(head, kind, declared)
    return "mime" in found ? found.mime : `not ${found.expected} but ${found.actual}`
  }
  const [html, svg, mp4, webm, ogg, zip, ole, pdf, png] = [
    "text/html",
    "image/svg+xml",
    "video/mp4",
    "video/webm",
    "audio/ogg",
    "application/zip",
    "application/x-ole-storage",
    "application/pdf",
    "image/png"
  ].map((mime) => beginnings[mime]![0]!) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array
  ]

  it("images, video and audio must show that they are, whatever was said", () => {
    assert.strictEqual(as("image", png, "image/jpeg"), "image/png")
    assert.strictEqual(as("image", html, "image/png"), "not image but text/html")
    assert.strictEqual(as("image", svg, "image/svg+xml"), "not image but image/svg+xml")
    assert.strictEqual(as("image", pdf, "image/png"), "not image but application/pdf")
    assert.strictEqual(as("video", png), "not video but image/png")
    assert.strictEqual(as("image", ascii("noise"), "image/png"), "not image but a file of no known type")
    for (const kind of ["image", "video", "audio", "file"] as const) {
      assert.strictEqual(as(kind, ascii("")), `not ${kind} but an empty file`)
    }
  })

  it("a container of sound and pictures is what was asked for", () => {
    assert.strictEqual(as("audio", mp4), "audio/mp4")
    assert.strictEqual(as("audio", webm), "audio/webm")
    assert.strictEqual(as("video", ogg), "video/ogg")
    assert.strictEqual(as("image", mp4), "not image but video/mp4")
  })

  it("a file may be anything but a page nobody announced; what was said is believed where bytes cannot tell", () => {
    assert.strictEqual(as("file", pdf, "application/msword"), "application/pdf")
    const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert.strictEqual(as("file", zip, docx), docx)
    assert.strictEqual(as("file", zip, "application/pdf"), "application/zip")
    assert.strictEqual(as("file", ole, "application/vnd.ms-excel"), "application/vnd.ms-excel")
    assert.strictEqual(as("file", ascii("a;b\n1;2"), "text/csv"), "text/csv")
    assert.strictEqual(as("file", ascii("a;b\n1;2"), "application/pdf"), "application/octet-stream")
    assert.strictEqual(as("file", ascii("a;b\n1;2")), "application/octet-stream")
    assert.strictEqual(as("file", html, "application/pdf"), "not application/pdf but text/html")
    assert.strictEqual(as("file", html), "not a file but text/html")
    assert.strictEqual(as("file", html, "text/html"), "text/html")
  })
})

describe("MediaType.essence", () => {
  it("is the type without its parameters", () => {
    assert.strictEqual(MediaType.essence("Text/HTML; charset=utf-8"), "text/html")
    for (const none of [null, undefined, "", "png", "image/", "a b/c", `x/${"y".repeat(200)}`]) {
      assert.isNull(MediaType.essence(none))
    }
  })
})
