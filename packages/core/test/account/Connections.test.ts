/** What an account reaches its platform with, over an engine in memory: from the operator's change to what the channel gets. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import type { Account } from "../../src/account/Account.ts"
import { AccountReports } from "../../src/account/AccountReports.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import { AccountSecretStore } from "../../src/account/AccountSecretStore.ts"
import { type AccountFilter, AccountStore } from "../../src/account/AccountStore.ts"
import { Connections } from "../../src/account/Connections.ts"
import { EgressFailed, type EgressProbe } from "../../src/account/EgressProbe.ts"
import type { Outcome } from "../../src/channel/Outcome.ts"
import type { Verification } from "../../src/channel/Verification.ts"
import { ChatStore } from "../../src/chat/ChatStore.ts"
import { ContactStore } from "../../src/contact/ContactStore.ts"
import { system } from "../../src/event/DomainEvent.ts"
import { EventStore } from "../../src/event/EventStore.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import * as Overture from "../../src/Overture.ts"
import { Outbox } from "../../src/outbox/Outbox.ts"
import { OutboxStore } from "../../src/outbox/OutboxStore.ts"
import * as Builders from "../../src/testing/Builders.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import * as TestVault from "../../src/testing/TestVault.ts"
import { minute } from "../../src/workspace/Instant.ts"
import { Vault } from "../../src/workspace/Vault.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"

const { start } = Builders
const proxy = "http://ann:secret@proxy.example:3128"

type Probe = EgressProbe["Service"]["probe"]

interface Options extends TestChannel.Options {
  readonly probe?: Probe
}

/** An engine over memory with one account of these secrets; `queue` has a message to a new person sent. */
const scene = (options: Options = {}, vault: Vault["Service"] = TestVault.make()) => {
  const channel = TestChannel.make(options)
  const engine = Overture.layer({
    storage: MemoryStorage.layer,
    channels: [channel],
    vault,
    ...(options.probe !== undefined && { egressProbe: { probe: options.probe } })
  })
  const made = Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const build = Builders.make("connections")
    const workspace = build.workspace()
    yield* (yield* WorkspaceStore).create(workspace)
    const accounts = yield* Accounts
    const connect = (credentials?: string, egress?: string) =>
      Effect.map(
        accounts.connect(
          {
            workspace: workspace.id,
            channel: channel.name,
            externalId: "page-1",
            ...(credentials !== undefined && { credentials: Redacted.make(credentials) }),
            ...(egress !== undefined && { egress: Redacted.make(egress) })
          },
          system
        ),
        ({ account }) => account
      )
    const queue = (account: Account) =>
      Effect.gen(function* () {
        const contact = build.contact(workspace.id)
        yield* (yield* ContactStore).import(workspace.id, [contact], null)
        const message = build.message(account, contact)
        yield* (yield* OutboxStore).enqueue([message], [build.opening(account, contact)], [])
        yield* (yield* Outbox).tick
        const { data } = yield* (yield* ChatStore).messages(workspace.id, message.chat, {})
        return data[0]!
      })
    const seen = (account: Account) => Effect.map(accounts.find(workspace.id, account.id), (found) => found)
    const log = (account: Account) =>
      Effect.map(
        Effect.flatMap(AccountReports, (reports) => reports.log(workspace.id, account.id)),
        (entries) => entries.map(({ level, title }) => `${level}: ${title}`)
      )
    const told = Effect.map(
      Effect.flatMap(EventStore, (feed) => feed.read(workspace.id, null, 100)),
      (events) => events.flatMap(({ event }) => (event.type === "account.changed" ? [event.data] : []))
    )
    const set = (account: Account, access: { credentials?: string | null; egress?: string | null }) =>
      Effect.flatMap(Connections, (connections) =>
        connections.set(
          workspace.id,
          account.id,
          {
            credentials: access.credentials == null ? access.credentials : Redacted.make(access.credentials),
            egress: access.egress == null ? access.egress : Redacted.make(access.egress)
          },
          system
        )
      )
    const verify = (account: Account) =>
      Effect.flatMap(Connections, (connections) => connections.verify(workspace.id, account.id, system))
    return { workspace, accounts, connect, queue, seen, log, told, set, verify }
  })
  return { channel, engine, made }
}

const sends = (channel: TestChannel.TestChannel) =>
  channel.spoke.filter(({ verb }) => verb === "send").map(({ credentials, egress }) => [credentials, egress])

