/** What `Transaction` promises: several verbs commit together or not at all. */
import { Deferred, Effect, Exit, Fiber, Option } from "effect"
import { AccountStore } from "../../account/AccountStore.ts"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { ChatStore } from "../../chat/ChatStore.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import { EventStore } from "../../event/EventStore.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import { StorageError } from "../../workspace/StorageError.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { changed, concluding } from "./FakeRules.ts"
import { beginAll, claim, claimQueued, queue, resultsOf, type Scene, scene } from "./Scene.ts"
import { fails, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

/** Everything that a person could see of a scene. */
const everything = ({ campaign, contacts, workspace }: Scene) =>
  Effect.gen(function* () {
    const [workspaces, events, accounts, people, chats, campaigns, outbox] = yield* Effect.all([
      WorkspaceStore,
      EventStore,
      AccountStore,
      ContactStore,
      ChatStore,
      CampaignStore,
      OutboxStore
    ])
    const list = (yield* chats.list(workspace.id, {})).data
    return {
      workspace: Option.getOrNull(yield* workspaces.get(workspace.id)),
      stopped: yield* workspaces.stopped,
      events: (yield* events.read(workspace.id, null, 100)).map(({ event }) => event.type),
      accounts: (yield* accounts.list(workspace.id, {})).data,
      contacts: (yield* people.list(workspace.id, {})).data,
      suppressions: yield* people.suppressions(workspace.id, contacts.map(Builders.addressOf)),
      chats: list,
      messages: yield* Effect.forEach(list, ({ id }) =>
        Effect.map(chats.messages(workspace.id, id, {}), ({ data }) => data)
      ),
      campaigns: (yield* campaigns.list(workspace.id, {})).data,
      paces: yield* campaigns.paces(campaign.id),
      leads: (yield* campaigns.leads(workspace.id, campaign.id, {}, {})).data,
      counts: yield* campaigns.counts(campaign.id),
      nextAlarm: yield* campaigns.nextAlarm,
      nextQueued: yield* outbox.nextQueued
    }
  })

/** One verb of every store, each of which changes something that `everything` shows. */
const manyWrites = (place: Scene) =>
  Effect.gen(function* () {
    const {
      accounts: [account],
      build,
      campaign,
      contacts,
      leads,
      workspace
    } = place
    const [workspaces, events, accounts, people, chats, campaigns, outbox] = yield* Effect.all([
      WorkspaceStore,
      EventStore,
      AccountStore,
      ContactStore,
      ChatStore,
      CampaignStore,
      OutboxStore
    ])
    yield* workspaces.modify(workspace.id, (row) => ({ ...row, name: "changed" }))
    yield* workspaces.stop(true)
    yield* workspaces.stop(false)
    yield* events.append([build.event(workspace.id, "x")])
    yield* accounts.modify([account!.id], (row) => ({ account: { ...row, name: "changed" }, events: [] }))
    const fresh = build.contact(workspace.id)
    yield* people.import(workspace.id, [fresh], null)
    const address = Builders.addressOf(contacts[1]!)
    yield* people.suppress([{ workspace: workspace.id, address, account: null, reason: "manual", at: start }], [])
    yield* chats.open([build.opening(account!, contacts[0]!)])
    const [message] = yield* queue({ ...place, contacts: contacts.slice(0, 1) })
    const queued = yield* claimQueued(place)
    yield* beginAll(queued!.id, [message!])
    yield* outbox.settle(queued!.id, resultsOf(queued!.claimed), concluding())
    yield* campaigns.enroll(campaign.id, [build.lead(campaign, fresh)], [], start)
    yield* claim(place, { want: () => 1 })
    yield* campaigns.changeLeads({ type: "ids", ids: [leads[1]!.id] }, start, (lead) =>
      changed({ ...lead, status: "skipped", step: null }, { counts: { skipped: 1 } })
    )
    yield* campaigns.modify(workspace.id, campaign.id, start, (row) => ({
      campaign: { ...row, name: "changed" },
      events: []
    }))
  })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("transactions: what succeeds is there, all of it", function* () {
    const { within } = yield* Transaction
    const place = yield* scene("commit")
    const before = yield* everything(place)
    yield* within(manyWrites(place))
    const after = yield* everything(place)
    for (const [field, value] of Object.entries(after)) {
      const same = Expect.show(value) === Expect.show(before[field as keyof typeof before])
      if (field !== "stopped" && field !== "nextQueued" && field !== "nextAlarm")
        Expect.ok(!same, `${field} did not change`)
    }
  }),

  ...(["failure", "defect"] as const).map((kind) =>
    storageCase(`transactions: a ${kind} takes back what every store wrote`, function* () {
      const { within } = yield* Transaction
      const place = yield* scene(`rollback by ${kind}`)
      const before = yield* everything(place)
      const end = kind === "failure" ? Effect.fail("later") : Effect.die("later")
      yield* fails(within(Effect.andThen(manyWrites(place), end)), "the transaction")
      Expect.equal(yield* everything(place), before, "everything after the rollback")
      yield* manyWrites(place)
    })
  ),

  storageCase("transactions: an interruption takes back what was written", function* () {
    const { within } = yield* Transaction
    const place = yield* scene("interruption")
    const before = yield* everything(place)
    const written = yield* Deferred.make<void>()
    const body = Effect.gen(function* () {
      yield* manyWrites(place)
      yield* Deferred.succeed(written, undefined)
      yield* Effect.never
    })
    const fiber = yield* Effect.forkChild(within(body))
    yield* Deferred.await(written)
    yield* Fiber.interrupt(fiber)
    Expect.equal(yield* everything(place), before, "everything after the interruption")
  }),

  storageCase("transactions: one inside another joins it", function* () {
    const { within } = yield* Transaction
    const store = yield* WorkspaceStore
    const build = Builders.make("nested")
    const [a, b, c] = [build.workspace(), build.workspace(), build.workspace()]
    const outer = within(
      Effect.gen(function* () {
        yield* store.create(a)
        yield* within(store.create(b))
        Expect.equal((yield* store.list).length, 2, "what the outer one sees of the inner one")
        return yield* Effect.fail("later")
      })
    )
    const failure = yield* Effect.exit(outer)
    Expect.ok(Exit.isFailure(failure), "the outer one committed")
    Expect.equal(yield* store.list, [], "what is left of both")
    yield* within(Effect.andThen(store.create(a), within(Effect.andThen(store.create(b), store.create(c)))))
    Expect.equal((yield* store.list).length, 3, "what both wrote")
  }),

  storageCase("transactions: one inside which another failed cannot commit, though it goes on", function* () {
    const { within } = yield* Transaction
    const store = yield* WorkspaceStore
    const build = Builders.make("doomed")
    const inner = Effect.ignore(within(Effect.fail("not found")))
    const outer = within(Effect.andThen(store.create(build.workspace()), inner))
    const error = yield* Effect.flip(outer)
    Expect.equal([error._tag, error.retryable], ["StorageError", false], "the outer one's error")
    Expect.equal(yield* store.list, [], "what is left of it")
    yield* store.create(build.workspace())
    Expect.equal((yield* store.list).length, 1, "what is written afterwards")
  }),

  storageCase("transactions: one that fails by what passes is run again from its beginning", function* () {
    const { within } = yield* Transaction
    const store = yield* WorkspaceStore
    const build = Builders.make("again")
    const passing = new StorageError({ operation: "test", retryable: true, cause: new Error("in the way") })
    let tries = 0
    const failing = (until: number) =>
      Effect.gen(function* () {
        tries += 1
        yield* store.create(build.workspace({ name: `try ${tries}` }))
        if (tries < until) return yield* passing
      })
    yield* within(Effect.andThen(store.create(build.workspace({ name: "outer" })), within(failing(3))))
    const names = Effect.map(store.list, (all) => all.map(({ name }) => name).sort())
    Expect.equal([tries, yield* names], [3, ["outer", "try 3"]], "what the third try wrote")
    const error = yield* Effect.flip(within(failing(Infinity)))
    Expect.equal([error, yield* names], [passing, ["outer", "try 3"]], "what never passes")
  }),

  storageCase("transactions: the error is the body's own, and the value too", function* () {
    const { within } = yield* Transaction
    const store = yield* WorkspaceStore
    const build = Builders.make("values")
    const error = yield* Effect.flip(
      within(Effect.andThen(store.create(build.workspace()), Effect.fail("mine" as const)))
    )
    Expect.equal(error, "mine", "the error")
    const value = yield* within(Effect.as(store.create(build.workspace()), 42))
    Expect.equal(value, 42, "the value")
    Expect.equal((yield* store.list).length, 1, "what was written")
  }),

  storageCase("transactions: two at the same time both commit", function* () {
    const { within } = yield* Transaction
    const store = yield* WorkspaceStore
    const build = Builders.make("parallel")
    const rows = Array.from({ length: 6 }, () => [build.workspace(), build.workspace()] as const)
    const pairs = rows.map(([a, b]) =>
      within(Effect.andThen(store.create(a), Effect.andThen(Effect.yieldNow, store.create(b))))
    )
    yield* Effect.all(pairs, { concurrency: "unbounded" })
    Expect.equal((yield* store.list).length, 12, "what was written")
  }),

  storageCase("transactions: rules change a row in turn, so that none is lost", function* () {
    const store = yield* WorkspaceStore
    const workspace = Builders.make("counter").workspace({ metadata: { n: 0 } })
    yield* store.create(workspace)
    const add = store.modify(workspace.id, (row) => ({ ...row, metadata: { n: Number(row.metadata["n"]) + 1 } }))
    yield* Effect.all(
      Array.from({ length: 10 }, () => add),
      { concurrency: "unbounded" }
    )
    Expect.equal(Option.getOrNull(yield* store.get(workspace.id))?.metadata, { n: 10 }, "the sum")
  })
]
