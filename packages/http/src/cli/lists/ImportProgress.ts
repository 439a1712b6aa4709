/** How far an import is: a bar to a person, lines to a log, NDJSON to a program. */
import type { ContactImport } from "@overture/core/contact/ContactImport"
import { Clock, Effect } from "effect"
import * as Output from "../Output.ts"
import { lengths, number, percent } from "../report/Text.ts"

const barColumns = 24
/** Between two lines of a log. */
const everyMs = 2_000

export interface ImportProgress {
  /** So many more bytes of the source were read. */
  readonly read: (bytes: number) => void
  /** A chunk is in the database. */
  readonly tell: (at: ContactImport) => Effect.Effect<void>
}

const textOf = ({ created, merged, records, rejected }: ContactImport): string =>
  `${number(records)} rows: ${number(created)} new, ${number(merged)} known already, ${number(rejected)} left out`

/** `size`: bytes of the source. */
export const make = (file: string, size: number, json: boolean): ImportProgress => {
  let read = 0
  let toldAt: number | null = null
  return {
    read: (bytes) => {
      read += bytes
    },
    tell: (at) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const { created, merged, records, rejected } = at
        if (json) {
          Output.printLine({ type: "progress", records, created, merged, rejected, part: size === 0 ? 1 : read / size })
          return
        }
        if (Output.isWatched()) {
          const [length = 0] = lengths([read], size, barColumns)
          const bar = `${"█".repeat(length)}${"░".repeat(barColumns - length)}`
          Output.sayOver(`${bar} ${percent(read, size)}  ${textOf(at)}`)
          return
        }
        toldAt ??= now
        if (now - toldAt >= everyMs) {
          toldAt = now
          Output.say(`${file}: ${percent(read, size)}, ${textOf(at)}`)
        }
      })
  }
}