describe("credentials", () => {
  it.effect("reach the channel with each send, and others from the moment they are set", () => {
    const { channel, engine, made } = scene()
    return Effect.gen(function* () {
      const { connect, queue, seen, set } = yield* made
      const account = yield* connect("one", proxy)
      yield* queue(account)
      yield* queue(account)
      yield* set(account, { credentials: "two" })
      yield* queue(account)
      yield* set(account, { egress: null })
      yield* queue(account)
      assert.deepStrictEqual(sends(channel), [
        ["one", proxy],
        ["one", proxy],
        ["two", proxy],
        ["two", null]
      ])
      assert.deepStrictEqual((yield* seen(account)).access, { version: 3, credentials: true, egress: null })
    }).pipe(Effect.provide(engine))
  })

  it.effect("that another process set are used from the next claim on", () => {
    const { channel, engine, made } = scene()
    return Effect.gen(function* () {
      const { connect, queue, set } = yield* made
      const account = yield* connect("one")
      yield* queue(account)
      const storage = Layer.succeedContext(yield* Effect.context<Overture.StoragePorts>())
      const other = Overture.layer({ storage, channels: [channel], vault: TestVault.make() })
      yield* Effect.provide(set(account, { credentials: "two" }), other, { local: true })
      yield* queue(account)
      assert.deepStrictEqual(sends(channel), [
        ["one", null],
        ["two", null]
      ])
    }).pipe(Effect.provide(engine))
  })

  it.effect("that are given for an account that is there take the place of its own", () => {
    const { channel, engine, made } = scene()
    return Effect.gen(function* () {
      const { connect, queue, seen } = yield* made
      const account = yield* connect("one", proxy)
      assert.strictEqual((yield* connect()).access?.version, 1)
      assert.strictEqual((yield* connect("two")).id, account.id)
      yield* queue(account)
      assert.deepStrictEqual(sends(channel), [["two", proxy]])
      assert.deepStrictEqual((yield* seen(account)).access?.egress, {
        protocol: "http",
        host: "proxy.example",
        port: 3128,
        authenticated: true,
        check: null
      })
    }).pipe(Effect.provide(engine))
  })

  it.effect("that cannot be opened here stop the send before the channel, and say which key is missing", () => {
    const vault = { ...TestVault.make(["lost"]) }
    const { channel, engine, made } = scene({}, vault)
    return Effect.gen(function* () {
      const { accounts, connect, log, queue, seen, workspace } = yield* made
      const account = yield* connect("one", proxy)
      const lost = TestVault.make(["other"])
      const opens = vault.open
      Object.assign(vault, { open: lost.open })
      const message = yield* queue(account)
      assert.deepStrictEqual(sends(channel), [])
      assert.strictEqual(message.status, "queued")
      assert.deepStrictEqual((yield* seen(account)).attention, ["misconfigured"])
      const [entry] = yield* (yield* AccountReports).log(workspace.id, account.id)
      assert.include(entry?.description, "the key lost")
      assert.deepStrictEqual(yield* log(account), ["error: Not set up"])
      Object.assign(vault, { open: opens })
      yield* accounts.change(workspace.id, account.id, { clearAttention: ["misconfigured"] }, system)
      yield* (yield* Outbox).tick
      assert.deepStrictEqual(sends(channel), [["one", proxy]])
    }).pipe(Effect.provide(engine))
  })

  it.effect("that are changed while the former ones are refused stay trusted", () => {
    let refuse = Effect.succeed<Outcome>({ type: "unauthorized", detail: "expired" })
    const { engine, made } = scene({ answer: () => refuse })
    return Effect.gen(function* () {
      const { connect, queue, seen, set } = yield* made
      const account = yield* connect("one")
      const storage = yield* Effect.context<Overture.Services>()
      refuse = Effect.as(Effect.orDie(Effect.provideContext(set(account, { credentials: "two" }), storage)), {
        type: "unauthorized",
        detail: "expired"
      } as const)
      yield* queue(account)
      assert.deepStrictEqual((yield* seen(account)).attention, [])
      refuse = Effect.succeed<Outcome>({ type: "unauthorized", detail: "expired" })
      yield* (yield* Outbox).tick
      assert.deepStrictEqual((yield* seen(account)).attention, ["unauthorized"])
    }).pipe(Effect.provide(engine))
  })

  it.effect("are forgotten when the account is disconnected, until it is connected again", () => {
    const { channel, engine, made } = scene()
    return Effect.gen(function* () {
      const { connect, queue, seen, told, workspace } = yield* made
      const account = yield* connect("one", proxy)
      yield* (yield* Connections).disconnect(workspace.id, account.id, system)
      const gone = yield* seen(account)
      assert.deepStrictEqual(gone.access, { version: 2, credentials: false, egress: null })
      assert.deepStrictEqual(gone.attention, ["unauthorized"])
      yield* queue(account)
      assert.deepStrictEqual(sends(channel), [])
      const again = yield* connect("two")
      assert.deepStrictEqual(again.attention, [])
      yield* TestClock.setTime(start + 15 * minute)
      yield* (yield* Outbox).tick
      assert.deepStrictEqual(sends(channel), [["two", null]])
      assert.deepStrictEqual(
        (yield* told).map(({ connected }) => connected),
        [true, false, true]
      )
    }).pipe(Effect.provide(engine))
  })

  it.effect("are forgotten when the account is removed, which is off and hidden until it is connected again", () => {
    const { channel, engine, made } = scene()
    return Effect.gen(function* () {
      const { connect, queue, told, workspace } = yield* made
      const account = yield* connect("one", proxy)
      const [accounts, connections] = [yield* Accounts, yield* Connections]
      yield* connections.remove(workspace.id, account.id, system)
      const gone = yield* accounts.find(workspace.id, account.id)
      assert.deepInclude(gone, { enabled: false, removedAt: start })
      assert.deepStrictEqual(gone.access, { version: 2, credentials: false, egress: null })
      assert.isNull(Option.getOrThrow(yield* (yield* AccountSecretStore).get(account.id)).credentials)
      const listed = (filter: AccountFilter) =>
        Effect.map(accounts.list(workspace.id, filter, {}), ({ data }) => data.map(({ id }) => id))
      assert.deepStrictEqual([yield* listed({}), yield* listed({ removed: true })], [[], [account.id]])
      for (const refused of [
        accounts.change(workspace.id, account.id, { enabled: true }, system),
        connections.set(workspace.id, account.id, { credentials: Redacted.make("two") }, system),
        connections.remove(workspace.id, account.id, system)
      ] as ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }>>) {
        const error = yield* Effect.flip<unknown, { readonly _tag: string }, never>(refused)
        assert.strictEqual(error._tag, "AccountNotFound")
      }
      yield* queue(account)
      yield* (yield* Outbox).tick
      assert.deepStrictEqual(sends(channel), [])

      const again = yield* connect("two")
      assert.deepInclude(again, { id: account.id, enabled: true })
      assert.notProperty(again, "removedAt")
      assert.deepStrictEqual([yield* listed({}), yield* listed({ removed: true })], [[account.id], []])
      yield* TestClock.setTime(start + 15 * minute)
      yield* (yield* Outbox).tick
      assert.deepStrictEqual(sends(channel), [["two", null]])
      assert.deepStrictEqual(
        (yield* told).map(({ connected, removed }) => [connected, removed]),
        [
          [true, undefined],
          [false, true],
          [false, false],
          [true, undefined]
        ]
      )
    }).pipe(Effect.provide(engine))
  })

  it.effect("are refused where they cannot be credentials, and nothing is changed", () => {
    const { engine, made } = scene()
    return Effect.gen(function* () {
      const { connect, seen, set } = yield* made
      const account = yield* connect("one", proxy)
      for (const [access, message] of [
        [{ credentials: "" }, "credentials: is empty"],
        [{ credentials: "x".repeat(65_537) }, "credentials: has 65537 characters, at most 65536 are allowed"],
        [{ egress: "socks5://ann:secret@host:1" }, /^egress: expected http:\/\/host:port or/],
        [{ egress: "proxy.example:3128" }, /^egress: expected/],
        [{ egress: "http://ann:secret@host/path" }, /^egress: expected/],
        [{ egress: "http://host:70000" }, "egress: expected a port between 1 and 65535, got 70000"],
        [{ credentials: "two", egress: "nothing" }, /^egress: expected/]
      ] as const) {
        const error = yield* Effect.flip(set(account, access))
        if (typeof message === "string") assert.strictEqual(error.message, message)
        else assert.match(error.message, message)
        assert.notInclude(error.message, "secret")
      }
      assert.strictEqual((yield* seen(account)).access?.version, 1)
    }).pipe(Effect.provide(engine))
  })
})

