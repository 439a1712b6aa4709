/** Which events a subscriber wants: by type, by noun (`message.*`) or all (`*`). */
import { Schema } from "effect"
import { EventType } from "./DomainEvent.ts"

const nounOf = (type: string) => type.slice(0, type.indexOf("."))
const known: ReadonlySet<string> = new Set([
  "*",
  ...EventType.literals,
  ...EventType.literals.map((type) => `${nounOf(type)}.*`)
])

export const EventPattern = Schema.String.check(
  Schema.makeFilter((text) => known.has(text), { expected: "an event type, a noun with .* such as message.*, or *" })
).annotate({ identifier: "EventPattern" })
export type EventPattern = typeof EventPattern.Type

/** The types that any of the patterns names, null = all. */
export const typesOf = (patterns: ReadonlyArray<EventPattern>): ReadonlyArray<EventType> | null => {
  if (patterns.includes("*")) return null
  const wanted = new Set(patterns)
  return EventType.literals.filter((type) => wanted.has(type) || wanted.has(`${nounOf(type)}.*`))
}
