/** What is wrong with the accounts that a campaign is to have, and with steps that those it has could never send. */
import { Effect, Option } from "effect"
import type { Account } from "../account/Account.ts"
import type { AccountGroupStore } from "../account/AccountGroupStore.ts"
import type { AccountStore } from "../account/AccountStore.ts"
import type * as SendBudget from "../outbox/SendBudget.ts"
import type { AccountId, WorkspaceId } from "../workspace/Id.ts"
import type { Problem } from "../workspace/Problem.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import type { CampaignSettings } from "./Campaign.ts"
import type { PacedAccount } from "./PacedAccount.ts"
import * as Drawing from "./Drawing.ts"

export interface AccountChoice {
  /**
   * Of accounts that are asked for: those that are none of the workspace or were removed, and, unless they are its members
   * already, those that a step does not fit.
   */
  asked(
    workspace: WorkspaceId,
    accounts: ReadonlyArray<AccountId>,
    settings: Pick<CampaignSettings, "steps">,
    members: ReadonlyArray<PacedAccount>
  ): Effect.Effect<ReadonlyArray<Problem>, StorageError>
  /** Steps that have more messages than any had before, and more than an account of the campaign may send. */
  grown(
    before: Pick<CampaignSettings, "steps">,
    after: Pick<CampaignSettings, "steps">,
    members: ReadonlyArray<PacedAccount>
  ): ReadonlyArray<Problem>
}

/** The step with the most messages. */
const longest = ({ steps }: Pick<CampaignSettings, "steps">): { readonly index: number; readonly parts: number } =>
  steps.reduce<{ readonly index: number; readonly parts: number }>(
    (most, { parts }, index) => (parts.length > most.parts ? { index, parts: parts.length } : most),
    { index: 0, parts: 0 }
  )

/** Who may send no more a day, in words. */
const whose: Readonly<Record<SendBudget.Cap["name"], string>> = {
  accountCap: "it",
  channelLimit: "an account of its channel",
  groupCap: "its group",
  workspaceCap: "the workspace"
}

/** Why so many messages of a step do not fit an account, in words. */
export const tooMany = (parts: number, { cap, name }: SendBudget.Cap): string =>
  `a step has ${parts} messages, more than the ${cap} that ${whose[name]} may send a day`

/** The members of a campaign that its longest step does not fit, each with that step's place and why, in words. */
export const outgrown = (
  settings: Pick<CampaignSettings, "steps">,
  members: ReadonlyArray<PacedAccount>,
  channels: Drawing.Channels
): ReadonlyArray<{ readonly account: Account; readonly step: number; readonly problem: string }> => {
  const { index, parts } = longest(settings)
  return members.flatMap((member) => {
    const below = member.pace.leftAt === null ? Drawing.capBelow(parts, member, channels) : null
    return below === null ? [] : [{ account: member.account, step: index, problem: tooMany(parts, below) }]
  })
}

export const make = (
  stores: {
    readonly accounts: AccountStore["Service"]
    readonly groups: AccountGroupStore["Service"]
    readonly workspaces: WorkspaceStore["Service"]
  },
  channels: Drawing.Channels
): AccountChoice => ({
  asked: Effect.fnUntraced(function* (workspace, asked, settings, members) {
    if (asked.length === 0) return []
    const accounts = (yield* stores.accounts.among(workspace, asked)).filter(({ removedAt }) => removedAt === undefined)
    const known = new Map<AccountId, Account>(accounts.map((account) => [account.id, account]))
    const ids = [...new Set(accounts.flatMap(({ group }) => group ?? []))]
    const groups = new Map(
      (yield* Effect.forEach(ids, (id) => stores.groups.get(workspace, id)))
        .flatMap(Option.toArray)
        .map((group) => [group.id, group.dailyCap] as const)
    )
    const tenant = Option.getOrNull(yield* stores.workspaces.get(workspace))
    const { parts } = longest(settings)
    const isMember = new Set(members.flatMap(({ account, pace }) => (pace.leftAt === null ? [account.id] : [])))
    return asked.flatMap((id, i): ReadonlyArray<Problem> => {
      const account = known.get(id)
      const field = `accounts[${i}]`
      if (account === undefined) return [{ field, message: `there is no account ${id} in this workspace` }]
      if (isMember.has(id)) return []
      const groupCap = account.group === null ? null : (groups.get(account.group) ?? null)
      const below = Drawing.capBelow(parts, { account, groupCap, workspaceCap: tenant?.dailyCap ?? null }, channels)
      return below === null ? [] : [{ field, message: tooMany(parts, below) }]
    })
  }),
  grown: (before, after, members) =>
    longest(after).parts <= longest(before).parts
      ? []
      : outgrown(after, members, channels).map(({ account, problem, step }) => ({
          field: `steps[${step}].parts`,
          message: `${problem}: account ${account.name}`
        }))
})