describe("verification", () => {
  const said = (verification: Verification, before: Account["attention"] = []) => {
    const { engine, made } = scene({ verify: () => verification })
    return Effect.gen(function* () {
      const { accounts, connect, log, seen, verify, workspace } = yield* made
      const account = yield* connect("one")
      yield* accounts.change(workspace.id, account.id, { setAttention: before }, system)
      const result = yield* verify(account)
      const after = yield* seen(account)
      assert.deepStrictEqual(result.account, after)
      return {
        type: result.verification.type,
        attention: after.attention,
        banned: after.banned,
        log: yield* log(account)
      }
    }).pipe(Effect.provide(engine, { local: true }))
  }

  it.effect("clears what it disproves, sets what it finds, and changes nothing where nobody answers", () =>
    Effect.gen(function* () {
      const before = ["unauthorized", "restricted", "challenge", "misconfigured"] as const
      for (const [verification, had, attention, log] of [
        [{ type: "valid", externalId: "page-1" }, before, ["restricted", "misconfigured"], []],
        [{ type: "valid", externalId: "page-1" }, [], [], []],
        [{ type: "unauthorized", detail: "expired" }, [], ["unauthorized"], ["error: Credentials refused"]],
        [{ type: "challenge" }, ["unauthorized"], ["unauthorized", "challenge"], ["error: Confirmation required"]],
        [{ type: "transient" }, ["challenge"], ["challenge"], ["warning: Platform not available"]]
      ] as const) {
        const after = yield* said(verification, had)
        assert.deepStrictEqual([after.type, after.attention, after.log], [verification.type, attention, log])
      }
      assert.isTrue((yield* said({ type: "banned" })).banned)
      const another = yield* said({ type: "valid", externalId: "page-2" }, ["unauthorized"])
      assert.deepStrictEqual([another.type, another.attention], ["misconfigured", ["unauthorized", "misconfigured"]])
    })
  )

  it.effect("says nothing of credentials that were set meanwhile", () => {
    let verdict: Effect.Effect<Verification> = Effect.succeed({ type: "unauthorized" })
    const { engine, made } = scene({ verify: () => verdict })
    return Effect.gen(function* () {
      const { connect, seen, set, verify } = yield* made
      const account = yield* connect("one")
      const context = yield* Effect.context<Overture.Services>()
      verdict = Effect.as(Effect.orDie(Effect.provideContext(set(account, { credentials: "two" }), context)), {
        type: "unauthorized"
      } as const)
      yield* verify(account)
      assert.deepStrictEqual((yield* seen(account)).attention, [])
    }).pipe(Effect.provide(engine))
  })

  it.effect("is answered without asking where the channel cannot", () => {
    const { channel, engine, made } = scene({ capabilities: { verification: false } })
    return Effect.gen(function* () {
      const { connect, verify } = yield* made
      const error = yield* Effect.flip(verify(yield* connect("one")))
      assert.strictEqual(error._tag, "Unsupported")
      assert.deepStrictEqual(channel.spoke, [])
    }).pipe(Effect.provide(engine))
  })
})

