/** What a list is gathered from, and who of the people found is wanted: pure rules over what a source tells. */
import { Schema } from "effect"
import { mostAttempts } from "../job/Job.ts"
import { format } from "../workspace/Instant.ts"
import type { ContactRow } from "./ContactRow.ts"
import type { FoundPerson } from "./ContactSource.ts"

const Words = (most: number, longest: number) =>
  Schema.Array(Schema.NonEmptyString.check(Schema.isMaxLength(longest))).check(Schema.isMaxLength(most))

export class Gathering extends Schema.Opaque<Gathering>()(
  Schema.Struct({
    /** The name of a source that the host plugged in. */
    source: Schema.NonEmptyString,
    /** What the source is asked for; what it means is the source's. */
    query: Schema.Json,
    /**
     * `override`: who is found wins over what is known, and the list holds nobody else; `preserve`: only what is empty is
     * filled, and who is on the list stays.
     */
    mode: Schema.Literals(["override", "preserve"]),
    /** How often a page that could not be had is tried again, with growing pauses. */
    retries: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: mostAttempts - 1 })),
    /** Only people whose name or text has one of these; none = everyone. */
    keywords: Words(10, 64),
    /** Nobody whose name or text has one of these. */
    excludedKeywords: Words(10, 64),
    /** Only people whose location has one of these; none = everyone. */
    locations: Words(200, 128),
    /** Only people of one of these countries, two letters each; none = everyone. */
    countries: Schema.Array(
      Schema.String.check(Schema.isPattern(/^[A-Za-z]{2}$/, { expected: "a country of two letters, such as PT" }))
    ).check(Schema.isMaxLength(250)),
    /** The most people that may join the list; null = no limit. */
    max: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))),
    /** Leaves out who is a contact of the workspace already. */
    onlyNew: Schema.Boolean,
    /** Where what the source holds is still that version, nothing is done; null = it is read in any case. */
    version: Schema.NullOr(Schema.String)
  }).annotate({ identifier: "Gathering" })
) {}

/** Everyone of a source. */
export const everyone = (source: string, query: Schema.Json): Gathering => ({
  source,
  query,
  mode: "preserve",
  retries: 3,
  keywords: [],
  excludedKeywords: [],
  locations: [],
  countries: [],
  max: null,
  onlyNew: false,
  version: null
})

/** Why a person was left out. */
export const LeftOut = Schema.Literals(["keyword", "excludedKeyword", "location", "country", "known"])
export type LeftOut = typeof LeftOut.Type

/** Letters of one form and case, words one space apart. */
const plain = (text: string): string => text.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, " ").trim()

const hasOne = (text: string, words: ReadonlyArray<string>): boolean => words.some((word) => text.includes(word))

/** Tells whether a person is wanted: null, or why not. What the settings come to is worked out once. */
export const judge = (self: Gathering): ((person: FoundPerson) => LeftOut | null) => {
  const [keywords, excluded, locations] = [self.keywords, self.excludedKeywords, self.locations].map((words) =>
    words.map(plain)
  ) as [Array<string>, Array<string>, Array<string>]
  const countries = new Set(self.countries.map((country) => country.toUpperCase()))
  return ({ country, location, row: { first, last, name }, text }) => {
    const said = plain([name, first, last, text].filter(Boolean).join(" "))
    if (excluded.length > 0 && hasOne(said, excluded)) return "excludedKeyword"
    if (keywords.length > 0 && !hasOne(said, keywords)) return "keyword"
    if (locations.length > 0 && !hasOne(plain(location ?? ""), locations)) return "location"
    if (countries.size > 0 && !countries.has(country?.toUpperCase() ?? "")) return "country"
    return null
  }
}

/** The row of a person, with what the source tells beside it as attributes; a column of that name wins. */
export const rowOf = ({ country, joinedAt, location, row, text }: FoundPerson): ContactRow => ({
  ...row,
  attributes: {
    ...(text !== "" && { text }),
    ...(location !== null && { location }),
    ...(country !== null && { country }),
    ...(joinedAt !== null && { joinedAt: format(joinedAt) }),
    ...row.attributes
  }
})
