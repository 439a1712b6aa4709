/**
 * Brings what the files say into the database, once: a second run finds the same workspace, accounts, list and campaign
 * and adds what is new. Everything that can be refused is refused before the first of it is written.
 */
import * as ContactFile from "@overture/adapters/sources/ContactFile"
import type * as Batches from "@overture/adapters/sources/Batches"
import { AccountStore } from "@overture/core/account/AccountStore"
import { Accounts } from "@overture/core/account/Accounts"
import type * as Account from "@overture/core/account/Account"
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
import { actor, workspace } from "../Engine.ts"
import { type CliFailure, refuse } from "../Failure.ts"
import * as AccountEntries from "./AccountEntries.ts"
import * as Inputs from "./Inputs.ts"

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

/** The accounts of a file, those that it only names taken for accounts of the sandbox. */
export const writtenOut = ([
  first,
  ...rest
]: CampaignFile.CampaignFile["accounts"]): CampaignFile.CampaignFile["accounts"] => {
  const entry = (one: CampaignFile.AccountEntry): CampaignFile.AccountEntry =>
    typeof one === "string" ? { id: one, channel: "sandbox" } : one
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

/** The account of an entry, added where it is not there yet. */
const connect = Effect.fnUntraced(function* (path: string, entry: CampaignFile.AccountEntry, index: number) {
  const accounts = yield* Accounts
  const known = yield* (yield* AccountStore).byExternalRef(workspace, Inputs.idOf(entry))
  if (typeof entry === "string") return yield* Effect.orDie(Effect.fromOption(known))
  const { channel, dailyCap, externalId, id, minGap, name, timezone, warmUp } = entry
  const connecting = accounts.connect(
    {
      workspace,
      channel,
      externalId: externalId ?? Option.match(known, { onNone: () => id, onSome: (account) => account.externalId }),
      name,
      dailyCap: dailyCap ?? undefined,
      minGapMs: minGap === undefined ? undefined : minGap * second,
      timezone: timezone ?? undefined,
      warmUp: warmUp ?? undefined,
      externalRef: id
    },
    actor
  )
  // Ids of two instants ascend, and accounts draw leads in that order: so the same files give the same run.
  const { account } = yield* connecting.pipe(
    Effect.delay("2 millis"),
    Effect.catchTag("InvalidAccount", ({ message }) => refuse(`${path}: accounts[${index}].${message}`))
  )
  return account
})

/** Makes the workspace, the accounts, as the file says that they are, and the campaign: all of them or none. */
export const makeCampaign = Effect.fn("Setup.makeCampaign")(function* (path: string, file: CampaignFile.CampaignFile) {
  const campaigns = yield* Campaigns
  const transaction = yield* Transaction
  const ids = yield* (yield* Ids).generator
  return yield* transaction.within(
    Effect.gen(function* () {
      yield* ensureWorkspace
      const connected = yield* Effect.forEach(file.accounts, (entry, i) => connect(path, entry, i))
      // Before the campaign, which is held against the limits that its accounts have.
      const followed = yield* AccountEntries.follow(path, file, connected)
      const known = yield* findCampaign(file)
      if (Option.isSome(known)) return { campaign: known.value, accounts: connected, followed, created: false }
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
        refuse(...Inputs.problemLines(path, problems))
      )
      return { ...made, accounts: connected, followed }
    })
  )
})

/** Imports the contacts into the list, batch by batch; rows that are there already stay what they are. */
export const importContacts = Effect.fn("Setup.importContacts")(function* (
  path: string,
  options: Batches.Options,
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
