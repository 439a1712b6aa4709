/**
 * A campaign as it stands, with everything that decides what it does next: the copy on which a forecast runs. Ids and seed
 * keys are those of the original, as chance and the order of equals depend on them.
 */
import { type Account, type AccountState, scopeOf } from "../account/Account.ts"
import type { AccountGroupState } from "../account/AccountGroup.ts"
import type { Campaign } from "../campaign/Campaign.ts"
import type { LeadCandidate } from "../campaign/CampaignStore.ts"
import { type Lead, untouched } from "../campaign/Lead.ts"
import { noCounts, type Pace } from "../campaign/Pace.ts"
import * as Address from "../channel/Address.ts"
import type { Channel } from "../channel/Channel.ts"
import type { Message } from "../chat/Message.ts"
import type { Contact } from "../contact/Contact.ts"
import { paceKey, type State, suppressionKey } from "../memory/State.ts"
import type { ClaimId, IdGenerator } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { WorkspaceState } from "../workspace/WorkspaceStore.ts"

export interface Snapshot {
  readonly workspace: WorkspaceState
  readonly campaign: Campaign
  /** Each with what its budgets hold. */
  readonly accounts: ReadonlyArray<{
    readonly account: AccountState
    readonly pace: Pace
    /** Null = it is in no group. */
    readonly group: AccountGroupState | null
  }>
  /** Those with something open or to come; or how many people there will be. */
  readonly leads:
    | { readonly type: "known"; readonly candidates: ReadonlyArray<LeadCandidate> }
    | { readonly type: "anonymous"; readonly count: number }
  /** The pacing time at which it was taken, or at which a campaign that does not run yet will start. */
  readonly at: Instant
}

/** Where people can be who are not known yet: each kind of reach that the accounts have, in the order of the accounts. */
const reaches = (
  accounts: ReadonlyArray<Account>,
  channels: ReadonlyMap<string, Channel>
): ReadonlyArray<Omit<Address.Address, "externalId">> => {
  const found = new Map<string, Omit<Address.Address, "externalId">>()
  for (const account of accounts) {
    const { channel } = account
    const scope = scopeOf(account, channels.get(channel)?.capabilities.addressScope ?? "channel")
    found.set(Address.reach({ channel, scope }), { channel, scope })
  }
  return [...found.values()]
}

/**
 * The `position`th of `snapshot`'s people who are not known yet: with every consent and without a history, taking turns
 * where the accounts do not all reach the same people.
 */
const stranger = (
  { at, campaign }: Snapshot,
  places: ReadonlyArray<Omit<Address.Address, "externalId">>,
  position: number,
  ids: IdGenerator
): LeadCandidate => {
  const place = places[(position - 1) % places.length]!
  const address: Address.Address = { ...place, externalId: `person-${position}` }
  const contact: Contact = {
    id: ids.next("con"),
    workspace: campaign.workspace,
    name: "",
    first: null,
    last: null,
    addresses: [address],
    tags: [],
    attributes: {},
    timezone: null,
    consents: [{ channel: "*", scope: "", source: "forecast", at: 0 }],
    externalRef: null,
    metadata: {},
    createdAt: at
  }
  const lead: Lead = {
    ...untouched,
    id: ids.next("led"),
    workspace: campaign.workspace,
    campaign: campaign.id,
    contact: contact.id,
    reach: Address.reach(address),
    address: Address.key(address),
    wanted: null,
    status: "pending",
    reason: null,
    step: campaign.settings.steps[0].id,
    position,
    createdAt: at
  }
  return { lead, contact, touches: [], suppressions: [], sequences: [], chat: null, takenOver: [], messages: [] }
}

/** The leads that the copy has; people who are not known yet are made up. */
export const candidatesOf = (
  self: Snapshot,
  channels: ReadonlyMap<string, Channel>,
  ids: IdGenerator
): ReadonlyArray<LeadCandidate> => {
  if (self.leads.type === "known") return self.leads.candidates
  const places = reaches(
    self.accounts.flatMap(({ account, pace }) => (pace.leftAt === null ? [account.account] : [])),
    channels
  )
  return places.length === 0
    ? []
    : Array.from({ length: self.leads.count }, (_, i) => stranger(self, places, i + 1, ids))
}

/** The claim of whatever is on its way while the copy is made: it has run out, so the copy finishes it at once. */
const lost = "clm_00000000000000000000000000000000" as ClaimId

/** Fills an empty memory. What is being sent counts as being sent, whoever does it. */
export const fill = (state: State, self: Snapshot, candidates: ReadonlyArray<LeadCandidate>): void => {
  const { campaign, workspace } = self
  const isAnonymous = self.leads.type === "anonymous"
  state.workspaces.set(workspace.workspace.id, workspace)
  // Nothing is known of a stranger that a text could name.
  const settings = isAnonymous ? { ...campaign.settings, onMissing: "blank" as const } : campaign.settings
  state.campaigns.set(campaign.id, { campaign: { ...campaign, settings }, counts: noCounts })
  for (const { account, group, pace } of self.accounts) {
    state.accounts.set(account.account.id, account)
    if (group !== null) state.groups.set(group.group.id, group)
    state.paces.set(paceKey(pace), pace)
  }
  let underWay = false
  for (const { chat, contact, lead, messages, suppressions, takenOver, touches, unreachable } of candidates) {
    state.contacts.set(contact.id, { contact, touches, unreachable })
    for (const known of chat === null ? takenOver : [chat, ...takenOver]) state.chats.set(known.id, known)
    for (const suppression of suppressions) state.suppressions.set(suppressionKey(suppression), suppression)
    for (const message of messages) {
      underWay ||= message.claim !== null
      const row: Message = message.claim === null ? message : { ...message, status: "sending", claim: lost }
      state.messages.set(row.id, row)
    }
    state.leads.set(lead.id, lead)
  }
  if (underWay) state.claims.set(lost, { id: lost, worker: "forecast", until: -1 })
}
