/** The flags that several commands share, said once. */
import type * as Batches from "@overture/adapters/sources/Batches"
import { isCountry } from "@overture/adapters/sources/ContactRow"
import { Config, Effect, Option } from "effect"
import { CliError, Flag } from "effect/cli"
import * as MediaPlace from "./MediaPlace.ts"
import * as Target from "./Target.ts"

export const database = Flag.String("database").pipe(
  Flag.withMetavar("FILE|URL"),
  Flag.withDescription(
    `A SQLite file or a postgres:// URL; OVERTURE_DATABASE where it is left out, else ./${Target.defaultPath}`
  ),
  Flag.withFallbackConfig(Config.String("OVERTURE_DATABASE")),
  Flag.withDefault(Target.defaultPath),
  Flag.mapEffect((text) => {
    const scheme = Target.foreignScheme(text)
    return scheme === null
      ? Effect.succeed(Target.parse(text))
      : Effect.fail(
          new CliError.InvalidValue({
            option: "database",
            value: `${scheme}://…`,
            expected: "Expected a SQLite file or a postgres:// URL",
            kind: "flag"
          })
        )
  })
)

export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON to stdout; everything else goes to stderr"),
  Flag.withDefault(false)
)

export const campaign = Flag.String("campaign").pipe(
  Flag.withMetavar("REF"),
  Flag.withDescription("The campaign's id in its file, its own id (cmp_…) or its name; needed where there are several"),
  Flag.optional
)

export const channel = Flag.String("channel").pipe(
  Flag.withMetavar("NAME"),
  Flag.withDescription("The channel of rows that name none; needed where the accounts are on several"),
  Flag.optional
)

/** The country of phone numbers that are written without one. */
export type Country = NonNullable<Batches.Options["defaultCountry"]>

export const country = Flag.String("country").pipe(
  Flag.withMetavar("CC"),
  Flag.withDescription("The country of phone numbers written without one, such as US"),
  Flag.map((code) => code.toUpperCase()),
  Flag.filter(isCountry, () => "Expected the two letters of a country, such as US"),
  Flag.map((code) => code as Country),
  Flag.optional
)

export const sandbox = Flag.String("sandbox").pipe(
  Flag.withMetavar("SCRIPT.json"),
  Flag.withDescription("Nothing leaves the machine: the sandbox plays every channel, as this script says"),
  Flag.optional
)

export const sandboxLog = Flag.String("sandbox-log").pipe(
  Flag.withMetavar("FILE"),
  Flag.withDescription("Where the sandbox writes what reached it (NDJSON); beside a SQLite file where it is left out"),
  Flag.optional
)

export const media = Flag.String("media").pipe(
  Flag.withMetavar("DIR|URL"),
  Flag.withDescription(
    "Where files that people send are kept: a folder, or s3://bucket/prefix; OVERTURE_MEDIA where it is left out, else they stay at their platforms"
  ),
  Flag.withFallbackConfig(Config.String("OVERTURE_MEDIA")),
  Flag.optional,
  Flag.mapEffect((given) => {
    const text = Option.getOrElse(given, () => "")
    if (text === "") return Effect.succeed(Option.none<MediaPlace.MediaPlace>())
    const place = MediaPlace.parse(text)
    return place !== null
      ? Effect.succeed(Option.some(place))
      : Effect.fail(
          new CliError.InvalidValue({
            option: "media",
            value: `${text.slice(0, text.indexOf(":"))}://…`,
            expected: "Expected a folder or s3://bucket/prefix",
            kind: "flag"
          })
        )
  })
)

export const clockRate = Flag.Finite("clock-rate").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription("Pacing time runs N times as fast as the real clock; alike for all workers of a database"),
  Flag.filter(
    (rate) => rate > 0,
    () => "Expected a number above 0"
  ),
  Flag.optional
)

const atLeast = (least: number) =>
  [(value: number) => value >= least, () => `Expected a number of at least ${least}`] as const

export const lease = Flag.Finite("lease").pipe(
  Flag.withMetavar("SECONDS"),
  Flag.withDescription("How long a claim is held before others may take it over; default 60"),
  Flag.filter(...atLeast(0.5)),
  Flag.optional
)

export const concurrency = Flag.Int("concurrency").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription("The most messages that are being sent at one time; default 32"),
  Flag.filter(...atLeast(1)),
  Flag.optional
)

export const claimSize = Flag.Int("claim-size").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription("The most due things one claim takes; default 500"),
  Flag.filter(...atLeast(1)),
  Flag.optional
)
