/**
 * What an account reaches its platform with: credentials and a way out are taken, replaced, forgotten and tried. Nothing
 * that comes back from here holds a secret; without a key to seal with, none is taken.
 */
import { Context, Effect, Layer, Option } from "effect"
import { ChannelNotFound, Channels } from "../channel/Channel.ts"
import { concealed } from "../channel/Concealment.ts"
import { Unsupported } from "../channel/Unsupported.ts"
import type { Verification } from "../channel/Verification.ts"
import type { Actor } from "../event/DomainEvent.ts"
import { type AccountId, Ids, type WorkspaceId } from "../workspace/Id.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Vault, type VaultError } from "../workspace/Vault.ts"
import * as Account from "./Account.ts"
import type { InvalidAccess } from "./AccountAccess.ts"
import * as AccountAccess from "./AccountAccess.ts"
import { AccountChanges } from "./AccountChanges.ts"
import * as AccountLog from "./AccountLog.ts"
import { AccountLogStore } from "./AccountLogStore.ts"
import { AccountSecretStore } from "./AccountSecretStore.ts"
import { AccountStore } from "./AccountStore.ts"
import type { EgressCheck } from "./Egress.ts"
import { EgressProbe } from "./EgressProbe.ts"
import * as Sealing from "./Sealing.ts"
import { Senders } from "./Senders.ts"

/** How long a platform has to say whether credentials hold (milliseconds). */
const verifyTimeoutMs = 30_000

type NotFound = Account.AccountNotFound | StorageError

export class Connections extends Context.Service<
  Connections,
  {
    /** Takes other credentials or another way out; null takes them away. New credentials clear what the former ones were refused for. */
    set(
      workspace: WorkspaceId,
      id: AccountId,
      access: Sealing.NewAccess,
      actor: Actor
    ): Effect.Effect<Account.Account, NotFound | VaultError | InvalidAccess>
    /** Forgets all secrets of the account. It needs attention, `unauthorized`, until it has new credentials. */
    disconnect(workspace: WorkspaceId, id: AccountId, actor: Actor): Effect.Effect<Account.Account, NotFound>
    /**
     * Removes the account: its secrets are forgotten, it is switched off, lists leave it out, and what its platform tells is
     * heard no more. What it sent and got stays, its chats too. Connecting it again (`Accounts.connect`) brings it back.
     */
    remove(workspace: WorkspaceId, id: AccountId, actor: Actor): Effect.Effect<Account.Account, NotFound>
    /** Brings one back that was removed; changes nothing of another. */
    restore(workspace: WorkspaceId, id: AccountId, actor: Actor): Effect.Effect<Account.Account, NotFound>
    /**
     * Asks the platform whether it accepts the credentials. Yes clears `unauthorized` and `challenge`; a trouble sets its
     * reason and is logged; a platform that cannot be asked changes nothing.
     */
    verify(
      workspace: WorkspaceId,
      id: AccountId,
      actor: Actor
    ): Effect.Effect<
      { readonly verification: Verification; readonly account: Account.Account },
      NotFound | VaultError | Unsupported | ChannelNotFound
    >
    /** Tries the way out and keeps what came of it with the account; a failure is logged. */
    probe(
      workspace: WorkspaceId,
      id: AccountId,
      actor: Actor
    ): Effect.Effect<EgressCheck, NotFound | VaultError | Unsupported>
  }
