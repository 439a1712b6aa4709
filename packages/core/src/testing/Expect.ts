/**
 * Assertions for the suites that core hands out: they throw an error whose message shows both values as JSON, the first
 * line that differs marked. They know no test runner.
 */

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The value with sorted keys and without absent fields, so that equal values have equal texts. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical)
  if (value instanceof Map) return canonical(Object.fromEntries(value))
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .filter((key) => value[key] !== undefined)
      .sort()
      .map((key) => [key, canonical(value[key])])
  )
}

/** The text by which values are compared. */
export const show = (value: unknown): string => JSON.stringify(canonical(value), null, 1) ?? "undefined"

/** Where two texts first differ, with a few lines around it. */
const difference = (actual: string, expected: string): string => {
  const [is, should] = [actual.split("\n"), expected.split("\n")]
  const at = is.findIndex((line, index) => line !== should[index])
  const from = Math.max(0, (at === -1 ? is.length : at) - 6)
  const part = (lines: ReadonlyArray<string>) => lines.slice(from, from + 14).join("\n")
  return `from line ${from + 1}\n--- expected\n${part(should)}\n+++ actual\n${part(is)}`
}

/** Fails with what was expected, in words. */
export const fail = (what: string): never => {
  throw new Error(what)
}

/** Both are the same data: field order and absent optional fields do not count. */
export const equal = <A>(actual: A, expected: NoInfer<A>, what: string): void => {
  sameText(show(actual), show(expected), what)
}

/** Both are the same text, as `show` gives it. */
export const sameText = (actual: string, expected: string, what: string): void => {
  if (actual !== expected) fail(`${what}\n${difference(actual, expected)}`)
}

/** The condition holds. */
export function ok(condition: boolean, what: string, seen?: unknown): asserts condition {
  if (!condition) fail(seen === undefined ? what : `${what}: ${show(seen)}`)
}

/** The value, which must be there. */
export const present = <A>(value: A | null | undefined, what: string): A => value ?? fail(`${what} is missing`)
