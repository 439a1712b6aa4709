/**
 * Brings what the files say into the database, once: a second run finds the same workspace, accounts, list and campaign
 * and adds what is new. Everything that can be refused is refused before the first of it is written.
 */
import * as ContactFile from "@overture/adapters/sources/ContactFile"
import type * as Csv from "@overture/adapters/sources/Csv"
import { AccountStore } from "@overture/core/account/AccountStore"
import { Accounts } from "@overture/core/account/Accounts"
import * as Account from "@overture/core/account/Account"
import * as CampaignFile from "@overture/core/campaign/CampaignFile"
import { Campaigns } from "@overture/core/campaign/Campaigns"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { type AddressRules, Contacts, type RowsImported } from "@overture/core/contact/Contacts"
import { Ids } from "@overture/core/workspace/Id"
import { second } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Transaction } from "@overture/core/workspace/Transaction"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect, Option, Stream } from "effect"
import { workspace } from "../Engine.ts"
import { type CliFailure, refuse } from "../Failure.ts"
import { idOf } from "./Inputs.ts"

export const actor = { type: "member", id: "cli" } as const
/** The zone of the command line's workspace: where a campaign file names none. */
export const workspaceZone = "UTC"

/** The campaign of the file, where an earlier run has made it. */
export const findCampaign = Effect.fnUntraced(function* (file: CampaignFile.CampaignFile) {
  const store = yield* CampaignStore
  if (file.id !== undefined) return yield* store.byExternalRef(workspace, file.id)
  const named = (yield* store.byName(workspace, file.name)).filter(({ status }) => status !== "deleted")
  if (named.length > 1) {
    return yield* refuse(
      `${named.length} campaigns are named ${file.name}, so it is not clear which one goes on`,
      'Give the file an "id": it identifies the campaign.'
    )
  }
  return Option.fromUndefinedOr(named[0])
})

/** The accounts of the file that are there already; one that the file only names must be. */
export const knownAccounts = Effect.fnUntraced(function* (path: string, file: CampaignFile.CampaignFile) {
  const store = yield* AccountStore
  const known = new Map<string, Account.Account>()
  const unknown: Array<string> = []
  for (const [i, entry] of file.accounts.entries()) {
    const found = yield* store.byExternalRef(workspace, idOf(entry))
    if (Option.isSome(found)) known.set(idOf(entry), found.value)
    else if (typeof entry === "string") unknown.push(unknownAccount(path, i, entry))
  }
  if (unknown.length > 0) return yield* refuse(...unknown)
  return known
})

export const unknownAccount = (path: string, index: number, id: string): string =>
  `${path}: accounts[${index}]: there is no account ${id} in this database; write it out: {"id": ${JSON.stringify(id)}, "channel": …}`

/** The accounts of a file, those that it only names taken for accounts of the sandbox. */
export const writtenOut = ([
  first,
  ...rest
]: CampaignFile.CampaignFile["accounts"]): CampaignFile.CampaignFile["accounts"] => {
  const entry = (one: CampaignFile.AccountEntry): CampaignFile.AccountEntry =>
    typeof one === "string" ? { id: one, channel: "sandbox", minGap: Account.defaultMinGapMs / second } : one
  return [entry(first), ...rest.map(entry)]
}

export interface RowRules {
  /** Of rows that name none; null = they are refused. */
  readonly channel: string | null
  /** What is wrong with the channel of a row, if anything. */
  readonly problem: (channel: string | undefined) => string | null
}

/** Which channel a row is on that names none: the flag's, else the only one of the campaign's accounts. */
export const rowRules = Effect.fnUntraced(function* (
  flag: string | undefined,
  channels: ReadonlyArray<string>
): Effect.fn.Return<RowRules, CliFailure> {
  if (flag !== undefined && !channels.includes(flag)) {
    return yield* refuse(`--channel ${flag}: no account of the campaign is on it, only on ${channels.join(", ")}`)
  }
  const [only, ...others] = channels
  const rest = flag ?? (others.length === 0 ? only : undefined) ?? null
  const problem = (channel: string | undefined): string | null =>
    channel !== undefined && !channels.includes(channel)
      ? `no account of the campaign is on it, only on ${channels.join(", ")}`
      : channel === undefined && rest === null
        ? "names no channel, and the accounts are on several: add a column channel, or --channel"
        : null
  return { channel: rest, problem }
})

