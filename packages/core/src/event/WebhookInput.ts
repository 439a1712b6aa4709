/** What a member may say of an endpoint, checked field by field; a problem names the field and never shows a secret. */
import { Redacted, Result, Schema } from "effect"
import { Instant } from "../workspace/Instant.ts"
import type { Metadata } from "../workspace/Json.ts"
import * as Problem from "../workspace/Problem.ts"
import { EventPattern } from "./EventPattern.ts"
import { limits } from "./WebhookEndpoint.ts"

export interface NewWebhookEndpoint {
  readonly url: string
  readonly description?: string | null | undefined
  /** Event types, `message.*` or `*`; default all. */
  readonly events?: ReadonlyArray<string> | undefined
  /** Default `standard`. */
  readonly format?: string | undefined
  /** Requests at a time, default 8. */
  readonly concurrency?: number | undefined
  /** Sent with each request, beside those of the format. */
  readonly headers?: Readonly<Record<string, Redacted.Redacted<string>>> | undefined
  readonly metadata?: Metadata | undefined
}

/** What is to be changed; what is left out stays. */
export type WebhookEndpointChange = Partial<NewWebhookEndpoint>

export class InvalidWebhook extends Schema.TaggedError<InvalidWebhook>()("InvalidWebhook", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

/** What is told again: from `since` to before `before`, default now. */
export const ReplayRange = Schema.Struct({ since: Instant, before: Schema.optional(Instant) })
export type ReplayRange = typeof ReplayRange.Type

/** The range as given, or its first problem. */
export const checkRange = Problem.checker(Schema.toType(ReplayRange), InvalidWebhook)

/** The workspace has as many endpoints as it may. */
export class WebhookLimitReached extends Schema.TaggedError<WebhookLimitReached>()("WebhookLimitReached", {
  limit: Schema.Literal("endpointsPerWorkspace"),
  most: Schema.Int
}) {
  override get message(): string {
    return `${this.limit}: a workspace has at most ${this.most} webhook endpoints`
  }
}

/** What only this engine knows of. */
export interface Knowledge {
  readonly formats: ReadonlyArray<string>
  /** Why a URL will never be asked; null = it may be. */
  refusal(url: string): string | null
}

const reserved =
  /^(host|content-(length|type|encoding)|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|webhook-.*)$/
const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const headerValue = /^[\t\x20-\x7e]*$/
const isPattern = Schema.is(EventPattern)

const headerProblem = (headers: NonNullable<NewWebhookEndpoint["headers"]>): string | null => {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), Redacted.value(value)] as const)
  if (entries.length > limits.headers) return `expected at most ${limits.headers}, got ${entries.length}`
  if (new Set(entries.map(([name]) => name)).size < entries.length) return "expected each name once"
  for (const [name, value] of entries) {
    if (!headerName.test(name)) return `expected the name of a header, got ${JSON.stringify(name)}`
    if (reserved.test(name)) return `${name} is set by the delivery itself`
    if (!headerValue.test(value)) return `expected printable ASCII as the value of ${name}`
  }
  const bytes = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  return bytes > limits.headerBytes ? `expected at most ${limits.headerBytes} bytes, got ${bytes}` : null
}

const length = (text: string, most: number) =>
  text.length > most ? `expected at most ${most} characters, got ${text.length}` : null

const checks: {
  readonly [K in keyof NewWebhookEndpoint]-?: (
    value: NonNullable<NewWebhookEndpoint[K]>,
    knowledge: Knowledge
  ) => string | null
} = {
  url: (url, { refusal }) => length(url, limits.urlLength) ?? refusal(url),
  description: (text) => length(text, limits.descriptionLength),
  events: (patterns) => {
    if (patterns.length === 0 || patterns.length > limits.patterns)
      return `expected 1 to ${limits.patterns} patterns, got ${patterns.length}`
    const wrong = patterns.find((pattern) => !isPattern(pattern))
    return wrong === undefined
      ? null
      : `expected an event type, a noun with .* such as message.*, or *, got ${JSON.stringify(wrong)}`
  },
  format: (name, { formats }) =>
    formats.includes(name) ? null : `expected ${formats.join(" or ")}, got ${JSON.stringify(name)}`,
  concurrency: (n) =>
    Number.isInteger(n) && n >= 1 && n <= limits.concurrency
      ? null
      : `expected a whole number from 1 to ${limits.concurrency}, got ${n}`,
  headers: headerProblem,
  metadata: (metadata) => {
    const { length } = JSON.stringify(metadata)
    return length > limits.metadataBytes
      ? `expected at most ${limits.metadataBytes} characters of JSON, got ${length}`
      : null
  }
}

/** The input as it was given, its header names in lower case; or the first problem. */
export const check = <A extends WebhookEndpointChange>(
  input: A,
  knowledge: Knowledge
): Result.Result<A, InvalidWebhook> => {
  for (const field of Object.keys(checks) as ReadonlyArray<keyof NewWebhookEndpoint>) {
    const value = input[field]
    if (value === undefined || value === null) continue
    const problem = (checks[field] as (value: unknown, knowledge: Knowledge) => string | null)(value, knowledge)
    if (problem !== null) return Result.fail(new InvalidWebhook({ field, problem }))
  }
  if (input.headers === undefined) return Result.succeed(input)
  const headers = Object.fromEntries(Object.entries(input.headers).map(([name, value]) => [name.toLowerCase(), value]))
  return Result.succeed({ ...input, headers })
}
