/**
 * Takes the secrets of a sender out of what its platform said: some repeat the token or the URL that they refuse, and those
 * words are stored and shown. Pure; costs nothing where nothing was said.
 */
import { Option, Redacted, Result, Schema } from "effect"
import type { Sender } from "./Sender.ts"

/** What is put in their place. */
export const mark = "[secret]"

/** Shorter texts are no secrets by themselves, and would tear words apart. */
const shortest = 6

const parse = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

const textsIn = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(textsIn)
      : []

const decoded = (text: string): string =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(text)),
    () => text
  )

/** The texts that must not be seen: credentials whole and, where they are JSON, part by part; a proxy with its login. */
const secretsOf = ({ credentials, egress }: Sender): ReadonlyArray<string> => {
  const whole = credentials === null ? [] : [Redacted.value(credentials)]
  const parts = whole.flatMap((text) => textsIn(Option.getOrNull(parse(text))))
  const proxy = egress === null ? "" : Redacted.value(egress)
  const login = /^\w+:\/\/([^/?#]*)@/.exec(proxy)?.[1]
  const said = login === undefined ? [] : [proxy, login, ...login.split(":")]
  return [...new Set([...whole, ...parts, ...said].flatMap((text) => [text, decoded(text), encodeURIComponent(text)]))]
    .filter((text) => text.length >= shortest)
    .sort((a, b) => b.length - a.length)
}

/** The text without the sender's secrets. */
export const conceal = (sender: Sender, text: string): string =>
  secretsOf(sender).reduce((left, secret) => left.replaceAll(secret, mark), text)

interface Said {
  readonly code?: string | undefined
  readonly detail?: string | undefined
}

/** What a platform said, without the sender's secrets. The same object where there is nothing to take out. */
export const concealed = <A extends object>(sender: Sender, said: A): A => {
  const { code, detail } = said as Said
  if ((code === undefined && detail === undefined) || (sender.credentials === null && sender.egress === null))
    return said
  return {
    ...said,
    ...(code !== undefined && { code: conceal(sender, code) }),
    ...(detail !== undefined && { detail: conceal(sender, detail) })
  }
}
