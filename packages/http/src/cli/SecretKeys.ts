/** The keys that secrets are encrypted with, from the environment. Without any, nothing secret is taken or opened. */
import * as KeyVault from "@overture/adapters/vault/KeyVault"
import type { Vault } from "@overture/core/workspace/Vault"
import { Effect, Redacted } from "effect"
import { type CliFailure, refuse } from "./Failure.ts"

/** The vault of this process; keys that cannot be used are refused by their place. */
export const fromEnvironment: Effect.Effect<Vault["Service"], CliFailure> = Effect.suspend(() => {
  const keys = process.env[KeyVault.variable]
  return KeyVault.make(keys === undefined ? null : Redacted.make(keys))
}).pipe(Effect.mapError(({ message }) => refuse(message)))
