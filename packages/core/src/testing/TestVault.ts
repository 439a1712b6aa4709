/**
 * A vault for tests: the same text seals to the same, nothing of it shows, and it opens only in its context and with its
 * key. It protects nothing.
 */
import { Effect, Redacted } from "effect"
import * as Seed from "../workspace/Seed.ts"
import { keyOf, prefixOf, Vault, VaultError } from "../workspace/Vault.ts"

const setting = "the keys of the test"

/** The code units of `text`, each hidden by the stream of `secret`. Its own inverse. */
const hide = (text: string, secret: string): string => {
  const random = Seed.random(secret)
  const hidden = (_: unknown, i: number) => text.charCodeAt(i) ^ Math.floor(random() * 0x1_0000)
  return String.fromCharCode(...Array.from({ length: text.length }, hidden))
}

const hexOf = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => (text.charCodeAt(i) + 0x1_0000).toString(16).slice(1)).join("")

const textOf = (hex: string): string =>
  String.fromCharCode(...(hex.match(/.{4}/g) ?? []).map((digits) => Number.parseInt(digits, 16)))

/** A vault with these keys; the first seals. */
export const make = (keys: readonly [string, ...ReadonlyArray<string>] = ["test"]): Vault["Service"] => {
  const [currentKey] = keys
  const tagOf = (key: string, context: string, plain: string) => Seed.digest(`${key}|${context}|${plain}`)
  return Vault.of({
    currentKey,
    seal: (plain, context) =>
      Effect.sync(() => {
        const text = Redacted.value(plain)
        const tag = tagOf(currentKey, context, text)
        return `${prefixOf(currentKey)}${tag}.x${hexOf(hide(text, `${currentKey}|${tag}`))}`
      }),
    open: (sealed, context) => {
      const key = keyOf(sealed)
      if (key === null) return Effect.fail(new VaultError({ reason: "unreadable", key, setting }))
      if (!keys.includes(key)) return Effect.fail(new VaultError({ reason: "unknownKey", key, setting }))
      const [, , tag = "", box = ""] = sealed.split(".")
      const text = hide(textOf(box.slice(1)), `${key}|${tag}`)
      return tag === tagOf(key, context, text)
        ? Effect.succeed(Redacted.make(text))
        : Effect.fail(new VaultError({ reason: "unreadable", key, setting }))
    }
  })
}
