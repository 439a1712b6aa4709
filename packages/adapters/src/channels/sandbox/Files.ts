/** The files that people of a script send, as the platform hands them out. */
import type { Download } from "@overture/core/channel/Download"
import type { Media, Writing } from "./Occasion.ts"
import type { Script } from "./Script.ts"

const writings = (script: Script): ReadonlyArray<Writing> => [
  ...script.visitors,
  ...[script, ...Object.values(script.recipients)].flatMap(({ replies = [], takeovers = [] }) => [
    ...replies,
    ...takeovers
  ])
]

/** What comes of asking for a URL; of one that no script names nothing is known but itself. */
export const of = (script: Script): ((url: string) => Download) => {
  const byUrl = new Map<string, Media>(writings(script).flatMap(({ media }) => media.map((file) => [file.url, file])))
  return (url) => {
    const file = byUrl.get(url)
    if (file?.unavailable !== undefined) {
      return { type: "unavailable", reason: file.unavailable, detail: "the sandbox's script says so" }
    }
    if (file?.data === undefined) return { type: "request", url }
    const { data, filename, mime } = file
    return { type: "bytes", bytes: Buffer.from(data, "base64"), mime, filename }
  }
}