describe("a way out", () => {
  it.effect("that was tried keeps its delay, or what is wrong with it", () => {
    const results = [
      Effect.succeed({ delayMs: 245.4 }),
      Effect.fail(new EgressFailed({ reason: "timeout", detail: "the proxy did not answer in time" }))
    ]
    const { engine, made } = scene({ probe: () => results.shift()! })
    return Effect.gen(function* () {
      const { connect, log, seen, set, workspace } = yield* made
      const account = yield* connect("one", proxy)
      const { probe } = yield* Connections
      const checkOf = Effect.map(seen(account), ({ access }) => access?.egress?.check)
      assert.deepStrictEqual(yield* probe(workspace.id, account.id, system), { at: start, delayMs: 245, error: null })
      assert.deepStrictEqual(yield* checkOf, { at: start, delayMs: 245, error: null })
      assert.deepStrictEqual(yield* log(account), [])
      yield* probe(workspace.id, account.id, system)
      assert.deepStrictEqual(yield* checkOf, { at: start, delayMs: null, error: "the proxy did not answer in time" })
      assert.deepStrictEqual(yield* log(account), ["error: No way out"])
      assert.strictEqual((yield* set(account, { egress: "https://other.example" })).access?.egress?.check, null)
    }).pipe(Effect.provide(engine))
  })

  it.effect("cannot be tried without one, or without the port", () => {
    const { engine, made } = scene()
    return Effect.gen(function* () {
      const { connect, set, workspace } = yield* made
      const account = yield* connect("one")
      const { probe } = yield* Connections
      const without = yield* Effect.flip(probe(workspace.id, account.id, system))
      assert.include(without.message, "an egress of")
      yield* set(account, { egress: proxy })
      const unported = yield* Effect.flip(probe(workspace.id, account.id, system))
      assert.include(unported.message, "the port EgressProbe")
    }).pipe(Effect.provide(engine))
  })
})

