/** `overture import`: its flags. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type CliFailure, misuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import * as Import from "../lists/Import.ts"
import * as Target from "../Target.ts"

const flags = {
  file: Argument.String("FILE").pipe(
    Argument.withDescription("The people: CSV in UTF-8; .json, .ndjson and .jsonl are read as JSON")
  ),
  list: Flag.String("list").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("The contact list they join; made where there is none of that name"),
    Flag.filter(
      (name) => name.trim() !== "",
      () => "Expected a name"
    )
  ),
  channel: Flags.channel,
  country: Flags.country,
  mapping: Flag.String("mapping").pipe(
    Flag.withMetavar("COLUMN=FIELD"),
    Flag.withDescription(
      "What a column holds whose title does not say it: a field (Mobile=phone), an attribute (Town=attributes.city), or nothing, to leave it out (Notes=); may be given several times"
    ),
    Flag.atLeast(0)
  ),
  update: Flag.Boolean("update").pipe(
    Flag.withDescription("What the file says of a known contact wins; so it is where neither flag is given"),
    Flag.withDefault(false)
  ),
  fill: Flag.Boolean("fill").pipe(
    Flag.withDescription("What is known of a contact wins; the file only fills what is empty"),
    Flag.withDefault(false)
  ),
  rejected: Flag.String("rejected").pipe(
    Flag.withMetavar("FILE.csv"),
    Flag.withDescription("Writes every row that is left out: line, column, reason, value"),
    Flag.optional
  ),
  database: Flags.database,
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("Print NDJSON to stdout: progress, then what became of it"),
    Flag.withDefault(false)
  )
}

/** Titles may hold a `=`, fields may not. */
const mappingOf = (
  given: ReadonlyArray<string>
): Effect.Effect<Readonly<Record<string, string | null>>, CliFailure> => {
  const mapping = new Map<string, string | null>()
  for (const entry of given) {
    const at = entry.lastIndexOf("=")
    const title = entry.slice(0, Math.max(0, at)).trim()
    if (title === "") return Effect.fail(misuse(`--mapping ${entry}: expected COLUMN=FIELD, such as Mobile=phone`))
    if (mapping.has(title)) return Effect.fail(misuse(`--mapping: the column ${title} is given twice`))
    const field = entry.slice(at + 1).trim()
    mapping.set(title, field === "" ? null : field)
  }
  return Effect.succeed(Object.fromEntries(mapping))
}

export const command = Command.make("import", flags, (given) =>
  Effect.gen(function* () {
    if (given.update && given.fill) return yield* misuse("--update and --fill exclude each other")
    yield* Target.ensureKept(given.database)
    yield* Import.run({
      file: given.file,
      list: given.list,
      channel: Option.getOrUndefined(given.channel),
      country: Option.getOrUndefined(given.country),
      mapping: yield* mappingOf(given.mapping),
      mode: given.fill ? "fill" : "update",
      rejected: Option.getOrUndefined(given.rejected),
      database: given.database,
      json: given.json
    })
  })
).pipe(
  Command.withShortDescription("Import contacts from a file into a list"),
  Command.withDescription(
    "Imports contacts from a file of any size into a list. Rows of one address or externalRef are one person. A row that cannot be used is left out and told by line, column and reason; a file that cannot be trusted is refused where it shows. Cut off, the same command goes on where it was. Where people were erased, OVERTURE_ADDRESS_KEY must hold the key they were erased with. Exit codes: 0 done, also when rows were left out; 1 refused or failed, or no row could be used; 2 wrong usage; 3 stopped before it was done."
  ),
  Command.withExamples([
    {
      command: "overture import people.csv --list spring --country US --rejected left-out.csv",
      description: "Phone numbers without a country are American; what is left out goes to a file"
    },
    {
      command:
        'overture import crm.csv --list spring --mapping "Mobile no.=phone" --mapping Town=attributes.city --fill',
      description: "Columns with titles of their own; what is known already stays"
    }
  ])
)
