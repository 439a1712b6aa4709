/** What every page of text is made with. */
import type { Paint } from "./Text.ts"

export interface PageOptions {
  readonly paint: Paint
  /** Columns. */
  readonly width: number
}

/** A titled block, nothing where it has no lines. */
export const section = (title: string, lines: ReadonlyArray<string>, { paint }: PageOptions): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", paint.bold(title), ...lines.map((line) => `  ${line}`)]
