/**
 * The secret that people who were erased are recognised by, from the environment. Without one nobody can have been erased
 * here; a process that could not recognise those who were must not import or send.
 */
import * as Erased from "@overture/core/contact/Erased"
import { ContactStore } from "@overture/core/contact/ContactStore"
import type { AddressHash } from "@overture/core/contact/Suppression"
import type { StorageError } from "@overture/core/workspace/StorageError"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect } from "effect"
import { createHmac } from "node:crypto"
import { type CliFailure, refuse } from "./Failure.ts"

const variable = "OVERTURE_ADDRESS_KEY"

const minLength = 16

/** HMAC-SHA-256 of an address's key, in hexadecimal: what a host gives its engine to share a database with the command line. */
const hashOf =
  (key: string): AddressHash =>
  (address) =>
    createHmac("sha256", key).update(address).digest("hex")

/** The hash of this process, null where no key is set; a key shorter than 16 characters is refused. */
export const fromEnvironment: Effect.Effect<AddressHash | null, CliFailure> = Effect.suspend(() => {
  const key = process.env[variable] ?? ""
  if (key === "") return Effect.succeed(null)
  return key.length < minLength
    ? Effect.fail(refuse(`${variable}: expected at least ${minLength} characters, got ${key.length}`))
    : Effect.succeed(hashOf(key))
})

const complaints = {
  noHash: `people were erased from this database, and without ${variable} they would be written to again`,
  anotherHash: `people were erased from this database with another key than ${variable}, so they would be written to again`
}

/** The hash of this process; refuses a database with people who were erased and whom it does not recognise. */
export const recognising: Effect.Effect<AddressHash | null, CliFailure | StorageError, ContactStore | WorkspaceStore> =
  Effect.gen(function* () {
    const hash = yield* fromEnvironment
    const store = yield* ContactStore
    for (const { id } of yield* (yield* WorkspaceStore).list) {
      const found = yield* Erased.recognition(store, hash, id)
      if (found !== "recognised") {
        return yield* refuse(complaints[found], `Set ${variable} to the key that they were erased with.`)
      }
    }
    return hash
  })
