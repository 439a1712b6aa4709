/** Touches by hour and weekday as a picture of text: the darker, the more. Pure. */
import { number, type Paint } from "./Text.ts"

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
/** The week as it is planned: from Monday on. */
const order = [1, 2, 3, 4, 5, 6, 0]
const shades = ["░░", "▒▒", "▓▓", "██"]

const cell = (value: number, most: number, paint: Paint): string =>
  value === 0 ? paint.dim("· ") : paint.cyan(shades[Math.min(3, Math.floor((value / most) * 4))] ?? "██")

/** Hours in which nothing happens on any day are left out before the first and after the last one that has something. */
const span = (map: ReadonlyArray<ReadonlyArray<number>>): readonly [number, number] => {
  const used = Array.from({ length: 24 }, (_, hour) => map.some((hours) => (hours[hour] ?? 0) > 0))
  return [Math.max(0, used.indexOf(true) - 1), Math.min(23, used.lastIndexOf(true) + 1)]
}

/** The lines, none where there is nothing to show. `map` is by weekday, 0 = Sunday, and hour. */
export const render = (map: ReadonlyArray<ReadonlyArray<number>>, paint: Paint): ReadonlyArray<string> => {
  const most = Math.max(0, ...map.flat())
  if (most === 0) return []
  const [first, last] = span(map)
  const hours = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  return [
    paint.dim(`     ${hours.map((hour) => String(hour).padStart(2, "0")).join(" ")}`),
    ...order.map((day) =>
      `${weekdays[day]}  ${hours.map((hour) => cell(map[day]?.[hour] ?? 0, most, paint)).join(" ")}`.trimEnd()
    ),
    paint.dim(`${shades[0]} few  ${shades[3]} up to ${number(most)} an hour`)
  ]
}