describe("an operator", () => {
  it.effect("sets and clears each reason, ends a rest, and begins the warm-up again, seen in the events", () => {
    const { engine, made } = scene()
    return Effect.gen(function* () {
      const { accounts, connect, seen, told, workspace } = yield* made
      const account = yield* connect()
      const change = (input: Parameters<typeof accounts.change>[2]) =>
        accounts.change(workspace.id, account.id, input, system)
      yield* change({ setAttention: ["restricted", "challenge", "restricted"] })
      assert.deepStrictEqual((yield* seen(account)).attention, ["restricted", "challenge"])
      yield* change({ clearAttention: ["restricted", "misconfigured"], setAttention: ["unauthorized"] })
      assert.deepStrictEqual((yield* seen(account)).attention, ["challenge", "unauthorized"])
      yield* change({ clearAttention: ["challenge", "unauthorized"] })
      yield* change({ restingUntil: start + 60_000 })
      assert.deepStrictEqual((yield* told).at(-1)?.["restingUntil"], "2026-03-09T10:01:00.000Z")
      yield* change({ restingUntil: null })
      assert.strictEqual((yield* seen(account)).restingUntil, null)
      yield* change({ warmUp: { type: "incremental", increment: 5, max: 50 } })
      const store = yield* AccountStore
      const warm = { ramp: { type: "incremental", increment: 5, max: 50 } as const, day: 7, date: "2026-03-08" }
      yield* store.modify([account.id], (before) => ({ account: { ...before, limits: { warmUp: warm } }, events: [] }))
      yield* change({ warmUp: { type: "incremental", increment: 9, max: 90 } })
      assert.deepStrictEqual((yield* seen(account)).limits?.warmUp, {
        ramp: { type: "incremental", increment: 9, max: 90 },
        day: 7,
        date: "2026-03-08"
      })
      yield* change({ restartWarmUp: true })
      assert.deepStrictEqual((yield* seen(account)).limits?.warmUp?.day, 0)
      assert.deepStrictEqual((yield* told).at(-1)?.["warmUpDay"], 0)
      const missing = yield* Effect.flip(
        accounts.change(Builders.ids("other").next("wsp"), account.id, { enabled: false }, system)
      )
      assert.strictEqual(missing._tag, "AccountNotFound")
    }).pipe(Effect.provide(engine))
  })
})

describe("the error log", () => {
  it.effect("tells of what the account suffers, and not of what its people do", () => {
    const outcomes: ReadonlyArray<Outcome> = [
      { type: "accepted", externalId: "x" },
      { type: "unreachable" },
      { type: "blocked" },
      { type: "optedOut" },
      { type: "replyWindowClosed" },
      { type: "rateLimited", scope: "recipient", retryAfterMs: 1_000 },
      { type: "transient", detail: "502" },
      { type: "contentRejected", code: "131", detail: "no links" },
      { type: "outcomeUnknown" },
      { type: "restricted", detail: "spam" }
    ]
    let next = 0
    const { engine, made } = scene({ answer: () => outcomes[next++] })
    return Effect.gen(function* () {
      const { connect, log, queue, workspace } = yield* made
      const account = yield* connect()
      for (const [i] of outcomes.entries()) {
        yield* TestClock.setTime(start + i)
        yield* queue(account)
      }
      assert.deepStrictEqual(yield* log(account), [
        "error: Restricted",
        "warning: No answer",
        "warning: Message refused",
        "warning: Platform not available"
      ])
      const [first, , refused] = yield* (yield* AccountReports).log(workspace.id, account.id)
      assert.deepStrictEqual([first?.description, refused?.code, refused?.description], ["spam", "131", "no links"])
    }).pipe(Effect.provide(engine))
  })
})

it.effect("without a vault an account has no secrets, and works", () => {
  const { channel, engine, made } = scene({}, Vault.without("THE_KEYS"))
  return Effect.gen(function* () {
    const { connect, queue } = yield* made
    assert.include((yield* Effect.flip(connect("one"))).message, "THE_KEYS")
    yield* queue(yield* connect())
    assert.deepStrictEqual(sends(channel), [[null, null]])
  }).pipe(Effect.provide(Layer.fresh(engine)))
})
