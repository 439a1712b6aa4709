/**
 * `overture webhooks`: who is told of events by HTTP, how that goes, and what is sent again. Workers deliver; a secret is
 * shown when it is made and never again.
 */
import { Webhooks, type WithSecret } from "@overture/core/event/Webhooks"
import type { WebhookEndpointId } from "@overture/core/workspace/Id"
import { Instant } from "@overture/core/workspace/Instant"
import { Effect, Option, Redacted } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Engine from "../Engine.ts"
import { everything } from "@overture/core/workspace/Page"
import { refuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"
import * as Text from "../report/Text.ts"
import * as WebhookList from "../report/WebhookList.ts"
import { workspaceZone } from "../run/Setup.ts"
import type { Target } from "../Target.ts"

const paint = () => ({ paint: Output.hasColors() ? Text.colors : Text.plain })

const shared = {
  endpoint: Argument.String("endpoint").pipe(
    Argument.withMetavar("ENDPOINT"),
    Argument.withDescription("The endpoint's id (whk_…)")
  ),
  database: Flags.database,
  json: Flags.json
}

type Endpoint = Effect.Success<ReturnType<Webhooks["Service"]["get"]>>

const say = (endpoint: Endpoint, json: boolean): void =>
  json
    ? Output.printJson({ endpoint: WebhookList.encode(endpoint) })
    : Output.print(...WebhookList.endpoints([endpoint], workspaceZone, paint()))

const saySecret = ({ endpoint, secret }: WithSecret, json: boolean): void => {
  if (json) return Output.printJson({ endpoint: WebhookList.encode(endpoint), secret: Redacted.value(secret) })
  Output.print(`${endpoint.id}  ${endpoint.url}`, `secret: ${Redacted.value(secret)}`)
  Output.say("The secret is not shown again: keep it where the receiver checks signatures.")
}

const create = Command.make(
  "create",
  {
    url: Argument.String("url").pipe(
      Argument.withMetavar("URL"),
      Argument.withDescription("Where events are posted to; HTTPS, on the open internet")
    ),
    events: Flag.String("events").pipe(
      Flag.withMetavar("A,B"),
      Flag.withDescription("Which events, such as message.*,lead.replied; all where it is left out"),
      Flag.optional
    ),
    description: Flag.String("description").pipe(
      Flag.withMetavar("TEXT"),
      Flag.withDescription("What it is for"),
      Flag.optional
    ),
    database: Flags.database,
    json: Flags.json
  },
  ({ database, description, events, json, url }) =>
    Reading.settingUp(
      database,
      Effect.gen(function* () {
        const made = yield* (yield* Webhooks).create(Engine.workspace, {
          url,
          description: Option.getOrUndefined(description),
          events: Option.getOrUndefined(events)
            ?.split(",")
            .map((pattern) => pattern.trim())
        })
        saySecret(made, json)
      })
    )
).pipe(
  Command.withShortDescription("Have events posted to a URL"),
  Command.withDescription(
    "Makes an endpoint that is told what happens from now on, signed as Standard Webhooks, and shows its secret, this once. Secrets are stored under OVERTURE_SECRET_KEYS, which workers need too. Private addresses and plain HTTP are refused unless OVERTURE_LOCAL_WEBHOOKS is 1."
  ),
  Command.withExamples([
    {
      command: "overture webhooks create https://example.com/hook --events message.*,lead.replied",
      description: "What is said and answered"
    }
  ])
)

const list = Command.make("list", { database: Flags.database, json: Flags.json }, ({ database, json }) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      const webhooks = yield* Webhooks
      const all = yield* everything((request) => webhooks.list(Engine.workspace, request))
      if (json) return Output.printJson({ endpoints: all.map(WebhookList.encode) })
      if (all.length === 0) return Output.say("There is no endpoint; overture webhooks create URL makes one.")
      Output.print(...WebhookList.endpoints(all, workspaceZone, paint()))
    })
  )
).pipe(Command.withShortDescription("Show endpoints and how they are doing"))

const change = (
  { database, endpoint, json }: { readonly endpoint: string; readonly database: Target; readonly json: boolean },
  act: (webhooks: Webhooks["Service"], id: WebhookEndpointId) => Effect.Effect<Endpoint, Error>
) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      say(yield* act(yield* Webhooks, endpoint as WebhookEndpointId), json)
    })
  )

