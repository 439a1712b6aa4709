/**
 * The port to places where people are found: a file at a URL, the members of a group, those who commented on a page. A
 * source gives pages of people and where to go on; what it may be used for is the host's to know. Which of the people are
 * wanted, and how often a page is tried, is decided here.
 */
import { Context, type Effect, Schema } from "effect"
import type { Instant } from "../workspace/Instant.ts"
import type { ContactRow, RowProblem } from "./ContactRow.ts"

export interface FoundPerson {
  /** As an import has it; `line` is the place in the page, from 1. */
  readonly row: ContactRow
  /** What they wrote or say of themselves; empty where nothing is known. */
  readonly text: string
  /** As the source has it: `Lisbon, Portugal`. */
  readonly location: string | null
  /** Two letters, ISO 3166. */
  readonly country: string | null
  /** When they joined, followed or commented. */
  readonly joinedAt: Instant | null
}

export interface FoundPage {
  readonly people: ReadonlyArray<FoundPerson>
  /** Records that are nobody. */
  readonly rejected: ReadonlyArray<RowProblem>
  /** Where to go on; null = this was the last page. */
  readonly cursor: string | null
  /** How many people there are in all, where the source tells. */
  readonly total: number | null
  /** Changes with what the page holds, where the source tells; asking for a page with it may answer `unchanged`. */
  readonly version: string | null
}

export interface PageOf {
  readonly query: Schema.Json
  /** Null = the first page. */
  readonly cursor: string | null
  /** What was there the last time. */
  readonly version: string | null
}

/** The query cannot be used: names the field and what was expected. */
export class SourceRefused extends Schema.TaggedError<SourceRefused>()("SourceRefused", {
  source: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `the query of ${this.source} cannot be used: ${this.problem}`
  }
}

/** The source gave no page: in words for people, and without any secret of the query. */
export class SourceFailed extends Schema.TaggedError<SourceFailed>()("SourceFailed", {
  source: Schema.String,
  problem: Schema.String,
  /** Whether the same page may be had later. */
  retryable: Schema.Boolean
}) {
  override get message(): string {
    return `${this.source}: ${this.problem}`
  }
}

export interface ContactSource {
  /** `http`, `sandbox.group`. */
  readonly name: string
  /**
   * The query as it is stored, before anything is fetched. One that was checked before passes as it is, but for what a
   * former key sealed in it: that comes back sealed with the present one, where a key opens it.
   */
  check(query: unknown): Effect.Effect<Schema.Json, SourceRefused>
  page(request: PageOf): Effect.Effect<FoundPage | "unchanged", SourceFailed>
}

/** The sources that the host plugged in, by name. */
export const ContactSources = Context.Reference<ReadonlyMap<string, ContactSource>>("@overture/core/ContactSources", {
  defaultValue: () => new Map()
})
