/**
 * The secrets of an account over its whole life: they reach the channel, and nothing else. The cases run the engine's
 * services over the storage, because what must not hold a secret is what they write.
 */
import { Effect, Exit, Layer, Logger, Option, Redacted } from "effect"
import { AccountChanges } from "../../account/AccountChanges.ts"
import { AccountReports } from "../../account/AccountReports.ts"
import { Accounts } from "../../account/Accounts.ts"
import { AccountSecretRows } from "../../account/AccountSecretRows.ts"
import { AccountSecretStore } from "../../account/AccountSecretStore.ts"
import { Connections } from "../../account/Connections.ts"
import { EgressFailed, EgressProbe } from "../../account/EgressProbe.ts"
import { ImageResizer } from "../../account/ImageResizer.ts"
import { Profiles } from "../../account/Profiles.ts"
import { Senders } from "../../account/Senders.ts"
import { Outreach } from "../../campaign/Outreach.ts"
import { Channels } from "../../channel/Channel.ts"
import { ContactStore } from "../../contact/ContactStore.ts"
import { system } from "../../event/DomainEvent.ts"
import { Outbox } from "../../outbox/Outbox.ts"
import { defaults, OutboxConfig } from "../../outbox/OutboxConfig.ts"
import { OutboxStore } from "../../outbox/OutboxStore.ts"
import { Ids } from "../../workspace/Id.ts"
import { day } from "../../workspace/Instant.ts"
import { PacingTime } from "../../workspace/PacingTime.ts"
import { SealedRowSets } from "../../workspace/SealedRows.ts"
import { SecretRotation } from "../../workspace/SecretRotation.ts"
import { keyOf, Vault } from "../../workspace/Vault.ts"
import { WorkspaceStore } from "../../workspace/WorkspaceStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import * as TestChannel from "../TestChannel.ts"
import * as TestVault from "../TestVault.ts"
import { Contents, type StorageCase, storageCase, type StoragePorts } from "./StorageCase.ts"

const { start } = Builders

/** Whatever may be seen of no secret: each is in no other word of the scene. */
const secrets = ["EAAG-first-token", "EAAG-second-token", "proxyname", "proxypassword", "proxy.example:8080"]
const proxy = Redacted.make("http://proxyname:proxypassword@proxy.example:8080")

/** The services of accounts over the storage of the case, with a vault of these keys. */
const engine = (channel: TestChannel.TestChannel, vault: Vault["Service"]) =>
  Effect.map(Effect.context<StoragePorts>(), (ports) => {
    const base = Layer.mergeAll(
      Layer.succeed(Channels, Channels.from([channel])),
      Layer.succeed(Vault, vault),
      Layer.succeed(OutboxConfig, defaults),
      Layer.succeed(
        EgressProbe,
        EgressProbe.of({
          probe: () => Effect.fail(new EgressFailed({ reason: "refused", detail: "the proxy refused the connection" }))
        })
      ),
      Layer.succeed(
        ImageResizer,
        ImageResizer.of({ resize: (bytes, { mime }) => Effect.succeed({ bytes, mime, width: 1, height: 1 }) })
      ),
      Ids.layer,
      PacingTime.layerVirtual(start)
    ).pipe(Layer.provideMerge(Layer.succeedContext(ports)))
    const outreach = Outreach.layer.pipe(Layer.provideMerge(Senders.layer), Layer.provideMerge(base))
    const reactions = Layer.mergeAll(Outreach.layerParties, Outreach.layerAccounts, Outreach.layerInbound)
    const sealed = Layer.effect(SealedRowSets, Effect.all([AccountSecretRows])).pipe(
      Layer.provide(AccountSecretRows.layer)
    )
    return Layer.mergeAll(
      Accounts.layer,
      Profiles.layer,
      AccountReports.layer,
      Outbox.layer,
      SecretRotation.layer.pipe(Layer.provide(sealed))
    ).pipe(
      Layer.provideMerge(Connections.layer),
      Layer.provideMerge(AccountChanges.layer),
      Layer.provideMerge(reactions.pipe(Layer.provideMerge(outreach)))
    )
  })