>()("@overture/core/Connections") {
  static readonly layer = Layer.effect(
    Connections,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const accounts = yield* AccountStore
  const secrets = yield* AccountSecretStore
  const changes = yield* AccountChanges
  const logs = yield* AccountLogStore
  const channels = yield* Channels
  const senders = yield* Senders
  const vault = yield* Vault
  const egressProbe = yield* EgressProbe
  const time = yield* PacingTime
  const makeIds = (yield* Ids).generator

  const find = (workspace: WorkspaceId, id: AccountId) =>
    Effect.flatMap(accounts.get(workspace, id), (account) => Account.found(id, account))

  /** The account is locked by the change around it. */
  const write = (account: Account.Account, texts: Sealing.Sealed["texts"]) =>
    Effect.gen(function* () {
      const before = Option.getOrNull(yield* secrets.get(account.id))
      yield* secrets.put({
        account: account.id,
        workspace: account.workspace,
        version: account.access?.version ?? 0,
        credentials: null,
        egress: null,
        ...(before !== null && { credentials: before.credentials, egress: before.egress }),
        ...texts
      })
    })

  const connected = (_: Account.Account, after: Account.Account) => ({
    connected: after.access?.credentials ?? false
  })

  return Connections.of({
    set: Effect.fn("Connections.set")(function* (workspace, account, access, actor) {
      yield* find(workspace, account)
      const { change, texts } = yield* Sealing.seal(vault, account, access)
      if (Object.keys(change).length === 0) return yield* find(workspace, account)
      return yield* changes.apply({
        workspace,
        account,
        actor,
        rule: (before) => Account.accessed(before, change),
        data: connected,
        beside: (after) => write(after, texts)
      })
    }),
    disconnect: Effect.fn("Connections.disconnect")((workspace, account, actor) =>
      changes.apply({
        workspace,
        account,
        actor,
        rule: (before) =>
          Account.attending(Account.accessed(before, { credentials: null, egress: null }), ["unauthorized"], []),
        data: connected,
        beside: (after) => write(after, { credentials: null, egress: null })
      })
    ),
    remove: Effect.fn("Connections.remove")((workspace, account, actor) =>
      changes.apply({
        workspace,
        account,
        actor,
        rule: Account.removed,
        data: () => ({ connected: false, removed: true }),
        beside: (after) => write(after, { credentials: null, egress: null })
      })
    ),
    restore: Effect.fn("Connections.restore")((workspace, account, actor) =>
      changes.apply({
        workspace,
        account,
        actor,
        restores: true,
        rule: Account.restored,
        data: () => ({ connected: false, removed: false })
      })
    ),
    verify: Effect.fn("Connections.verify")(function* (workspace, id, actor) {
      const account = yield* find(workspace, id)
      const channel = channels.all.get(account.channel)
      if (channel === undefined) return yield* new ChannelNotFound({ channel: account.channel })
      if (channel.capabilities.verification !== true) {
        return yield* new Unsupported({
          what: "verify accounts",
          missing: `the capability verification of ${channel.name}`
        })
      }
      const sender = yield* senders.of(account)
      const said = yield* channel.verify(sender).pipe(
        Effect.map((verification) => concealed(sender, verification)),
        Effect.timeoutOrElse({
          duration: verifyTimeoutMs,
          orElse: () =>
            Effect.succeed<Verification>({ type: "transient", detail: "the platform did not answer in time" })
        }),
        // What a defect says may hold a secret.
        Effect.catchCause(() => Effect.succeed<Verification>({ type: "transient", detail: "the channel failed" }))
      )
      const verification: Verification =
        said.type === "valid" && said.externalId !== account.externalId
          ? { type: "misconfigured", detail: `the credentials are those of ${said.externalId}` }
          : said
      const trouble = verification.type === "valid" ? null : AccountLog.troubleOf(verification)
      const after = yield* changes.apply({
        workspace,
        account: id,
        actor,
        rule: (before, now) =>
          // Other credentials came meanwhile: this was said of the former ones.
          before.access?.version !== account.access?.version || verification.type === "transient"
            ? before
            : verification.type === "valid"
              ? Account.verified(before)
              : Account.afterOutcome(before, verification, false, now),
        beside: (subject, ids, now) =>
          trouble === null ? Effect.void : logs.append([AccountLog.entry(ids, subject, now, trouble)])
      })
      return { verification, account: after }
    }),
    probe: Effect.fn("Connections.probe")(function* (workspace, id, actor) {
      const account = yield* find(workspace, id)
      const { egress } = yield* senders.of(account)
      if (egress === null || account.access === undefined) {
        return yield* new Unsupported({ what: "try the way out", missing: `an egress of ${id}` })
      }
      const { version } = account.access
      const result = yield* egressProbe.probe(egress).pipe(
        Effect.map(({ delayMs }) => ({ delayMs: Math.round(delayMs), error: null })),
        Effect.catchTag("EgressFailed", ({ detail }) => Effect.succeed({ delayMs: null, error: detail }))
      )
      const check: EgressCheck = { at: yield* time.now, ...result }
      yield* changes.apply({
        workspace,
        account: id,
        actor,
        rule: (before) => {
          const access = before.access && AccountAccess.checked(before.access, version, check)
          return access === undefined || access === before.access ? before : { ...before, access }
        },
        data: () => ({ egress: check.error === null ? "works" : "fails" })
      })
      if (check.error !== null) {
        const trouble = { level: "error", title: "No way out", description: check.error, code: null } as const
        yield* logs.append([AccountLog.entry(yield* makeIds, account, yield* time.now, trouble)])
      }
      return check
    })
  })
})
