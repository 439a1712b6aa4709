/**
 * The port to what encrypts secrets at rest: credentials of accounts, secrets of webhook endpoints, proxies with passwords.
 * A sealed text says with which key it was sealed, so that keys can change, and opens only in the context it was sealed for,
 * so that one row's secret moved into another is refused.
 */
import { Context, Effect, type Redacted, Schema } from "effect"

/** A secret cannot be sealed or opened. Names keys by their ids alone. */
export class VaultError extends Schema.TaggedError<VaultError>()("VaultError", {
  reason: Schema.Literals(["noKey", "unknownKey", "unreadable"]),
  /** The id of the key; null where there is none. */
  key: Schema.NullOr(Schema.String),
  /** Where the host takes its keys from. */
  setting: Schema.String
}) {
  override get message(): string {
    switch (this.reason) {
      case "noKey":
        return `there is no key to encrypt secrets with: set ${this.setting}`
      case "unknownKey":
        return `a secret is encrypted with the key ${this.key}, which ${this.setting} does not have`
      case "unreadable":
        return this.key === null
          ? "a secret cannot be read: it was not written by this engine"
          : `a secret encrypted with the key ${this.key} cannot be read: it was changed, or belongs to another row`
    }
  }
}

export class Vault extends Context.Service<
  Vault,
  {
    /** Encrypts for `context`, the kind and id of the row it is for: `account:acc_…`. Twice the same is two texts. */
    seal(plain: Redacted.Redacted<string>, context: string): Effect.Effect<string, VaultError>
    /** What was sealed for `context`, with whichever key is still known. */
    open(sealed: string, context: string): Effect.Effect<Redacted.Redacted<string>, VaultError>
    /** The id of the key that seals; null where nothing can be sealed. */
    readonly currentKey: string | null
  }
>()("@overture/core/Vault") {
  /** Without any key: nothing is stored in plain, so whatever has a secret is refused. */
  static readonly without = (setting: string): Vault["Service"] =>
    Vault.of({
      seal: () => Effect.fail(new VaultError({ reason: "noKey", key: null, setting })),
      open: (sealed) => Effect.fail(new VaultError({ reason: "unknownKey", key: keyOf(sealed), setting })),
      currentKey: null
    })
}

const form = /^v1\.([A-Za-z0-9_-]{1,32})\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** How a text begins that was sealed with this key: `v1.KEY.NONCE.BOX`, the last two in base64url. */
export const prefixOf = (key: string): string => `v1.${key}.`

/** The id of the key that a text was sealed with; null where it is no sealed text. */
export const keyOf = (sealed: string): string | null => form.exec(sealed)?.[1] ?? null
