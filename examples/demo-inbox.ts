/**
 * A conversation as it happens. Two studios invite six people; they answer, ask, send a photo, say stop, book; a member
 * takes over; the next morning whoever was silent hears once more. The sandbox pushes what its people do to an ingress over
 * HTTP, signed, and every line on the screen is a webhook that came out again and whose signature was verified. What a
 * worker does by itself is done here one thing after the other, in time that jumps, so that it can be watched.
 */
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import type { ScriptInput } from "@overture/adapters/channels/sandbox/Script"
import * as Signature from "@overture/adapters/channels/sandbox/Signature"
import * as FileMedia from "@overture/adapters/media/FileMedia"
import * as HttpMedia from "@overture/adapters/media/HttpMedia"
import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import * as KeyVault from "@overture/adapters/vault/KeyVault"
import * as HttpWebhooks from "@overture/adapters/webhooks/HttpWebhooks"
import { Ingress } from "@overture/core/chat/Ingress"
import { Webhooks } from "@overture/core/event/Webhooks"
import { Driver } from "@overture/core/outbox/Driver"
import * as Overture from "@overture/core/Overture"
import { Chores } from "@overture/core/workspace/Chore"
import { earliest } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Clock, Effect, Layer, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Webhook } from "standardwebhooks"
import * as Loopback from "./inbox/Loopback.ts"
import * as Mia from "./inbox/Mia.ts"
import * as Narrator from "./inbox/Narrator.ts"
import * as Screen from "./inbox/Screen.ts"
import * as Studio from "./inbox/Studio.ts"
import * as Tables from "./inbox/Tables.ts"

const begun = performance.now()
const script = JSON.parse(readFileSync(join(import.meta.dirname, "inbox/sandbox.json"), "utf8")) as ScriptInput
/** After a line, and between what happens at different times: eyes follow, pipes do not wait (milliseconds). */
const [glance, breath] = process.stdout.isTTY ? [50, 180] : [0, 0]
const random = (bytes: number) => Redacted.make(randomBytes(bytes).toString("base64"))

// The platform's people act in the engine's time, and begin with it.
const clock = { now: () => Studio.monday }

const program = Effect.gen(function* () {
  const sandbox = yield* Sandbox.make({ script, clock: () => clock.now() })
  const root = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "overture-inbox-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
  )
  const engine = Overture.layer({
    storage: SqliteStorage.layer({ path: ":memory:" }),
    channels: [sandbox],
    time: PacingTime.layerVirtual(Studio.monday),
    vault: yield* KeyVault.make(Redacted.make(`demo:${Redacted.value(random(32))}`)),
    // The receiver is on this machine; without this, webhooks go to the open internet alone.
    webhooks: HttpWebhooks.layer({ allowInward: true, allowHttp: true }),
    media: Layer.merge(FileMedia.layer({ root }), HttpMedia.layer())
  })
  yield* Effect.provide(story(sandbox), engine)
})

/** Somebody who does not know the platform's secret says that Emil wrote. */
const forge = (url: string) => {
  const at = Date.now()
  const message = { id: "forged", text: "Send me your bank details" }
  const event = { id: "forged", time: at, kind: "message", person: { id: "emil" }, message }
  const body = Buffer.from(JSON.stringify({ account: "riverside", events: [event] }))
  return fetch(url, { method: "POST", headers: Signature.sign(random(16), at, body), body })
}

/** What came in from the platform and out to a subscriber. */
const traffic = { ingress: 0, forged: 0, unverified: 0, told: [] as Array<Narrator.Told> }

const story = Effect.fnUntraced(function* (sandbox: Sandbox.SandboxChannel) {
  const time = yield* PacingTime
  const driver = yield* Driver
  const chores = yield* Chores
  clock.now = () => Effect.runSync(time.now)

  const secret = random(16)
  const subscriber: { verifier: Webhook | null } = { verifier: null }
  const run = Effect.runPromiseWith(yield* Effect.context<Overture.Services>())
  const server = yield* Loopback.listen({
    "/ingress": (posted) =>
      run(
        Effect.flatMap(Ingress, ({ receive }) => receive({ channel: sandbox.name, secret }, posted)).pipe(
          Effect.as(204),
          Effect.tap(Effect.sync(() => (traffic.ingress += 1))),
          Effect.catchTag("BadSignature", () =>
            Effect.as(
              Effect.sync(() => (traffic.forged += 1)),
              401
            )
          )
        )
      ),
    "/hooks": async ({ body, headers }) => {
      try {
        traffic.told.push(subscriber.verifier?.verify(Buffer.from(body), { ...headers }) as Narrator.Told)
        return 204
      } catch {
        traffic.unverified += 1
        return 401
      }
    }
  })
  const ingress = { url: `${server}/ingress`, secret }
  yield* Studio.found
  const webhooks = yield* Webhooks
  const hook = yield* webhooks.create(Studio.workspace, { url: `${server}/hooks`, events: Narrator.events })
  subscriber.verifier = new Webhook(Redacted.value(hook.secret))
  const member = yield* Studio.open
  const mia = Mia.make(member)

  Screen.title("Two studios write to six people, and one member answers.")
  Screen.note(`The platform posts what they do to ${ingress.url}, signed.`)
  Screen.note(`Each line is a webhook that came to ${server}/hooks and was verified.\n`)
  let shown = 0
  /** Does all that there is to do at this time, and says when there is more. */
  const turn = Effect.gen(function* () {
    for (;;) {
      const { nextDue, worked } = yield* driver.step
      const { nextAt, taken } = yield* sandbox.push(ingress)
      const acted = yield* mia.act(yield* time.now)
      yield* Effect.forEach(chores, ({ round }) => Effect.flatMap(Clock.currentTimeMillis, round))
      // Webhooks about one chat come in order; those about others come when they come.
      for (const told of traffic.told.slice(shown).toSorted(Narrator.before)) {
        mia.hear(told)
        yield* Narrator.tell(told)
        yield* Effect.sleep(glance)
      }
      shown = traffic.told.length
      if (!worked && taken === 0 && !acted) return earliest(earliest(nextDue, nextAt), mia.next())
    }
  })
  for (let next = yield* turn; next !== null; next = yield* turn) {
    yield* Effect.sleep(breath)
    yield* time.waitUntil(next, 0)
  }
  yield* Effect.promise(() => forge(ingress.url))

  Screen.title("The inbox, most recent first")
  yield* Tables.inbox(member)
  const { data } = yield* webhooks.deliveries(Studio.workspace, hook.endpoint.id, { limit: 50 })
  Screen.title("The last deliveries")
  Tables.deliveries(data.slice(0, 6))
  const { forged, ingress: taken, told, unverified } = traffic
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
  Screen.title(`Two days in ${seconds} s`)
  console.log(`  ${taken} requests of the platform taken, ${forged} that somebody forged refused`)
  console.log(`  ${told.length} webhooks received with a good signature, ${unverified} with a bad one\n`)
  if (forged !== 1 || unverified > 0) process.exitCode = 1
})

await Effect.runPromise(Effect.scoped(program))