/** Runs `body` with what it logs. */
const logged = <A, E, R>(body: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make(({ cause, message }) => void lines.push(`${String(message)} ${String(cause)}`))
    const value = yield* Effect.provide(body, Logger.layer([logger]))
    return { value, lines }
  })

const workspaceOf = (build: Builders.Builders) =>
  Effect.gen(function* () {
    const workspace = build.workspace()
    yield* (yield* WorkspaceStore).create(workspace)
    return workspace
  })

/** A person to whom messages can be queued. */
const personOf = (build: Builders.Builders, workspace: ReturnType<Builders.Builders["workspace"]>) =>
  Effect.gen(function* () {
    const contact = build.contact(workspace.id)
    yield* (yield* ContactStore).import(workspace.id, [contact], null)
    return contact
  })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase(
    "account life: a secret reaches the channel, and is in no row, event, log, answer or error",
    function* () {
      const channel = TestChannel.make({
        // A platform that repeats what it refuses.
        answer: (_, count) =>
          count === 1
            ? { type: "unauthorized", detail: "the token has expired: EAAG-first-token by proxyname:proxypassword" }
            : undefined,
        verify: (credentials) =>
          credentials === "EAAG-second-token"
            ? undefined
            : { type: "unauthorized", code: "190", detail: "the token has expired" },
        applyProfile: () => ({ applied: [], refusal: { type: "rejected", detail: "that name is taken" } })
      })
      const said: Array<unknown> = []
      const heard = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.tap(Effect.exit(effect), (exit) =>
          Effect.sync(() => said.push(exit, Exit.isFailure(exit) ? String(exit.cause) : null))
        )
      const build = Builders.make("account life")
      const life = Effect.gen(function* () {
        const { connect, list } = yield* Accounts
        const { disconnect, probe, set, verify } = yield* Connections
        const workspace = yield* workspaceOf(build)
        const page = { workspace: workspace.id, channel: channel.name, externalId: "page-1" }
        const given = { credentials: Redacted.make("EAAG-first-token"), egress: proxy }
        const { account } = yield* connect({ ...page, ...given }, system)
        said.push(account)
        const contact = yield* personOf(build, workspace)
        const send = Effect.gen(function* () {
          const message = build.message(account, contact)
          yield* (yield* OutboxStore).enqueue([message], [build.opening(account, contact)], [])
          return yield* (yield* Outbox).tick
        })
        yield* send
        yield* heard(verify(workspace.id, account.id, system))
        yield* heard(probe(workspace.id, account.id, system))
        const again = { credentials: Redacted.make("EAAG-second-token") }
        yield* heard(set(workspace.id, account.id, again, system))
        yield* heard(set(workspace.id, account.id, { egress: Redacted.make("proxyname:proxypassword") }, system))
        yield* heard(set(workspace.id, account.id, { credentials: Redacted.make("") }, system))
        yield* heard(verify(workspace.id, account.id, system))
        yield* (yield* Outbox).tick
        yield* heard((yield* Profiles).change(workspace.id, account.id, { name: "A name" }))
        yield* heard((yield* Profiles).applyNow(workspace.id, account.id))
        yield* (yield* Profiles).chore.round(start + 1_000 * day)
        yield* heard(list(workspace.id, {}, {}))
        yield* heard((yield* AccountReports).log(workspace.id, account.id))
        yield* heard((yield* SecretRotation).rotate)
        const rows = yield* (yield* Contents).rows
        const sealed = yield* (yield* AccountSecretStore).get(account.id)
        yield* heard(disconnect(workspace.id, account.id, system))
        return { rows: [...rows, ...(yield* (yield* Contents).rows)], sealed, account }
      })
      const { lines, value } = yield* logged(Effect.provide(life, yield* engine(channel, TestVault.make())))

      const spoken = (verb: TestChannel.Spoke["verb"]) =>
        channel.spoke.filter((one) => one.verb === verb).map(({ credentials, egress }) => [credentials, egress])
      const [first, second] = ["EAAG-first-token", "EAAG-second-token"].map((token) => [token, Redacted.value(proxy)])
      Expect.equal(spoken("send"), [first!, second!], "what sends were given")
      Expect.equal(spoken("verify"), [first!, second!], "what verifications were given")
      Expect.equal(spoken("applyProfile"), [second!], "what profiles were given")
      Expect.ok(
        Option.isSome(value.sealed) && keyOf(value.sealed.value.credentials ?? "") === "test",
        "nothing is sealed"
      )

      const places = [
        ...value.rows.map(({ table, text }) => `${table}: ${text}`),
        ...lines,
        ...said.map((one) => JSON.stringify(one) ?? "")
      ]
      Expect.ok(
        places.some((text) => text.includes("the token has expired")),
        "the platform's words are nowhere"
      )
      for (const secret of secrets) {
        // Where the proxy is may be shown, its name and password may not.
        const found = secret.startsWith("proxy.") ? [] : places.filter((text) => text.includes(secret))
        Expect.equal(found, [], `places with ${secret}`)
      }
    }
  ),

  storageCase("account life: a new key takes over all secrets, and the former one can go", function* () {
    const channel = TestChannel.make()
    const build = Builders.make("account rotation")
    const over = <A, E, R>(keys: readonly [string, ...Array<string>], body: Effect.Effect<A, E, R>) =>
      Effect.flatMap(engine(channel, TestVault.make(keys)), (layer) => Effect.provide(body, layer))
    const workspace = yield* workspaceOf(build)
    const accounts = yield* over(
      ["old"],
      Effect.gen(function* () {
        const { connect } = yield* Accounts
        return yield* Effect.forEach([1, 2, 3], (n) =>
          Effect.map(
            connect(
              {
                workspace: workspace.id,
                channel: channel.name,
                externalId: `page-${n}`,
                ...(n < 3 && { credentials: Redacted.make(`token-${n}`) }),
                ...(n > 1 && { egress: proxy })
              },
              system
            ),
            ({ account }) => account
          )
        )
      })
    )
    const rotate = Effect.flatMap(SecretRotation, (rotation) => rotation.rotate)
    const refused = yield* Effect.flip(over(["new"], rotate))
    Expect.equal(refused.message.includes("old"), true, "the key that is missing is named")
    const [done] = yield* over(["new", "old"], rotate)
    Expect.equal(done?.rows, 3, "rows sealed again")
    Expect.equal((yield* over(["new"], rotate))[0]?.rows, 0, "rows left")
    const opened = yield* over(
      ["new"],
      Effect.gen(function* () {
        const { of } = yield* Senders
        return yield* Effect.forEach(accounts, (account) =>
          Effect.map(of(account), ({ credentials, egress }) => [
            credentials === null ? null : Redacted.value(credentials),
            egress === null ? null : Redacted.value(egress)
          ])
        )
      })
    )
    const way = Redacted.value(proxy)
    Expect.equal(
      opened,
      [
        ["token-1", null],
        ["token-2", way],
        [null, way]
      ],
      "what opens with the new key alone"
    )
  }),

  storageCase("account life: without a key nothing is added", function* () {
    const channel = TestChannel.make()
    const build = Builders.make("account without key")
    const workspace = yield* workspaceOf(build)
    const page = { workspace: workspace.id, channel: channel.name, externalId: "page-1" }
    const tries = Effect.gen(function* () {
      const { connect, list } = yield* Accounts
      const error = yield* Effect.flip(connect({ ...page, credentials: Redacted.make("EAAG-first-token") }, system))
      Expect.ok(error.message.includes("THE_KEYS"), "the setting is not named")
      Expect.equal((yield* list(workspace.id, {}, {})).data.length, 0, "accounts")
      Expect.equal((yield* connect(page, system)).created, true, "one without secrets")
      const known = yield* Effect.flip(connect({ ...page, credentials: Redacted.make("EAAG-first-token") }, system))
      Expect.equal(known._tag, "VaultError", "secrets for one that is there")
    })
    yield* Effect.provide(tries, yield* engine(channel, Vault.without("THE_KEYS")))
    const rows = (yield* (yield* Contents).rows).filter(({ text }) => text.includes("EAAG"))
    Expect.equal(rows, [], "rows with the secret")
  })
]
