/**
 * Sources of people who do not exist: the members of a group, and those who commented on a page or follow it. The same seed
 * and query give the same people on every machine, with names, places and what they wrote, so that gathering can be run
 * and tested without any platform. A person who comments twice is found twice.
 */
import { type ContactSource, type FoundPerson, SourceFailed, SourceRefused } from "@overture/core/contact/ContactSource"
import { day, type Instant } from "@overture/core/workspace/Instant"
import * as Seed from "@overture/core/workspace/Seed"
import { Effect, Schema } from "effect"

export interface Options {
  /** @default "sandbox" */
  readonly seed?: string | undefined
  /** The channel on which the people are reached. @default "sandbox" */
  readonly channel?: string | undefined
  /** How many requests fail before the first page is given: a platform on a bad day. @default 0 */
  readonly failures?: number | undefined
}

const Size = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
const PageSize = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5_000 }))

/** The members of a group. */
export const GroupQuery = Schema.Struct({
  group: Schema.NonEmptyString,
  /** How many members it has; by default between 100 and 900, by its name. */
  members: Schema.optionalKey(Size),
  pageSize: Schema.optionalKey(PageSize)
})

/** Those who follow a page, or commented on it. */
export const PageQuery = Schema.Struct({
  page: Schema.NonEmptyString,
  who: Schema.optionalKey(Schema.Literals(["commenters", "followers"])),
  /** How many comments or followers there are; by default between 100 and 900, by its name. */
  entries: Schema.optionalKey(Size),
  pageSize: Schema.optionalKey(PageSize)
})

const firsts =
  "Ana Ben Chidi Dilek Elif Farid Greta Hana Ivo Jun Kofi Lea Mina Noor Omar Pia Quinn Rosa Sven Tala".split(" ")
const lasts = "Abe Berg Costa Diaz Eze Fischer Garcia Haddad Ito Jansen Kaya Lopez Mori Novak Okoye Petit".split(" ")
const places = [
  ["Berlin, Germany", "DE"],
  ["Lisbon, Portugal", "PT"],
  ["Lagos, Nigeria", "NG"],
  ["Osaka, Japan", "JP"],
  ["Austin, TX, United States", "US"],
  ["São Paulo, Brazil", "BR"],
  ["Izmir, Türkiye", "TR"]
] as const
const trades = "baker,designer,driver,founder,gardener,nurse,teacher,welder".split(",")
const remarks = [
  "How much is it?",
  "Love this place!",
  "Is there a discount for groups?",
  "Never again, refund please",
  "Do you deliver on Sundays?",
  "Following for updates"
]

/** 2026-01-01T00:00:00Z: before it everyone joined. */
const latest: Instant = 1_767_225_600_000
const longest = 2_000 * day

const defaultPageSize = 200

interface Crowd {
  /** What all its chances begin with. */
  readonly key: string
  readonly size: number
  readonly pageSize: number
  /** Of a hundred entries, how many are by someone who has one already. */
  readonly repeats: number
  readonly textOf: (random: () => number) => string
}

const pick = <A>(from: ReadonlyArray<A>, u: number): A => from[Math.floor(u * from.length)]!

const entryOf = ({ key, repeats, textOf }: Crowd, channel: string, i: number, line: number): FoundPerson => {
  const own = Seed.random(`${key}|entry|${i}`)
  const isRepeated = own() * 100 < repeats
  const who = isRepeated ? Math.floor(own() * i) : i
  const person = Seed.random(`${key}|person|${who}`)
  const [first, last] = [pick(firsts, person()), pick(lasts, person())]
  const [location, country] = pick(places, person())
  const isShy = person() < 0.1
  return {
    row: {
      line,
      channel,
      externalId: `p${Seed.digest(`${key}|${who}`).slice(0, 12)}`,
      name: `${first} ${last}`,
      first,
      last,
      tags: [],
      attributes: {}
    },
    text: textOf(own),
    location: isShy ? null : location,
    country: isShy ? null : country,
    joinedAt: latest - Math.floor(own() * longest)
  }
}

const sizeOf = (key: string): number => 100 + Math.floor(Seed.random(`${key}|size`)() * 801)

const make = <Query>(
  name: string,
  schema: Schema.Codec<Query, unknown>,
  crowdOf: (query: Query, seed: string) => Crowd,
  { channel = "sandbox", failures = 0, seed = "sandbox" }: Options
): ContactSource => {
  let left = failures
  return {
    name,
    check: Effect.fn(`${name}.check`)((given) =>
      Schema.decodeUnknownEffect(schema, { errors: "all", onExcessProperty: "error" })(given).pipe(
        Effect.flatMap((query) => Schema.encodeEffect(Schema.toCodecJson(schema))(query)),
        Effect.mapError(({ message }) => new SourceRefused({ source: name, problem: message }))
      )
    ),
    page: Effect.fn(`${name}.page`)(function* ({ cursor, query, version }) {
      if (left > 0) {
        left -= 1
        return yield* new SourceFailed({ source: name, problem: "the sandbox has a bad day", retryable: true })
      }
      const read = yield* Schema.decodeUnknownEffect(schema)(query).pipe(
        Effect.mapError(({ message }) => new SourceFailed({ source: name, problem: message, retryable: false }))
      )
      const crowd = crowdOf(read, seed)
      const stands = Seed.digest(`${crowd.key}|${crowd.size}`)
      if (stands === version) return "unchanged" as const
      const from = cursor === null ? 0 : Number(cursor)
      const end = Math.min(crowd.size, from + crowd.pageSize)
      return {
        people: Array.from({ length: Math.max(0, end - from) }, (_, i) => entryOf(crowd, channel, from + i, i + 1)),
        rejected: [],
        cursor: end < crowd.size ? String(end) : null,
        total: crowd.size,
        version: stands
      }
    })
  }
}

/** The source `sandbox.group`. */
export const group = (options: Options = {}): ContactSource =>
  make(
    "sandbox.group",
    GroupQuery,
    (query, seed) => {
      const key = `${seed}|group|${query.group}`
      return {
        key,
        size: query.members ?? sizeOf(key),
        pageSize: query.pageSize ?? defaultPageSize,
        repeats: 0,
        textOf: (random) => `${pick(trades, random())} and member of ${query.group}`
      }
    },
    options
  )

/** The source `sandbox.page`. */
export const page = (options: Options = {}): ContactSource =>
  make(
    "sandbox.page",
    PageQuery,
    (query, seed) => {
      const who = query.who ?? "commenters"
      const key = `${seed}|page|${query.page}|${who}`
      return {
        key,
        size: query.entries ?? sizeOf(key),
        pageSize: query.pageSize ?? defaultPageSize,
        repeats: who === "commenters" ? 20 : 0,
        textOf: (random) => (who === "commenters" ? pick(remarks, random()) : "")
      }
    },
    options
  )
