/**
 * What is said of an account that is there already, held against what it is: whether that account is meant at all, and
 * which of its settings are said otherwise. Pure.
 */
import { Struct } from "effect"
import * as Json from "../workspace/Json.ts"
import type { Metadata } from "../workspace/Json.ts"
import type { RampUp } from "../workspace/RampUp.ts"
import type { Account } from "./Account.ts"
import { InvalidAccount } from "./AccountInput.ts"

/** By what an account is found. */
export interface AccountIdentity {
  readonly channel: string
  readonly externalId: string
  readonly externalRef?: string | undefined
}

/** Settings of an account as somebody says them: what is absent is left open, null takes away. */
export interface AccountSettings {
  readonly name?: string | undefined
  readonly dailyCap?: number | null | undefined
  readonly minGapMs?: number | undefined
  readonly warmUp?: RampUp | null | undefined
  readonly timezone?: string | null | undefined
  readonly externalRef?: string | null | undefined
  readonly metadata?: Metadata | undefined
}

/**
 * Why `said` is not `self`, which has its externalRef, or its channel and externalId; null where it is. An account that
 * never had a reference is found by any.
 */
export const mistaken = (self: Account, said: AccountIdentity): InvalidAccount | null => {
  const name = self.externalRef ?? self.id
  const refuse = (field: string, problem: string) => new InvalidAccount({ field, problem })
  if (said.channel !== self.channel) {
    return refuse("channel", `${name} is on ${self.channel} and stays on it, got ${said.channel}`)
  }
  const id = JSON.stringify(self.externalId)
  if (said.externalId !== self.externalId) {
    return refuse("externalId", `${name} is ${id} there and stays it, got ${JSON.stringify(said.externalId)}`)
  }
  return said.externalRef === undefined || self.externalRef === null || said.externalRef === self.externalRef
    ? null
    : refuse("externalId", `${id} is the account ${name} already`)
}

const settingsOf = (self: Account): AccountSettings => ({
  name: self.name,
  dailyCap: self.dailyCap,
  minGapMs: self.minGapMs,
  warmUp: self.limits?.warmUp?.ramp,
  timezone: self.timezone,
  externalRef: self.externalRef,
  metadata: self.metadata
})

/** The settings that are said otherwise than the account has them. */
export const differing = <Said extends AccountSettings>(
  self: Account,
  said: Said
): ReadonlyArray<keyof Said & keyof AccountSettings> => {
  const before = settingsOf(self)
  return Struct.keys(before).filter(
    (field) => said[field] !== undefined && Json.canonical(said[field]) !== Json.canonical(before[field] ?? null)
  )
}
