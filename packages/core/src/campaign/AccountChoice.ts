/** What is wrong with the accounts that a campaign is to have, and with steps that those it has could never send. */
import { Effect, Option } from "effect"
import type { Account } from "../account/Account.ts"
import type { AccountGroupStore } from "../account/AccountGroupStore.ts"
import type { AccountStore } from "../account/AccountStore.ts"
import type { Channel } from "../channel/Channel.ts"
import type { Content } from "../channel/Content.ts"
import type * as SendBudget from "../outbox/SendBudget.ts"
import type { AccountId, WorkspaceId } from "../workspace/Id.ts"
import * as Json from "../workspace/Json.ts"
import type { Problem } from "../workspace/Problem.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import type { WorkspaceStore } from "../workspace/WorkspaceStore.ts"
import type { CampaignSettings } from "./Campaign.ts"
import type { PacedAccount } from "./PacedAccount.ts"
import * as Drawing from "./Drawing.ts"
import * as UncarriedContent from "./UncarriedContent.ts"

type Steps = Pick<CampaignSettings, "steps">

/** The channels of this process, by name. */
type Channels = ReadonlyMap<string, Pick<Channel, "name" | "policy" | "capabilities">>

export interface AccountChoice {
  /**
   * What is wrong with these accounts beside the members of a campaign, and with settings, well by themselves, that are to
   * follow `before` (null = it is new): accounts that are none of the workspace or were removed; those that a step does not
   * fit, unless they are members; steps that have more messages than any had before, and more than a member may send; and
   * contents that it did not have before, and none of its channels can carry.
   */
  problems(
    workspace: WorkspaceId,
    accounts: ReadonlyArray<AccountId>,
    before: Steps | null,
    after: Steps,
    members: ReadonlyArray<PacedAccount>
  ): Effect.Effect<ReadonlyArray<Problem>, StorageError>
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

/** Steps that have more messages than any had before, and more than a member may send. */
const grown = (
  before: Steps,
  after: Steps,
  members: ReadonlyArray<PacedAccount>,
  channels: Channels
): ReadonlyArray<Problem> =>
  longest(after).parts <= longest(before).parts
    ? []
    : outgrown(after, members, channels).map(({ account, problem, step }) => ({
        field: `steps[${step}].parts`,
        message: `${problem}: account ${account.name}`
      }))

/** The contents of a campaign, to know again what it said before, wherever it stands and however often it is chosen. */
const saidBy = (steps: Steps | null): ReadonlySet<string> =>
  new Set(
    steps?.steps.flatMap(({ parts }) =>
      parts.flatMap(({ variants }) => variants.map(({ content }) => Json.canonical(content)))
    )
  )

/** Contents that are new, and none of the channels of these accounts can carry. */
const uncarried = (
  before: Steps | null,
  after: Steps,
  accounts: ReadonlyArray<Account>,
  channels: Channels
): ReadonlyArray<Problem> => {
  const said = saidBy(before)
  const isOld = (content: Content) => said.has(Json.canonical(content))
  const carriers = UncarriedContent.carriers(
    accounts.map(({ channel }) => channel),
    channels
  )
  return after.steps.flatMap(({ parts }, i) =>
    parts.flatMap((part, j) => UncarriedContent.problems(`steps[${i}].parts[${j}]`, part, carriers, isOld))
  )
}

export const make = (
  stores: {
    readonly accounts: AccountStore["Service"]
    readonly groups: AccountGroupStore["Service"]
    readonly workspaces: WorkspaceStore["Service"]
  },
  channels: Channels
): AccountChoice => {
  /** Those of the accounts asked for that the workspace has. */
  const among = (workspace: WorkspaceId, asked: ReadonlyArray<AccountId>) =>
    Effect.map(stores.accounts.among(workspace, asked), (found) =>
      found.filter(({ removedAt }) => removedAt === undefined)
    )

  /** Accounts asked for that are not there, or that a step does not fit and are no members. */
  const unfit = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    asked: ReadonlyArray<AccountId>,
    accounts: ReadonlyArray<Account>,
    settings: Steps,
    isMember: ReadonlySet<AccountId>
  ) {
    if (asked.length === 0) return []
    const known = new Map<AccountId, Account>(accounts.map((account) => [account.id, account]))
    const ids = [...new Set(accounts.flatMap(({ group }) => group ?? []))]
    const groups = new Map(
      (yield* Effect.forEach(ids, (id) => stores.groups.get(workspace, id)))
        .flatMap(Option.toArray)
        .map((group) => [group.id, group.dailyCap] as const)
    )
    const tenant = Option.getOrNull(yield* stores.workspaces.get(workspace))
    const { parts } = longest(settings)
    return asked.flatMap((id, i): ReadonlyArray<Problem> => {
      const account = known.get(id)
      const field = `accounts[${i}]`
      if (account === undefined) return [{ field, message: `there is no account ${id} in this workspace` }]
      if (isMember.has(id)) return []
      const groupCap = account.group === null ? null : (groups.get(account.group) ?? null)
      const below = Drawing.capBelow(parts, { account, groupCap, workspaceCap: tenant?.dailyCap ?? null }, channels)
      return below === null ? [] : [{ field, message: tooMany(parts, below) }]
    })
  })

  return {
    problems: Effect.fnUntraced(function* (workspace, asked, before, after, members) {
      const accounts = yield* among(workspace, asked)
      const present = members.flatMap(({ account, pace }) => (pace.leftAt === null ? [account] : []))
      const sending = [...accounts, ...present.filter(({ removedAt }) => removedAt === undefined)]
      return [
        ...(yield* unfit(workspace, asked, accounts, after, new Set(present.map(({ id }) => id)))),
        ...(before === null ? [] : grown(before, after, members, channels)),
        ...uncarried(before, after, sending, channels)
      ]
    })
  }
}
