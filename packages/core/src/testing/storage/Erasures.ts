/** How claims meet a person who was erased: by the hash that the caller gives them, under the address that they know. */
import { Effect, Option } from "effect"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import * as Address from "../../channel/Address.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import { type AddressHash, type Suppression, tombstone } from "../../contact/Suppression.ts"
import { OutboxStore, type QueuedCandidate } from "../../outbox/OutboxStore.ts"
import * as Seed from "../../workspace/Seed.ts"
import type { Workspace } from "../../workspace/Workspace.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { claimRules, queuedRule } from "./FakeRules.ts"
import { lease, people, queue, scene } from "./Scene.ts"
import { type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders
const hash: AddressHash = (address) => Seed.digest(`ours|${address}`)
const another: AddressHash = (address) => Seed.digest(`another's|${address}`)

const erased = (workspace: Workspace, address: string): Suppression => ({
  workspace: workspace.id,
  address: tombstone(hash, address),
  account: null,
  reason: "erased",
  at: start
})

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("erasures: a claim and a candidate tell of the hash of each address, under the address", function* () {
    const store = yield* CampaignStore
    const contacts = yield* ContactStore
    const place = yield* scene("erased lead", { leads: 3 })
    const { accounts, build, leads, workspace } = place
    const [one, two, three] = place.contacts
    const second = { channel: Builders.channel, scope: "", externalId: "second" }
    yield* contacts.import(workspace.id, [{ ...two!, addresses: [...two!.addresses, second] }], null)
    const plain = { ...erased(workspace, ""), address: Builders.addressOf(one!), reason: "optedOut" } as const
    const blocked = { ...plain, account: accounts[0]!.id, reason: "blocked" } as const
    yield* contacts.suppress(
      [
        erased(workspace, Builders.addressOf(one!)),
        plain,
        blocked,
        erased(workspace, Address.key(second)),
        erased(build.workspace(), Builders.addressOf(three!))
      ],
      []
    )
    const told = (given: AddressHash | null | undefined) =>
      Effect.forEach(leads, ({ id }) =>
        Effect.map(store.candidate(workspace.id, id, given), (found) =>
          Option.getOrThrow(found)
            .candidate.suppressions.map(({ address, reason }) => `${address} ${reason}`)
            .toSorted()
        )
      )
    const open = [[`${Builders.addressOf(one!)} blocked`, `${Builders.addressOf(one!)} optedOut`], [], []]
    for (const given of [null, undefined, another]) Expect.equal(yield* told(given), open, "without the hash")
    const known = [
      [open[0]![0]!, `${Builders.addressOf(one!)} erased`, open[0]![1]!],
      [`${Address.key(second)} erased`],
      []
    ]
    Expect.equal(yield* told(hash), known, "with it")

    const made = lease(build)
    const rules = claimRules(build.ids, made.claim, start, { want: () => 3, verdict: () => "leave" })
    yield* store.claim({ now: start, limit: 9, lease: made, rules, addressHash: hash })
    const shown = rules.looks.flatMap(({ first }) => first)
    Expect.equal(
      shown.map(({ suppressions }) => suppressions.map(({ address, reason }) => `${address} ${reason}`).toSorted()),
      known,
      "what a claim shows"
    )
  }),

  storageCase("erasures: whoever was erased with another secret is noticed, in any workspace", function* () {
    const contacts = yield* ContactStore
    const { build, workspace } = yield* people("erased unlike")
    const other = build.workspace()
    yield* (yield* WorkspaceStore).create(other)
    const unlike = (hashes: ReadonlyArray<AddressHash | null>) =>
      Effect.forEach(hashes, (one) => contacts.hasUnrecognised(one))
    yield* contacts.suppress([{ ...erased(workspace, "x"), address: "sandbox//someone", reason: "manual" }], [])
    Expect.equal(yield* unlike([null, hash, another]), [false, false, false], "where nobody was erased")
    yield* contacts.suppress([erased(other, "sandbox//one")], [])
    Expect.equal(yield* unlike([null, hash, another]), [true, false, true], "where one was")
    const later = { ...erased(workspace, ""), address: tombstone(another, "sandbox//two") }
    yield* contacts.suppress([later], [])
    Expect.equal(yield* unlike([null, hash, another]), [true, true, true], "where two were, with two secrets")
  }),

  storageCase("erasures: the queue tells of the hash of a message's address", function* () {
    const outbox = yield* OutboxStore
    const contacts = yield* ContactStore
    const place = yield* people("erased queue", { leads: 2 })
    const [one] = place.contacts
    yield* contacts.suppress([erased(place.workspace, Builders.addressOf(one!))], [])
    yield* queue(place, (index) => ({ dueAt: start + index }))
    const look = (given: AddressHash | null) =>
      Effect.gen(function* () {
        const seen: Array<ReadonlyArray<Suppression>> = []
        const verdict = ({ message, suppressions }: QueuedCandidate) => {
          seen.push(suppressions)
          return { deferTo: message.dueAt ?? start }
        }
        const made = lease(place.build)
        const decide = queuedRule(verdict)
        yield* outbox.claimQueued({ now: start + 9, limit: 9, lease: made, decide, addressHash: given })
        return seen
      })
    Expect.equal(yield* look(null), [[], []], "without the hash")
    const known = { ...erased(place.workspace, ""), address: Builders.addressOf(one!) }
    Expect.equal(yield* look(hash), [[known], []], "with it")
  })
]
