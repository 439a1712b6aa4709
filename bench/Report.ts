/**
 * From measurements to what a person reads and a program keeps. Machines are shared and clocks are noisy, so a ratio is
 * taken inside each round, where both contestants met the same machine, and its median is what counts.
 */
import type { Measured } from "./Arena.ts"

/** What is promised of one contestant against another. */
export interface Goal {
  readonly row: string
  readonly peer: string
  readonly atLeast: number
}

export interface Row {
  readonly name: string
  readonly what: string
  readonly rounds: ReadonlyArray<Measured>
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The median with the spread. */
export const range = (values: ReadonlyArray<number>) => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values)
})

/** Everything that was found, for `--json`. */
export const summary = (rows: ReadonlyArray<Row>, goals: ReadonlyArray<Goal>) => {
  const byName = new Map(rows.map((row) => [row.name, row]))
  return {
    rows: rows.map(({ name, rounds, what }) => ({
      name,
      what,
      leadsPerSecond: range(rounds.map((one) => one.leadsPerSecond)),
      rowsPerLead: median(rounds.map((one) => one.rowsPerLead)),
      queueRowsPerLead: median(rounds.map((one) => one.queueRowsPerLead)),
      cpuPerLead: median(rounds.map((one) => one.cpuPerLead)),
      serverCpuPerLead:
        rounds[0]?.serverCpuPerLead == null ? null : median(rounds.map((one) => one.serverCpuPerLead ?? 0)),
      walPerLead: rounds[0]?.walPerLead == null ? null : median(rounds.map((one) => one.walPerLead ?? 0)),
      rounds: rounds.map(({ ms }) => ms)
    })),
    goals: goals.flatMap(({ atLeast, peer, row }) => {
      const [one, other] = [byName.get(row), byName.get(peer)]
      if (one === undefined || other === undefined) return []
      const pairs = Math.min(one.rounds.length, other.rounds.length)
      const ratios = Array.from(
        { length: pairs },
        (_, i) => one.rounds[i]!.leadsPerSecond / other.rounds[i]!.leadsPerSecond
      )
      if (pairs === 0) return []
      const ratio = range(ratios)
      return [{ row, peer, atLeast, ratio, met: ratio.median >= atLeast }]
    })
  }
}

export type Summary = ReturnType<typeof summary>

const pad = (cells: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)))
  return cells
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "))
    .join("\n")
}

const thousands = (value: number) => Math.round(value).toLocaleString("en")

/** The same as text. */
export const text = ({ goals, rows }: Summary): string => {
  const found = [
    ["row", "leads/s", "min–max", "rows/lead", "queue's", "WAL B/lead", "CPU µs/lead", "server's"],
    ...rows.map(({ leadsPerSecond: { max, median, min }, name, ...row }) => [
      name,
      thousands(median),
      `${thousands(min)}–${thousands(max)}`,
      row.rowsPerLead.toFixed(1),
      row.queueRowsPerLead.toFixed(1),
      row.walPerLead === null ? "-" : thousands(row.walPerLead),
      thousands(row.cpuPerLead),
      row.serverCpuPerLead === null ? "-" : thousands(row.serverCpuPerLead)
    ])
  ]
  const judged = [
    ["ratio of", "×", "min–max", "goal", ""],
    ...goals.map(({ atLeast, met, peer, ratio, row }) => [
      `${row} / ${peer}`,
      ratio.median.toFixed(2),
      `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`,
      `≥ ${atLeast}`,
      met ? "met" : "MISSED"
    ])
  ]
  const legend = rows.map(({ name, what }) => `${name}: ${what}`).join("\n")
  return `${pad(found)}\n\n${goals.length === 0 ? "" : `${pad(judged)}\n\n`}${legend}`
}