const deliveries = Command.make("deliveries", shared, ({ database, endpoint, json }) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      const { data } = yield* (yield* Webhooks).deliveries(Engine.workspace, endpoint as WebhookEndpointId, {
        limit: 100
      })
      if (json) return Output.printJson({ deliveries: data.map(WebhookList.encodeDelivery) })
      if (data.length === 0) return Output.say("Nothing waits, and nothing was sent yet.")
      Output.print(...WebhookList.deliveries(data, workspaceZone, paint()))
    })
  )
).pipe(
  Command.withShortDescription("Show what waits or failed, and the last that arrived"),
  Command.withDescription("Shows what waits or failed of an endpoint, and the last that arrived; at most 100.")
)

const ping = Command.make("ping", shared, ({ database, endpoint, json }) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      const pinged = yield* (yield* Webhooks).ping(Engine.workspace, endpoint as WebhookEndpointId)
      if (json) Output.printJson({ status: pinged.status, ms: pinged.ms, problem: pinged.problem })
      if (pinged.problem !== null) return yield* refuse(`${endpoint} did not take it: ${pinged.problem}`)
      if (!json) Output.print(`${endpoint} answered ${pinged.status} after ${Text.number(pinged.ms)} ms`)
    })
  )
).pipe(
  Command.withShortDescription("Send a test event at once"),
  Command.withDescription("Sends a webhook.ping at once. Exit code 1 where the endpoint does not take it.")
)

const instant = (name: "since" | "before", description: string) =>
  Flag.String(name).pipe(Flag.withMetavar("INSTANT"), Flag.withDescription(description), Flag.withSchema(Instant))

const replay = Command.make(
  "replay",
  {
    ...shared,
    since: instant("since", "From when on, such as 2026-03-02T14:00:00Z"),
    before: instant("before", "Up to but not including; now where it is left out").pipe(Flag.optional)
  },
  ({ before, since, ...given }) =>
    change(given, (webhooks, id) =>
      webhooks.replay(Engine.workspace, id, { since, before: Option.getOrUndefined(before) })
    )
).pipe(
  Command.withShortDescription("Send again what happened in some time"),
  Command.withDescription("Has workers send again what happened from --since on, beside what happens now.")
)

const disable = Command.make("disable", shared, (given) =>
  change(given, (webhooks, id) => webhooks.disable(Engine.workspace, id, Engine.actor))
).pipe(Command.withShortDescription("Send nothing to an endpoint until it is enabled"))

const enable = Command.make(
  "enable",
  {
    ...shared,
    from: Flag.Literals("from", ["continue", "now"] as const).pipe(
      Flag.withDescription("continue: with everything since it was disabled; now: with what happens from now on"),
      Flag.withDefault("continue" as const)
    )
  },
  ({ from, ...given }) => change(given, (webhooks, id) => webhooks.enable(Engine.workspace, id, from))
).pipe(Command.withShortDescription("Send to an endpoint again"))

const rotate = Command.make("rotate", shared, ({ database, endpoint, json }) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      saySecret(yield* (yield* Webhooks).rotateSecret(Engine.workspace, endpoint as WebhookEndpointId), json)
    })
  )
).pipe(
  Command.withShortDescription("Give an endpoint a new secret"),
  Command.withDescription("Gives an endpoint a new secret and shows it. The former one signs beside it for a day.")
)

const remove = Command.make("remove", shared, ({ database, endpoint, json }) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      yield* (yield* Webhooks).remove(Engine.workspace, endpoint as WebhookEndpointId)
      if (json) return Output.printJson({ removed: endpoint })
      Output.print(`${endpoint} is gone, with its deliveries.`)
    })
  )
).pipe(Command.withShortDescription("Remove an endpoint with its deliveries"))

/** The command with its parts. */
export const command = Command.make("webhooks").pipe(
  Command.withShortDescription("Have events posted to URLs, and see how that goes"),
  Command.withDescription(
    "Has events posted to URLs as Standard Webhooks. Workers deliver them, with retries for about three days."
  ),
  Command.withSubcommands([create, list, deliveries, ping, replay, disable, enable, rotate, remove])
)
