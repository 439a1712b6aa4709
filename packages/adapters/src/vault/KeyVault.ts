/**
 * A vault of keys that the host configures: AES-256-GCM, a fresh 96-bit nonce for each text. The first key seals, all of
 * them open, so a key is changed by putting the new one in front, sealing the rows again, and taking the old one away.
 */
import { keyOf, prefixOf, Vault, VaultError } from "@overture/core/workspace/Vault"
import { Effect, Redacted, Schema } from "effect"
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"

/** The environment's name for the keys: `2026b:BASE64,2026a:BASE64`. */
export const variable = "OVERTURE_SECRET_KEYS"

const algorithm = "aes-256-gcm"
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** The keys cannot be used. Says which one by its place, and nothing of it. */
export class SecretKeysError extends Schema.TaggedError<SecretKeysError>()("SecretKeysError", {
  setting: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.setting}: ${this.problem}`
  }
}

/** The length of a Base64 text in bytes; null where it is none. */
const decode = (text: string): Buffer | null =>
  /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) ? Buffer.from(text, "base64") : null

const parse = (text: string): ReadonlyMap<string, Buffer> | string => {
  const keys = new Map<string, Buffer>()
  for (const [index, entry] of text.split(",").entries()) {
    const place = `key ${index + 1}`
    const [id, secret, ...rest] = entry.trim().split(":")
    if (id === undefined || secret === undefined || rest.length > 0) return `${place}: expected ID:BASE64`
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(id)) return `${place}: expected an id of 1 to 32 of A-Z, a-z, 0-9, _ and -`
    const key = decode(secret)
    if (key === null) return `${place} (${id}): expected Base64 after the colon`
    if (key.length !== keyBytes) return `${place} (${id}): expected ${keyBytes} bytes, got ${key.length}`
    if (keys.has(id)) return `${place}: the id ${id} is there twice`
    keys.set(id, key)
  }
  return keys
}

/**
 * The vault of `keys`, as the environment gives them; without any, one that refuses. `setting` is what errors tell the
 * operator to set.
 */
export const make = (
  keys: Redacted.Redacted<string> | null,
  setting: string = variable
): Effect.Effect<Vault["Service"], SecretKeysError> =>
  Effect.suspend(() => {
    const text = keys === null ? "" : Redacted.value(keys).trim()
    if (text === "") return Effect.succeed(Vault.without(setting))
    const parsed = parse(text)
    return typeof parsed === "string"
      ? Effect.fail(new SecretKeysError({ setting, problem: parsed }))
      : Effect.succeed(over(parsed, setting))
  })

const over = (keys: ReadonlyMap<string, Buffer>, setting: string): Vault["Service"] => {
  const [currentKey, current] = [...keys][0]!
  const bound = (key: string, context: string) => Buffer.from(`${prefixOf(key)}${context}`)

  return Vault.of({
    currentKey,
    seal: (plain, context) =>
      Effect.sync(() => {
        const nonce = randomBytes(nonceBytes)
        const cipher = createCipheriv(algorithm, current, nonce, { authTagLength: tagBytes })
        cipher.setAAD(bound(currentKey, context))
        const box = [cipher.update(Redacted.value(plain), "utf8"), cipher.final(), cipher.getAuthTag()]
        return `${prefixOf(currentKey)}${nonce.toString("base64url")}.${Buffer.concat(box).toString("base64url")}`
      }),
    open: (sealed, context) => {
      const id = keyOf(sealed)
      const unreadable = new VaultError({ reason: "unreadable", key: id, setting })
      if (id === null) return Effect.fail(unreadable)
      const key = keys.get(id)
      if (key === undefined) return Effect.fail(new VaultError({ reason: "unknownKey", key: id, setting }))
      const [, , nonce = "", text = ""] = sealed.split(".")
      const box = Buffer.from(text, "base64url")
      const tagAt = box.length - tagBytes
      return Effect.try({
        try: () => {
          const decipher = createDecipheriv(algorithm, key, Buffer.from(nonce, "base64url"), {
            authTagLength: tagBytes
          })
          decipher.setAAD(bound(id, context))
          decipher.setAuthTag(box.subarray(tagAt))
          const opened = Buffer.concat([decipher.update(box.subarray(0, tagAt)), decipher.final()])
          return Redacted.make(opened.toString("utf8"))
        },
        catch: () => unreadable
      })
    }
  })
}
