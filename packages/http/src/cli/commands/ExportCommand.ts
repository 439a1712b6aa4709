/** `overture export`: a list, or what became of a campaign's leads, as a file for people or programs. */
import { ContactLists } from "@overture/core/contact/ContactLists"
import type { Contact, ContactList } from "@overture/core/contact/Contact"
import { ContactStore } from "@overture/core/contact/ContactStore"
import { CampaignResults } from "@overture/core/stats/CampaignResults"
import type { Page } from "@overture/core/workspace/Page"
import { Effect, Option, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import * as Engine from "../Engine.ts"
import { misuse, refuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import * as Destination from "../lists/Destination.ts"
import * as Reading from "../Reading.ts"
import * as Text from "../report/Text.ts"
import * as Selection from "../Selection.ts"

const flags = {
  list: Flag.String("list").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("The contacts of this list, in the columns that overture import reads"),
    Flag.optional
  ),
  campaign: Flag.String("campaign").pipe(
    Flag.withMetavar("REF"),
    Flag.withDescription("What became of the leads of this campaign: its id in its file, its own id or its name"),
    Flag.optional
  ),
  out: Flag.String("out").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Replaces this file once all is written; stdout where it is left out or -"),
    Flag.optional
  ),
  forSpreadsheets: Flag.Boolean("for-spreadsheets").pipe(
    Flag.withDescription("An apostrophe before what a spreadsheet would take for a formula; not for importing again"),
    Flag.withDefault(false)
  ),
  database: Flags.database,
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("NDJSON in place of CSV: a contact or lead a line, leads with every touch"),
    Flag.withDefault(false)
  )
}

/** The first lists that there are, as lines. */
const listed = Effect.gen(function* () {
  const { data } = yield* (yield* ContactLists).page(Engine.workspace, { limit: 10 })
  return data.map((list) => `  ${list.name}  ${Text.count(list.members, "contact")}`)
})

/** The list that a person means. */
const listNamed = Effect.fnUntraced(function* (name: string) {
  const store = yield* ContactStore
  const found = yield* store.listByName(Engine.workspace, name)
  if (Option.isSome(found)) return found.value
  return yield* refuse(`there is no list ${name} in this database`, ...(yield* listed))
})

/** The campaign that a person means; where there is none, the lists that might be meant. */
const campaignOf = Effect.fnUntraced(function* (ref: Option.Option<string>) {
  if (Option.isSome(ref) || (yield* Selection.all).length > 0) return yield* Selection.one(ref)
  const lists = yield* listed
  return yield* lists.length === 0
    ? refuse("there is neither a campaign nor a list in this database")
    : misuse("which list? Add --list NAME:", ...lists)
})

/** A contact in the fields that an import reads. */
const document = ({ addresses, attributes, externalRef, first, last, name, tags, timezone }: Contact) => ({
  channel: addresses[0]?.channel,
  externalId: addresses[0]?.externalId,
  name,
  first: first ?? undefined,
  last: last ?? undefined,
  timezone: timezone ?? undefined,
  externalRef: externalRef ?? undefined,
  tags,
  attributes
})

const lines = (rows: ReadonlyArray<unknown>): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("")

const contactsOf = (lists: ContactLists["Service"], list: ContactList) =>
  Stream.paginate<string | undefined, string, Effect.Error<ReturnType<typeof lists.members>>>(undefined, (cursor) =>
    Effect.map(
      lists.members(Engine.workspace, list.id, { limit: 500, cursor }),
      ({ data, nextCursor }: Page<Contact>) => [[lines(data.map(document))], Option.fromNullOr(nextCursor)] as const
    )
  )

export const command = Command.make("export", flags, ({ campaign, database, forSpreadsheets, json, list, out }) =>
  Effect.gen(function* () {
    if (Option.isSome(list) && Option.isSome(campaign)) return yield* misuse("--list and --campaign exclude each other")
    const path = Option.getOrUndefined(out)
    const options = { forSpreadsheets }
    yield* Reading.over(
      database,
      Effect.gen(function* () {
        if (Option.isSome(list)) {
          const lists = yield* ContactLists
          const found = yield* listNamed(list.value)
          return yield* Destination.write(
            path,
            json ? contactsOf(lists, found) : lists.csv(Engine.workspace, found.id, options)
          )
        }
        const results = yield* CampaignResults
        const { id } = yield* campaignOf(campaign)
        yield* Destination.write(
          path,
          json ? Stream.map(results.pages(Engine.workspace, id), lines) : results.csv(Engine.workspace, id, options)
        )
      })
    )
  })
).pipe(
  Command.withShortDescription("Write a list, or the results of a campaign, as CSV or JSON"),
  Command.withDescription(
    "Writes a contact list in the columns that overture import reads, or the results of a campaign: a row for each lead with its status and reason, account, last step and times. Whatever the size, a page of it is in memory. A worker may be at work meanwhile."
  ),
  Command.withExamples([
    {
      command: "overture export --list spring --out spring.csv",
      description: "A list; the file is whole or not there"
    },
    {
      command: "overture export --campaign studio-spring --json | jq -r 'select(.status == \"failed\").externalId'",
      description: "Whom a campaign did not reach"
    }
  ])
)
