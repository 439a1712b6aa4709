/**
 * What the sandbox pushes, in its own words: a JSON body with one account and what happened to it. QUIRKS.md describes the
 * format. Fields that are not known are passed by, as platforms add some; a kind that is not known is an error.
 */
import type { ChannelName } from "@overture/core/channel/Address"
import { Button, MediaKind } from "@overture/core/channel/Content"
import { Undecodable } from "@overture/core/channel/InboundRequest"
import { AccountTrouble } from "@overture/core/channel/Outcome"
import { Result, Schema } from "effect"
import { problemsOf } from "./Problems.ts"

/** As long as an address of ours may be. */
const Id = Schema.NonEmptyString.check(Schema.isMaxLength(255))
const Text = Schema.optionalKey(Schema.String)
const Flag = Schema.optionalKey(Schema.Boolean)

/** Milliseconds since the epoch, as far as there are dates. */
const Time = Schema.Int.check(Schema.isBetween({ minimum: -8.64e15, maximum: 8.64e15 }))
const happened = { id: Schema.NonEmptyString, time: Time }

const Person = Schema.Struct({ id: Id, scope: Text, name: Text })
export type Person = typeof Person.Type

const File = Schema.Struct({
  kind: MediaKind,
  url: Schema.NonEmptyString,
  type: Text,
  name: Text,
  size: Schema.optionalKey(Schema.Int)
})

const said = {
  text: Text,
  media: Schema.optionalKey(Schema.Struct({ kind: MediaKind, url: Schema.NonEmptyString, name: Text })),
  template: Schema.optionalKey(
    Schema.Struct({
      name: Schema.NonEmptyString,
      language: Schema.NonEmptyString,
      values: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
    })
  ),
  request: Schema.optionalKey(Schema.Struct({ note: Schema.optionalKey(Schema.NonEmptyString) })),
  buttons: Schema.optionalKey(Schema.Array(Button)),
  files: Schema.optionalKey(Schema.Array(File)),
  quotes: Text
}
/** What a message says. */
export interface Said extends Schema.Struct.Type<typeof said> {}

const saysSomething = Schema.makeFilter(
  ({ media, request, template, text }: Said) =>
    (text ?? "") !== "" ||
    media !== undefined ||
    template !== undefined ||
    request !== undefined ||
    "a text, media, a template or a request"
)
const Saying = Schema.Struct({ id: Id, ...said }).check(saysSomething)

const kinds = {
  message: Schema.Struct({
    ...happened,
    kind: Schema.Literal("message"),
    person: Person,
    message: Schema.Struct({ id: Id, ...said, pressed: Text, stop: Flag }).check(saysSomething)
  }),
  own_message: Schema.Struct({
    ...happened,
    kind: Schema.Literal("own_message"),
    person: Person,
    message: Saying,
    key: Text
  }),
  receipt: Schema.Struct({
    ...happened,
    kind: Schema.Literal("receipt"),
    person: Person,
    message: Id,
    state: Schema.Literals(["delivered", "seen"])
  }),
  failure: Schema.Struct({
    ...happened,
    kind: Schema.Literal("failure"),
    person: Person,
    message: Id,
    code: Text,
    detail: Text
  }),
  edit: Schema.Struct({ ...happened, kind: Schema.Literal("edit"), person: Person, message: Saying }),
  unsend: Schema.Struct({ ...happened, kind: Schema.Literal("unsend"), person: Person, message: Id }),
  reaction: Schema.Struct({
    ...happened,
    kind: Schema.Literal("reaction"),
    person: Person,
    message: Id,
    emoji: Schema.String,
    removed: Flag,
    own: Flag
  }),
  unsubscribe: Schema.Struct({ ...happened, kind: Schema.Literal("unsubscribe"), person: Person }),
  appointment: Schema.Struct({
    ...happened,
    kind: Schema.Literal("appointment"),
    person: Person,
    reference: Text,
    starts: Schema.optionalKey(Time)
  }),
  notice: Schema.Struct({ ...happened, kind: Schema.Literal("notice"), trouble: AccountTrouble, detail: Text })
} as const
/** Something that happened to an account, told by its `kind`. */
export type Happening = { [K in keyof typeof kinds]: (typeof kinds)[K]["Type"] }[keyof typeof kinds]

type Kind = Happening["kind"]
const decodeKind = Schema.decodeUnknownResult(
  Schema.Struct({ kind: Schema.Literals(Object.keys(kinds) as [Kind, ...Array<Kind>]) })
)
/** Each by itself, so that what is wrong is told of the kind it says it is. */
const decoders = Object.fromEntries(
  Object.entries(kinds).map(([kind, schema]) => [
    kind,
    Schema.decodeUnknownResult(schema as Schema.Codec<Happening, unknown>)
  ])
) as { readonly [K in Kind]: (input: unknown) => Result.Result<Happening, Schema.SchemaError> }

const decodeEnvelope = Schema.decodeUnknownResult(Schema.Struct({ account: Id, events: Schema.Array(Schema.Json) }))

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** What a body says. */
export interface Body {
  readonly account: string
  /** Each with the JSON in which it was told. */
  readonly events: ReadonlyArray<readonly [Happening, Schema.Json]>
}

/** The bytes of a body. */
export const write = (account: string, events: ReadonlyArray<Happening>): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ account, events }))

/** What the bytes of a body say: all of it, or the first thing that is wrong with it. */
export const read = (channel: ChannelName, body: Uint8Array): Result.Result<Body, Undecodable> => {
  const refused = (field: string, expected: string) => new Undecodable({ channel, field, expected })
  const explain = (within: ReadonlyArray<string | number>) => (error: Schema.SchemaError) => {
    const [{ field, message }] = problemsOf(error, "body", within)
    return refused(field, message === "Missing key" ? "to be there" : message.replace(/^Expected /, ""))
  }
  return Result.gen(function* () {
    const json = yield* Result.try({
      try: (): unknown => JSON.parse(utf8.decode(body)),
      catch: () => refused("body", "JSON in UTF-8")
    })
    const { account, events } = yield* Result.mapError(decodeEnvelope(json), explain([]))
    const happenings: Array<readonly [Happening, Schema.Json]> = []
    for (const [i, event] of events.entries()) {
      const { kind } = yield* Result.mapError(decodeKind(event), explain(["events", i]))
      happenings.push([yield* Result.mapError(decoders[kind](event), explain(["events", i])), event])
    }
    return { account, events: happenings }
  })
}