/** The channels that the campaign's accounts are on. */
export const channelsOf = (
  file: CampaignFile.CampaignFile,
  known: ReadonlyMap<string, Account.Account>
): ReadonlyArray<string> => [
  ...new Set(
    file.accounts.map((entry) =>
      typeof entry === "string"
        ? (known.get(entry)?.channel ?? "sandbox")
        : (known.get(entry.id)?.channel ?? entry.channel)
    )
  )
]

/** Makes the workspace of the command line where it is not there yet. */
export const ensureWorkspace = Effect.gen(function* () {
  yield* (yield* WorkspaceStore).create({
    id: workspace,
    name: "default",
    timezone: workspaceZone,
    paused: false,
    dailyCap: null,
    optOutScope: "contact",
    createdAt: yield* (yield* PacingTime).now,
    metadata: {}
  })
})

/** Makes the workspace, the accounts and the campaign, all of them or none. */
export const makeCampaign = Effect.fn("Setup.makeCampaign")(function* (file: CampaignFile.CampaignFile) {
  const accounts = yield* Accounts
  const accountStore = yield* AccountStore
  const campaigns = yield* Campaigns
  const transaction = yield* Transaction
  const ids = yield* (yield* Ids).generator
  return yield* transaction.within(
    Effect.gen(function* () {
      yield* ensureWorkspace
      const connected = yield* Effect.forEach(file.accounts, (entry) =>
        typeof entry === "string"
          ? Effect.flatMap(accountStore.byExternalRef(workspace, entry), (found) =>
              Effect.orDie(Effect.fromOption(found))
            )
          : Effect.map(
              // Ids of two instants ascend, and accounts draw leads in that order: so the same files give the same run.
              Effect.delay(
                accounts.connect(
                  {
                    workspace,
                    channel: entry.channel,
                    externalId: entry.externalId ?? entry.id,
                    name: entry.name,
                    dailyCap: entry.dailyCap,
                    minGapMs: entry.minGap * second,
                    timezone: entry.timezone,
                    warmUp: entry.warmUp,
                    externalRef: entry.id
                  },
                  actor
                ),
                "2 millis"
              ),
              ({ account }) => account
            )
      )
      const known = yield* findCampaign(file)
      if (Option.isSome(known)) return { campaign: known.value, accounts: connected, created: false }
      const [first, ...rest] = connected
      if (first === undefined) return yield* refuse("the campaign has no account")
      const creating = campaigns.create(
        {
          workspace,
          name: file.name,
          settings: CampaignFile.settingsOf(file, workspaceZone, ids),
          accounts: [first.id, ...rest.map(({ id }) => id)],
          externalRef: file.id ?? null,
          metadata: file.metadata
        },
        actor
      )
      const made = yield* Effect.catchTag(creating, "CampaignChangeRefused", ({ problems }) =>
        refuse(...problems.map(({ field, message }) => `${field}: ${message}`))
      )
      return { ...made, accounts: connected }
    })
  )
})

/** Imports the contacts into the list, batch by batch; rows that are there already stay what they are. */
export const importContacts = Effect.fn("Setup.importContacts")(function* (
  path: string,
  options: Csv.Options,
  listName: string,
  rules: AddressRules,
  onBatch: (rows: number) => void
) {
  const contacts = yield* Contacts
  const list = yield* contacts.listNamed(workspace, listName)
  const total = { created: 0, merged: 0, rejected: [] as Array<RowsImported["rejected"][number]> }
  let rows = 0
  yield* Stream.runForEach(ContactFile.read(path, options), (batch) =>
    Effect.map(contacts.importRows(workspace, list.id, batch.rows, rules), (imported) => {
      total.created += imported.created
      total.merged += imported.merged
      total.rejected.push(...imported.rejected)
      rows += batch.rows.length
      onBatch(rows)
    })
  )
  return { ...total, list }
})
